"""Values that a configuration takes from the environment, ``${NAME}``: put in where they stand, masked where we write.

All that was taken is taken for a secret. What is masked, and when, is the business of `mlops_ci.pipeline` (results,
progress, output) and of the stage that writes files.
"""

from __future__ import annotations

import html
import json
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci import config, errors, results

MASK = "***"
SHORTEST = 4
"""Characters. Whoever masked a shorter value would mask words and numbers that have nothing to do with it."""

_OUR_KEY = re.compile(r"[a-z0-9-]+")
_OUR_WORDS = frozenset({"metric", "verdict"})
"""Keys of metrics whose values are words of ours, which readers go by."""
_THEIR_KEYS = frozenset({"endpoints"})
"""Keys of metrics below which keys are names of the client's giving."""

_REFERENCE = re.compile(r"\$(?:\$(?=\{)|\{([^}]*)\})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Secrets:
    """The environment variables that the configuration refers to.

    Attributes:
        by_name: Those that are set.
    """

    by_name: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def values(self) -> list[str]:
        """What has to be masked, longest first, so that none is cut by another that it holds."""
        long = {value for value in self.by_name.values() if len(value.strip()) >= SHORTEST}
        return sorted(long, key=lambda value: (-len(value), value))

    def expand(self, text: str, key: str) -> str:
        """`text` with the values in place of their names; ``$${`` stands for ``${``.

        Args:
            key: Where `text` comes from, for the message.

        Raises:
            errors.ConfigurationError: A variable is not set, or what is in braces is no name.
        """

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name is None:
                return "$"
            if not _NAME.fullmatch(name):
                raise errors.ConfigurationError(
                    f"{key} in [{config.TABLE}] refers to ${{{name}}}, which is no name of an environment variable.",
                    "Its value cannot be known.",
                    "Write ${NAME}, or $${ for a dollar sign and a brace.",
                )
            if not self.by_name.get(name):
                raise errors.ConfigurationError(
                    f"{key} in [{config.TABLE}] refers to the environment variable {name}, which is not set.",
                    "Without it the service or its clients would run with something else than what you meant.",
                    f"Set {name}; in a workflow, by a hook, or as `env` of a step of yours that uses our actions.",
                )
            return self.by_name[name]

        return _REFERENCE.sub(value, text)

    def mask(self, text: str) -> str:
        """`text` without the values, also where they are quoted for JSON, HTML or a URL."""
        for value in self.values:
            for form in _forms(value):
                text = text.replace(form, MASK)
        return text

    def result(self, result: results.StageResult) -> results.StageResult:
        """`result` without the values in any of its texts.

        What readers go by stays as it is, whatever the values: a password may be ``test``, and a variable ``error``.
        """
        if not self.values:
            return result
        replace = msgspec.structs.replace
        return replace(
            result,
            message=self.mask(result.message),
            beats=[self.mask(beat) for beat in result.beats],
            checks=[
                replace(check, scope=self._scope(check.scope), hint=self.mask(check.hint)) for check in result.checks
            ],
            findings=[
                replace(finding, message=self.mask(finding.message), context=self._excerpt(finding.context))
                for finding in result.findings
            ],
            metrics=self._masked(result.metrics),
        )

    def files(self, folder: Path) -> None:
        """Mask the files right in `folder`."""
        self.in_files(folder.iterdir() if folder.is_dir() else ())

    def in_files(self, paths: Iterable[Path]) -> None:
        """Mask those of `paths` that are files."""
        forms = [form.encode() for value in self.values for form in _forms(value)]
        for path in paths if forms else ():
            if path.is_file():
                before = data = path.read_bytes()
                for form in forms:
                    data = data.replace(form, MASK.encode())
                if data != before:
                    path.write_bytes(data)

    def _scope(self, scope: str) -> str:
        return scope if scope in (results.ALL_REQUESTS, results.SERVICE) else self.mask(scope)

    def _excerpt(self, context: results.Excerpt | msgspec.UnsetType) -> results.Excerpt | msgspec.UnsetType:
        if isinstance(context, msgspec.UnsetType):
            return context
        return msgspec.structs.replace(context, lines=[self.mask(line) for line in context.lines])

    def _entry(self, key: str, item: Any) -> Any:
        if key in _OUR_WORDS:
            return item
        return self._scope(item) if key == "scope" else self._masked(item, names=key in _THEIR_KEYS)

    def _masked(self, value: Any, *, names: bool = False) -> Any:
        """`value` of a metric; with `names`, its keys are the client's and not ours."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {
                key if _OUR_KEY.fullmatch(key) and not names else self.mask(key): self._entry(key, item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._masked(item) for item in value]
        return value


def collect(settings: config.Config, variables: Mapping[str, str], more: Iterable[str] = ()) -> Secrets:
    """What `settings`, and `more` texts of the client's, refer to, of `variables`.

    What is not set is `Secrets.expand`'s to refuse, when it is needed.
    """
    names = {name for text in (*_texts(settings), *more) for name in _REFERENCE.findall(text) if name}
    return Secrets({name: variables[name] for name in sorted(names) if name in variables})


def _texts(settings: config.Config) -> Iterable[str]:
    load, suites = settings.load, settings.tests or {}
    tables = (load.headers, load.env, settings.environment.env, *(suite.env for suite in suites.values()))
    return [load.host or "", *(text for table in tables for text in table.values())]


def _forms(value: str) -> list[str]:
    quoted = [json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]]
    encoded = [html.escape(value), urllib.parse.quote(value), urllib.parse.quote(value, safe="")]
    lines = [line for line in value.splitlines() if len(line.strip()) >= SHORTEST]
    return sorted({value, *quoted, *encoded, *lines}, key=lambda form: -len(form))
