"""Small problems of every kind that the estimators take, and scikit-learn's own estimators beside ours."""

from typing import NamedTuple

import numpy as np
import pytest
from sklearn import neural_network

from fastmlp.sklearn import MLPClassifier, MLPRegressor

N, N_FEATURES = 150, 6


class Kind(NamedTuple):
    """A kind of target: ours and scikit-learn's estimator with the parameters that it needs."""

    ours: type
    theirs: type
    parameters: dict


CLASSIFIERS = (MLPClassifier, neural_network.MLPClassifier, {})
REGRESSORS = (MLPRegressor, neural_network.MLPRegressor)
KINDS = {
    "multiclass": Kind(*CLASSIFIERS),
    "binary": Kind(*CLASSIFIERS),
    "multilabel": Kind(*CLASSIFIERS),
    "number": Kind(*REGRESSORS, {}),
    "numbers": Kind(*REGRESSORS, {}),
    "counts": Kind(*REGRESSORS, {"loss": "poisson"}),
}


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


@pytest.fixture(scope="session")
def pair():
    """Make our estimator and scikit-learn's for a kind of target, with the same parameters."""

    def make(kind, **parameters):
        ours, theirs, own = KINDS[kind]
        settings = {"hidden_layer_sizes": (7, 5), "max_iter": 20, "batch_size": 40, "learning_rate_init": 0.01}
        settings |= {"random_state": 5, **own, **parameters}
        return ours(**settings), theirs(**settings)

    return make


@pytest.fixture(scope="session")
def assert_same_fit():
    """Check that two fitted estimators went the same way and predict the same."""

    def check(ours, theirs, X, rtol=1e-4):
        assert ours.n_iter_ == theirs.n_iter_
        assert ours.t_ == theirs.t_
        np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=rtol)
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=rtol)
        for name in ("coefs_", "intercepts_"):
            for a, b in zip(getattr(ours, name), getattr(theirs, name), strict=True):
                np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max())
        for name in ("best_loss_", "validation_scores_", "best_validation_score_"):
            a, b = getattr(ours, name), getattr(theirs, name)
            assert (a is None) == (b is None)
            if b is not None:
                np.testing.assert_allclose(a, b, rtol=rtol)
        predicted, expected = ours.predict(X), theirs.predict(X)
        assert predicted.dtype.kind == expected.dtype.kind
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(predicted, expected, rtol=rtol, atol=rtol * np.abs(expected).max())
        else:
            np.testing.assert_array_equal(predicted, expected)

    return check
