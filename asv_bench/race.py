"""Measure how long fastmlp and other libraries train until they reach 98 % on MNIST's test images.

    python asv_bench/race.py                                    # all libraries that are installed, three seeds
    python asv_bench/race.py --libraries fastmlp torch --seeds 5 --threads 1

All libraries train the same network by the same recipe from the same initial weights. The network is 784-256-10, the
inputs of all 60,000 images are standardised, and the mini-batches have 64 rows. The optimizer is Adam with β 0.9 and
0.99. Its rate rises linearly to 0.004 over the first fifth of the steps and falls linearly to 0 at the end of the third
epoch. There is no batch norm, since scikit-learn has none. The seed determines the weights and the order of the rows.
Each library runs in its own process, and for each seed the libraries take turns.

All numbers are float32, except in three rows. "fastmlp bfloat16" rounds the operands of its products. "PyTorch
autocast" keeps parameters and data in float32. "PyTorch bfloat16" has only bfloat16 numbers before the loss. The
accuracy is that of predictions in the same precision.

The seconds count the training epochs, up to the first epoch after which the accuracy is reached. They do not count
start-up, imports, reading the data, compilation, a first epoch to warm up, and the measurements of the accuracy. A seed
that does not reach the accuracy counts as an infinite time. With 784-128-10, some seeds end below 98 % and some above.
JAX leaves out a last, smaller mini-batch. The command needs a quiet machine.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dialogue import CrashError
from options import counted, machine, network, positive
from peers import LIBRARIES
from peers.laps import Race, markdown
from peers.process import MissingError, Worker
from peers.recipe import Recipe, write
from peers.task import Rule

from fastmlp import datasets
from fastmlp.system.cores import usable_cores

RULE = Rule("adam", "Adam", rate=0.004, beta_2=0.99)
# standardised rows are not bytes; "fastmlp" already computes in float32
RACERS = [name for name in LIBRARIES if name not in ("jax_uint8", "fastmlp_float32")]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", default="784-256-10", type=network, metavar="WIDTHS")
    parser.add_argument("--batch", default=64, type=positive, metavar="N")
    parser.add_argument("--peak", default=RULE.rate, type=float, metavar="RATE")
    parser.add_argument("--epochs", default=3, type=positive, metavar="N")
    parser.add_argument("--target", default=0.98, type=float, metavar="ACCURACY")
    parser.add_argument("--seeds", default=3, type=positive, metavar="N")
    parser.add_argument("--libraries", nargs="+", default=RACERS, choices=RACERS, metavar="NAME",
                        help="of " + ", ".join(RACERS))  # fmt: skip
    parser.add_argument("--threads", default=usable_cores(), type=positive, metavar="N")
    parser.add_argument("--samples", default=60_000, type=positive, metavar="N", help="training images, the first ones")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write seconds and accuracy of every epoch")
    args = parser.parse_args(arguments)
    if args.batch > args.samples:
        parser.error(f"--batch: expected at most {args.samples}, the samples, got {args.batch}")
    if not args.net.startswith("784-") or not args.net.endswith("-10"):
        parser.error(f"--net: expected 784 inputs and 10 classes, as MNIST has, got {args.net}")
    return args


def race(recipe: Recipe, names: Sequence[str], seeds: int, target: float) -> Race:
    """Let the libraries train, one after the other for each seed."""
    result = Race(recipe, target)
    with contextlib.ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for name in names:
            try:
                workers[name] = stack.enter_context(Worker(name, recipe, module="peers.racer"))
            except MissingError as error:
                result.missing[name] = str(error)
        result.versions = {name: worker.version for name, worker in workers.items()}
        for seed in range(seeds):
            for name, worker in workers.items():
                laps = worker.ask([seed, target])
                result.laps.setdefault(name, []).append(laps)
                sys.stderr.write(f"seed {seed}, {LIBRARIES[name].label}: {laps[-1][0]:.2f} s, {laps[-1][1]:.2%}\n")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if an installed library failed or none is installed."""
    args = parse(arguments)
    x, y, x_test, y_test = datasets.mnist()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.npz"
        write(file, x[: args.samples], y[: args.samples], x_test, y_test)
        samples = min(args.samples, len(x))
        widths = tuple(map(int, args.net.split("-")))
        recipe = Recipe(
            widths, args.batch, args.threads, samples, RULE, peak=args.peak, epochs=args.epochs, file=str(file)
        )
        try:
            result = race(recipe, args.libraries, args.seeds, args.target)
        except CrashError as error:
            sys.stderr.write(f"race.py: {error}\n")
            return 1
    title = f"Training to {args.target:.0%} on MNIST, {args.net}, {counted(args.threads, 'thread')}"
    sys.stdout.write(markdown(title, result, machine(args.threads)) + "\n")
    if args.json is not None:
        args.json.write_text(json.dumps({"laps": result.laps, "versions": result.versions}) + "\n", encoding="utf-8")
    return 0 if result.laps else 1


if __name__ == "__main__":
    sys.exit(main())
