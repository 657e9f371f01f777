"""Sparse data give the same bits as the same data in an array, and are never made dense as a whole."""

import re

import numba
import numpy as np
import pytest
from networks import digest
from scipy import sparse

import fastmlp
from fastmlp import MLP, SGD
from fastmlp.engine import zeros
from fastmlp.inputs.sparse import CsrRows
from fastmlp.kernels.gather import gather_rows, spreader
from fastmlp.kernels.panels import panels_in
from fastmlp.simd.pointer import pointer
from fastmlp.sklearn import MLPClassifier, MLPRegressor

FORMATS = ["csr", "csc", "coo", "lil", "bsr"]
GUARD = -777.0


def _twice(matrix):
    """The same CSR matrix with each element stored as two halves."""
    return sparse.csr_array(
        (np.repeat(matrix.data / 2, 2), np.repeat(matrix.indices, 2), 2 * matrix.indptr), matrix.shape
    )


def thin(n, n_in, dtype="float64", share=0.1):
    """Data of a shape with mostly zeros, and with rows and columns that are all zero."""
    rng = np.random.default_rng(n_in)
    x = (rng.integers(1, 200, (n, n_in)) * (rng.random((n, n_in)) < share)).astype(dtype)
    x[n // 2] = 0
    x[:, n_in // 2] = 0
    return x


@pytest.fixture
def no_dense(monkeypatch):
    """Let the test fail if more rows than a sample are made dense."""

    def watched(self, dtype=None, copy=None):
        assert len(self) <= zeros.SAMPLE
        return as_array(self, dtype, copy)

    as_array = CsrRows.__array__
    monkeypatch.setattr(CsrRows, "__array__", watched)
    for kind in (sparse.csr_matrix, sparse.csr_array):
        toarray = kind.toarray

        def few(self, *arguments, toarray=toarray, **options):
            assert self.shape[0] <= zeros.SAMPLE
            return toarray(self, *arguments, **options)

        monkeypatch.setattr(kind, "toarray", few)


@numba.njit
def _gather(convert, address, index, n_in, scale, out):
    rows = len(index)
    gather_rows(convert, address, pointer(index, 0), rows, scale, panels_in(out, rows, n_in))


@pytest.mark.parametrize("n_in", [1, 7, 8, 16, 17, 33, 100])
@pytest.mark.parametrize("integers", [np.int32, np.int64])
def test_rows_are_spread_out(n_in, integers, dtype):
    x = thin(50, n_in, "float32", 0.4)
    matrix = sparse.csr_array(x)
    matrix.indices, matrix.indptr = matrix.indices.astype(integers), matrix.indptr.astype(integers)
    rows, lanes = CsrRows(matrix), 64 // dtype.itemsize
    index = np.random.default_rng(0).integers(0, 50, 13)
    panels = -(-n_in // lanes)
    out = np.full((panels, 20, lanes), GUARD, dtype)
    _gather(spreader(dtype), rows.address(dtype), index, n_in, 0.25, out)
    found = out[:, :13].swapaxes(0, 1).reshape(13, -1)
    np.testing.assert_array_equal(found[:, :n_in], x[index] * 0.25)
    assert (found[:, n_in:] == 0).all()
    assert (out[:, 13:] == GUARD).all()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.7])
def test_training_has_the_bits_of_an_array(form, share, dtype, no_dense):
    x, y = thin(203, 70, dtype, share), np.arange(203) % 3
    digests = []
    for data in (x, sparse.coo_array(x).asformat(form)):
        for threads in (1, 2):
            net = MLP([70, 96, 3], seed=0, dtype=dtype, input_scale=1 / 200)
            history = fastmlp.train(
                net, data, y, validation=(data, y), batch_size=50, epochs=2, optimizer=SGD(0.1), seed=1, threads=threads
            )
            found = history.records[-1]["val_cost"], net.cost(data, y), net.accuracy(data, y)
            digests.append((digest(net), history.batch_costs.tobytes(), net.predict_proba(data).tobytes(), *found))
    assert len(set(digests)) == 1


@pytest.mark.parametrize("kind", ["float32", "float64", "int64"])
def test_elements_of_any_type_for_networks_of_any_type(kind, dtype):
    """Found by fuzzing: a comparison of float32 elements with the largest float64 overflowed with a warning."""
    x = (thin(60, 20) * 100).astype(kind)
    net = MLP([20, 9, 3], seed=0, dtype=dtype)
    np.testing.assert_array_equal(net.outputs(sparse.csr_array(x)), net.outputs(x))


def test_elements_stored_twice_are_summed():
    x = thin(60, 20)
    net = MLP([20, 9, 3], seed=0, dtype="float64")
    np.testing.assert_array_equal(net.outputs(_twice(sparse.csr_array(x))), net.outputs(x))


@pytest.mark.parametrize("kind", ["int64", "uint8", "bool", "float32"])
def test_other_dtypes(kind):
    x = thin(60, 20, kind)
    net = MLP([20, 9, 3], seed=0, dtype="float64")
    np.testing.assert_array_equal(net.outputs(sparse.csr_array(x)), net.outputs(x))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "parameters",
    [{}, {"early_stopping": True}, {"early_stopping": True, "metric": "f1_macro"}, {"solver": "lbfgs"}],
    ids=["adam", "early stopping", "metric", "lbfgs"],
)
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csr_array, sparse.csc_array])
def test_a_classifier_fits_as_to_an_array(parameters, form, no_dense):
    x, y = thin(900, 40, share=0.2), np.arange(900) % 4
    fits = [
        MLPClassifier((20,), max_iter=4, random_state=0, **parameters).fit(data, y, X_val=data, y_val=y)
        if "early_stopping" not in parameters
        else MLPClassifier((20,), max_iter=4, random_state=0, **parameters).fit(data, y)
        for data in (x, form(x))
    ]
    dense, thinned = fits
    assert dense.loss_ == thinned.loss_
    assert dense.history_.records[-1]["val_score"] == thinned.history_.records[-1]["val_score"]
    np.testing.assert_array_equal(dense.predict_proba(x), thinned.predict_proba(form(x)))
    assert dense.score(x, y) == thinned.score(form(x), y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_regressor_goes_on(no_dense):
    x = thin(300, 30, "float32")
    y = x[:, :2].sum(axis=1)
    fits = [
        MLPRegressor(hidden_layer_sizes=(9,), max_iter=2, random_state=0).fit(data, y).partial_fit(data, y)
        for data in (x, sparse.csr_array(x))
    ]
    np.testing.assert_array_equal(fits[0].predict(x), fits[1].predict(sparse.csr_array(x)))


def test_a_metric_gets_the_matrix():
    from fastmlp import EarlyStopping

    seen = []

    def metric(net, X, y):
        seen.append(X)
        return float((net.predict(X) == y).mean())

    x = sparse.csr_array(thin(100, 30))
    stop = EarlyStopping(metric=metric)
    fastmlp.train(MLP([30, 9, 3], seed=0), x, np.arange(100) % 3, validation=0.2, epochs=2, stop=stop, seed=0)
    assert len(seen) == 2
    assert all(sparse.issparse(X) and X.shape == (20, 30) for X in seen)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda x: x[:, :5], ValueError, r"20 columns, the network's inputs, got shape \(30, 5\)"),
        (lambda x: x[:0], ValueError, r"at least one row, got shape \(0, 20\)"),
        (lambda x: x.astype(complex), TypeError, "integers or floats .* got dtype complex128"),
    ],
)
def test_bad_matrices(change, error, text):
    with pytest.raises(error, match=text):
        MLP([20, 9, 3], seed=0).predict(change(sparse.csr_array(thin(30, 20))))


def test_indices_outside():
    matrix = sparse.csr_array(thin(30, 20))
    matrix.indices[7] = 20
    for call in (MLP([20, 9, 3], seed=0).predict, lambda x: MLPClassifier((9,)).fit(x, np.arange(30) % 3)):
        with pytest.raises(ValueError, match=r"X must be a valid sparse matrix, got one of shape \(30, 20\): .*20"):
            call(matrix)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e300])
def test_what_is_not_finite_is_found(value):
    x = thin(30, 20, share=0.5)
    row, column = np.argwhere(x)[100]
    x[row, column] = value
    net, matrix = MLP([20, 9, 3], seed=0), sparse.csc_array(x)
    before = net.snapshot().tobytes()
    for call in (lambda: fastmlp.train(net, matrix, np.arange(30) % 3), lambda: net.predict(matrix)):
        with pytest.raises(
            ValueError, match=re.escape(f"finite in float32, got {value} at row {row}, column {column}")
        ):
            call()
    assert net.snapshot().tobytes() == before
