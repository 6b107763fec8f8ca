from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests import builders

from mlops_ci import config, environment, errors, masking
from mlops_ci.stages import variables


def of(root: Path, own: dict[str, str] | None = None, **settings: object) -> dict[str, str]:
    context = builders.make_context(
        root,
        config=config.Config(environment=config.Environment(**settings)),  # type: ignore[arg-type]
        secrets=masking.Secrets({"TOKEN": "secret"}),
    )
    where = environment.Environment(Path("python"), {"SET": "here", "PYTHONPATH": "/ours"})
    return variables.of(context, where, own, "tests.unit.env")


def test_of__nothing(tmp_path: Path) -> None:
    assert of(tmp_path) == {}


def test_of__the_nearer_the_stronger(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\nC=file\nSET=file\n")

    found = of(tmp_path, {"A": "suite ${TOKEN}"}, env_file=".env", env={"A": "all", "B": "all $${X}"})

    assert found == {"A": "suite secret", "B": "all ${X}", "C": "file"}


@pytest.mark.parametrize("where", ["file", "table"])
def test_of__a_path_to_import_from_is_added(tmp_path: Path, where: str) -> None:
    (tmp_path / ".env").write_text("PYTHONPATH=src\n")

    found = of(tmp_path, env_file=".env") if where == "file" else of(tmp_path, env={"PYTHONPATH": "src"})

    assert found == {"PYTHONPATH": f"/ours{os.pathsep}src"}


@pytest.mark.parametrize(
    ("own", "settings", "key"),
    [({"A": "${GONE}"}, {}, "tests.unit.env.A"), (None, {"env": {"A": "${GONE}"}}, "environment.env.A")],
)
def test_of__a_reference_that_leads_nowhere(
    tmp_path: Path, own: dict[str, str] | None, settings: dict[str, dict[str, str]], key: str
) -> None:
    with pytest.raises(errors.ConfigurationError, match=f"{key} in .* GONE, which is not set"):
        of(tmp_path, own, **settings)
