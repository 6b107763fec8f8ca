"""The comparison as part of the load stage, on a real repository: the ordinary figures always stay.

Phases are far too short for an interval here; what is quickly certain is peak memory, and that is what fails.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests import repositories
from tests.integration.load_scene import Here, context_of, left_behind
from tests.integration.paired_scene import SERVER

from mlops_ci import config, errors, results, stages
from mlops_ci.load import service
from mlops_ci.paired import joining
from mlops_ci.stages import load


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every process that ran from the test's folder has ended, and no checkout of the base is left."""
    monkeypatch.setenv("MLOPS_CI_CACHE", str(tmp_path / "cache"))
    yield
    assert not left_behind(tmp_path)
    assert not list(tmp_path.glob("cache/bases/*/tree"))


# Some work, or the load generator would be at its end first: the warm-up is too short to find the waits that it needs.
USUAL = {"body": "x" * 20, "work_ms": 2}


def context_with_base(
    tmp_path: Path, *, base: dict[str, Any] | None = None, head: dict[str, Any] | None = None, **changes: Any
) -> stages.Context:
    """A client whose last commit changed the settings of its service; `before_load` are commands of its base."""
    root = repositories.make(tmp_path / "client")
    before_load = changes.pop("before_load", [])
    against = config.LoadBase(budget=12.0, **changes.pop("against", {}))
    context = context_of(root, **{"base": against, **changes})
    table = f'[tool.mlops-ci.load]\ncommand = ["{sys.executable}", "server.py", "{{host}}", "{{port}}"]\n'
    table += f"[tool.mlops-ci.commands]\nbefore-load = {json.dumps(before_load)}\n"
    files = {"server.py": SERVER, "pyproject.toml": table, ".gitignore": "mlops-report\nstarted\n", "src/a.py": ""}
    named = repositories.commit(root, {**files, "settings.json": json.dumps(USUAL | (base or {}))})
    repositories.commit(root, {"settings.json": json.dumps(USUAL | (head or {}))})
    return dataclasses.replace(context, base=named, environments_of=lambda *_: Here())


def test_run__too_short_to_tell_is_a_notice(tmp_path: Path) -> None:
    context = context_with_base(tmp_path)
    result = load.run(context)
    assert (result.verdict, result.exit_code) == (results.Verdict.PASS, errors.PASSED), result.message
    found = result.metrics[joining.METRIC]
    assert (found["verdict"], found["looks"]) == ("inconclusive", 2)
    assert found["commit"] == context.base
    assert result.metrics["requests"] > 20
    (notice,) = result.findings
    assert notice.severity is results.Severity.NOTICE
    assert "cannot be said" in notice.message
    folders = {path.name for path in (context.report / "load" / "paired").iterdir()}
    assert folders == {f"{look}-{phase}" for look in ("first", "extension") for phase in ("saturated", "unsaturated")}
    assert {"load/base.log", "load/head.log", "load/server.log", "load/requests.bin"} <= set(result.files)


def test_run__worse_than_the_base_is_refused(tmp_path: Path) -> None:
    context = context_with_base(tmp_path, head={"keeps_mb": 40})
    result = load.run(context)
    assert (result.verdict, result.exit_code) == (results.Verdict.FAIL, errors.REFUSED), result.message
    assert result.message.startswith("Worse than the base, most of all memory: "), result.message
    failed = [check for check in result.checks if check.verdict is results.Verdict.FAIL]
    assert [check.name for check in failed] == ["max-memory-increase"]
    assert result.metrics[joining.METRIC]["confirmed"] is True
    assert "load/base-confirmation.log" in result.files
    assert result.metrics["requests"] > 20


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base": {"exits": True}}, ["does not serve", "no model file", "The limits on absolute figures decide."]),
        ({"base": {"dies": True}}, ["does not serve", "died under load"]),
    ],
    ids=["does-not-start", "dies"],
)
def test_run__without_a_base_that_serves_the_limits_decide(
    tmp_path: Path, changes: dict[str, Any], said: list[str]
) -> None:
    result = load.run(context_with_base(tmp_path, **changes))
    assert result.verdict is results.Verdict.PASS, result.message
    for words in ["There was no comparison with the base", *said]:
        assert words in result.message
    assert result.metrics["requests"] > 20
    assert result.metrics[joining.METRIC]["reason"]
    assert result.findings[0].severity is results.Severity.NOTICE


def test_run__head_is_measured_with_what_its_own_commands_have_made(tmp_path: Path) -> None:
    shared, met = tmp_path / "model", tmp_path / "met"
    script = f"cat {shared} >> {met}; exec {sys.executable} server.py {{host}} {{port}}"
    context = context_with_base(
        tmp_path, base={"exits": True}, command=["bash", "-c", script], before_load=[f"echo base > {shared}"]
    )
    own = config.Commands(before_load=[f"echo head > {shared}"])
    context = dataclasses.replace(context, config=msgspec.structs.replace(context.config, commands=own))
    result = load.run(context)
    assert "does not serve" in result.message
    assert (context.report / "logs" / "before-load-base.log").read_text() == f"$ echo base > {shared}\n"
    assert met.read_text() == "head\n"
    assert shared.read_text() == "head\n", "head would be compared with what the base has made"


@pytest.mark.parametrize(
    ("strict", "verdict", "code"),
    [(False, results.Verdict.PASS, errors.PASSED), (True, results.Verdict.INCONCLUSIVE, errors.BROKEN)],
)
def test_run__not_the_same_work(tmp_path: Path, strict: bool, verdict: results.Verdict, code: int) -> None:
    result = load.run(context_with_base(tmp_path, head={"body": "x" * 500}, against={"strict": strict}))
    assert (result.verdict, result.exit_code) == (verdict, code), result.message
    assert "bytes by base and 500 by head" in result.message
    assert result.metrics["requests"] > 20, "the ordinary figures stay"


def test_run__services_that_cannot_stand_beside_each_other(tmp_path: Path) -> None:
    result = load.run(context_with_base(tmp_path, base=(same := {"exclusive": service.free_port()}), head=same))
    assert (result.verdict, result.exit_code) == (results.Verdict.PASS, errors.PASSED), result.message
    (notice,) = result.findings
    assert notice.severity is results.Severity.NOTICE
    assert notice.message.startswith("No comparison with the base: Head's service starts alone, and does not beside")
    assert result.metrics["requests"] > 20, "the ordinary figures stay"


def test_run__a_base_that_is_nowhere(tmp_path: Path) -> None:
    context = dataclasses.replace(context_with_base(tmp_path), base="nowhere")
    with pytest.raises(errors.ConfigurationError, match="--base nowhere is no commit"):
        load.run(context)


def test_run__switched_off(tmp_path: Path) -> None:
    context = context_with_base(tmp_path, against={"enabled": False})
    result = load.run(context)
    assert result.verdict is results.Verdict.PASS
    assert result.metrics[joining.METRIC]["commit"] is None
    assert "base" not in result.message
    assert not (context.report / "load" / "paired").exists()


def test_run__interrupted_in_the_comparison(tmp_path: Path) -> None:
    root = context_with_base(tmp_path).client.root
    code = (
        "import faulthandler\n"
        "faulthandler.enable()\n"
        "from tests.integration import test_paired_stage as scene\n"
        "from mlops_ci import process\n"
        "from mlops_ci.stages import load\n"
        f"context = scene.again({str(root)!r})\n"
        "with process.ended_on_signals():\n"
        "    load.run(context)\n"
    )
    top = str(Path(__file__).parents[2])
    running = subprocess.Popen(
        [sys.executable, "-c", code], cwd=top, env={**os.environ, "PYTHONPATH": top}, stderr=subprocess.PIPE, text=True
    )
    phase = root / "mlops-report" / "load" / "paired" / "first-saturated" / "requests.bin"
    until = time.monotonic() + 60
    while not (phase.exists() and phase.stat().st_size) and time.monotonic() < until:
        time.sleep(0.1)
    assert phase.exists(), "it never came to the comparison"
    running.send_signal(signal.SIGTERM)
    try:
        _, said = running.communicate(timeout=30)
    except subprocess.TimeoutExpired:  # where is it?
        running.send_signal(signal.SIGABRT)
        raise AssertionError(running.communicate(timeout=30)[1]) from None
    assert running.returncode != 0
    assert "KeyboardInterrupt" in said
    assert not (root / ".git" / "worktrees").exists() or not any((root / ".git" / "worktrees").iterdir())


def again(root: str) -> stages.Context:
    """The context of a client that is there already, for another process."""
    folder = Path(root)
    context = context_of(folder, base=config.LoadBase(budget=12.0))
    (folder / "server.py").write_text(SERVER, encoding="utf-8")
    return dataclasses.replace(context, base="HEAD^1", environments_of=lambda *_: Here())
