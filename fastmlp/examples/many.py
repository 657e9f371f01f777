"""Many networks at once: a cross-validation and an ensemble on scikit-learn's digits (1,797 rows that come with it).

``python -m fastmlp.examples.many``

`fastmlp.train_many` trains independent networks on one copy of the data, each in one thread. ``rows=`` gives each the
rows that it may use. So the folds of a cross-validation are trained in one call for all candidates, and so are the
members of an ensemble, each on rows that are drawn with replacement (bagging).
"""

import argparse
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

import fastmlp
from fastmlp.system.extras import require

RATES = (0.0003, 0.003)
WIDTHS = ((16,), (64,))
FOLDS = 5


def new(hidden: Sequence[int], seed: int) -> fastmlp.MLP:
    """Return a new network for images of 64 pixels, 0 to 16 each."""
    return fastmlp.MLP([64, *hidden, 10], input_scale=1 / 16, seed=seed)


def cross_validated(X: np.ndarray, y: np.ndarray, epochs: int) -> list[tuple[tuple[int, ...], float, float]]:
    """Return widths, rate and mean accuracy on the folds of each candidate, the best first."""
    folds = np.random.default_rng(0).permutation(len(X)) % FOLDS
    candidates = list(itertools.product(WIDTHS, RATES))
    tasks = list(itertools.product(candidates, range(FOLDS)))
    nets = [new(hidden, fold) for (hidden, _), fold in tasks]
    fastmlp.train_many(
        nets,
        X,
        y,
        optimizers=[fastmlp.Adam(rate) for (_, rate), _ in tasks],
        rows=[np.flatnonzero(folds != fold) for _, fold in tasks],
        validation=None,
        batch_size=50,
        epochs=epochs,
    )
    scores = [net.accuracy(X[folds == fold], y[folds == fold]) for net, (_, fold) in zip(nets, tasks, strict=True)]
    means = np.reshape(scores, (-1, FOLDS)).mean(axis=1)
    found = [(hidden, rate, float(mean)) for (hidden, rate), mean in zip(candidates, means, strict=True)]
    return sorted(found, key=lambda candidate: -candidate[2])


def ensemble(
    X: np.ndarray, y: np.ndarray, hidden: Sequence[int], size: int, **options: Any
) -> tuple[list[fastmlp.MLP], list[fastmlp.History]]:
    """Return networks that differ in their initial weights, their rows and the order of these, with their histories."""
    rng = np.random.default_rng(1)
    nets = [new(hidden, seed) for seed in range(size)]
    rows = [rng.integers(0, len(X), len(X)) for _ in nets]
    return nets, fastmlp.train_many(nets, X, y, seeds=list(range(size)), rows=rows, validation=None, **options)


def main(arguments: Sequence[str] | None = None) -> None:
    """Choose width and rate, train an ensemble with them, and compare it with its members."""
    parser = argparse.ArgumentParser(prog="python -m fastmlp.examples.many", description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--members", type=int, default=10, help="networks of the ensemble")
    options = parser.parse_args(arguments)

    X, y = require("sklearn.datasets", extra="sklearn").load_digits(return_X_y=True)
    X, order = X.astype(np.uint8), np.random.default_rng(2).permutation(len(X))
    train, test = order[:1200], order[1200:]

    found = cross_validated(X[train], y[train], options.epochs)
    for hidden, rate, score in found:
        print(f"hidden {hidden}, rate {rate}: accuracy {score:.4f} in {FOLDS} folds")

    hidden, rate, _ = found[0]
    nets, histories = ensemble(
        X[train], y[train], hidden, options.members, optimizers=fastmlp.Adam(rate), batch_size=50, epochs=options.epochs
    )
    print(f"{len(nets)} networks, {sum(history.steps for history in histories)} steps in all")
    members = [net.accuracy(X[test], y[test]) for net in nets]
    together = np.mean([net.predict_proba(X[test]) for net in nets], axis=0).argmax(axis=1)
    print(f"test accuracy of the members: {min(members):.4f} to {max(members):.4f}, mean {np.mean(members):.4f}")
    print(f"test accuracy of all together: {np.mean(together == y[test]):.4f}")


if __name__ == "__main__":
    main()
