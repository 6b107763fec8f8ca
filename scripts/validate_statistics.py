"""How far the statistics of the paired load test may be trusted, on simulated data: `make validate-statistics`.

Two tables, from fixed seeds, so that they come out the same anywhere:

1. How often the 95 % interval of a series of blocks covers the truth, where neighbouring blocks are correlated in
   several ways; beside it, what an interval covers that takes them to be independent (Yuen's), and how much wider ours
   is.
2. What the whole procedure (first look, extension, confirmation) says of a head that is slower by so and so much, where
   both sides share a noisy machine, blocks are correlated, and each process has luck of its own.

Real services are not simulated here: that is what `make validate-duet` is for. Nothing here decides: aims stand beside
the figures for people to read.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence

from mlops_ci.load import usage
from mlops_ci.paired import interval, procedure, student
from mlops_ci.paired.model import Allowed, Comparison, Duet, Phase, Recording, Requests, Served
from mlops_ci.paired.procedure import Step
from mlops_ci.results import Verdict

BLOCKS = (15, 20, 25, 40)
CONFIDENCE = 0.95

Process = Callable[[random.Random, int], list[float]]
"""A series of so many values around 0."""

# The procedure's table: standard deviations of logarithms, as measured or worse.
PER_BLOCK = 20  # requests of a side
BLOCK = {
    Phase.SATURATED: 0.012,
    Phase.UNSATURATED: 0.015,
}  # of head by base in a block: half an interval of 0.5 to 0.8 %
CORRELATION = 0.2
SHARED = 0.3  # of what a noisy machine does to both
TAIL = 0.03  # of the slowest requests besides
CPU = 0.01
LUCK = 0.013  # of a pair of processes, as 40 comparisons of equal services had it
SECONDS = {Phase.SATURATED: 20, Phase.UNSATURATED: 25}
TRUTHS = ((0.0, LUCK), (0.03, LUCK), (0.04, LUCK), (0.05, LUCK), (0.05, 0.0), (0.08, LUCK), (0.15, LUCK), (0.30, LUCK))
"""By how much head is slower, and the luck of processes."""


def correlated(by: float, *, wild: float = 0.0) -> Process:
    """Each value follows the one before it; a share `wild` of the innovations is four times as large."""

    def of(chance: random.Random, count: int) -> list[float]:
        value = chance.gauss(0, 1) / math.sqrt(1 - by * by)
        values = []
        for _ in range(count):
            value = by * value + chance.gauss(0, 4 if chance.random() < wild else 1)
            values.append(value)
        return values

    return of


def echoing(chance: random.Random, count: int) -> list[float]:
    """What disturbs one block is felt in the next two."""
    pushes = [chance.gauss(0, 1) for _ in range(count + 2)]
    return [pushes[n + 2] + 0.5 * pushes[n + 1] + 0.3 * pushes[n] for n in range(count)]


def neighbour(chance: random.Random, count: int) -> list[float]:
    """Somebody else comes and goes, for three blocks on average, and favours one side while there."""
    there, values = chance.random() < 0.5, []
    for _ in range(count):
        there = there is not (chance.random() < 1 / 3)
        values.append((0.7 if there else -0.7) + chance.gauss(0, 1))
    return values


PROCESSES: dict[str, Process] = {
    "independent": correlated(0.0),
    "independent, a tenth of them wild": correlated(0.0, wild=0.1),
    "correlation -0.2": correlated(-0.2),
    "correlation 0.2": correlated(0.2),
    "correlation 0.2, a tenth of them wild": correlated(0.2, wild=0.1),
    "correlation 0.3": correlated(0.3),
    "correlation 0.4": correlated(0.4),
    "correlation 0.5": correlated(0.5),
    "echo over three blocks": echoing,
    "a neighbour that comes and goes": neighbour,
}


def coverage(process: Process, blocks: int, runs: int, *, seed: int) -> tuple[float, float, float]:
    """The share of the runs in which ours covers 0, and Yuen's does; and how much wider ours is."""
    chance = random.Random(seed)
    ours = theirs = 0
    wide = narrow = 0.0
    for _ in range(runs):
        values = process(chance, blocks)
        found = interval.of(values, CONFIDENCE)
        ours += found.low <= 0 <= found.high
        half = yuen(values)
        theirs += abs(found.middle) <= half
        wide, narrow = wide + found.half, narrow + half
    return ours / runs, theirs / runs, wide / narrow


def yuen(values: Sequence[float]) -> float:
    """Half of Yuen's interval around the trimmed mean."""
    count = len(values)
    cut = int(interval.TRIM * count)
    kept = sorted(values)[cut : count - cut]
    winsorised = [min(max(value, kept[0]), kept[-1]) for value in values]
    centre = math.fsum(winsorised) / count
    squares = math.fsum((value - centre) ** 2 for value in winsorised)
    error = math.sqrt(squares / (count - 1) / count) / (1 - 2 * cut / count)
    return student.two_sided(CONFIDENCE, len(kept) - 1) * error


def recording(phase: Phase, slower: float, luck: float, chance: random.Random) -> Recording:
    """One phase of a duet whose head takes `slower` more, on a machine that is noisy for both."""
    seconds = SECONDS[phase]
    noise = correlated(CORRELATION)(chance, seconds)
    shared = correlated(0.7)(chance, seconds)
    shape = [0.8 + 0.4 * (number * 7 % PER_BLOCK) / (PER_BLOCK - 1) for number in range(PER_BLOCK)]
    sides: list[Served] = []
    for share in (-0.5, 0.5):  # head has half of the noise of the ratio, and base the other, the other way
        columns: list[tuple[float, float, str, int, int, int]] = []
        used, samples = 0.0, [usage.Sample(time=0.0, rss=100_000_000, cpu_s=0.0, busy_s=0.0, whole_s=0.0)]
        own = math.log1p(slower) + luck if share > 0 else 0.0
        for block in range(seconds):
            level = 4 * math.exp(SHARED * shared[block] + own + 2 * share * BLOCK[phase] * noise[block] / 2)
            tail = math.exp(chance.gauss(0, TAIL))
            times = [level * (one * tail if one > 1.15 else one) for one in shape]
            for number, time in enumerate(times):
                columns.append(
                    (block + (number + 0.5) / PER_BLOCK, time, ("GET /a", "POST /b")[number % 2], 0, 200, 300)
                )
            used += 0.002 * PER_BLOCK * math.exp(own + chance.gauss(0, CPU / math.sqrt(2)))
            samples.append(usage.Sample(time=block + 1.0, rss=100_000_000, cpu_s=used, busy_s=0.0, whole_s=0.0))
        sides.append(Served(Requests._make(map(list, zip(*columns, strict=True))), samples))
    base, head = sides
    return Recording(phase, 0.0, float(seconds), base, head)


def duet(slower: float, luck: float, chance: random.Random) -> Duet:
    """Both phases, by the same processes."""
    return Duet([recording(phase, slower, luck, chance) for phase in Phase])


def judged(slower: float, chance: random.Random, *, spread: float = LUCK) -> tuple[Comparison, Comparison]:
    """The first look and the last word on one pair of services, whose processes' luck has that spread."""
    allowed = Allowed()

    def fresh() -> Duet:
        return duet(slower, chance.gauss(0, spread), chance)

    duets = [fresh()]
    comparison = look = procedure.first(duets[0], allowed)
    if procedure.next_step(comparison) is Step.EXTEND:
        duets.append(fresh())
        comparison = procedure.extended(duets[0], duets[1], allowed)
    if procedure.next_step(comparison) is Step.CONFIRM:
        comparison = procedure.confirmed(comparison, duets, [fresh() for _ in duets], allowed)
    return look, comparison


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4000, help="series for each figure of the first table")
    parser.add_argument("--comparisons", type=int, default=1000, help="for each line of the second table")
    options = parser.parse_args()
    print(f"Coverage of the {CONFIDENCE:.0%} interval, {options.runs} series each (Yuen's; how much wider ours is)")
    print("aim: 93 to 97 %")
    print(f"{'blocks':<40}" + "".join(f"{blocks:>24}" for blocks in BLOCKS))
    for number, (name, process) in enumerate(PROCESSES.items()):
        cells = [coverage(process, blocks, options.runs, seed=1000 * number + blocks) for blocks in BLOCKS]
        texts = [f"{ours:.1%} ({theirs:.1%}; x {wider:.2f})" for ours, theirs, wider in cells]
        print(f"{name:<40}" + "".join(f"{text:>24}" for text in texts), flush=True)
    print()
    print(f"What the procedure says, {options.comparisons} comparisons each; of all requests 5 % more is allowed")
    print(f"{'head is slower by':<20}{'first look: pass':>18}{'inconclusive':>14}{'fail':>8}", end="")
    print(f"{'last word: pass':>18}{'inconclusive':>14}{'fail':>8}")
    for number, (truth, spread) in enumerate(TRUTHS):
        chance = random.Random(number)
        both = [judged(truth, chance, spread=spread) for _ in range(options.comparisons)]
        shares = []
        for looks in zip(*both, strict=True):
            counts = Counter(look.verdict for look in looks)
            shares += [counts[each] / len(both) for each in (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)]
        widths = (18, 14, 8, 18, 14, 8)
        cells_of = zip(shares, widths, strict=True)
        name = f"{truth:.0%}{'' if spread else ', without luck'}"
        print(f"{name:<20}" + "".join(f"{share:>{width}.1%}" for share, width in cells_of), flush=True)


if __name__ == "__main__":
    main()
