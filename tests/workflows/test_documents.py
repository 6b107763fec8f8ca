"""README and docs/: links lead somewhere, keys and commands that are named exist, what is generated is in step."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
from tests import builders
from tests.e2e import small_client
from tests.workflows import files

from mlops_ci import cli, config, config_faults

ROOT = files.ROOT
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "tests" / "README.md"])
SCHEMA = json.loads((ROOT / "docs" / "schema.json").read_text(encoding="utf-8"))
WRITTEN_FOR_USERS = [page for page in PAGES if page.parent != ROOT / "tests" and page.name != "CONTRIBUTING.md"]

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def script(name: str) -> ModuleType:
    """A script beside the package."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # where dataclasses look for it
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def prose(text: str) -> str:
    """`text` without blocks of code."""
    return re.sub(r"(?ms)^```.*?^```$", "", text)


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub makes of the headings of `page`."""
    headings = re.findall(r"(?m)^#+ (.+)$", prose(page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def blocks(language: str) -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for text in re.findall(rf"(?ms)^```{language}$\n(.*?)^```$", page.read_text(encoding="utf-8")):
            yield page, text


@every_page
def test_links__lead_to_what_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text(encoding="utf-8"))):
        if re.match(r"https?://|\.\./\.\./(raw|actions)/", target):
            continue  # of the repository on GitHub
        name, _, fragment = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.is_file() or (not fragment and there.is_dir()), target
        assert not fragment or fragment in anchors(there), target


def test_pages__every_one_is_reached_from_the_readme() -> None:
    reached, pending = set(), [ROOT / "README.md"]
    while pending:
        page = pending.pop()
        if page not in reached:
            reached.add(page)
            targets = re.findall(r"\]\(([^)#\s]+\.md)", page.read_text(encoding="utf-8"))
            pending += [(page.parent / target).resolve() for target in targets if "://" not in target]
    assert {page for page in WRITTEN_FOR_USERS if page not in reached} == set()


def test_generated__is_in_step() -> None:
    out = [path for path, text in script("docs").files().items() if path.read_text(encoding="utf-8") != text]
    assert not out, "run: make docs"


def test_reference__has_every_key() -> None:
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for key in script("docs_keys").keys():
        assert key.what, key
        assert f"| `{key.name}` | " in text


def table_of(text: str) -> Any:
    return tomllib.loads(text).get("tool", {}).get("mlops-ci")


def accepts(table: Any) -> bool:
    """Whether the schema does."""
    return bool(jsonschema.Draft7Validator(SCHEMA).is_valid(table))


def is_read(table: Any) -> bool:
    """Whether we do."""
    try:
        config_faults.refuse_unknown_keys(table, config.Config)
        msgspec.convert(table, config.Config)
    except Exception:  # whatever it is, it is a no
        return False
    return True


def test_examples__are_configurations() -> None:
    tables = [(page, table) for page, text in blocks("toml") if (table := table_of(text)) is not None]
    assert len(tables) > 5
    for page, table in tables:
        assert is_read(table), (page.name, table)
        assert accepts(table), (page.name, table)


def test_examples__keys_that_are_named_exist() -> None:
    known = {key.dotted for key in script("docs_keys").keys()} | set(script("docs_keys").tables())
    heads = {key.partition(".")[0] for key in known}
    for page in WRITTEN_FOR_USERS:
        for name in re.findall(r"`([a-z]+(?:\.[a-z0-9<>-]+)+)`", prose(page.read_text(encoding="utf-8"))):
            if name.partition(".")[0] in heads and not re.search(r"\.(json|py|yml|toml|md|svg|xml|lcov)$", name):
                assert name.replace("tests.unit", "tests.<name>") in known, (page.name, name)


def test_examples__commands_that_are_named_exist() -> None:
    for page in WRITTEN_FOR_USERS:
        for name, rest in re.findall(r"mlops-ci ([a-z]+)\b([^`\n#]*)", page.read_text(encoding="utf-8")):
            if name not in cli.commands.commands:
                continue  # a sentence
            options = {option for parameter in cli.commands.commands[name].params for option in parameter.opts}
            options |= {
                option for parameter in cli.commands.commands[name].params for option in parameter.secondary_opts
            }
            assert set(re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", rest)) <= options, (page.name, name, rest)


def test_examples__workflows_are_such(tmp_path: Path) -> None:
    found = [text for _, text in blocks("yaml") if "\njobs:" in text]
    assert len(found) > 1
    folder = tmp_path / ".github" / "workflows"
    for number, text in enumerate(found):
        builders.write(folder, {f"{number}.yml": text})
    linter = Path(sysconfig.get_path("scripts")) / "actionlint"
    paths = sorted(map(str, folder.iterdir()))
    done = subprocess.run(
        [linter, "-shellcheck=", "-pyflakes=", *paths], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_examples__inputs_that_are_given_exist() -> None:
    known = {name for file in files.WORKFLOWS if file.is_called for name in file.inputs}
    for page, text in blocks("yaml"):
        for given in re.findall(r"(?m)^ +with:\n((?: {6}\S.*\n)+)", text) + re.findall(r"with: \{(.*)\}", text):
            names = set(re.findall(r"(?:^|[\s,])([a-z-]+): ", f" {given}"))
            assert names <= known | {"fetch-depth", "persist-credentials", "name", "path"}, (page.name, names)


def texts_of_the_code() -> set[str]:
    """The constant pieces of every text in the package: those between the values of f-strings."""
    pieces = set()
    for path in (ROOT / "scripts" / "mlops_ci").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                pieces.add(node.value)
    return pieces


def test_messages__are_what_the_code_says() -> None:
    pieces = texts_of_the_code()
    found = re.findall(
        r"(?m)^\| (`[^|]+) \|", (ROOT / "README.md").read_text(encoding="utf-8").partition("## Troubleshooting")[2]
    )
    assert len(found) > 30
    for cell in found:
        for message in re.findall(r"`([^`]+)`", cell):
            said = any(message in piece or (len(piece.strip()) >= 12 and piece.strip() in message) for piece in pieces)
            assert said, message


SAMPLES = [
    {},
    {"stages": ["lint", "tests"], "source": ["src"], "python": ["3.11"]},
    {"tests": {"unit": {"workers": "auto", "shards": 4}, "slow": {"workers": 1, "args": ["-m", "slow"]}}},
    {"load": {"thresholds": {"max-p95-ms": 250, "min-rps": 0.5}, "endpoints": {"POST /predict": {"max-p99-ms": 1}}}},
    {"load": {"env": {"A": "b"}, "headers": {"X": "${Y}"}, "command": ["run", "{port}"]}},
    table_of(small_client.FILES["pyproject.toml"]),
    table_of((ROOT / "pyproject.toml").read_text(encoding="utf-8")),
    table_of((ROOT / "sample_service" / "pyproject.toml").read_text(encoding="utf-8")),
]
WRONG = [
    {"stage": ["lint"]},
    {"stages": ["lnit"]},
    {"stages": "lint"},
    {"tests": {"Unit": {}}},
    {"tests": {"unit": {"shards": 0}}},
    {"tests": {"unit": {"workers": "many"}}},
    {"coverage": {"min-total": 100.5}},
    {"coverage": {"min_total": 80}},
    {"load": {"thresholds": {"max-p95-ms": 0}}},
    {"load": {"thresholds": {"max-failure-ratio": 1.01}}},
    {"load": {"endpoints": {"/predict": {}}}},
    {"load": {"endpoints": {"POST /predict": {"max-rss-mb": 3}}}},
    {"load": {"users": 1.5}},
]


@pytest.mark.parametrize("table", SAMPLES)
def test_schema__accepts_what_is_read(table: Any) -> None:
    assert is_read(table)
    assert accepts(table)


@pytest.mark.parametrize("table", WRONG)
def test_schema__refuses_what_is_refused(table: Any) -> None:
    assert not is_read(table)
    assert not accepts(table)


def test_schema__says_what_every_key_is() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    tables = [SCHEMA, *SCHEMA["$defs"].values()]
    named = 0
    for table in tables:
        for name, entry in table["properties"].items():
            assert "$ref" in entry or entry["description"], name
            assert "null" not in json.dumps(entry)
            named += 1
    assert named > 60
