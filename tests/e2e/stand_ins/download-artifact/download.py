"""What actions/download-artifact does, with a folder (E2E_ARTIFACTS) for storage."""

from __future__ import annotations

import fnmatch
import os
import shutil
import sys
from pathlib import Path


def main() -> str:
    store, target = Path(os.environ["E2E_ARTIFACTS"]), Path(os.environ["ARTIFACT_PATH"])
    name, pattern = os.environ["ARTIFACT_NAME"], os.environ["ARTIFACT_PATTERN"]
    there = sorted(folder.name for folder in store.iterdir()) if store.is_dir() else []
    if name and name not in there:
        return f"Artifact not found for name: {name}"
    chosen = [name] if name else [one for one in there if fnmatch.fnmatchcase(one, pattern or "*")]
    for one in chosen:
        folder = target if name or os.environ["ARTIFACT_MERGE"] == "true" else target / one
        shutil.copytree(store / one, folder, dirs_exist_ok=True)
    print(f"downloaded: {', '.join(chosen) or 'nothing'}")
    return ""


if __name__ == "__main__":
    sys.exit(main() or None)
