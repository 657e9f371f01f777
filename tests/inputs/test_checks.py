"""Every wrong argument raises one error, which names the argument, the value that it got and what is expected.

The error comes before any work: a refused call does not change a bit of the network.
"""

import numpy as np
import pytest
from networks import digest
from refusals import refused

from fastmlp import MLP, SGD, Adam, AdamW, BatchNorm, EarlyStopping, init, train

N_IN, N_CLASSES, ROWS = 4, 3, 12


def _features(change=None):
    X = np.random.default_rng(0).standard_normal((ROWS, N_IN))
    if change is not None:
        row, column, value = change
        X[row, column] = value
    return X


def _labels(change=None):
    y = np.arange(ROWS) % N_CLASSES
    if change is not None:
        y[change[0]] = change[1]
    return y


def _transposed(rng, n_in, n_out):
    return np.zeros((n_out, n_in))


class _Unreadable:
    def __array__(self, dtype=None, copy=None):
        return np.array([[object()]], dtype=object)


# (what is wrong, X, exception, words of the message besides the argument's name)
FEATURES = [
    ("one dimension", np.zeros(4), ValueError, ["2-D", "(4,)"]),
    ("three dimensions", np.zeros((2, 4, 1)), ValueError, ["2-D", "(2, 4, 1)"]),
    ("a number", 3.0, ValueError, ["2-D", "()"]),
    ("too narrow", np.zeros((5, 3)), ValueError, ["4", "(5, 3)"]),
    ("too wide", np.zeros((5, 5)), ValueError, ["4", "(5, 5)"]),
    ("transposed", _features().T, ValueError, ["4", "(4, 12)"]),
    ("no rows", np.zeros((0, 4)), ValueError, ["row", "(0, 4)"]),
    ("no columns", np.zeros((5, 0)), ValueError, ["4", "(5, 0)"]),
    ("an empty list", [], ValueError, ["2-D", "(0,)"]),
    ("NaN", _features((7, 2, np.nan)), ValueError, ["finite", "nan", "row 7", "column 2"]),
    ("infinity", _features((0, 3, np.inf)), ValueError, ["finite", "inf", "row 0", "column 3"]),
    ("minus infinity", _features((11, 0, -np.inf)), ValueError, ["finite", "-inf", "row 11", "column 0"]),
    (
        "NaN in float32",
        np.float32(_features((5, 1, np.nan))),
        ValueError,
        ["finite", "nan", "row 5", "column 1"],
    ),
    ("objects", _features().astype(object), TypeError, ["object", "integers or floats"]),
    ("text", _features().astype(str), TypeError, ["<U", "integers or floats", "OneHotEncoder"]),
    ("bytes", _features().astype("S8"), TypeError, ["|S8", "integers or floats"]),
    ("dates", np.zeros((ROWS, N_IN), "M8[s]"), TypeError, ["datetime64", "integers or floats"]),
    ("complex numbers", _features().astype(complex), TypeError, ["complex128", "integers or floats"]),
    ("rows of unequal length", [[1, 2, 3, 4], [1, 2]], ValueError, ["unequal"]),
    ("nothing", None, TypeError, ["object", "integers or floats"]),
    ("no array", _Unreadable(), TypeError, ["object", "integers or floats"]),
]

LABELS = [
    ("too large", _labels((4, 3)), ValueError, ["0", "2", "3", "position 4", "np.unique(y, return_inverse=True)[1]"]),
    ("negative", _labels((6, -1)), ValueError, ["0", "2", "-1", "position 6"]),
    ("huge", _labels().astype(np.uint64) + np.uint64(2**63), ValueError, ["0", "2", str(2**63)]),
    ("floats", _labels().astype(float), TypeError, ["integer", "float64", 'output="identity"']),
    ("text", _labels().astype(str), TypeError, ["integer", "<U", "MLPClassifier"]),
    ("objects", _labels().astype(object), TypeError, ["integer", "object"]),
    ("booleans", _labels() > 0, TypeError, ["integer", "bool"]),
    ("nothing", None, TypeError, ["integer", "object"]),
    ("too short", _labels()[:-1], ValueError, ["12", "11"]),
    ("too long", np.zeros(13, int), ValueError, ["12", "13"]),
    ("empty", np.zeros(0, int), ValueError, ["12", "0"]),
    ("one-hot", np.eye(3, dtype=int)[_labels()], ValueError, ["1-D", "(12, 3)", "argmax(axis=1)"]),
    ("one-hot floats", np.eye(3)[_labels()], ValueError, ["1-D", "(12, 3)", "argmax(axis=1)"]),
    ("two columns of zeros", np.zeros((12, 2), int), ValueError, ["1-D", "(12, 2)"]),
    ("a column", _labels()[:, None], ValueError, ["1-D", "(12, 1)"]),
    ("a number", np.int64(1), ValueError, ["1-D", "()"]),
    ("rows of unequal length", [[0], [1, 2]], (TypeError, ValueError), ["1-D"]),
]

ARGUMENTS = [
    ("batch_size", 0, ValueError, ["at least 1", "0"]),
    ("batch_size", -5, ValueError, ["at least 1", "-5"]),
    ("batch_size", 2.5, TypeError, ["integer", "2.5"]),
    ("batch_size", "10", TypeError, ["integer", "'10'"]),
    ("batch_size", None, TypeError, ["integer", "None"]),
    ("batch_size", True, TypeError, ["integer", "True"]),
    ("epochs", 0, ValueError, ["at least 1", "0"]),
    ("epochs", -1, ValueError, ["at least 1", "-1"]),
    ("epochs", 1.0, TypeError, ["integer", "1.0"]),
    ("threads", 0, ValueError, ["at least 1", "0"]),
    ("threads", -2, ValueError, ["at least 1", "-2"]),
    ("threads", 1.5, TypeError, ["integer", "1.5"]),
    ("seed", -1, ValueError, ["-1"]),
    ("seed", 0.5, TypeError, ["0.5"]),
    ("seed", "zero", TypeError, ["'zero'"]),
    ("validation", 0.0, ValueError, ["between 0 and 1", "0.0"]),
    ("validation", 1.0, ValueError, ["between 0 and 1", "1.0"]),
    ("validation", -0.2, ValueError, ["between 0 and 1", "-0.2"]),
    ("validation", float("nan"), ValueError, ["between 0 and 1", "nan"]),
    ("validation", 20, ValueError, ["between 0 and 1", "20"]),
    ("validation", True, TypeError, ["True"]),
    ("validation", "0.2", TypeError, ["'0.2'"]),
    ("validation", 0.001, ValueError, ["0.001", "12"]),
    ("validation", 0.999, ValueError, ["0.999", "12"]),
    ("validation", (_features(),), ValueError, ["pair", "1"]),
    ("validation", (_features(), _labels(), None, None), ValueError, ["pair", "4"]),
    ("optimizer", 0.1, TypeError, ["Optimizer", "0.1"]),
    ("optimizer", SGD, TypeError, ["Optimizer"]),
    ("optimizer", None, TypeError, ["Optimizer", "None"]),
    ("stop", 10, TypeError, ["EarlyStopping", "10"]),
    ("callbacks", print, TypeError, ["sequence of functions", "print"]),
    ("callbacks", [print, 3], TypeError, ["sequence of functions", "3"]),
    ("callbacks", None, TypeError, ["sequence of functions", "None"]),
    ("stop", EarlyStopping, TypeError, ["EarlyStopping"]),
]

SETTINGS = [
    (SGD, {"learning_rate": 0.0}, ValueError, ["above 0", "0.0"]),
    (SGD, {"learning_rate": -0.1}, ValueError, ["above 0", "-0.1"]),
    (SGD, {"learning_rate": float("nan")}, ValueError, ["above 0", "nan"]),
    (SGD, {"learning_rate": float("inf")}, ValueError, ["finite", "inf"]),
    (SGD, {"learning_rate": "0.1"}, TypeError, ["number", "'0.1'"]),
    (SGD, {"learning_rate": None}, TypeError, ["number", "None"]),
    (SGD, {"weight_decay": -1e-9}, ValueError, ["at least 0", "-1e-09"]),
    (SGD, {"weight_decay": float("nan")}, ValueError, ["at least 0", "nan"]),
    (SGD, {"weight_decay": float("inf")}, ValueError, ["finite", "inf"]),
    (SGD, {"weight_decay": "none"}, TypeError, ["number", "'none'"]),
    (SGD, {"momentum": 1.1}, ValueError, ["at most 1", "1.1"]),
    (SGD, {"momentum": -0.1}, ValueError, ["above 0", "-0.1"]),
    (SGD, {"momentum": float("nan")}, ValueError, ["above 0", "nan"]),
    (SGD, {"momentum": None}, TypeError, ["number", "None"]),
    (SGD, {"momentum": 0.9, "nesterov": 1}, TypeError, ["True or False", "1"]),
    (SGD, {"nesterov": True}, ValueError, ["momentum above 0", "momentum=0"]),
    (Adam, {"learning_rate": 0}, ValueError, ["above 0", "0"]),
    (Adam, {"weight_decay": -1}, ValueError, ["at least 0", "-1"]),
    (Adam, {"beta_1": 1.0}, ValueError, ["below 1", "1.0"]),
    (Adam, {"beta_2": -0.1}, ValueError, ["at least 0", "-0.1"]),
    (Adam, {"epsilon": 0.0}, ValueError, ["above 0", "0.0"]),
    (AdamW, {"weight_decay": float("nan")}, ValueError, ["at least 0", "nan"]),
    (AdamW, {"learning_rate": "fast"}, TypeError, ["number", "'fast'"]),
    (BatchNorm, {"placement": "before"}, ValueError, ["after_relu", "before_relu", "'before'"]),
    (BatchNorm, {"placement": None}, ValueError, ["after_relu", "before_relu", "None"]),
    (BatchNorm, {"placement": ["after_relu"]}, ValueError, ["after_relu", "before_relu"]),
    (BatchNorm, {"affine": "yes"}, TypeError, ["True or False", "'yes'"]),
    (BatchNorm, {"eps": 0.0}, ValueError, ["above 0", "0.0"]),
    (BatchNorm, {"eps": -1e-5}, ValueError, ["above 0", "-1e-05"]),
    (BatchNorm, {"eps": float("nan")}, ValueError, ["above 0", "nan"]),
    (BatchNorm, {"momentum": 0.0}, ValueError, ["above 0", "0.0"]),
    (BatchNorm, {"momentum": 1.1}, ValueError, ["at most 1", "1.1"]),
    (BatchNorm, {"momentum": float("nan")}, ValueError, ["at most 1", "nan"]),
    (EarlyStopping, {"metric": "loss"}, ValueError, ["accuracy", "cost", "'loss'"]),
    (EarlyStopping, {"min_delta": -0.001}, ValueError, ["at least 0", "-0.001"]),
    (EarlyStopping, {"min_delta": float("nan")}, ValueError, ["at least 0", "nan"]),
    (EarlyStopping, {"patience": 0}, ValueError, ["at least 1", "0"]),
    (EarlyStopping, {"patience": 1.5}, TypeError, ["integer", "1.5"]),
    (EarlyStopping, {"patience_steps": 0}, ValueError, ["at least 1", "0"]),
    (EarlyStopping, {"patience_steps": "100"}, TypeError, ["integer", "'100'"]),
    (EarlyStopping, {"restore_best": None}, TypeError, ["True or False", "None"]),
    (init.simple, {"scale": 0.0}, ValueError, ["above 0", "0.0"]),
    (init.simple, {"scale": float("nan")}, ValueError, ["above 0", "nan"]),
    (init.xavier, {"gain": -1.0}, ValueError, ["above 0", "-1.0"]),
    (init.kaiming, {"gain": "half"}, TypeError, ["number", "'half'"]),
    (MLP, {"widths": [4]}, ValueError, ["at least two", "[4]"]),
    (MLP, {"widths": []}, ValueError, ["at least two", "[]"]),
    (MLP, {"widths": [4, 0, 3]}, ValueError, ["at least 1", "0"]),
    (MLP, {"widths": [4, -7, 3]}, ValueError, ["at least 1", "-7"]),
    (MLP, {"widths": [4, 2.5, 3]}, TypeError, ["integer", "2.5"]),
    (MLP, {"widths": 784}, TypeError, ["sequence", "784"]),
    (MLP, {"widths": "784-10"}, TypeError, ["sequence", "'784-10'"]),
    (MLP, {"widths": None}, TypeError, ["sequence", "None"]),
    (MLP, {"widths": [4, 3], "batch_norm": True}, TypeError, ["BatchNorm", "True"]),
    (MLP, {"widths": [4, 3], "batch_norm": "after_relu"}, TypeError, ["BatchNorm", "'after_relu'"]),
    (MLP, {"widths": [4, 3], "init": "xavier"}, TypeError, ["'xavier'"]),
    (MLP, {"widths": [4, 3], "init": _transposed}, ValueError, ["(4, 3)", "(3, 4)"]),
    (MLP, {"widths": [4, 3], "input_factors": 1}, TypeError, ["True or False", "1"]),
    (MLP, {"widths": [4, 3], "input_scale": 0.0}, ValueError, ["above 0", "0.0"]),
    (MLP, {"widths": [4, 3], "input_scale": float("nan")}, ValueError, ["above 0", "nan"]),
    (MLP, {"widths": [4, 3], "input_scale": "1/255"}, TypeError, ["number", "'1/255'"]),
    (MLP, {"widths": [4, 3], "dtype": "float16"}, ValueError, ["float32", "float64", "float16"]),
    (MLP, {"widths": [4, 3], "dtype": "int8"}, ValueError, ["float32", "float64", "int8"]),
    (MLP, {"widths": [4, 3], "dtype": "spam"}, ValueError, ["float32", "float64", "spam"]),
    (MLP, {"widths": [4, 3], "dtype": None}, ValueError, ["float32", "float64", "None"]),
    (MLP, {"widths": [4, 3], "seed": -1}, ValueError, ["-1"]),
    (MLP, {"widths": [4, 3], "seed": "zero"}, TypeError, ["'zero'"]),
]  # fmt: skip


def _named(cases):
    return [pytest.param(*case[1:], id=case[0]) for case in cases]


def refuse(call, error, words):
    """Check that a call with a network raises `error` with `words` in its message, and does not change the network."""
    net = MLP([N_IN, 5, N_CLASSES], batch_norm=BatchNorm(affine=True), seed=1)
    before = digest(net)
    refused(lambda: call(net), error, words)
    assert digest(net) == before


def _train(net, X, y, **arguments):
    settings = {"validation": 0.25, "optimizer": SGD(0.1), "batch_size": 4, "epochs": 2} | arguments
    return train(net, X, y, progress=False, **settings)


@pytest.mark.parametrize(("X", "error", "words"), _named(FEATURES))
def test_features(X, error, words):
    y = _labels()
    calls = [
        lambda net: _train(net, X, y),
        lambda net: net.predict_proba(X),
        lambda net: net.predict(X),
        lambda net: net.accuracy(X, y),
        lambda net: net.cost(X, y),
    ]
    for call in calls:
        refuse(call, error, ["X", *words])
    refuse(lambda net: _train(net, _features(), y, validation=(X, y)), error, ["X_val", *words])


@pytest.mark.parametrize(("y", "error", "words"), _named(LABELS))
def test_labels(y, error, words):
    X = _features()
    calls = [lambda net: _train(net, X, y), lambda net: net.accuracy(X, y), lambda net: net.cost(X, y)]
    for call in calls:
        refuse(call, error, ["y", *words])
    refuse(lambda net: _train(net, X, _labels(), validation=(X, y)), error, ["y_val", *words])


@pytest.mark.parametrize(("name", "value", "error", "words"), ARGUMENTS)
def test_arguments_of_train(name, value, error, words):
    refuse(lambda net: _train(net, _features(), _labels(), **{name: value}), error, [name, *words])


@pytest.mark.parametrize(("kind", "arguments", "error", "words"), SETTINGS)
def test_settings(kind, arguments, error, words):
    refused(lambda: kind(**arguments), error, [list(arguments)[-1], *words])


@pytest.mark.parametrize("method", ["predict_proba", "predict", "accuracy", "cost"])
def test_threads_of_a_prediction(method):
    labels = [_labels()] if method in ("accuracy", "cost") else []
    for threads, error in ((0, ValueError), (-1, ValueError), ("two", TypeError)):

        def call(net, threads=threads):
            return getattr(net, method)(_features(), *labels, threads=threads)

        refuse(call, error, ["threads", str(threads)])


@pytest.mark.parametrize("decay", [-0.1, float("nan"), float("inf")])
def test_decay_of_a_cost(decay):
    refuse(lambda net: net.cost(_features(), _labels(), weight_decay=decay), ValueError, ["weight_decay", str(decay)])


def test_stopping_without_validation():
    refuse(
        lambda net: _train(net, _features(), _labels(), validation=None, stop=EarlyStopping()),
        ValueError,
        ["stop", "validation", "None"],
    )


def test_net_is_a_network():
    refuse(lambda net: _train(net.weights, _features(), _labels()), TypeError, ["net", "MLP"])


def test_one_row_cannot_be_split():
    X, y = _features()[:1], _labels()[:1]
    refuse(lambda net: _train(net, X, y, validation=0.5), ValueError, ["validation", "0.5", "1"])


def test_the_validation_pair_has_its_own_length():
    X, y = _features(), _labels()
    refuse(lambda net: _train(net, X, y, validation=(X[:5], y)), ValueError, ["y_val", "X_val", "5", "12"])


def test_where_in_a_large_array():
    X = np.zeros((300_000, N_IN), np.float32)
    X[299_998, 1] = np.nan
    refuse(lambda net: net.predict(X), ValueError, ["X", "nan", "row 299998", "column 1"])


def test_values_beyond_the_networks_dtype():
    # finite in float64, infinite in the network's dtype
    X = _features((3, 1, 1e300))
    refuse(lambda net: net.predict(X), ValueError, ["X", "1e+300", "row 3", "column 1", "float32"])
    assert np.isfinite(MLP([N_IN, 2], dtype="float64").predict_proba(X)).all()


def test_what_is_accepted():
    net = MLP([N_IN, 5, N_CLASSES])
    for X in (_features().tolist(), _features().astype(np.float16), _features() > 0, _features().astype(np.int8)):
        assert net.predict(X).shape == (ROWS,)
    history = _train(net, _features(), np.zeros(ROWS, np.uint8), batch_size=np.int64(10**6), epochs=np.int32(1))
    assert history.steps == 1
    X, y = _features(), _labels()
    _train(net, X, y.tolist(), validation=[X, y], seed=np.random.default_rng(0), threads=1)
    _train(net, X, y, validation=np.float32(0.5), optimizer=SGD(1, weight_decay=0))
