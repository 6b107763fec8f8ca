"""What actions/cache does with one folder, with a folder (E2E_CACHE) for storage.

Its rules that matter here: an entry is never replaced; without the very key, the newest entry that begins with the
prefix is taken; a path that is not there is a warning.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def main(command: str) -> None:
    store, path, key = Path(os.environ["E2E_CACHE"]), Path(os.environ["CACHE_PATH"]), os.environ["CACHE_KEY"]
    store.mkdir(parents=True, exist_ok=True)
    if command == "save":
        if not path.is_dir():
            print("::warning::Path Validation Error: Path(s) specified in the action for caching do(es) not exist")
        elif not (store / key).exists():
            shutil.copytree(path, store / key)
            print(f"saved {key}")
        return
    prefix = os.environ["CACHE_PREFIX"]
    found = [entry for entry in store.iterdir() if entry.name == key]
    found += sorted(
        (entry for entry in store.iterdir() if prefix and entry.name.startswith(prefix)),
        key=lambda entry: entry.stat().st_mtime,
        reverse=True,
    )
    if found:
        shutil.copytree(found[0], path, dirs_exist_ok=True)
    print(f"restored {found[0].name}" if found else "nothing to restore")


if __name__ == "__main__":
    main(sys.argv[1])
