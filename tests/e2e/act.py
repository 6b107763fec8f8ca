"""Runs the real workflow files with act, in host mode, and says what came of every job.

Knows nothing of what the pipeline is for. Differences to GitHub that are bridged here, and only here: act does not
know `uses: $/`, so a copy is rendered in which these lines name the repository; actions of others are replaced by
`stand_ins/`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
STAND_INS = Path(__file__).parent / "stand_ins"
REPOSITORY, REF = "OWNER/REPO", "v1"
TIMEOUT = 270
"""Seconds for one run of a workflow."""

GRACE = 3.0
"""Seconds that a process may take to go away after the run."""

SHIPPED = ("actions", ".github", "scripts", "pyproject.toml", "README.md")
"""What of this repository a run needs."""

_OWN = re.compile(r"(?m)^(\s*(?:- )?uses: )\$/(\S+)")
_OTHERS = re.compile(r"(?m)^\s*(?:- )?uses: ([\w.-]+/[\w.-]+)(?:/[\w.-]+)*@(\S+)")
_PASSED_ON = re.compile(r"^(SSL_CERT_(FILE|DIR)|(HTTPS?|ALL|NO)_PROXY|UV_.*|LANG|LC_.*)$", re.IGNORECASE)


@dataclass
class Job:
    """What came of one job.

    Attributes:
        result: ``success`` or ``failure``.
        steps: Name of each step to ``success``, ``failure`` or ``skipped``.
        annotations: Properties and message of each, its level under ``level``.
        summary: What it wrote for the run's summary.
        log: All that it printed.
    """

    result: str = ""
    steps: dict[str, str] = field(default_factory=dict)
    annotations: list[dict[str, str]] = field(default_factory=list)
    summary: str = ""
    log: str = ""

    def errors(self) -> str:
        """The messages of its error annotations, with their places."""
        return "\n".join(
            f"{note.get('title', '')} {note.get('file', '')}:{note.get('line', '')} {note['message']}"
            for note in self.annotations
            if note["level"] == "error"
        )


@dataclass(frozen=True)
class Run:
    """What came of a workflow.

    Attributes:
        jobs: By id; a leg of a matrix by its id and the matrix's `name`. Jobs that were skipped are not here.
        left: Command lines of the processes that the run left behind; they have been ended.
        artifacts: The folder that holds a folder for each artifact.
        output: All that act printed, for when a test fails.
    """

    returncode: int
    jobs: dict[str, Job]
    left: list[str]
    artifacts: Path
    output: str

    @property
    def red(self) -> set[str]:
        """The jobs that failed, or did not end."""
        return {name for name, job in self.jobs.items() if job.result != "success"}

    def story(self) -> str:
        """For when a test fails: every job's end, and all that the red ones said."""
        if not self.jobs:
            return self.output
        ends = [f"{name}: {job.result or 'did not end'} {job.steps}" for name, job in self.jobs.items()]
        logs = [f"---- {name}\n{self.jobs[name].errors()}\n{self.jobs[name].log}" for name in sorted(self.red)]
        return "\n".join(["", *ends, *logs])


def render(target: Path) -> Path:
    """Copy this repository into `target`, its own actions named as act understands them."""
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    for path in yaml_files(target):
        text = path.read_text(encoding="utf-8")
        path.write_text(_OWN.sub(rf"\g<1>{REPOSITORY}/\g<2>@{REF}", text), encoding="utf-8")
    return target


def yaml_files(root: Path) -> list[Path]:
    """The workflows and actions below `root`."""
    return sorted([*root.glob("actions/*/action.yml"), *root.glob(".github/workflows/*.yml")])


def run(
    client: Path,
    repository: Path,
    scratch: Path,
    *,
    variables: Mapping[str, str] | None = None,
    event: str = "push",
    payload: Mapping[str, Any] | None = None,
    github: Mapping[str, str] | None = None,
) -> Run:
    """Have `event` happen to the repository `client`, whose workflows call `repository` (a rendered copy).

    Args:
        scratch: An empty folder: home, artifacts and everything else of the run.
        variables: Further environment variables, for the stand-ins.
        payload: What GitHub would tell of the event; act makes one up without.
        github: Variables that the runner sets, where they are to differ from what act sets.
    """
    marker = uuid.uuid4().hex
    artifacts = scratch / "artifacts"
    environment = {**_environment(scratch), "E2E_ARTIFACTS": str(artifacts), "E2E_RUN": marker, **(variables or {})}
    environment.setdefault("E2E_CACHE", str(scratch / "cache"))
    command = [
        str(_script("act")),
        event,
        "--json",
        "--defaultbranch=main",
        "--platform=ubuntu-latest=-self-hosted",
        "--no-cache-server",
        "--artifact-server-addr=127.0.0.1",
        f"--local-repository={REPOSITORY}@{REF}={repository}",
        *(f"--local-repository={name}={folder}" for name, folder in _stand_ins(repository).items()),
    ]
    if payload is not None:
        told = scratch / "event.json"
        told.write_text(json.dumps(payload), encoding="utf-8")
        command.append(f"--eventpath={told}")
    for name, value in (github or {}).items():
        command.append(f"--secret={name}={value}" if name == "GITHUB_TOKEN" else f"--env={name}={value}")
    act = subprocess.Popen(
        command,
        cwd=client,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        output, _ = act.communicate(timeout=TIMEOUT)
    finally:
        left = list(_end_processes(marker))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(act.pid, signal.SIGKILL)
        act.communicate()
    return Run(act.returncode, _jobs(output), left, artifacts, output)


def commit(folder: Path, *, remote: Path) -> None:
    """Make the folder a repository with one commit, pushed to `remote`: act asks git what it is about to run."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Client")
    git(folder, "init", "--quiet", "--bare", str(remote))
    git(folder, "remote", "add", "origin", str(remote))
    git(folder, "push", "--quiet", "origin", "main")


def git(folder: Path, *words: str) -> str:
    """What git says in `folder`, without the configuration of whoever runs the tests."""
    identity = ["-c", "user.name=Client", "-c", "user.email=client@example.org"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *identity, *words], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode()


def _environment(scratch: Path) -> dict[str, str]:
    """Of the machine only what is needed: act would hand all of it to the jobs."""
    tools, home = scratch / "bin", scratch / "home"
    tools.mkdir()
    home.mkdir()
    uv = _script("uv")
    (tools / "uv").symlink_to(uv)
    cache = subprocess.run([uv, "cache", "dir"], check=True, capture_output=True, text=True).stdout.strip()
    git = shutil.which("git")
    assert git is not None
    folders = [tools, Path(sys.base_prefix) / "bin", Path(git).parent, "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        **{name: value for name, value in os.environ.items() if _PASSED_ON.match(name)},
        "PATH": os.pathsep.join(map(str, folders)),
        "HOME": str(home),
        # Shared, so that nothing is fetched twice.
        "UV_CACHE_DIR": cache,
        "UV_PYTHON_DOWNLOADS": "never",
    }


def _script(name: str) -> Path:
    return Path(sysconfig.get_path("scripts")) / name


def _stand_ins(repository: Path) -> dict[str, Path]:
    """Every action of others that the rendered files name, with its exact ref, to the folder that stands in."""
    found = {}
    for path in yaml_files(repository):
        for action, ref in _OTHERS.findall(path.read_text(encoding="utf-8")):
            folder = STAND_INS / action.partition("/")[2]
            if folder.is_dir():
                found[f"{action}@{ref}"] = folder
    return found


def _jobs(output: str) -> dict[str, Job]:
    jobs: dict[str, Job] = {}
    for line in output.splitlines():
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        # The job that calls a workflow has no steps; its jobs are listed themselves.
        if "jobID" not in entry or ("step" not in entry and "jobResult" not in entry):
            continue
        name = " ".join([entry["jobID"], *filter(None, [(entry.get("matrix") or {}).get("name")])])
        job = jobs.setdefault(name, Job())
        message = str(entry.get("msg", ""))
        command = entry.get("command")
        # A step of a composite action reports with the id of the step that uses it before its own.
        outermost = len(entry.get("stepID", [])) == 1
        if "jobResult" in entry:
            # act gives the legs of a matrix one result between them: a leg that ends after another one failed is
            # called failed too. Only its steps say what came of it.
            failed = "failure" in job.steps.values()
            job.result = str(entry["jobResult"]) if not entry.get("matrix") else "failure" if failed else "success"
        elif "stepResult" in entry and outermost and entry.get("stage") == "Main":
            job.steps[str(entry["step"])] = str(entry["stepResult"])
        elif command in ("error", "warning", "notice"):
            job.annotations.append({**entry.get("kvPairs", {}), "level": command, "message": str(entry["arg"])})
        elif command == "summary" and outermost:
            job.summary += str(entry["content"])
        elif entry.get("raw_output"):
            job.log += message
    return jobs


def _end_processes(marker: str) -> Iterator[str]:
    """End what still bears the run's marker in its environment, and say what it was."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("E2E_RUN") == marker:
                found.append(process)
    # What is on its way out may finish.
    _, alive = psutil.wait_procs(found, timeout=GRACE)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            described = " ".join(process.cmdline())
            process.kill()
            yield described
