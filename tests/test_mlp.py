"""The network: shapes, writable parameters, predictions against the twin, every kind of input array."""

import copy
import dataclasses
import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from closeness import assert_close
from networks import all_arrays, digest, perturb
from reference_network import Network
from sklearn.neural_network import MLPClassifier

from fastmlp import MLP, SGD, Adam, BatchNorm, EarlyStopping, init, load, train
from fastmlp.engine import inference

WIDTHS = [[1, 1], [1, 2], [7, 16], [16, 7, 17], [17, 1, 33], [33, 16, 16, 3], [5, 31, 13, 7, 2], [101, 3, 10]]


def _data(net, n=23, seed=6):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, net.n_inputs)), rng.integers(0, net.n_classes, size=n)


@pytest.fixture
def pixels():
    rng = np.random.default_rng(6)
    return rng.integers(0, 256, size=(40, 17), dtype=np.uint8), rng.integers(0, 3, size=40)


def _with_running_statistics(net, seed=2):
    """Set running statistics to other values than the initial 0 and 1, as after a training."""
    rng = np.random.default_rng(seed)
    for mean, variance in zip(net.running_means, net.running_vars, strict=True):
        mean[:] = rng.standard_normal(mean.shape)
        variance[:] = rng.uniform(0.1, 3.0, variance.shape)
    return net


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_shapes(widths, batch_norm, dtype):
    net = MLP(widths, batch_norm=batch_norm, dtype=dtype.name)
    assert (net.widths, net.n_inputs, net.n_classes) == (tuple(widths), widths[0], widths[-1])
    assert net.dtype == dtype
    assert [w.shape for w in net.weights] == list(itertools.pairwise(widths))
    assert [b.shape for b in net.biases] == [(n,) for n in widths[1:]]
    hidden = [(n,) for n in widths[1:-1]]
    affine = hidden if batch_norm is not None and batch_norm.affine else []
    normalised = [] if batch_norm is None else hidden
    assert [g.shape for g in net.gammas] == [b.shape for b in net.betas] == affine
    assert [m.shape for m in net.running_means] == [v.shape for v in net.running_vars] == normalised
    arrays = [*net.weights, *net.biases, *net.gammas, *net.betas, *net.running_means, *net.running_vars]
    assert {array.dtype for array in arrays} == {dtype}
    assert all((g == 1).all() for g in net.gammas + net.running_vars)
    assert not any(b.any() for b in net.biases + net.betas + net.running_means)


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_predictions_equal_the_twin(widths, batch_norm, dtype):
    net = _with_running_statistics(perturb(MLP(widths, batch_norm=batch_norm, input_scale=0.5, dtype=dtype.name)))
    X, y = _data(net)
    twin = Network(net)
    proba, expected = net.predict_proba(X), twin.outputs(X)
    # the running variance of 0.1 enlarges the rounding of the layers before it
    assert_close(proba, expected, dtype, factor=10.0)
    assert proba.dtype == dtype
    assert_close(proba.sum(axis=1), np.ones(len(X)), dtype)
    labels = net.predict(X)
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, proba.argmax(axis=1))
    assert net.accuracy(X, y) == (labels == y).mean()
    assert_close(net.cost(X, y), twin.cost(X, y), dtype, factor=10.0)
    assert_close(net.cost(X, y, weight_decay=0.3), twin.cost(X, y, 0.3), dtype, factor=10.0)
    assert isinstance(net.cost(X, y), float)
    assert isinstance(net.accuracy(X, y), float)


def test_more_rows_than_any_block(dtype):
    net = MLP([3, 7, 5], dtype=dtype.name)
    X, y = _data(net, n=5003)
    twin = Network(net)
    assert_close(net.predict_proba(X), twin.outputs(X), dtype)
    assert_close(net.cost(X, y), twin.cost(X, y), dtype)
    assert net.accuracy(X, y) == (net.predict(X) == y).mean()


def test_a_row_is_predicted_alike_whatever_stands_beside_it(batch_norm, dtype):
    net = _with_running_statistics(MLP([17, 9, 3], batch_norm=batch_norm, dtype=dtype.name))
    X, _ = _data(net, n=40)
    alone = np.concatenate([net.predict_proba(X[i : i + 1]) for i in range(40)])
    assert alone.tobytes() == net.predict_proba(X).tobytes()


def test_predictions_in_turns_and_at_once(dtype):
    # a network keeps the memory of a prediction of few rows for the next prediction
    net = MLP([5, 8, 3], dtype=dtype, seed=1)
    X = np.random.default_rng(0).uniform(0, 9, (300, 5))
    kinds = [(n, kind) for n in (1, 2, 7, 300) for kind in ("float32", "float64", "uint8")]
    expected = {(n, kind): MLP([5, 8, 3], dtype=dtype, seed=1).predict_proba(X[:n].astype(kind)) for n, kind in kinds}

    def predict(seed):
        rng = np.random.default_rng(seed)
        for _ in range(150):
            n, kind = kinds[rng.integers(len(kinds))]
            net.cost(X[:n].astype(kind), np.zeros(n, int), threads=int(rng.integers(1, 4)))
            found = net.predict_proba(X[:n].astype(kind), threads=int(rng.integers(1, 4)))
            np.testing.assert_array_equal(found, expected[n, kind])
        return seed

    assert predict(0) == 0
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(predict, range(4))) == [0, 1, 2, 3]


@pytest.mark.parametrize("n", [1, 4, 95, 96, 97, 500])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_found_anywhere(value, n, dtype):
    net = MLP([37, 3], dtype=dtype)
    rng = np.random.default_rng(n)
    for kind in ("float32", "float64"):
        X = rng.uniform(-1, 1, (n, 37)).astype(kind)
        for _ in range(20):
            row, column = rng.integers(n), rng.integers(37)
            whole, X[row, column] = X[row, column], value
            with pytest.raises(ValueError, match=f"{value} at row {row}, column {column}"):
                net.predict_proba(X, threads=int(rng.integers(1, 4)))
            X[row, column] = whole
        assert np.isfinite(net.predict_proba(X)).all()


def test_inputs_that_only_input_scale_makes_infinite_are_predicted():
    net = MLP([2, 3], input_scale=1e10)
    assert net.predict_proba(np.array([[1e30, 0.0]], np.float32)).shape == (1, 3)


def test_omega_counts_weights_only():
    net = perturb(MLP([4, 3, 2], batch_norm=BatchNorm(affine=True), dtype="float64"))
    X, y = _data(net)
    squares = sum((w**2).sum() for w in net.weights)
    assert net.cost(X, y, 0.5) - net.cost(X, y) == pytest.approx(0.25 * squares, rel=1e-12)


def test_parameters_are_live(batch_norm, dtype):
    net = MLP([4, 5, 3], batch_norm=batch_norm, dtype=dtype.name)
    X, _ = _data(net)
    for weight in net.weights:
        weight[:] = 0
    net.biases[-1][:] = np.log([1.0, 2.0, 5.0])
    np.testing.assert_allclose(net.predict_proba(X), np.tile([0.125, 0.25, 0.625], (len(X), 1)), rtol=1e-6)


@pytest.mark.parametrize("name", ["weights", "biases", "gammas", "betas", "running_means", "running_vars", "factors"])
def test_every_parameter_takes_part(name):
    made = MLP([4, 6, 3], batch_norm=BatchNorm(affine=True), input_factors=True, dtype="float64")
    net = _with_running_statistics(perturb(made))
    X, _ = _data(net)
    before = net.predict_proba(X)
    getattr(net, name)[0][1:] *= 2
    assert np.abs(net.predict_proba(X) - before).max() > 1e-6


LENDERS = {
    "weights": lambda net: net.weights[0],
    "biases": lambda net: net.biases[1],
    "gammas": lambda net: net.gammas[0],
    "betas": lambda net: net.betas[0],
    "running_means": lambda net: net.running_means[0],
    "running_vars": lambda net: net.running_vars[0],
    "factors": lambda net: net.factors[0],
    "arrays": lambda net: net.arrays["weights"][1],
    "named_arrays": lambda net: net.named_arrays()["biases.0"],
}


@pytest.mark.parametrize(
    "change",
    [{"activation": "tanh"}, {"output": "identity"}, {"input_scale": 0.5}, {"batch_norm": BatchNorm(eps=0.1)}],
    ids=lambda change: next(iter(change)),
)
def test_a_new_architecture_takes_part(change):
    x = np.random.default_rng(0).standard_normal((1, 64))  # one row: the memory of a small prediction is kept
    net, fresh = (MLP([64, 64, 2], batch_norm=BatchNorm(), dtype="float64") for _ in range(2))
    before = net.outputs(x)
    fresh.architecture = net.architecture = dataclasses.replace(net.architecture, **change)
    assert net.outputs(x).tobytes() == fresh.outputs(x).tobytes() != before.tobytes()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("lender", LENDERS)
def test_a_view_taken_at_any_time_is_live(lender, moment):
    net = MLP([5, 7, 3], batch_norm=BatchNorm(affine=True), input_factors=True)
    X, _ = _data(net)
    view = LENDERS[lender](net) if moment == "before" else None
    before = net.predict_proba(X)
    view = LENDERS[lender](net) if view is None else view
    for _ in range(3):
        view.flat[0] += 0.5
        found = net.predict_proba(X)
        assert np.abs(found - before).max() > 1e-6
        np.testing.assert_array_equal(found, copy.deepcopy(net).predict_proba(X))
        before = found


def _made(kind, tmp_path):
    net = MLP([5, 7, 3])
    if kind == "loaded":
        net.save(tmp_path / "net.safetensors")
        return load(tmp_path / "net.safetensors")
    if kind == "copied":
        _ = net.weights
        return copy.copy(net)
    return MLP.from_sklearn(MLPClassifier((7,), max_iter=2).fit(*BLOBS)) if kind == "converted" else net


BLOBS = np.random.default_rng(1).standard_normal((60, 5)), np.arange(60) % 3


@pytest.mark.parametrize("kind", ["new", "loaded", "copied", "converted"])
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_parameters_that_nobody_else_holds_are_not_compared(kind, tmp_path, monkeypatch):
    net = _made(kind, tmp_path)
    monkeypatch.setattr(inference, "_same_bits", None)  # a call of it would raise an error
    X, y = BLOBS
    found = [net.predict_proba(X)]
    for write in (
        lambda: train(net, X, y, validation=0.2, epochs=2, batch_size=10, progress=False),
        lambda: net.restore(np.linspace(-1, 1, net.snapshot().size, dtype=net.dtype)),
        lambda: train(net, X, y, optimizer=Adam(0.01), stop=EarlyStopping(), epochs=3, batch_size=10, progress=False),
    ):
        write()
        found.append(net.predict_proba(X))
        np.testing.assert_array_equal(found[-1], pickle.loads(pickle.dumps(net)).predict_proba(X))
        assert np.abs(found[-1] - found[-2]).max() > 1e-6


def test_views_stay_live_through_a_training(blobs):
    net = MLP([5, 4, 3], dtype="float64")
    weight, start = net.weights[0], net.weights[0].copy()
    stop = EarlyStopping(min_delta=0.0, patience=1)
    train(net, *blobs, validation=0.2, optimizer=SGD(0.1), batch_size=32, epochs=5, stop=stop, progress=False)
    np.testing.assert_array_equal(weight, net.weights[0])
    assert (weight != start).any()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["copy", "pickle"])
def test_a_copy_is_a_network_of_its_own(copied, blobs):
    original = MLP([5, 4, 3], batch_norm=BatchNorm(affine=True), dtype="float64")
    other = copied(original)
    assert digest(other) == digest(original)
    before = digest(original)
    # restoring the best epoch after many worse ones copies all parameters at once
    stop = EarlyStopping(metric="cost", min_delta=1000.0, patience=20)
    arguments = {"validation": 0.2, "optimizer": SGD(2.0), "batch_size": 30, "epochs": 10, "stop": stop}
    train(other, *blobs, progress=False, **arguments)
    assert digest(original) == before
    train(original, *blobs, progress=False, **arguments)
    assert digest(other) == digest(original) != before


@pytest.mark.parametrize(
    "name", ["int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
)
def test_any_dtype_of_the_inputs(name, pixels, dtype):
    X, y = pixels
    X = X // 2  # within int8
    results = []
    for array in (X, X.astype(name), X.astype(name).astype(np.dtype(name).newbyteorder(">"))):
        net = MLP([17, 5, 3], input_scale=1 / 255, dtype=dtype.name)
        train(net, array, y, validation=0.2, optimizer=SGD(0.1), batch_size=8, epochs=2, progress=False)
        results.append((digest(net), net.predict_proba(array).tobytes(), net.cost(array, y)))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("name", ["int8", "uint8", "int32", "uint64"])
def test_any_dtype_of_the_labels(name, pixels):
    X, y = pixels
    net = MLP([17, 5, 3], input_scale=1 / 255)
    assert net.cost(X, y.astype(name)) == net.cost(X, y) == net.cost(X, list(y))


@pytest.mark.parametrize(
    "strange",
    [
        np.asfortranarray,
        lambda X: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
        lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
        lambda X: X.tolist(),
    ],
    ids=["fortran", "strided", "reversed", "lists"],
)
def test_any_layout(strange, pixels):
    X, y = pixels
    results = []
    for array in (X, strange(X)):
        net = MLP([17, 5, 3], input_scale=1 / 255)
        train(net, array, y, validation=0.2, optimizer=SGD(0.1), batch_size=8, epochs=2, progress=False)
        results.append((digest(net), net.predict_proba(array).tobytes()))
    assert results[0] == results[1]


def test_inputs_are_not_changed(pixels):
    X, y = pixels
    floats, labels = X.astype(np.float32), y.copy()
    net = MLP([17, 5, 3], input_scale=1 / 255)
    train(net, floats, labels, validation=0.2, optimizer=SGD(0.1), batch_size=8, epochs=2, progress=False)
    net.cost(floats, labels)
    np.testing.assert_array_equal(floats, X)
    np.testing.assert_array_equal(labels, y)


def test_read_only_inputs(pixels):
    X, y = pixels
    X.flags.writeable = y.flags.writeable = False
    net = MLP([17, 5, 3], input_scale=1 / 255)
    history = train(net, X, y, validation=(X, y), optimizer=SGD(0.1), batch_size=8, epochs=1, progress=False)
    assert history.records[0]["val_accuracy"] == net.accuracy(X, y)


def test_input_scale_is_part_of_the_network(pixels):
    X, y = pixels
    scaled, plain = (MLP([17, 5, 3], input_scale=scale, dtype="float64") for scale in (1 / 255, 1.0))
    assert scaled.input_scale == 1 / 255
    assert_close(scaled.predict_proba(X), plain.predict_proba(X / 255))
    for net, array in ((scaled, X), (plain, X / 255)):
        train(net, array, y, validation=None, optimizer=SGD(0.5), batch_size=8, epochs=3, progress=False)
    for one, two in zip(scaled.weights, plain.weights, strict=True):
        assert_close(one, two)


def test_running_statistics_approach_those_of_the_data(batch_norm):
    if batch_norm is None:
        batch_norm = BatchNorm(momentum=0.5)
    net = MLP([4, 6, 3], batch_norm=batch_norm, dtype="float64")
    X, y = _data(net, n=50)
    # the rate changes no weight, and one batch is the whole set: the statistics converge to those of the set
    settings = {"optimizer": SGD(1e-30), "batch_size": 50, "epochs": 300, "threads": 1}
    train(net, X, y, validation=None, progress=False, **settings)
    z = X @ net.weights[0] + net.biases[0]
    values = np.maximum(z, 0) if batch_norm.placement == "after_relu" else z
    assert_close(net.running_means[0], values.mean(axis=0))
    assert_close(net.running_vars[0], values.var(axis=0), factor=10.0)
    twin = Network(net)
    assert_close(net.cost(X, y), twin.cost(X, y, training=True), factor=100.0)


def test_momentum_worked_by_hand():
    net = MLP([1, 1, 2], batch_norm=BatchNorm(placement="before_relu", momentum=0.25), dtype="float64")
    net.weights[0][:] = 1.0
    X = np.array([[1.0], [3.0], [8.0]])  # mean 4, biased variance 26/3
    train(net, X, [0, 1, 0], validation=None, optimizer=SGD(1e-30), batch_size=3, epochs=1, progress=False)
    np.testing.assert_allclose(net.running_means[0], [1.0], rtol=1e-12)
    np.testing.assert_allclose(net.running_vars[0], [0.75 + 0.25 * 26 / 3], rtol=1e-12)


@pytest.mark.parametrize("placement", ["after_relu", "before_relu"])
def test_a_batch_of_one_and_dead_units_stay_finite(placement, dtype):
    net = MLP([4, 6, 3], batch_norm=BatchNorm(placement=placement, affine=True), dtype=dtype.name)
    net.biases[0][:3] = -1000.0
    X, y = _data(net, n=7)
    history = train(net, X, y, validation=None, optimizer=SGD(0.1), batch_size=1, epochs=3, progress=False)
    assert history.stopped_because == "epochs"
    assert all(np.isfinite(array).all() for array in all_arrays(net))
    assert np.isfinite(net.predict_proba(X)).all()


def test_prediction_of_extreme_inputs_is_a_probability(dtype):
    net = MLP([2, 3, 3], dtype=dtype.name)
    proba = net.predict_proba(np.array([[1e30, -1e30], [0.0, 0.0], [-1e30, 1e30]]))
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-6)


def test_ties_go_to_the_first_class():
    net = MLP([2, 3], init=lambda rng, n_in, n_out: np.zeros((n_in, n_out)))
    np.testing.assert_array_equal(net.predict(np.ones((4, 2))), [0, 0, 0, 0])


def test_single_class():
    net = MLP([3, 2, 1])
    X = np.ones((5, 3))
    np.testing.assert_array_equal(net.predict_proba(X), np.ones((5, 1)))
    assert (net.accuracy(X, [0] * 5), net.cost(X, [0] * 5)) == (1.0, 0.0)


def test_widths_may_be_any_sequence_of_integers():
    for widths in ((4, 3), np.array([4, 3]), [np.int32(4), np.uint8(3)]):
        assert MLP(widths).widths == (4, 3)


def test_representation_says_what_it_is():
    text = repr(MLP([784, 20, 10], batch_norm=BatchNorm(), init=init.simple(), dtype="float64"))
    assert all(part in text for part in ("784-20-10", "float64", "after_relu"))
