"""Small problems with every kind of target that the estimators take."""

import numpy as np
import pytest

N, N_FEATURES = 150, 6


@pytest.fixture(scope="session", name="X")
def features():
    """Features, float64."""
    return np.random.default_rng(1).normal(size=(N, N_FEATURES))


@pytest.fixture(scope="session")
def targets(X):
    """A target of each kind."""
    rng = np.random.default_rng(2)
    scores = X[:, :3] + 0.5 * rng.normal(size=(N, 3))
    return {
        "multiclass": np.array(["ant", "bee", "cat"])[scores.argmax(axis=1)],
        "binary": scores[:, 0] > 0,
        "multilabel": (scores[:, :2] > 0).astype(int),
        "number": scores[:, 0],
        "numbers": scores[:, :2] * [1.0, 3.0],
        "counts": rng.poisson(np.exp(0.4 * scores[:, 0])).astype(float),
    }


@pytest.fixture(scope="session")
def weights():
    """Weights of the rows; some are 0."""
    return np.random.default_rng(3).integers(0, 4, size=N) / 2
