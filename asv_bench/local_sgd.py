"""Train by local SGD on a cluster of processes, and on one machine, with the same number of epochs; compare accuracies.

    python asv_bench/local_sgd.py                          # MNIST and the digits of scikit-learn: some minutes
    python asv_bench/local_sgd.py --data mnist --workers 4 --sync 1 2 5 20 --seeds 5
    python asv_bench/local_sgd.py --data digits --rows 500 --epochs 2 --seeds 1 --workers 2 --sync 1

Every fit has the same network, optimizer, epochs and mini-batch of each worker. A row is a `sync_every` in epochs, or
in steps where the number ends in "s". A figure is the mean accuracy on the test rows over the seeds, with the smallest
and the largest. The machine need not be quiet: nothing is timed.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import dask.array as da
import distributed
import numpy as np
from dask import config
from options import counted, positive
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

import fastmlp
from fastmlp import dask, sklearn

HIDDEN = {"mnist": (128,), "digits": (64, 32)}


def load(name: str, rows: int | None) -> list[Any]:
    """Return samples in float32 and classes, to train on and to test on: X, y, X_test, y_test."""
    if name == "mnist":
        X, y, X_test, y_test = fastmlp.datasets.mnist()
        scale = np.float32(255)
    else:
        X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
        scale = np.float32(16)
    order = np.random.default_rng(0).permutation(len(X))[:rows]
    return [X[order].astype(np.float32) / scale, y[order], X_test.astype(np.float32) / scale, y_test]


def sync(text: str) -> tuple[int, str]:
    """Return how many epochs or steps lie between two averages."""
    return positive(text.removesuffix("s")), "steps" if text.endswith("s") else "epochs"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=list(HIDDEN), choices=HIDDEN, metavar="NAME",
                        help="of " + ", ".join(HIDDEN))  # fmt: skip
    parser.add_argument("--rows", type=positive, metavar="N", help="to train on; default: all")
    parser.add_argument("--workers", nargs="+", default=[2, 4], type=positive, metavar="N")
    parser.add_argument("--sync", nargs="+", default=[sync(text) for text in ("10s", "1", "2", "5", "20")], type=sync,
                        metavar="N[s]", help="epochs, or with an s steps, between two averages")  # fmt: skip
    parser.add_argument("--epochs", default=20, type=positive, metavar="N")
    parser.add_argument("--batch", default=128, type=positive, metavar="N", help="rows of a step of each worker")
    parser.add_argument("--seeds", default=3, type=positive, metavar="N")
    return parser.parse_args(arguments)


def settings(args: argparse.Namespace, name: str, seed: int) -> dict[str, Any]:
    """Return the parameters that all fits have in common."""
    return {
        "hidden_layer_sizes": HIDDEN[name],
        "max_iter": args.epochs,
        "n_iter_no_change": args.epochs,
        "batch_size": args.batch,
        "random_state": seed,
    }


def figure(found: Sequence[float]) -> str:
    """Return the mean of accuracies, with the smallest and the largest."""
    return f"{np.mean(found):.4f} ({min(found):.4f} to {max(found):.4f})"


def alone(args: argparse.Namespace, name: str) -> str:
    """Return the accuracies of fits on one machine."""
    X, y, X_test, y_test = load(name, args.rows)
    fits = [sklearn.MLPClassifier(**settings(args, name, seed)).fit(X, y) for seed in range(args.seeds)]
    return figure([fit.score(X_test, y_test) for fit in fits])


def together(args: argparse.Namespace, name: str, workers: int) -> list[str]:
    """Return the accuracies of fits on a cluster, for each `sync_every`."""
    X, y, X_test, y_test = load(name, args.rows)
    options = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(n_workers=workers, **options) as cluster, distributed.Client(cluster) as client:
        chunk = -(-len(X) // workers)
        data = [da.from_array(X, chunks=(chunk, -1)), da.from_array(y, chunks=chunk)]
        figures = []
        for every, unit in args.sync:
            sys.stderr.write(f"{name}, {workers} workers: an average every {counted(every, unit[:-1])}\n")
            scores = []
            for seed in range(args.seeds):
                model = dask.MLPClassifier(
                    client=client, sync_every=every, sync_unit=unit, **settings(args, name, seed)
                )
                scores.append(model.fit(*data).to_local().score(X_test, y_test))
            figures.append(figure(scores))
    return figures


def table(args: argparse.Namespace, name: str) -> list[str]:
    """Train, and return a Markdown table."""
    one = alone(args, name)
    columns = [together(args, name, workers) for workers in args.workers]
    rows = args.rows or len(load(name, None)[0])
    sizes = f"{rows} rows, {counted(args.epochs, 'epoch')}, mini-batches of {args.batch}"
    lines = [
        f"**Test accuracy on {name}, {sizes}, {counted(args.seeds, 'seed')}**",
        "",
        "| average every | " + " | ".join(counted(workers, "worker") for workers in args.workers) + " |",
        "| --- |" + " ---: |" * len(args.workers),
        "| one machine | " + " | ".join(one for _ in args.workers) + " |",
    ]
    for i, (every, unit) in enumerate(args.sync):
        lines.append(f"| {counted(every, unit[:-1])} | " + " | ".join(column[i] for column in columns) + " |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, and print a table for each data set."""
    args = parse(arguments)
    warnings.simplefilter("ignore", ConvergenceWarning)
    large = {"distributed.admin.large-graph-warning-threshold": "1GB"}  # the data go to the workers in the graph
    with config.set(large):
        for name in args.data:
            sys.stdout.write("\n".join([*table(args, name), "", ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
