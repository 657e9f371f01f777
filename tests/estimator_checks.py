"""fastmlp's and scikit-learn's estimators for every kind of target, and the comparison of their fits."""

from typing import NamedTuple

import numpy as np
from sklearn import neural_network

from fastmlp.sklearn import MLPClassifier, MLPRegressor


class Kind(NamedTuple):
    """A kind of target, with fastmlp's and scikit-learn's estimator for it and the parameters that it needs."""

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


def pair(kind, **parameters):
    """Make fastmlp's and scikit-learn's estimator for a kind of target, with the same parameters."""
    ours, theirs, own = KINDS[kind]
    settings = {"hidden_layer_sizes": (7, 5), "max_iter": 20, "batch_size": 40, "learning_rate_init": 0.01}
    settings |= {"random_state": 5, **own, **parameters}
    return ours(**settings), theirs(**settings)


def assert_same_fit(ours, theirs, X, rtol=1e-4):
    """Check that two fitted estimators have the same curves and weights, and predict the same."""
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
