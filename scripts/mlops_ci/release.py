"""What a release of mlops-ci itself needs to know: does the tag fit, what are its notes, does the major tag move.

Started by release.yml as ``python -Im mlops_ci.release``; no client runs it. Creates and pushes nothing.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from packaging.version import InvalidVersion, Version

from mlops_ci import __version__, errors, process
from mlops_ci.reporters import github

_HEADING = re.compile(r"^## \[?(?P<version>[^\]\s]+)\]?")


def check_tag(tag: str, version: str) -> None:
    """Refuse a tag that does not say `version`.

    Raises:
        errors.ConfigurationError: It does not.
    """
    if tag != f"v{version}":
        raise errors.ConfigurationError(
            f"The tag is {tag}, the version is {version}.",
            "The release would call itself by a wrong name.",
            f"Tag the commit v{version}, or set the version in pyproject.toml and mlops_ci/__init__.py first.",
        )


def notes(changelog: str, version: str) -> str:
    """The section of `version` in a changelog that is kept as keepachangelog.com says, without its heading.

    Raises:
        errors.MissingError: There is no such section, or nothing is in it.
    """
    lines: list[str] = []
    inside = False
    for line in changelog.splitlines():
        heading = _HEADING.match(line)
        if heading:
            inside = heading["version"] == version
        elif inside:
            lines.append(line)
    text = "\n".join(lines).strip()
    if not text:
        raise errors.MissingError(
            f"CHANGELOG.md says nothing about {version}.",
            "Nobody would know what the release changes.",
            f"Rename the heading `Unreleased` to `[{version}]`, with the date, and commit that before the tag.",
        )
    return text


def moving_tag(tag: str, tags: Iterable[str]) -> str:
    """The tag of `tag`'s major version, ``v1``; empty when one of `tags` is newer within it and must keep it."""
    released = Version(tag)
    for other in tags:
        try:
            version = Version(other)
        except InvalidVersion:
            continue
        # `v1` reads as 1, which is older than any release of it.
        if version.major == released.major and version > released:
            return ""
    return f"v{released.major}"


def main(arguments: list[str] | None = None, *, run: process.Runner = process.run) -> int:
    """Check, write the notes, set the output ``moving-tag``; returns the exit code."""
    parser = argparse.ArgumentParser(prog="mlops_ci.release", description=__doc__)
    parser.add_argument("tag")
    parser.add_argument("--changelog", type=Path, default=Path("CHANGELOG.md"))
    parser.add_argument("--notes", type=Path, required=True, help="where to write them")
    options = parser.parse_args(arguments)
    try:
        check_tag(options.tag, __version__)
        options.notes.write_text(notes(options.changelog.read_text(encoding="utf-8"), __version__), encoding="utf-8")
        listed = run(["git", "tag", "--list"])
        if listed.returncode != 0:
            raise errors.MissingError(
                "`git tag --list` failed.",
                "Without the other tags nobody knows whether the major tag may move.",
                "Check out with all tags.",
                log=listed.output,
            )
    except errors.Failure as failure:
        print(f"mlops-ci: {failure.message}", file=sys.stderr)
        return failure.exit_code
    github.GitHub(os.environ, print).set_outputs({"moving-tag": moving_tag(options.tag, listed.stdout.split())})
    return errors.PASSED


if __name__ == "__main__":
    sys.exit(main())
