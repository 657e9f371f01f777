"""``fastmlp experiments``: the course report's three experiments, several seeds each, beside the report's numbers."""

import argparse
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from fastmlp.cli import machine, output

EPILOG = """examples:
  fastmlp experiments
  fastmlp experiments --seeds 10 --out results

The command writes into the folder: experiments.html (table, verdict, cost curves, weight histograms; one file that
needs no network), experiments.json (everything), runs.csv (one line per run) and curves.csv (one line per epoch)."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "experiments",
        help="run the report's three experiments on MNIST and compare with the report's numbers",
        description="Train 784-20-7-5-10 on MNIST plain, with batch norm and with L2, each with several random seeds; "
        "print the figures beside the report's numbers with a verdict, and write a page with the curves.",
        epilog=EPILOG,
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="runs of each experiment (default: 5)")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N", help="the first seed (default: 0)")
    parser.add_argument("--epochs", type=int, default=100, metavar="N",
                        help="largest number; the report's rule usually stops earlier (default: 100)")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("fastmlp-experiments"), metavar="DIR",
                        help="folder of the results, made if missing (default: fastmlp-experiments)")  # fmt: skip
    parser.add_argument("--threads", type=int, metavar="N", help="(default: every core that this process may use)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    add_progress(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check everything, run all experiments, then write and print."""
    from fastmlp import datasets
    from fastmlp.experiments import EXPERIMENTS, judge, outputs, page, run_experiments, summarise, table
    from fastmlp.experiments.folder import prepare_folder
    from fastmlp.inputs import checks

    page.check_extras()
    seeds = seed_range(args)
    experiments = [experiment.limited_to(epochs=args.epochs) for experiment in EXPERIMENTS]
    threads = checks.threads(args.threads)
    folder = prepare_folder(args.out)
    data = datasets.mnist()
    with bar(args, total=len(experiments) * len(seeds), unit="run") as progress:
        progress.note("compiling")
        runs, warm_up_seconds = run_experiments(
            data,
            experiments=experiments,
            seeds=seeds,
            threads=threads,
            finished=lambda run: progress.advance(f"{run.experiment}, seed {run.seed}: {run.test_accuracy:.4f}"),
        )
    summaries = summarise(runs, experiments=experiments, warm_up_seconds=warm_up_seconds)
    verdict = judge(summaries)
    if not args.json:
        output.say(table.as_text(summaries))
        output.say("\n" + "\n".join(verdict.lines()))
    circumstances = environment(args, threads=threads)
    paths = outputs.write_experiments(folder, runs, summaries, verdict, circumstances)
    if args.json:
        document = outputs.experiments_document(runs, summaries, verdict, circumstances, curves=False)
        output.say_json(document | {"files": [str(path) for path in paths]})
    else:
        output.say("\n" + written(paths))
    return 0


class bar:  # noqa: N801 - reads as a function where it is used
    """A progress bar for the whole command, on standard error. By default it is shown on a terminal only."""

    def __init__(self, args: argparse.Namespace, *, total: int, unit: str) -> None:
        from tqdm import tqdm

        # tqdm takes None as "on a terminal only"
        self._bar = tqdm(total=total, unit=unit, disable=None if args.progress is None else not args.progress)

    def advance(self, text: str) -> None:
        """Count one more item as done and show `text` beside the bar."""
        self.note(text)
        self._bar.update()

    def note(self, text: str) -> None:
        """Show `text` beside the bar."""
        self._bar.set_postfix_str(text)

    def __enter__(self) -> "bar":
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()


def add_progress(parser: argparse.ArgumentParser) -> None:
    """Add ``--progress`` and ``--no-progress``."""
    parser.add_argument("--progress", action=argparse.BooleanOptionalAction, default=None,
                        help="show a progress bar on standard error (default: on a terminal)")  # fmt: skip


def seed_range(args: argparse.Namespace) -> range:
    """Return the seeds that ``--seeds`` and ``--first-seed`` ask for."""
    from fastmlp.inputs import checks

    if args.first_seed < 0:
        raise ValueError(f"first-seed must be at least 0, got {args.first_seed}")
    return range(args.first_seed, args.first_seed + checks.count("seeds", args.seeds))


def environment(args: argparse.Namespace, *, threads: int) -> dict[str, Any]:
    """Return the command, the versions, the processor and the threads that the figures were measured with."""
    return {
        "command": command(args),
        "fastmlp": metadata.version("fastmlp"),
        "Python": platform.python_version(),
        "NumPy": metadata.version("numpy"),
        "Numba": metadata.version("numba"),
        "processor": machine.processor(),
        "threads": threads,
    }


def command(args: argparse.Namespace) -> str:
    """Return the command that repeats the work, with every option that changes the figures."""
    parts = ["fastmlp", args.command]
    for name in ("seeds", "first_seed", "batch_sizes", "decays", "learning_rate", "epochs", "limit_samples"):
        value = getattr(args, name, None)
        if isinstance(value, tuple):
            value = ",".join(f"{number:g}" for number in value) or "none"
        if value is not None:
            parts += ["--" + name.replace("_", "-"), str(value)]
    return " ".join(parts)


def written(paths: list[Path]) -> str:
    """Say which files were written."""
    return f"written to {paths[0].parent}: {', '.join(path.name for path in paths)}"
