"""Regression: the course of diabetes by ten measurements (442 rows that come with scikit-learn).

``python -m fastmlp.examples.regression``

One in ten of the targets to train on is made ten times too large, as by a slip of the decimal point. The squared error
runs after such rows; Huber's, which is linear far out, hardly does. Both train an `MLPRegressor` in a Pipeline.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp.sklearn import MLPRegressor

# isort: split
# behind fastmlp.sklearn, whose error names the extra where scikit-learn is missing
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler


def model(loss: str, patience: int) -> Any:
    """Return a pipeline that scales the columns, and the target too: Huber's error is linear beyond 1."""
    network = MLPRegressor(
        loss,
        hidden_layer_sizes=(64, 32),
        batch_size=32,
        max_iter=1000,
        early_stopping=True,
        metric="neg_median_absolute_error",  # which slips among the validation rows hardly change
        n_iter_no_change=patience,
        random_state=0,
    )
    columns = make_pipeline(StandardScaler(), network)
    return TransformedTargetRegressor(columns, transformer=RobustScaler())


def main(arguments: Sequence[str] | None = None) -> None:
    """Train with both losses, with and without the slips; print the errors on rows without any."""
    parser = argparse.ArgumentParser(prog="python -m fastmlp.examples.regression", description=__doc__)
    parser.add_argument("--patience", type=int, default=20, help="epochs without improvement before training ends")
    options = parser.parse_args(arguments)

    X, X_test, y, y_test = train_test_split(*load_diabetes(return_X_y=True), random_state=0)
    slips = np.random.default_rng(0).choice(len(y), size=len(y) // 10, replace=False)
    y_with_slips = y.copy()
    y_with_slips[slips] *= 10

    print("mean absolute error on the test rows, whose targets are right")
    print(f"always the median: {mean_absolute_error(y_test, np.full_like(y_test, np.median(y))):.1f}")
    for loss in ("squared_error", "huber"):
        errors = [
            mean_absolute_error(y_test, model(loss, options.patience).fit(X, targets).predict(X_test))
            for targets in (y, y_with_slips)
        ]
        print(f"{loss}: {errors[0]:.1f}; trained with {len(slips)} slips in {len(y)} targets: {errors[1]:.1f}")


if __name__ == "__main__":
    main()
