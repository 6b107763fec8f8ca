"""What actions/upload-artifact does, with a folder (E2E_ARTIFACTS) for storage.

Its rules that matter here: files whose path has a part with a leading dot are left out; what is stored is relative to
the folder that all patterns have in common; a name that exists is refused unless it may be overwritten.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import sys
from pathlib import Path

REFUSED_IN_NAMES = set('":<>|*?\r\n\\/')


def fixed_part(pattern: str) -> Path:
    """The folder before the first wildcard."""
    path = Path()
    for part in Path(pattern).parts:
        if re.search(r"[*?\[]", part):
            break
        path = path / part
    return path


def is_match(file: Path, pattern: str) -> bool:
    """A pattern stands for what it matches and for everything below that. A wildcard stays within one folder."""
    wanted = Path(pattern.removesuffix("/**")).parts
    return len(file.parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, file.parts, wanted))


def main() -> str:
    name = os.environ["ARTIFACT_NAME"]
    if not name or REFUSED_IN_NAMES & set(name):
        return f"{name!r} is not a name of an artifact"
    lines = [line.strip() for line in os.environ["ARTIFACT_PATH"].splitlines() if line.strip()]
    wanted = [line for line in lines if not line.startswith("!")]
    unwanted = [line[1:] for line in lines if line.startswith("!")]
    root = Path(os.path.commonpath([fixed_part(pattern) for pattern in wanted]))
    files = [
        file
        for file in sorted(root.rglob("*"))
        if file.is_file()
        and any(is_match(file, pattern) for pattern in wanted)
        and not any(is_match(file, pattern) for pattern in unwanted)
        and not any(part.startswith(".") for part in file.parts)
    ]
    if not files:
        level = "" if os.environ["ARTIFACT_IF_NONE"] == "ignore" else "::warning::"
        print(f"{level}No files were found with the provided path: {', '.join(lines)}.")
        return ""
    target = Path(os.environ["E2E_ARTIFACTS"]) / name
    if target.exists():
        if os.environ["ARTIFACT_OVERWRITE"] != "true":
            return f"an artifact with the name {name} already exists"
        shutil.rmtree(target)
    if name == os.environ.get("E2E_LOST_ARTIFACT"):
        print(f"{name} is lost, as the test wants it.")
        return ""
    for file in files:
        copy = target / file.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    print(f"{name}: {len(files)} files")
    return ""


if __name__ == "__main__":
    sys.exit(main() or None)
