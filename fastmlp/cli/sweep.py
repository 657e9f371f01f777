"""``fastmlp sweep``: the report's grid of batch sizes and L2 decays."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastmlp.cli import output
from fastmlp.cli.experiments import add_progress, bar, environment, seed_range, written

if TYPE_CHECKING:
    from fastmlp.experiments.grid import Grid
    from fastmlp.experiments.run import Data
    from fastmlp.experiments.sweep import SweepResult

# a fifth of 3 samples, rounded, is 1 sample, which is held out
LEAST_SAMPLES = 3

EPILOG = """examples:
  fastmlp sweep
  fastmlp sweep --batch-sizes 500,1000 --decays 0.001,0.0005 --seeds 3 --out small-grid

Every finished cell is kept in cells.jsonl in the folder. After a Ctrl-C or a kill, the same command trains only the
missing cells. It also writes sweep.html (heat maps, best cells), heat-map.png, sweep.json and cells.csv."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "sweep",
        help="train the report's grid of batch sizes and L2 decays",
        description="Train 784-20-7-5-10 on MNIST for every batch size with every L2 decay, without decay and with "
        "batch norm, in parallel processes of one thread each; print the best of each and draw a heat map.",
        epilog=EPILOG,
    )
    axes = parser.add_argument_group("grid")
    axes.add_argument("--batch-sizes", type=integers, metavar="LIST",
                      help="(default: 32,64,128,250,500,1000,2000)")  # fmt: skip
    axes.add_argument("--decays", type=floats, metavar="LIST",
                      help="λ of the L2 columns; with none, there are only the columns none and batch norm "
                      "(default: 0.1,0.01,0.001,0.0005,0.0001,1e-5,1e-6,5e-6)")  # fmt: skip
    axes.add_argument("--learning-rate", type=float, default=0.009, metavar="RATE", help="(default: 0.009)")
    axes.add_argument("--epochs", type=int, default=100, metavar="N",
                      help="largest number; the report's rule usually stops earlier (default: 100)")  # fmt: skip
    axes.add_argument("--seeds", type=int, default=1, metavar="N", help="runs of each cell (default: 1)")
    axes.add_argument("--first-seed", type=int, default=0, metavar="N", help="the first seed (default: 0)")
    axes.add_argument("--limit-samples", type=int, metavar="N", help="use only the first N training images")
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="processes (default: every core that this process may use)"
    )
    parser.add_argument("--out", type=Path, default=Path("fastmlp-sweep"), metavar="DIR",
                        help="folder of the results, made if missing (default: fastmlp-sweep)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    add_progress(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check everything, train the missing cells, then write and print."""
    from fastmlp.experiments import outputs, page, run_sweep
    from fastmlp.experiments.folder import prepare_folder
    from fastmlp.inputs import checks

    page.check_extras()
    grid = make_grid(args)
    jobs = checks.threads(args.jobs, "jobs")
    if args.limit_samples is not None and args.limit_samples < LEAST_SAMPLES:
        raise ValueError(f"limit-samples must be at least {LEAST_SAMPLES}, got {args.limit_samples}")
    folder = prepare_folder(args.out)
    data = load_data(args.limit_samples)
    with bar(args, total=len(grid.cells()), unit="cell") as progress:
        result = run_sweep(
            data,
            folder,
            grid=grid,
            jobs=jobs,
            finished=lambda cell, figures, _: progress.advance(
                f"{cell.column}, batch {cell.configuration.batch_size}: {figures['test_accuracy']:.4f}"
            ),
        )
    circumstances = environment(args, threads=1) | {"processes": jobs}
    paths = outputs.write_sweep(folder, grid, result, circumstances)
    if args.json:
        document = outputs.sweep_document(grid, result, circumstances)
        output.say_json(document | {"files": [str(path) for path in paths]})
    else:
        output.say(text(result))
        output.say(written(paths))
    return 0


def make_grid(args: argparse.Namespace) -> "Grid":
    """Return the grid that the options describe."""
    from fastmlp.experiments.grid import BATCH_SIZES, DECAYS, Grid

    return Grid(
        batch_sizes=BATCH_SIZES if args.batch_sizes is None else args.batch_sizes,
        decays=DECAYS if args.decays is None else args.decays,
        learning_rate=args.learning_rate,
        epochs=args.epochs,
        seeds=tuple(seed_range(args)),
    )


def load_data(limit: int | None) -> "Data":
    """Return MNIST with only the first `limit` training images."""
    from fastmlp import datasets

    X, y, X_test, y_test = datasets.mnist()
    if limit is not None and limit > len(y):
        raise ValueError(f"limit-samples must be at most the {len(y)} training images, got {limit}")
    return X[:limit], y[:limit], X_test, y_test


def text(result: "SweepResult") -> str:
    """Return the best cell of each method and the times as text for a terminal."""
    from fastmlp.experiments.grid import best_cells

    lines = ["best of each, by validation accuracy:"]
    for method, place in best_cells(result.results).items():
        decay = f", λ = {place.weight_decay:g}" if place.weight_decay else ""
        lines.append(
            f"  {method + decay:<18} batch {place.batch_size:>4}   validation {place.val_accuracy:.4f}   "
            f"test {place.test_accuracy:.4f}   {place.epochs:.0f} epochs   {place.seconds:.2f} s"
        )
    kept = len(result.results) - result.trained
    lines.append(
        f"{result.trained} cells trained in {result.seconds:.1f} s, compilation included; {kept} were finished before; "
        f"all {len(result.results)} trainings add up to {result.training_seconds:.1f} s on one thread each"
    )
    return "\n".join(lines)


def integers(text: str) -> tuple[int, ...]:
    """Return ``"32,64"`` as ``(32, 64)``."""
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected integers such as 32,64, got {text!r}") from None


def floats(text: str) -> tuple[float, ...]:
    """Return ``"0.1,1e-5"`` as ``(0.1, 1e-5)``, and ``"none"`` as ``()``."""
    if text == "none":
        return ()
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers such as 0.1,1e-5, or none, got {text!r}") from None
