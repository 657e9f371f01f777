"""Networks from scikit-learn's fitted estimators."""

import warnings

import numpy as np
import pytest
from exchanged import settings_of
from networks import digest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from fastmlp import MLP


def _fitted(estimator, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y)


def _options(activation="relu"):
    return {"hidden_layer_sizes": (6, 4), "activation": activation, "max_iter": 5, "random_state": 0}


def _assert_agree(actual, expected, dtype):
    assert actual.dtype == dtype
    limit = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(actual, expected, rtol=limit, atol=limit)


def _same_arrays(net, estimator):
    for mine, theirs in zip([*net.weights, *net.biases], [*estimator.coefs_, *estimator.intercepts_], strict=True):
        np.testing.assert_array_equal(mine, theirs)
        assert not np.shares_memory(mine, theirs)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_a_classifier_of_several_classes(activation, dtype, blobs):
    X, y = blobs[0].astype(dtype), np.array(["Löwe", "chat", "chien"])[blobs[1]]
    estimator = _fitted(MLPClassifier(**_options(activation)), X, y)
    net = MLP.from_sklearn(estimator)
    _assert_agree(net.predict_proba(X), estimator.predict_proba(X), dtype)
    assert net.class_names == ["Löwe", "chat", "chien"]
    np.testing.assert_array_equal(np.array(net.class_names)[net.predict(X)], estimator.predict(X))
    assert (net.widths, net.activation, net.output) == ((5, 6, 4, 3), activation, "softmax")
    _same_arrays(net, estimator)


def test_a_classifier_of_two_classes_has_one_output(dtype, blobs):
    X, y = blobs[0].astype(dtype), np.where(blobs[1] == 1, 7, -7)
    estimator = _fitted(MLPClassifier(**_options()), X, y)
    net = MLP.from_sklearn(estimator)
    assert (net.widths[-1], net.output, net.class_names) == (1, "logistic", ["-7", "7"])
    _assert_agree(net.outputs(X)[:, 0], estimator.predict_proba(X)[:, 1], dtype)
    np.testing.assert_array_equal(np.array([-7, 7])[net.predict(X)[:, 0]], estimator.predict(X))


def test_several_labels_a_row(blobs):
    X, y = blobs
    several = np.stack([y == 0, y == 1, X[:, 0] > 1], axis=1).astype(int)
    estimator = _fitted(MLPClassifier(**_options()), X, several)
    net = MLP.from_sklearn(estimator)
    assert net.output == "logistic"
    _assert_agree(net.outputs(X), estimator.predict_proba(X), np.float64)
    np.testing.assert_array_equal(net.predict(X), estimator.predict(X))


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_regressor(activation, n_outputs, dtype, blobs):
    X = blobs[0].astype(dtype)
    estimator = _fitted(MLPRegressor(**_options(activation)), X[:, :4], X[:, 4] if n_outputs == 1 else X[:, 3:])
    net = MLP.from_sklearn(estimator)
    _assert_agree(net.predict(X[:, :4]), estimator.predict(X[:, :4]).reshape(-1, n_outputs), dtype)
    assert (net.output, net.class_names) == ("identity", None)
    _same_arrays(net, estimator)


def test_a_regressor_of_counts(blobs):
    X, y = blobs
    estimator = _fitted(MLPRegressor(loss="poisson", **_options()), X, y)
    net = MLP.from_sklearn(estimator)
    assert net.output == "exp"
    _assert_agree(net.outputs(X)[:, 0], estimator.predict(X), np.float64)


def test_no_hidden_layer(blobs):
    estimator = _fitted(MLPClassifier(**_options() | {"hidden_layer_sizes": ()}), *blobs)
    _assert_agree(MLP.from_sklearn(estimator).predict_proba(blobs[0]), estimator.predict_proba(blobs[0]), np.float64)


def test_the_names_of_the_columns(blobs):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(blobs[0], columns=list("abcde"))
    net = MLP.from_sklearn(_fitted(MLPClassifier(**_options()), table, blobs[1]))
    assert net.feature_names == list("abcde")
    assert MLP.from_sklearn(_fitted(MLPClassifier(**_options()), *blobs)).feature_names is None


def test_partially_fitted(blobs):
    estimator = MLPClassifier(**_options()).partial_fit(*blobs, classes=[0, 1, 2])
    _same_arrays(MLP.from_sklearn(estimator), estimator)


def test_fastmlps_own_estimators(blobs):
    ours = pytest.importorskip("fastmlp.sklearn")
    more = {"batch_norm": True, "dropout": 0.25, "activation": "gelu"}
    estimator = _fitted(ours.MLPClassifier(**_options() | more), *blobs)
    net = MLP.from_sklearn(estimator)
    np.testing.assert_array_equal(net.predict_proba(blobs[0]), estimator.predict_proba(blobs[0]))
    assert digest(net) == digest(estimator.network_)
    assert settings_of(net) == settings_of(estimator.network_)
    assert net.class_names == ["0", "1", "2"]
    with pytest.raises(ValueError, match="estimator must be fitted"):
        MLP.from_sklearn(ours.MLPClassifier())


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_it_must_be_fitted(kind):
    with pytest.raises(ValueError, match="estimator must be fitted: call its fit first, got MLP"):
        MLP.from_sklearn(kind())


@pytest.mark.parametrize("value", [None, "mlp", MLPClassifier, MLP([2, 2])])
def test_it_must_be_such_an_estimator(value):
    with pytest.raises(TypeError, match="estimator must be an MLPClassifier or MLPRegressor, got"):
        MLP.from_sklearn(value)


def test_weights_must_be_finite(blobs):
    estimator = _fitted(MLPClassifier(**_options()), *blobs)
    estimator.intercepts_[1][0] = np.inf
    with pytest.raises(ValueError, match=r"biases\[1\] must be finite"):
        MLP.from_sklearn(estimator)
