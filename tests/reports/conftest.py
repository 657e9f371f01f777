"""A fitted classifier and a fitted regressor of a small table, with the rows for the test."""

import numpy as np
import pytest

from fastmlp.sklearn import TabularMLPClassifier, TabularMLPRegressor

pd = pytest.importorskip("pandas")


@pytest.fixture(scope="session")
def table():
    rng = np.random.default_rng(1)
    X = pd.DataFrame(
        {"a": rng.standard_normal(200), "noise": rng.standard_normal(200), "c": rng.choice(["u", "v"], 200)}
    )
    y = 3 * X["a"].to_numpy() + (X["c"] == "u").to_numpy() + 0.1 * rng.standard_normal(200)
    return X, y


@pytest.fixture(scope="session")
def numbers(table):
    """``(model, training, test)`` of a regression."""
    X, y = table
    model = TabularMLPRegressor(max_epochs=40, random_state=0, hidden_layer_sizes=(32,)).fit(X[:150], y[:150])
    return model, (X[:150], y[:150]), (X[150:], y[150:])


@pytest.fixture(scope="session")
def classes(table):
    """``(model, training, test)`` of a classification by the sign."""
    X, y = table
    y = np.where(y > 0, "plus", "minus")
    model = TabularMLPClassifier(max_epochs=40, random_state=0, hidden_layer_sizes=(32,)).fit(X[:150], y[:150])
    return model, (X[:150], y[:150]), (X[150:], y[150:])
