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
benchmark took. A second table says for each benchmark how often its own slowdown of 5 % is reported.
`prove_gate.py` compares real slowdowns, and takes hours instead of minutes.
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
from pairs.verdict import LIMIT, Finding, Verdict, judge

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


class Measured:
    """Rounds of HEAD beside itself, of which comparisons are made.

    Attributes
    ----------
    number : int
        Of rounds.
    cases : list of Case
        All benchmarks, by name.
    """

    def __init__(self, rounds: Sequence[Round]) -> None:
        self.number = len(rounds)
        self.cases = sorted({case for ratios in rounds for case in ratios}, key=str)
        self._rounds = {
            repeated: [ratios for ratios in rounds if any(case.measure.repeated is repeated for case in ratios)]
            for repeated in (True, False)
        }

    def draw(self, repeated: bool, rng: random.Random) -> list[Round]:
        """Return as many rounds as the last look needs, in each of which either build is the head.

        `repeated`: of the benchmarks that a process can measure again and again, or of the others.
        """
        rounds = self._rounds[repeated]
        number = (Measure.CPU if repeated else Measure.PEAK).looks[-1] if rounds else 0
        signs = [rng.choice((1, -1)) for _ in range(number)]
        return [{case: sign * ratio for case, ratio in rng.choice(rounds).items()} for sign in signs]

    def judge(self, case: Case, drawn: Sequence[Round], slowdown: float = 0.0) -> Finding:
        """Return what the gate finds of a benchmark that is slower, at the look that decides."""
        samples = [Sample(ratios[case] + math.log1p(slowdown), 1.0, 1.0) for ratios in drawn]
        for before, look in itertools.pairwise((0, *case.measure.looks)):
            finding = judge(case, samples[:look], len(self.cases), before)
            if finding.decided:
                break
        return finding


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


def read(path: Path) -> dict[str, Measured]:
    """Return the rounds in the file, by whether a core was kept busy."""
    rounds: dict[str, list[Round]] = {}
    for record in prove_gate.read(path):
        found = {Case(name, (), None, Measure(measure)): ratio for name, measure, ratio in record["ratios"]}
        rounds.setdefault(record["busy"], []).append(found)
    return {busy: Measured(found) for busy, found in sorted(rounds.items())}


def comparison(measured: Measured, slowdown: float, rng: random.Random) -> Outcome:
    """Make a comparison of rounds that are drawn, in which a benchmark that is drawn is slower."""
    drawn = {repeated: measured.draw(repeated, rng) for repeated in (True, False)}
    slower = rng.choice(measured.cases)
    findings = {
        case: measured.judge(case, drawn[case.measure.repeated], slowdown if case == slower else 0.0)
        for case in measured.cases
    }
    others = [finding.verdict for case, finding in findings.items() if case != slower]
    unclear = fmean(verdict is Verdict.UNCLEAR for verdict in others)
    taken = fmean(finding.rounds for finding in findings.values())
    return Outcome(findings[slower].verdict, Verdict.SLOWER in others, unclear, taken)


def table(rounds: dict[str, Measured], comparisons: int, seed: int) -> str:
    """Return what the comparisons say as Markdown."""
    lines = [
        "| busy core | rounds | slowdown | reported | passed | unclear | false alarms | others unclear | rounds each |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for busy, measured in rounds.items():
        for slowdown in SLOWDOWNS:
            rng = random.Random(seed)
            found = [comparison(measured, slowdown, rng) for _ in range(comparisons)]
            lines.append(f"| {busy} | {measured.number} | {slowdown:.0%} | {_figures(found)} |")
    return "\n".join(lines).replace("%", " %")


def table_of_benchmarks(rounds: dict[str, Measured], comparisons: int, seed: int) -> str:
    """Return how often a slowdown by `LIMIT` is reported, for each benchmark, as Markdown; the least first."""
    shares = {
        busy: {case: _reported(measured, case, comparisons, random.Random(seed)) for case in measured.cases}
        for busy, measured in rounds.items()
    }
    lines = [
        f"| slower by {LIMIT:.0%} | measure | " + " | ".join(f"reported, busy core {busy}" for busy in shares) + " |",
        "| --- | --- |" + " ---: |" * len(shares),
    ]  # fmt: skip
    cases = {case for measured in rounds.values() for case in measured.cases}
    for case in sorted(cases, key=lambda case: ([found.get(case, 1.0) for found in shares.values()], str(case))):
        cells = [f"{found[case]:.1%}" if case in found else "-" for found in shares.values()]
        lines.append(f"| `{case}` | {case.measure.value} | " + " | ".join(cells) + " |")
    return "\n".join(lines).replace("%", " %")


def _reported(measured: Measured, case: Case, comparisons: int, rng: random.Random) -> float:
    drawn = (measured.draw(case.measure.repeated, rng) for _ in range(comparisons))
    return fmean(measured.judge(case, rounds, LIMIT).verdict is Verdict.SLOWER for rounds in drawn)


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
    for show in (table, table_of_benchmarks):
        sys.stdout.write(show(rounds, args.comparisons, args.seed) + "\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
