"""The estimators in scikit-learn's tools, with data frames and labels of all kinds, and saved to files."""

import pickle
import subprocess
import sys

import distributed
import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp.sklearn import MLPClassifier, MLPRegressor, workers
from fastmlp.system.cores import usable_cores

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_layer_sizes": (7,), "max_iter": 4, "batch_size": 40, "random_state": 5, "learning_rate_init": 0.01}


@pytest.fixture
def fitted(X, targets):
    return MLPClassifier(**SMALL).fit(X, targets["multiclass"])


@pytest.mark.parametrize("through", ["pickle", "joblib"])
def test_saved_estimators(fitted, X, targets, through, tmp_path):
    if through == "pickle":
        again = pickle.loads(pickle.dumps(fitted))
    else:
        joblib.dump(fitted, tmp_path / "model.joblib")
        again = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    for estimator in (again, fitted):  # both continue alike only if the optimizer's averages were saved
        estimator.partial_fit(X, targets["multiclass"])
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    again.intercepts_[0][:] = 7
    assert (again.network_.biases[0] == 7).all()
    assert (fitted.network_.biases[0] != 7).all()


def test_clone_is_not_fitted(fitted):
    copy = clone(fitted)
    assert not hasattr(copy, "network_")
    assert not hasattr(copy, "coefs_")
    assert copy.get_params() == fitted.get_params()


def test_fit_is_repeatable(fitted, X, targets):
    before = fitted.predict_proba(X)
    np.testing.assert_array_equal(fitted.fit(X, targets["multiclass"]).predict_proba(X), before)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_feature_names(frame, X, targets):
    data = frame({name: X[:, i] for i, name in enumerate("abcdef")})
    estimator = MLPClassifier(**SMALL).fit(data, targets["multiclass"])
    assert list(estimator.feature_names_in_) == list("abcdef")
    plain = MLPClassifier(**SMALL).fit(X, targets["multiclass"])
    np.testing.assert_array_equal(estimator.predict_proba(data), plain.predict_proba(X))
    np.testing.assert_array_equal(estimator.predict_proba(data[:1]), plain.predict_proba(X[:1]))
    with pytest.raises(ValueError, match="feature names"):
        estimator.predict(data[["b", "a", "c", "d", "e", "f"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        estimator.predict(X[:1])


def test_feature_names_and_a_scorer(X, targets):
    data = pd.DataFrame(X, columns=list("abcdef"))
    estimator = MLPClassifier(metric="f1_macro", early_stopping=True, **SMALL)
    estimator.fit(data, targets["multiclass"])  # without a warning that the validation rows have no names
    assert list(estimator.feature_names_in_) == list("abcdef")
    estimator.fit(data, targets["multiclass"], X_val=data[:50], y_val=targets["multiclass"][:50])
    with pytest.raises(ValueError, match="feature names"):
        estimator.fit(data, targets["multiclass"], X_val=data[:50].rename(columns={"a": "z"}), y_val=[0] * 50)


LABELS = {
    "strings": ["no", "yes", "maybe"],
    "objects": np.array(["no", "yes", "maybe"], dtype=object),
    "numbers": [-5, 3, 10**12],
    "two": ["+", "-"],
    "two numbers": [7, 3],
    "bools": [False, True],
}


@pytest.mark.parametrize("kind", LABELS)
def test_class_labels(kind, X):
    labels = np.asarray(LABELS[kind])
    y = labels[np.argmax(X[:, : len(labels)], axis=1)]
    estimator = MLPClassifier(**SMALL | {"max_iter": 40}).fit(X, y)
    np.testing.assert_array_equal(estimator.classes_, np.unique(y))
    assert estimator.score(X, y) > 0.7
    assert estimator.predict(X).dtype == estimator.classes_.dtype
    proba = estimator.predict_proba(X)
    assert proba.shape == (len(X), len(labels))
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(estimator.classes_[proba.argmax(axis=1)], estimator.predict(X))
    np.testing.assert_allclose(np.exp(estimator.predict_log_proba(X)), proba)


def test_sparse_labels(X, targets):
    from scipy import sparse

    y = targets["multilabel"]
    dense = MLPClassifier(**SMALL).fit(X, y)
    thin = MLPClassifier(**SMALL).fit(X, sparse.csr_matrix(y))
    predicted = thin.predict(X)
    assert sparse.issparse(predicted)
    np.testing.assert_array_equal(predicted.toarray(), dense.predict(X))


def test_few_rows_and_many_take_different_doors(fitted, X):
    whole = fitted.predict_proba(X)
    for kind in (np.float64, np.float32, np.float16):
        expected = fitted.predict_proba(X.astype(kind))
        np.testing.assert_allclose(fitted.predict_proba(X[:3].astype(kind)), expected[:3], rtol=1e-6)
    np.testing.assert_allclose(fitted.predict_proba(X[:1]), whole[:1], rtol=1e-12)
    np.testing.assert_allclose(fitted.predict_proba(X[:1].tolist()), whole[:1], rtol=1e-12)


def test_calibrated(X, targets):
    y = targets["multiclass"]
    calibrated = CalibratedClassifierCV(MLPClassifier(**SMALL | {"max_iter": 30}), cv=2).fit(X, y)
    assert calibrated.score(X, y) > 0.6


def test_pipeline_of_frames(X, targets):
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**SMALL | {"max_iter": 30}))
    pipeline.set_output(transform="pandas").fit(pd.DataFrame(X, columns=list("abcdef")), targets["binary"])
    assert list(pipeline[-1].feature_names_in_) == list("abcdef")
    assert pipeline.score(pd.DataFrame(X, columns=list("abcdef")), targets["binary"]) > 0.7


def dask_client(folder):
    options = {"processes": False, "n_workers": 1, "threads_per_worker": 2, "dashboard_address": None}
    return distributed.Client(local_directory=str(folder), **options)


@pytest.fixture(params=["loky", "threading", "dask"])
def backend(request, tmp_path):
    if request.param != "dask":
        with joblib.parallel_config(backend=request.param):
            yield request.param
        return
    with dask_client(tmp_path), joblib.parallel_config(backend="dask"):
        yield "dask"


def test_one_thread_in_each_worker(backend, X, targets):
    # a parameter search fits in several workers, which use all cores together
    alone = MLPRegressor(**SMALL).fit(X, targets["number"])
    assert alone.n_threads_ == usable_cores()
    fits = [joblib.delayed(MLPRegressor(threads=n, **SMALL).fit)(X, targets["number"]) for n in (None, None, 2)]
    estimators = joblib.Parallel(n_jobs=2)(fits)
    assert [e.n_threads_ for e in estimators] == [1, 1, 2]
    for estimator in estimators:
        np.testing.assert_array_equal(estimator.predict(X), alone.predict(X))


def test_a_loop_without_workers_leaves_all_threads():
    assert joblib.Parallel(n_jobs=1)([joblib.delayed(workers.threads)(None)]) == [usable_cores()]


def test_grid_search(backend, X, targets):
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**SMALL))
    grid = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 1.0]}, cv=2, n_jobs=2, error_score="raise")
    grid.fit(X, targets["multiclass"])
    alone = GridSearchCV(pipeline, grid.param_grid, cv=2, n_jobs=1).fit(X, targets["multiclass"])
    np.testing.assert_array_equal(grid.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


def test_a_dask_task_is_a_worker(tmp_path):
    assert not workers.in_worker()
    with dask_client(tmp_path) as client:
        assert client.submit(workers.in_worker, pure=False).result()
        assert not workers.in_worker()


def test_absent_scikit_learn_is_named():
    code = "import sys; sys.modules['sklearn'] = None; import fastmlp; import fastmlp.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ImportError: sklearn is not installed: pip install 'fastmlp[sklearn]'" in done.stderr


def test_fastmlp_does_not_import_scikit_learn():
    code = "import sys, fastmlp; assert 'sklearn' not in sys.modules and 'fastmlp.sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
