"""Compare the test accuracy of networks trained with products in float32 and in bfloat16.

    python asv_bench/precision.py                                # all data, five seeds: some minutes
    python asv_bench/precision.py --nets 784-128-10 --seeds 2

For MNIST, the networks of `--nets` are trained for three epochs with mini-batches of 64 by Adam (β₂ 0.99, a one-cycle
rate with its peak at 0.004). For digits, breast cancer and wine, which come with scikit-learn, a
`fastmlp.sklearn.MLPClassifier` with 100 hidden units is trained on float32 data from a StandardScaler. A quarter of the
rows are test rows. A seed determines the weights, the order of the rows and the split. Both precisions use the same
seeds. Predictions are in float32.
"""

import argparse
import statistics
import sys
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from options import machine, network, positive

import fastmlp
from fastmlp import schedules
from fastmlp.system.cores import usable_cores

NETWORKS = ("784-128-10", "784-256-10", "784-512-512-10")
TABLES = ("digits", "breast_cancer", "wine")
PRECISIONS = ("float32", "bfloat16")


def mnist_accuracy(widths: str, samples: int, threads: int) -> Callable[[str, int], float]:
    """Return a function of precision and seed, which returns the accuracy on the test images."""
    X, y, X_test, y_test = fastmlp.datasets.mnist()

    def accuracy(precision: str, seed: int) -> float:
        net = fastmlp.MLP([int(width) for width in widths.split("-")], input_scale=1 / 255, seed=seed)
        optimizer = fastmlp.Adam(schedules.OneCycle(0.004), beta_2=0.99)
        fastmlp.train(
            net, X[:samples], y[:samples], validation=None, optimizer=optimizer, batch_size=64, epochs=3, seed=seed,
            threads=threads, progress=False, matmul_precision=precision,
        )  # fmt: skip
        return net.accuracy(X_test, y_test, threads=threads)

    return accuracy


def table_accuracy(name: str, threads: int) -> Callable[[str, int], float]:
    """Return a function of precision and seed, which returns the accuracy on a quarter of the rows."""
    from sklearn import datasets
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    from fastmlp.sklearn import MLPClassifier

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)

    def accuracy(precision: str, seed: int) -> float:
        train, test, y_train, y_test = train_test_split(X.astype(np.float32), y, random_state=seed, stratify=y)
        scaler = StandardScaler().fit(train)
        model = MLPClassifier(random_state=seed, threads=threads, matmul_precision=precision)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(scaler.transform(train), y_train)
        return float(model.score(scaler.transform(test), y_test))

    return accuracy


def row(label: str, accuracy: Callable[[str, int], float], seeds: int) -> str:
    """Return a line of the table: mean and standard deviation over the seeds, for each precision."""
    cells = [label]
    for precision in PRECISIONS:
        found = [accuracy(precision, seed) for seed in range(seeds)]
        spread = statistics.stdev(found) if seeds > 1 else 0.0
        cells.append(f"{statistics.mean(found):.4f} ± {spread:.4f}")
    return "| " + " | ".join(cells) + " |"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="*", default=NETWORKS, type=network, metavar="WIDTHS", help="for MNIST")
    parser.add_argument("--tables", nargs="*", default=TABLES, choices=TABLES, metavar="NAME", help=", ".join(TABLES))
    parser.add_argument("--seeds", default=5, type=positive, metavar="N")
    parser.add_argument("--samples", default=60_000, type=positive, metavar="N", help="training images, the first ones")
    parser.add_argument("--threads", default=usable_cores(), type=positive, metavar="N")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train everything and print the table."""
    args = parse(arguments)
    jobs = [(f"MNIST, {widths}", mnist_accuracy(widths, args.samples, args.threads)) for widths in args.nets]
    jobs += [(name.replace("_", " "), table_accuracy(name, args.threads)) for name in args.tables]
    lines = [
        f"**Test accuracy, mean ± standard deviation over {args.seeds} seeds**",
        "",
        "| data | float32 | bfloat16 |",
        "| --- | ---: | ---: |",
        *(row(label, accuracy, args.seeds) for label, accuracy in jobs),
    ]
    sys.stdout.write("\n".join([*lines, "", *[f"- {line}" for line in machine(args.threads)]]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
