"""Requirement texts and requirements files: which distributions they name, and which files they were read from.

Reads as pip does, so far as names are concerned, and passes over what names nothing. Chooses no versions: uv does.
"""

from __future__ import annotations

import codecs
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlops_ci import errors

_OPTION = re.compile(r"^(-[a-zA-Z]|--[a-z-]+)(?:\s*=\s*|\s+)?(.*)$")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_EXTRAS = re.compile(r"\[([^]]*)\]\s*$")


@dataclass
class Collector:
    """What has been read so far.

    Attributes:
        root: The client's folder.
        texts: Normalised name to the requirements as written, in order, each once.
        files: Requirements and constraints files that were read, relative to `root`.
        constraints: Those of them that constrain only (``-c``).
        included: Those of them that another one includes (``-r``).
        extras: Extras of the client itself that a file asks for: ``-e .[test]``.
        local: Whether something names a folder or file, so that the result depends on where the client lies.
    """

    root: Path
    texts: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    included: set[str] = field(default_factory=set)
    extras: list[str] = field(default_factory=list)
    local: bool = False

    def add(self, text: str) -> None:
        """Note one requirement, without a comment; what is no requirement is passed over."""
        text = re.split(r"\s--[a-z]", text, maxsplit=1)[0].strip()
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            egg = _EGG.search(text)
            self.local = self.local or "://" not in text
            if egg is None:
                return
            name = egg[1]
        else:
            name = requirement.name
            self.local = self.local or (requirement.url or "").startswith("file:")
        known = self.texts.setdefault(canonicalize_name(name), [])
        if text not in known:
            known.append(text)

    def read(self, path: Path, *, constraint: bool = False) -> None:
        """Note all that the requirements file `path` says, with the files it includes.

        Raises:
            errors.ConfigurationError: The file, or one that it includes, cannot be read.
        """
        relative = self._relative(path)
        if relative in self.files:
            return
        self.files.append(relative)
        for line in lines(path):
            option = _OPTION.match(line)
            if option is None:
                if not constraint:
                    self.add(line)
                continue
            flag, value = option[1], option[2].strip()
            if flag in ("-r", "--requirement", "-c", "--constraint"):
                if "://" in value:
                    continue
                inner = flag in ("-c", "--constraint")
                self.included.add(self._relative(path.parent / value))
                if inner or constraint:
                    self.constraints.append(self._relative(path.parent / value))
                self.read(path.parent / value, constraint=inner or constraint)
            elif flag in ("-e", "--editable"):
                self._editable(value)

    def _editable(self, value: str) -> None:
        if "://" in value:
            self.add(value)
            return
        self.local = True
        extras = _EXTRAS.search(value)
        if extras is not None and _EXTRAS.sub("", value).strip() in (".", "./"):
            self.extras.extend(name.strip() for name in extras[1].split(","))

    def _relative(self, path: Path) -> str:
        # A monorepo's client may include a file of the folder above: Path.relative_to cannot say that before 3.12.
        return Path(os.path.relpath(path.resolve(), self.root.resolve())).as_posix()


def lines(path: Path) -> list[str]:
    """The logical lines of a requirements file: comments gone, continued lines joined, blank ones left out.

    Raises:
        errors.ConfigurationError: It cannot be read.
    """
    try:
        raw = path.read_bytes()
        # `pip freeze > requirements.txt` in PowerShell writes UTF-16.
        wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise errors.ConfigurationError(
            f"The requirements file {path} cannot be read: {reason}.",
            "The client's dependencies are not known without it.",
            "Correct its name where it is mentioned, or add the file.",
        ) from None
    joined = re.sub(r"\\\r?\n", " ", text)
    stripped = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in stripped if line]
