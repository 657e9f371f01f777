"""Race fastmlp and the libraries a user would pick instead to 98 % on MNIST's test images.

    python asv_bench/race.py                                    # all libraries that are installed, three seeds
    python asv_bench/race.py --libraries fastmlp torch --seeds 5 --threads 1

All train the same network by the same recipe from the same first weights: 784-256-10, inputs standardised, all
60,000 images, mini-batches of 64, Adam with β 0.9 and 0.99, a rate that rises linearly to 0.004 over the first fifth of
the steps and falls linearly to 0 at the end of the third epoch; no batch norm, as scikit-learn has none. The seed draws
the weights and the order. Each library runs in a process of its own; they take turns, seed by seed.

All numbers are float32, but for the rows with another word: "fastmlp bfloat16" rounds the operands of its products,
"PyTorch autocast" keeps parameters and data in float32, "PyTorch bfloat16" has no other numbers before the loss. The
accuracy is that of predictions in the same precision.

Seconds are those of the training epochs until the first after which the accuracy is reached: start-up, imports, reading
of the data, compilation and a first epoch to warm up are left out, and so are the tests of the accuracy. A seed that
does not reach it counts as endless; with 784-128-10, seeds end on both sides of 98 %. JAX leaves out a last, smaller
mini-batch. It needs a quiet machine.
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
# standardised rows are no bytes; fastmlp is in float32 as it is
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
    """Let the libraries run, one after the other for each seed."""
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
    """Race and print; 1 where a library that is installed failed, or none is."""
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
