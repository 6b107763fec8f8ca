"""One phase: Locust drives both services for a while, and what came of it is read. Judges nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlops_ci import config, environment
from mlops_ci.load import generator, service, usage
from mlops_ci.paired import cores as cores_module
from mlops_ci.paired import meter, pair, plan, reading
from mlops_ci.paired.model import Recording, Side

INSIDE = Path(__file__).with_name("inside.py")


@dataclass(frozen=True)
class Load:
    """What is the same in all phases.

    Attributes:
        python: Locust's environment.
        settings: Head's.
        locustfile: Where it is.
        name: What people call it.
        root: The folder that Locust runs in.
        cores: Where the load generator may run; None: anywhere.
    """

    python: environment.Environment
    settings: config.Load
    locustfile: Path
    name: str
    root: Path
    headers: Mapping[str, str]
    cores: frozenset[int] | None
    progress: Callable[[str], None]


def record(stretch: plan.Stretch, services: Mapping[Side, service.Service], load: Load, folder: Path) -> Recording:
    """Run the phase `stretch` into `folder`, which does not exist yet.

    Raises:
        pair.BaseUnusable: The base's service ended.
        errors.Failure: Head's did, or Locust or the locustfile did something else than what was asked for.
    """
    folder.mkdir(parents=True)
    urls = {str(side): each.url for side, each in services.items()}
    asked = {
        "urls": urls,
        "users": stretch.users,
        "warmup": stretch.warmup,
        "duration": stretch.duration,
        "slice": stretch.slice,
    }
    settings = msgspec.structs.replace(
        load.settings,
        users=stretch.users * len(services),
        spawn_rate=float(stretch.users * len(services)),
        warmup=stretch.warmup,
        duration=stretch.duration,
        processes=1,
        expect_workers=0,
    )
    argv = generator.command(
        load.python,
        settings,
        host=urls[Side.HEAD],
        locustfile=load.locustfile,
        folder=folder,
        master_port=0,
        inside=[str(INSIDE), str(folder), json.dumps(asked)],
    )
    samplers = {side: usage.Sampler(each.tree, of_process=meter.of_process) for side, each in services.items()}
    with cores_module.held(load.cores), samplers[Side.BASE], samplers[Side.HEAD]:
        outcome = generator.run(
            argv,
            cwd=load.root,
            env=generator.variables(load.python, load.headers),
            load=settings,
            folder=folder,
            service_ended=lambda: any(each.returncode() is not None for each in services.values()),
            progress=lambda doing: load.progress(f"{stretch.phase}: {doing}"),
        )
    # Both sides in one report: it would be about neither of them.
    (folder / "locust.html").unlink(missing_ok=True)
    pair.require_running(services)
    samples = {side: each.samples for side, each in samplers.items()}
    return reading.read(folder, outcome, stretch.phase, samples, name=load.name)
