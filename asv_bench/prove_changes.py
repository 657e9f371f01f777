"""Test whether the summary page finds the steps of made-up histories, and only these.

    python asv_bench/prove_changes.py            # two minutes; the same table every time

A history has 40 commits, one a night, and at most one step: from the 21st commit on, the figure is larger by 3, 5 or
10 %. As in a repository, the commits come one after the other, and after each of them the page's own functions look for
change points in all that came before. "Found" are the histories in which the last look reports the step, within the
range of commits that it gives or next to it. "Commits until found" counts from the step to the first such look. "False
alarms" are the histories in which any of the 33 looks reports a rise elsewhere.

The noise has two parts, which are independent and normal in the logarithm:

- The night slows down everything alike, with a standard deviation of 6 %: those of README's and of the guide's tables
  were measured at an FMA peak of 88, 92 and 99 GFLOP/s on one machine. The FMA peak of the same night shows it, up to
  an error of 1 %.
- The figure's own noise: 3 % is what a step of 784-512-512-10, batch 128, had on a virtual machine with 2 cores: seven
  runs of one build took from 907 to 983 µs. The range of seven normal values is 2.7 standard deviations. 1 % is an
  assumption about a quieter machine.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from dashboard import changes, nights
from dashboard.changes import Change
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COMMITS, PLACE, FIRST_LOOK = 40, 20, 8
STEPS = (0.0, 0.03, 0.05, 0.10)
NIGHT, PEAK_ERROR, NOISES = 0.06, 0.01, (0.01, 0.03)


@dataclass(frozen=True)
class Outcome:
    """What was reported in one history.

    Attributes
    ----------
    found : bool
        The last look reports the step.
    delay : int or None
        Number of commits until a look reported it.
    false : bool
        A look reported a rise elsewhere.
    """

    found: bool
    delay: int | None
    false: bool


def make(rng: np.random.Generator, step: float, noise: float) -> tuple[Floats, Floats]:
    """Return the figure of every commit, and the inverse of the FMA peak."""
    slow = rng.normal(0, NIGHT, COMMITS)
    figure = np.exp(slow + rng.normal(0, noise, COMMITS)) * np.where(np.arange(COMMITS) < PLACE, 1, 1 + step)
    return figure, np.exp(slow + rng.normal(0, PEAK_ERROR, COMMITS))


def look(figure: Floats, inverse_peak: Floats) -> list[Change]:
    """Return the rises that the page would report."""
    factors, _ = nights.factors(list(figure), [list(inverse_peak)])
    return [change for change in changes.find(list(figure / factors)) if change.ratio > 1]


def replay(figure: Floats, inverse_peak: Floats, step: float) -> Outcome:
    """Look after every commit."""
    delay, false, found = None, False, False
    for n in range(FIRST_LOOK, COMMITS + 1):
        true = [step > 0 and near(change) for change in look(figure[:n], inverse_peak[:n])]
        found, false = any(true), false or not all(true)
        delay = n - PLACE if found and delay is None else delay
    return Outcome(found, delay, false)


def near(change: Change) -> bool:
    """Return whether a change point is that of the step."""
    return change.earliest - 1 <= PLACE <= change.latest + 1


def row(noise: float, step: float, outcomes: list[Outcome]) -> str:
    """Return a line of the table."""
    found = sum(outcome.found for outcome in outcomes)
    delays = sorted(outcome.delay for outcome in outcomes if outcome.delay is not None)
    cells = [f"{noise:.0%}", f"{step:.0%}" if step else "none", str(len(outcomes))]
    cells += [str(found), str(len(outcomes) - found)] if step else ["-", "-"]
    cells.append(str(sum(outcome.false for outcome in outcomes)))
    cells.append(f"{median(delays):.0f}, {delays[math.ceil(0.9 * len(delays)) - 1]}" if delays else "-")
    return "| " + " | ".join(cells).replace("%", " %") + " |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=50, metavar="N", help="of each kind (50)")
    parser.add_argument("--noise", type=float, nargs="+", default=NOISES, metavar="X", help="default: 0.01 0.03")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    args = parser.parse_args(arguments)
    sys.stdout.write(
        "| noise | step | histories | found | missed | false alarms | commits until found: median, 9 of 10 |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    )
    for noise in args.noise:
        for step in STEPS:
            rng = np.random.default_rng(args.seed)
            outcomes = [replay(*make(rng, step, noise), step) for _ in range(args.histories)]
            sys.stdout.write(row(noise, step, outcomes) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
