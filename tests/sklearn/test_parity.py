"""With the same ``random_state``, the estimators have the same curves and weights as scikit-learn's."""

import warnings

import numpy as np
import pytest
from estimator_checks import assert_same_fit, pair
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from fastmlp import engine

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
KINDS = ["multiclass", "binary", "multilabel", "number", "numbers", "counts"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_loss_curve(X, targets, solver, activation, kind):
    ours, theirs = pair(kind, solver=solver, activation=activation)
    y = targets[kind]
    assert_same_fit(ours.fit(X, y), theirs.fit(X, y), X)
    assert len(ours.loss_curve_) == 20
    assert ours.out_activation_ == theirs.out_activation_
    assert (ours.n_layers_, ours.n_outputs_) == (theirs.n_layers_, theirs.n_outputs_)


@pytest.mark.parametrize("kind", ["multiclass", "binary", "multilabel", "number", "counts"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_lbfgs(X, targets, activation, kind):
    ours, theirs = pair(kind, solver="lbfgs", activation=activation, max_iter=4, alpha=0.1)
    y = targets[kind]
    ours.fit(X, y)
    theirs.fit(X, y)
    assert ours.n_iter_ == theirs.n_iter_ == 4
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-4)
    for a, b in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * np.abs(b).max())


@pytest.mark.parametrize("kind", ["binary", "numbers"])
def test_lbfgs_converges_without_a_warning(X, targets, kind):
    # with several outputs, scikit-learn's gradient of the loss is too large by the factor of their number
    ours, _ = pair(kind, solver="lbfgs", activation="tanh", max_iter=1000, tol=3e-3, alpha=3.0)
    y = targets[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.fit(X, y)
    assert ours.history_.stopped_because == "converged"
    assert ours.n_iter_ == ours.history_.epochs < 1000
    if kind == "numbers":
        penalty = sum((w**2).sum() for w in ours.coefs_) * 1.5 / len(X)
        np.testing.assert_allclose(ours.loss_, ((ours.predict(X) - y) ** 2).mean() / 2 + penalty, rtol=1e-9)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("kind", ["multiclass", "number", "counts"])
def test_sample_weights(X, targets, weights, solver, kind):
    ours, theirs = pair(kind, solver=solver, max_iter=5)
    y = targets[kind]
    ours.fit(X, y, weights)
    theirs.fit(X, y, weights)
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-4)
    for a, b in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * np.abs(b).max())


@pytest.mark.parametrize(
    "parameters",
    [
        {"learning_rate": "invscaling", "power_t": 0.2, "learning_rate_init": 0.3},
        {"learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 1, "learning_rate_init": 0.1, "max_iter": 60},
        {"momentum": 0.0},
        {"momentum": 1.0, "learning_rate_init": 0.001},
        {"nesterovs_momentum": False},
        {"shuffle": False},
        {"batch_size": "auto"},
        {"hidden_layer_sizes": 3},
        {"hidden_layer_sizes": ()},
        {"tol": 0.05, "n_iter_no_change": 2},
    ],
    ids=lambda parameters: ",".join(f"{name}={value}" for name, value in parameters.items())[:40],
)
def test_sgd(X, targets, parameters):
    ours, theirs = pair("multiclass", solver="sgd", **parameters)
    y = targets["multiclass"]
    assert_same_fit(ours.fit(X, y), theirs.fit(X, y), X)


@pytest.mark.parametrize("parameters", [{"beta_1": 0.0}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}])
def test_adam(X, targets, parameters):
    ours, theirs = pair("number", **parameters)
    y = targets["number"]
    assert_same_fit(ours.fit(X, y), theirs.fit(X, y), X)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("alpha", [0.0, 0.01, 0.1, 1.0, 10.0])
def test_alpha(X, targets, solver, alpha):
    ours, theirs = pair("multiclass", solver=solver, alpha=alpha, batch_size=10)
    y = targets["multiclass"]
    assert_same_fit(ours.fit(X, y), theirs.fit(X, y), X)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["multiclass", "binary", "multilabel", "numbers"])
def test_early_stopping(X, targets, weights, kind, weighted):
    parameters = {"early_stopping": True, "n_iter_no_change": 3, "validation_fraction": 0.2, "max_iter": 60}
    ours, theirs = pair(kind, tol=0.005, **parameters)
    weight = weights if weighted else None
    y = targets[kind]
    assert_same_fit(ours.fit(X, y, weight), theirs.fit(X, y, weight), X)
    if ours.n_iter_ < 60:
        assert ours.history_.stopped_because == "early stopping"


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_warm_start(X, targets, solver):
    ours, theirs = pair("binary", solver=solver, warm_start=True, max_iter=4)
    y = targets["binary"]
    for _ in range(3):
        assert_same_fit(ours.fit(X, y), theirs.fit(X, y), X)
    assert ours.history_.epochs == 12


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_partial_fit(X, targets, solver):
    ours, theirs = pair("multiclass", solver=solver, batch_size=20)
    y = targets["multiclass"]
    for start in range(0, 150, 50):
        rows = slice(start, start + 50)
        for estimator in (ours, theirs):
            estimator.partial_fit(X[rows], y[rows], classes=np.unique(y))
    assert_same_fit(ours, theirs, X)
    assert ours.history_.steps == 9


def test_partial_fit_goes_on_after_fit(X, targets):
    ours, theirs = pair("number")
    y = targets["number"]
    for estimator in (ours, theirs):
        estimator.fit(X, y).partial_fit(X[:50], y[:50]).set_params(alpha=0.1).partial_fit(X, y)
    assert_same_fit(ours, theirs, X)


def test_float32(X, targets):
    ours, theirs = pair("multiclass")
    single, y = X.astype(np.float32), targets["multiclass"]
    assert_same_fit(ours.fit(single, y), theirs.fit(single, y), single)
    assert {a.dtype for a in ours.coefs_ + ours.intercepts_} == {np.dtype(np.float32)}
    assert ours.predict_proba(single).dtype == np.float32


@pytest.mark.parametrize("convert", [sparse.csr_matrix, sparse.csc_array, np.asfortranarray, np.ndarray.tolist])
def test_other_containers(X, targets, convert):
    ours, theirs = pair("number", max_iter=3)
    y = targets["number"]
    assert_same_fit(ours.fit(convert(X), y), theirs.fit(X, y), X)
    np.testing.assert_array_equal(ours.predict(convert(X)), ours.predict(X))


def test_integers_are_not_copied(X, targets, monkeypatch):
    seen = []
    trainer = engine.Trainer

    def noted(net, x, *arguments, **options):
        seen.append(x)
        return trainer(net, x, *arguments, **options)

    monkeypatch.setattr(engine, "Trainer", noted)
    pixels = np.clip(2 * X + 4, 0, 255).astype(np.uint8)
    ours, theirs = pair("multiclass", max_iter=3)
    y = targets["multiclass"]
    assert_same_fit(ours.fit(pixels, y), theirs.fit(pixels, y), pixels)
    assert np.shares_memory(seen[0], pixels)
    assert ours.coefs_[0].dtype == theirs.coefs_[0].dtype == np.float64


def test_random_state_instance(X, targets):
    ours, theirs = pair("number", max_iter=3)
    streams = [np.random.RandomState(8) for _ in range(2)]
    for estimator, stream in zip((ours, theirs), streams, strict=True):
        estimator.set_params(random_state=stream).fit(X, targets["number"])
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-4)
    assert streams[0].randint(2**31) == streams[1].randint(2**31)


def test_same_defaults_and_order():
    import inspect

    for kind in ("binary", "number"):
        ours, theirs = ([*inspect.signature(type(e)).parameters.values()] for e in pair(kind))
        shown = [(p.name, p.default, p.kind) for p in ours][: len(theirs)]
        assert shown == [(p.name, p.default, p.kind) for p in theirs]
        assert all(p.kind is p.KEYWORD_ONLY for p in ours[len(theirs) :])


def test_same_constraints():
    for kind in ("binary", "number"):
        ours, theirs = ({**e._parameter_constraints} for e in pair(kind))
        for name, allowed in theirs.items():
            if name not in ("activation", "loss"):  # these two accept more values than in scikit-learn
                # sorted, because the texts list the strings of a set in any order
                assert [sorted(str(c)) for c in ours[name]] == [sorted(str(c)) for c in allowed], name


def test_convergence_warning(X, targets):
    ours, _ = pair("binary", max_iter=2)
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\)"):
        ours.fit(X, targets["binary"])
