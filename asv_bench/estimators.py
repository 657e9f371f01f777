"""Time fits and predictions of the MLPClassifiers of fastmlp.sklearn and scikit-learn, with their default parameters.

    python asv_bench/estimators.py                            # seconds of an epoch: Adam, mini-batches of 200
    python asv_bench/estimators.py --scores                   # accuracy on test rows, over random states
    python asv_bench/estimators.py --predict 1 --data mnist   # microseconds of predict_proba; 1 or 10000 rows

The data are MNIST, scikit-learn's digits, and ``make_classification`` with 20,000 rows × 50 features in ten classes and
with 100,000 × 20 in five classes, as float32 and float64. The time of an epoch is the time of a whole ``fit`` divided
by its epochs. A fit before the measurement compiles the kernels. Each estimator runs in its own process, and in every
round the estimators take turns. Times are medians over the rounds, ratios are medians of the ratios of the rounds.
Predictions are timed for the estimators, for the network inside fastmlp's estimator, for its compiled kernel alone and
for a PyTorch module in eager mode. The overhead is the time of fastmlp's estimator minus the time of the kernel. The
command needs a quiet machine: close all other programs.
"""

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dialogue import CrashError
from estimation import ESTIMATORS, PREDICTORS, cell, table
from estimation.data import DATA
from estimation.job import Job
from options import counted, machine, positive

from fastmlp.system.cores import usable_cores

HIDDEN = ("100", "256-128")
DTYPES = ("float32", "float64")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--scores", action="store_true", help="accuracy on test rows in place of seconds")
    what.add_argument("--predict", type=int, choices=cell.CALLS, metavar="ROWS",
                      help="microseconds of predict_proba in place of fits; 1 or 10000")  # fmt: skip
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA, metavar="NAME",
                        help="of " + ", ".join(DATA))  # fmt: skip
    parser.add_argument("--hidden", nargs="+", default=HIDDEN, type=widths, metavar="WIDTHS", help="such as 256-128")
    parser.add_argument("--dtypes", nargs="+", default=DTYPES, choices=DTYPES, metavar="DTYPE")
    parser.add_argument("--threads", default=usable_cores(), type=positive, metavar="N")
    parser.add_argument("--rounds", default=5, type=positive, metavar="N")
    parser.add_argument("--max-iter", default=20, type=positive, metavar="N", help="epochs of a fit of --scores")
    parser.add_argument("--states", default=5, type=positive, metavar="N", help="random states of --scores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the values of all rounds or states")
    return parser.parse_args(arguments)


def widths(text: str) -> str:
    """Return `text`, which must be widths of hidden layers."""
    for width in text.split("-"):
        positive(width)
    return text


def measure(args: argparse.Namespace, folder: Path) -> list[cell.Cell]:
    """Return a cell for each data set, network and dtype."""
    cells = []
    for name in args.data:
        file = folder / f"{name}.npz"
        DATA[name].write(file)
        for hidden, dtype in itertools.product(args.hidden, args.dtypes):
            job = Job(str(file), dtype, tuple(map(int, hidden.split("-"))), args.threads)
            cells.append(cell.Cell(name, job))
            if args.scores:
                cell.scores(cells[-1], ESTIMATORS, args.states, args.max_iter)
            elif args.predict:
                cell.seconds_of_a_prediction(cells[-1], PREDICTORS, args.rounds, args.predict)
            else:
                cell.seconds_of_an_epoch(cells[-1], ESTIMATORS, args.rounds, DATA[name].epochs)
            sys.stderr.write(f"{name}, {hidden}, {dtype}: done\n")
    return cells


def report(args: argparse.Namespace, cells: list[cell.Cell]) -> list[str]:
    """Return the title and the table."""
    threads = counted(args.threads, "thread")
    if args.scores:
        title = f"Accuracy on test rows after {args.max_iter} epochs, mean ± standard deviation of {args.states} fits"
        lines = table.scores(cells)
    elif args.predict:
        title = f"Microseconds of predict_proba of {counted(args.predict, 'row')}, {threads}"
        lines = table.predictions(cells)
    else:
        title, lines = f"Seconds of an epoch of MLPClassifier.fit, {threads}", table.fits(cells)
    return [f"**{title}**", "", *lines, *[f"- {line}" for line in machine(args.threads)]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if an installed estimator failed or none is installed."""
    args = parse(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            cells = measure(args, Path(folder))
    except CrashError as error:
        sys.stderr.write(f"estimators.py: {error}\n")
        return 1
    sys.stdout.write("\n".join(report(args, cells)) + "\n")
    if args.json is not None:
        rows = [asdict(found) for found in cells]
        args.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if any(found.found for found in cells) else 1


if __name__ == "__main__":
    sys.exit(main())
