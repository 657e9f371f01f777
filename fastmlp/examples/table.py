"""A table: tumours, benign or malignant, by 30 measurements (569 rows that come with scikit-learn).

``python -m fastmlp.examples.table``

Validation data of one's own, weights of the classes, early stopping, a schedule, and saving and loading the network.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import fastmlp
from fastmlp.system.extras import require


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, save, load, evaluate."""
    parser = argparse.ArgumentParser(prog="python -m fastmlp.examples.table", description=__doc__)
    parser.add_argument("--epochs", type=int, default=200, help="at most this many")
    parser.add_argument("--folder", type=Path, help="where to save the network; default: a temporary folder")
    options = parser.parse_args(arguments)

    table = require("sklearn.datasets", extra="sklearn").load_breast_cancer()
    rows = np.random.default_rng(0).permutation(len(table.data))
    training, validation, test = np.split(rows, [340, 455])

    # gradient descent wants columns of one scale: that of the rows it may know
    mean, deviation = table.data[training].mean(axis=0), table.data[training].std(axis=0)
    X, y = (table.data - mean) / deviation, table.target

    net = fastmlp.MLP([30, 32, 16, 2], activation="gelu", batch_norm=fastmlp.BatchNorm("before_relu", affine=True))
    net.class_names, net.feature_names = list(map(str, table.target_names)), list(map(str, table.feature_names))
    history = fastmlp.train(
        net,
        X[training],
        y[training],
        validation=(X[validation], y[validation]),
        class_weight="balanced",  # as much weight for the malignant ones, though they are fewer
        optimizer=fastmlp.AdamW(fastmlp.schedules.Cosine(0.003), weight_decay=0.02),
        batch_size=32,
        epochs=options.epochs,
        stop=fastmlp.EarlyStopping("cost", patience=20, min_delta=0.0),
    )
    best = history.records[history.best_epoch - 1] if history.best_epoch else history.records[-1]
    print(f"{history.epochs} epochs, ended by: {history.stopped_because}")
    print(f"back at epoch {best['epoch']}: validation cost {best['val_cost']:.4f}, rate {best['learning_rate']:.5f}")

    with tempfile.TemporaryDirectory() as temporary:
        path = (options.folder or Path(temporary)) / "tumours.safetensors"
        net.save(path)
        loaded = fastmlp.load(path)
        print(f"saved {path.stat().st_size:,} bytes; loaded {loaded}")

    predicted = loaded.predict(X[test])
    print(f"test accuracy: {loaded.accuracy(X[test], y[test]):.4f}")
    for index, name in enumerate(loaded.class_names or ()):
        of_class = predicted[y[test] == index]
        print(f"{name}: {np.count_nonzero(of_class == index)} of {of_class.size} recognised")


if __name__ == "__main__":
    main()
