"""Tell how often the gate reports a slowdown of 1, 2, 5 or 10 %, and how often one that is not there.

    python asv_bench/gate_curve.py --minutes 12   # adds rounds: 12 minutes, and as many beside a busy core
    python asv_bench/gate_curve.py --minutes 0    # the table from the rounds in the file: some minutes

First, HEAD is measured beside itself in a second environment, in the gate's own rounds, but nobody judges them. They
are kept in a file of JSON lines. Then whole comparisons are made of rounds that are drawn with replacement; a round is
drawn with all its benchmarks, so that these keep what their noise has in common. In each comparison, one benchmark is
slower: its ratios are multiplied. Which of the two builds is the head is drawn for each round, as both are the same
commit. The gate's own function judges at the gate's own looks.

"Reported" are the comparisons in which the slower benchmark is called slower, "passed" those in which it is called the
same or faster. "False alarms" are those in which another benchmark is called slower. "Rounds each" is how many a
benchmark took. `prove_gate.py` compares real slowdowns, and takes hours instead of minutes.
"""

import argparse
import itertools
import math
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import prove_gate
from dialogue import CrashError
from options import positive
from pairs.builds import benchmark_folder, check_tree
from pairs.errors import GateError
from pairs.measures import Measure
from pairs.selection import Case
from pairs.timing import Sample, one_round
from pairs.verdict import Verdict, judge

SLOWDOWNS = (0.0, 0.01, 0.02, 0.05, 0.10)
EVERY = 4  # of these rounds, one has the benchmarks that take a new process for each figure: they take longest

Round = dict[Case, float]  # the log ratio of each benchmark


@dataclass(frozen=True)
class Outcome:
    """What a comparison says.

    Attributes
    ----------
    verdict : Verdict
        Of the benchmark that is slower.
    alarm : bool
        Whether another benchmark is called slower.
    unclear : float
        Which part of the other benchmarks is left unclear.
    rounds : float
        Mean number of rounds of a benchmark.
    """

    verdict: Verdict
    alarm: bool
    unclear: float
    rounds: float


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=12, metavar="M", help="of new rounds, of each kind (12)")
    parser.add_argument("--busy", nargs="+", choices=("no", "yes"), default=("no", "yes"))
    parser.add_argument("--comparisons", type=positive, default=1000, metavar="N", help="of each kind (1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of what is drawn (0)")
    parser.add_argument("--out", type=Path, default=Path("gate_curve.jsonl"), metavar="FILE")
    args = parser.parse_args(arguments)
    args.out = args.out.absolute()  # asv changes the working folder
    return args


def measure(args: argparse.Namespace) -> None:
    """Add rounds of HEAD beside itself to the file."""
    check_tree()
    builds, cases = prove_gate.beside_head("HEAD")
    for busy in args.busy:
        end = time.perf_counter() + 60 * args.minutes
        quick: dict[Case, int | None] = {case: None for case in cases if case.measure.repeated}
        slow: dict[Case, int | None] = {case: None for case in cases if case not in quick}
        with prove_gate.busy_core(busy == "yes"):
            for number in itertools.count():
                if time.perf_counter() >= end:
                    break
                found = one_round(builds, benchmark_folder(), quick, number, random.Random())
                if number % EVERY == 0:
                    found |= one_round(builds, benchmark_folder(), slow, number // EVERY, random.Random())
                write(args.out, busy, {case: sample.log_ratio for case, sample in found.items()})
                sys.stderr.write(f"busy {busy}, round {number + 1}\n")


def write(path: Path, busy: str, ratios: Round) -> None:
    """Add a round to the file."""
    line = {"busy": busy, "ratios": [[str(case), case.measure.value, ratio] for case, ratio in ratios.items()]}
    prove_gate.append(path, line)


def read(path: Path) -> dict[str, list[Round]]:
    """Return the rounds in the file, by whether a core was kept busy."""
    rounds: dict[str, list[Round]] = {}
    for record in prove_gate.read(path):
        found = {Case(name, (), None, Measure(measure)): ratio for name, measure, ratio in record["ratios"]}
        rounds.setdefault(record["busy"], []).append(found)
    return rounds


def comparison(rounds: Sequence[Round], slowdown: float, rng: random.Random) -> Outcome:
    """Make a comparison of rounds that are drawn, in which a benchmark that is drawn is slower."""
    drawn = {repeated: _drawn([r for r in rounds if _has(r, repeated)], repeated, rng) for repeated in (True, False)}
    cases = sorted({case for r in rounds for case in r}, key=str)
    slower = rng.choice(cases)
    verdicts, taken = {}, []
    for case in cases:
        step = math.log1p(slowdown) if case == slower else 0.0
        samples = [Sample(ratio[case] + step, 1.0, 1.0) for ratio in drawn[case.measure.repeated]]
        for before, look in itertools.pairwise((0, *case.measure.looks)):
            finding = judge(case, samples[:look], len(cases), before)
            if finding.decided:
                break
        verdicts[case] = finding.verdict
        taken.append(finding.rounds)
    others = [verdict for case, verdict in verdicts.items() if case != slower]
    unclear = fmean(verdict is Verdict.UNCLEAR for verdict in others)
    return Outcome(verdicts[slower], Verdict.SLOWER in others, unclear, fmean(taken))


def _has(ratios: Round, repeated: bool) -> bool:
    return any(case.measure.repeated is repeated for case in ratios)


def _drawn(rounds: Sequence[Round], repeated: bool, rng: random.Random) -> list[Round]:
    """Return as many rounds as the last look needs, in each of which either build is the head."""
    number = (Measure.CPU if repeated else Measure.PEAK).looks[-1] if rounds else 0
    signs = [rng.choice((1, -1)) for _ in range(number)]
    return [{case: sign * ratio for case, ratio in rng.choice(rounds).items()} for sign in signs]


def table(rounds: dict[str, list[Round]], comparisons: int, seed: int) -> str:
    """Return what the comparisons say as Markdown."""
    lines = [
        "| busy core | rounds | slowdown | reported | passed | unclear | false alarms | others unclear | rounds each |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for busy, measured in sorted(rounds.items()):
        for slowdown in SLOWDOWNS:
            rng = random.Random(seed)
            found = [comparison(measured, slowdown, rng) for _ in range(comparisons)]
            lines.append(f"| {busy} | {len(measured)} | {slowdown:.0%} | {_figures(found)} |".replace("%", " %"))
    return "\n".join(lines)


def _figures(outcomes: Sequence[Outcome]) -> str:
    verdicts = [outcome.verdict for outcome in outcomes]
    parts = [
        fmean(verdict is Verdict.SLOWER for verdict in verdicts),
        fmean(verdict in (Verdict.SAME, Verdict.FASTER) for verdict in verdicts),
        fmean(verdict is Verdict.UNCLEAR for verdict in verdicts),
        fmean(outcome.alarm for outcome in outcomes),
        fmean(outcome.unclear for outcome in outcomes),
    ]
    cells = [f"{part:.1%}" for part in parts]
    return " | ".join([*cells, f"{fmean(outcome.rounds for outcome in outcomes):.1f}"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; return 2 if there is nothing to compare."""
    args = parse(arguments)
    try:
        if args.minutes > 0:
            measure(args)
    except (GateError, CrashError) as error:
        sys.stderr.write(f"gate_curve.py: {error}\n")
        return 2
    rounds = read(args.out)
    if not rounds:
        sys.stderr.write(f"gate_curve.py: {args.out.name} has no rounds; expected --minutes above 0\n")
        return 2
    sys.stdout.write(table(rounds, args.comparisons, args.seed) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
