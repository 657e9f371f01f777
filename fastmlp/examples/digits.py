"""Digits: a network with one hidden layer learns to read the images of MNIST, which ship with the package.

``python -m fastmlp.examples.digits``
"""

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

import fastmlp


def show(net: fastmlp.MLP, record: dict[str, Any]) -> None:
    """Print the record of an epoch; `fastmlp.train` calls it after each."""
    print(f"epoch {record['epoch']:2d}   cost {record['cost']:.4f}   validation accuracy {record['val_accuracy']:.4f}")


def picture(image: np.ndarray) -> str:
    """Draw an image ``(784,)`` of bytes with characters, every second row of it, without the empty ones."""
    rows = image.reshape(28, 28)[::2]
    return "\n".join("".join(" .+#"[pixel // 64] for pixel in row).rstrip() for row in rows if row.any())


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, evaluate, and show the mistake of which the network is surest."""
    parser = argparse.ArgumentParser(prog="python -m fastmlp.examples.digits", description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=60_000, help="images to train on")
    options = parser.parse_args(arguments)

    X, y, X_test, y_test = fastmlp.datasets.mnist()
    X, y = X[: options.rows], y[: options.rows]

    # the images stay bytes: the engine multiplies by input_scale where it reads them
    net = fastmlp.MLP([784, 256, 10], dropout=0.2, input_scale=1 / 255)
    print(net)
    history = fastmlp.train(
        net,
        X,
        y,
        validation=0.1,
        optimizer=fastmlp.Adam(fastmlp.schedules.OneCycle(0.004)),
        batch_size=128,
        epochs=options.epochs,
        callbacks=[show],
    )
    print(f"{history.steps} steps in {history.seconds:.1f} s")
    print(f"test accuracy: {net.accuracy(X_test, y_test):.4f}")

    proba = net.predict_proba(X_test)
    predicted = proba.argmax(axis=1)
    mistakes = np.flatnonzero(predicted != y_test)
    surest = mistakes[proba[mistakes].max(axis=1).argmax()]
    print(f"{len(mistakes)} of {len(y_test)} test images are read wrongly; surest of all, though wrong:")
    print(picture(X_test[surest]))
    print(f"a {y_test[surest]}, read as {predicted[surest]} with probability {proba[surest].max():.4f}")


if __name__ == "__main__":
    main()
