"""The doors of a fit on a cluster: bad data and parameters are named before any work, and change nothing."""

import subprocess
import sys

import dask.array as da
import dask.dataframe as dd
import distributed
import numpy as np
import pandas as pd
import pytest
from clusters import SMALL, cut
from sklearn.exceptions import NotFittedError

from fastmlp.dask import MLPClassifier, MLPRegressor


@pytest.fixture
def data(table):
    X, y, _ = table
    return cut(X, y)


def refused(model, error, match, *data, **more):
    before = dict(vars(model))
    with pytest.raises(error, match=match):
        model.fit(*data, **more)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda X, y: (X.compute(), y), TypeError, r"^X must be a dask array or dataframe, got ndarray"),
        (lambda X, y: (X, y.compute()), TypeError, r"^y must be a dask array or dataframe, got ndarray"),
        (lambda X, y: (X[:, 0], y), ValueError, r"^X must be 2-D, row = sample, got 1 dimension$"),
        (
            lambda X, y: (X.rechunk({1: 2}), y),
            ValueError,
            r"got chunks of \(2, 2, 1\) columns: pass X.rechunk\(\{1: -1\}\)",
        ),
        (lambda X, y: (X.astype(complex), y), TypeError, r"^X must hold integers or floats, got dtype complex128$"),
        (lambda X, y: (X, y.rechunk(60)), ValueError, r"^y must have the partitions of X, which are 6, got 4$"),
        (
            lambda X, y: (X, y.rechunk(((50, 30, 40, 40, 40, 40),))),
            ValueError,
            r"got 50 rows in partition 0 beside 40: pass y",
        ),
        (lambda X, y: (X, y, X), ValueError, r"^sample_weight must be 1-D, got 2 dimensions$"),
    ],
    ids=["X", "y", "1-D", "columns", "complex", "count", "rows", "weights"],
)
def test_collections_that_do_not_fit(data, change, error, match):
    refused(MLPClassifier(**SMALL), error, match, *change(*data))


@pytest.mark.usefixtures("client")
def test_columns_of_words():
    frame = dd.from_pandas(pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}), npartitions=1)
    refused(
        MLPClassifier(), TypeError, "^X must hold integers or floats, got dtype .* in column 'b'$", frame, frame["b"]
    )


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"solver": "lbfgs"}, "solver must be 'adam' or 'sgd' on a cluster, got 'lbfgs'"),
        ({"warm_start": True}, "warm_start must be False on a cluster, got True"),
        ({"metric": "accuracy"}, "metric must be None on a cluster, got 'accuracy'"),
        ({"checkpoint": "run"}, "checkpoint must be None on a cluster, got 'run'"),
        ({"early_stopping": True}, "early_stopping=True needs X_val and y_val on a cluster"),
        ({"sync_every": 0}, "'sync_every' parameter of MLPClassifier must be an int in the range"),
        ({"sync_unit": "days"}, "'sync_unit' parameter of MLPClassifier must be a str among"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be > 0"),
        ({"weight_decay": 0.1, "solver": "sgd"}, "needs solver='adam'"),
    ],
)
def test_parameters_that_a_cluster_has_not(data, parameters, match):
    refused(MLPClassifier(**SMALL | parameters), ValueError, match, *data)


@pytest.mark.usefixtures("client")
def test_validation_data_that_do_not_fit(data):
    X, y = data
    model = MLPClassifier(**SMALL)
    refused(model, ValueError, "y_val is missing", X, y, X_val=X)
    refused(model, ValueError, "X_val is missing", X, y, y_val=y)
    refused(model, TypeError, "^X_val must be a dask array", X, y, X_val=X.compute(), y_val=y)
    refused(model, ValueError, "^X_val must have the columns of X, which are 5, got 4", X, y, X_val=X[:, 1:], y_val=y)


def test_what_only_the_workers_see(client, table):
    X, y, number = table
    model = MLPClassifier(**SMALL)
    holed = X.copy()
    holed[85, 2] = np.nan
    dX, dy = cut(X, y)
    refused(model, ValueError, "partition 2: Input X contains NaN", cut(holed)[0], dy)
    refused(model, ValueError, "continuous", dX, cut(number)[0])
    refused(model, ValueError, "one class for each row, got multilabel-indicator", dX, (dX > 0).astype(int))
    refused(model, ValueError, "y_val has .'dog'.", dX, dy, X_val=dX, y_val=cut(np.where(y == "ant", "dog", y))[0])
    unknown = dd.from_pandas(pd.DataFrame(X), npartitions=6, sort=False)
    refused(
        model, ValueError, r"partition 0: y must have the 40 rows of X, got 30", unknown, cut(np.repeat(y, 2)[:180])[0]
    )
    refused(MLPClassifier(class_weight={"ant": 1, "dog": 2}, **SMALL), ValueError, "class_weight|dog", dX, dy)


def test_predictions_that_do_not_fit(client, data):
    X, y = data
    model = MLPRegressor(**SMALL)
    for method in (model.predict, model.to_local, lambda _=None: model.score(X, X[:, 0])):
        with pytest.raises(NotFittedError, match="This MLPRegressor is not fitted yet"):
            method(*([X] if method == model.predict else []))
    with pytest.warns(match="hasn't converged"):
        fitted = MLPClassifier(**SMALL).fit(X, y)
    with pytest.raises(ValueError, match="X must have 5 columns, as in fit, got 4"):
        fitted.predict(X[:, 1:])
    with pytest.raises(TypeError, match=r"^X must be a dask array or dataframe, got ndarray"):
        fitted.predict(X.compute())


def test_clients_that_are_none(data):
    class Asynchronous(distributed.Client):
        asynchronous = True

        def __init__(self):
            pass

        def __del__(self):
            pass

    refused(MLPClassifier(client="cluster"), TypeError, "client must be a distributed.Client, got 'cluster'", *data)
    refused(MLPClassifier(client=Asynchronous()), ValueError, "client must not be asynchronous", *data)


def test_no_client(data, monkeypatch):
    def none():
        raise ValueError("No clients found")

    monkeypatch.setattr(distributed, "default_client", none)
    refused(MLPClassifier(), ValueError, "a fit needs a cluster: make a distributed.Client first", *data)


def test_a_chunk_of_unknown_length_is_taken(client, data):
    X, y = data
    chosen = da.from_array(np.arange(240) % 2 == 0, chunks=40)
    with pytest.warns(match="hasn't converged"):
        model = MLPClassifier(**SMALL).fit(X[chosen], y[chosen])
    assert np.isnan(model.predict(X[chosen]).shape[0])
    assert model.predict(X[chosen]).compute().shape == (120,)


@pytest.mark.parametrize("name", ["dask", "distributed"])
def test_a_missing_package_is_named(name):
    code = f"import sys; sys.modules['{name}'] = None; import fastmlp; import fastmlp.dask"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"ImportError: {name} is not installed: pip install 'fastmlp[dask]'" in done.stderr


def test_fastmlp_imports_no_dask():
    code = "import sys, fastmlp, fastmlp.sklearn; assert not {'dask', 'distributed', 'fastmlp.dask'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
