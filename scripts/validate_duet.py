"""How far the paired load test can be trusted: `make validate-duet`.

Compares pairs of small services that are known to be equal, or different by a known amount, again and again, with
fresh processes each time. Each comparison is one line in a file, so that hours of it can be run in pieces; the tables
are made of all lines in that file. See ``docs/paired-load-test.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from duet_validation import noise, runs, services, tables
from mlops_ci import process

OUT = Path("build") / "duet-validation.jsonl"
SHORT = ["base does not start", "identical", "cpu +30 %"]
SHORT_BUDGET = 60.0
SHORT_SHARE = 0.81
"""What the loop is taken to have of a request, where an exact figure is not worth a minute."""


def main() -> int:
    """Run what is asked for, print the tables; 1 when a verdict of the short form misleads."""
    asked = _arguments()
    if asked.list:
        print("\n".join(services.ROWS))
        return 0
    if not asked.table:
        with process.ended_on_signals():
            _run(asked)
    found = [line for line in _read(asked.out) if "row" in line]
    for line in tables.of(found):
        print(line)
    wrong = [run for run in found if tables.is_wrong(run)]
    for run in wrong if asked.short else ():
        print(f"{run['row']}: {run['verdict']}, expected {services.ROWS[run['row']].expected}. {run['message']}")
    return int(asked.short and bool(wrong))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    parser.add_argument("--rows", default="", help="which of them, separated by semicolons  [default: all]")
    parser.add_argument("--repetitions", type=int, default=1, help="how often each")
    parser.add_argument(
        "--noise", choices=(*noise.KINDS, "all"), default="all", help="which noisy neighbours there are"
    )
    parser.add_argument("--budget", type=float, default=90.0, help="load.base.budget, in seconds")
    parser.add_argument("--out", type=Path, default=OUT, help=f"file that lines are added to  [default: {OUT}]")
    parser.add_argument("--table", action="store_true", help="only print the tables of what is in that file")
    parser.add_argument(
        "--short", action="store_true", help="three rows, once, in a file of their own; 1 when one is wrong"
    )
    asked = parser.parse_args()
    if asked.short:
        asked.rows, asked.budget, asked.noise = ";".join(SHORT), SHORT_BUDGET, "off"
        asked.out = Path(tempfile.mkdtemp(prefix="duet-")) / OUT.name
    asked.rows = [name.strip() for name in asked.rows.split(";") if name.strip()] or list(services.ROWS)
    unknown = [name for name in asked.rows if name not in services.ROWS]
    if unknown:
        parser.error(f"there is no row {'; '.join(unknown)}; see --list")
    return asked


def _run(asked: argparse.Namespace) -> None:
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    noises = noise.KINDS if asked.noise == "all" else [asked.noise]
    with tempfile.TemporaryDirectory(prefix="duet-") as scratch:
        bench = runs.Bench(Path(scratch))
        known = [line["cost"] for line in _read(asked.out) if "cost" in line]
        if asked.short:
            bench.cost = SHORT_SHARE / services.Service().mean_rounds
        elif known:
            bench.cost = known[-1]
        else:
            print("calibrating: what a round of the loop costs", flush=True)
            bench.calibrate()
            _write(asked.out, {"cost": bench.cost})
        for number in range(asked.repetitions):
            # Turn about, so that what is run in pieces has some of everything.
            for name in asked.rows:
                for each in noises:
                    with noise.neighbours(each):
                        said = bench.run(name, budget=asked.budget)
                    _write(asked.out, {"noise": each, **said})
                    print(f"{number + 1}/{asked.repetitions} {name}, noise {each}: {_brief(said)}", flush=True)


def _brief(said: dict[str, Any]) -> str:
    shown = [f"{name} {ratio:.3f}" for name, ratio in _ratios(said)]
    return ", ".join([said["verdict"], *shown, f"{said['took']:.0f} s", said.get("message", "")]).rstrip(", ")


def _ratios(said: dict[str, Any]) -> list[tuple[str, float]]:
    entries = [entry for entry in said.get("entries", []) if entry["scope"] == "all requests"]
    return [(entry["metric"], entry["ratio"]) for entry in entries if entry["metric"] in tables.METRICS]


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write(path: Path, line: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    sys.exit(main())
