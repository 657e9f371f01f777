"""Trainings and predictions with products in bfloat16: close to the twin, with the same bits in either way."""

import numpy as np
import pytest
import reference_network
from closeness import assert_close
from engine_runs import gradient_of_step, network, problem, targets_of
from networks import digest
from reference import round_bfloat16

from fastmlp import SGD, Adam, AdamW, BatchNorm, losses, schedules, train
from fastmlp.compilation import cache
from fastmlp.engine import StepOptions, Trainer, epoch, inference, precision, zeros
from fastmlp.engine.timing import Timing, kept_timing
from fastmlp.kernels.bfloat16 import PACKED, PLAIN, ROUNDED
from fastmlp.simd.target import HAS_BFLOAT16

KINDS = [ROUNDED, PACKED] if HAS_BFLOAT16 else [ROUNDED]


class Twin(reference_network.Network):
    """The float64 network whose products have operands rounded to bfloat16."""

    def operand(self, values):
        return round_bfloat16(values)


def _use(monkeypatch, kind):
    for module in (epoch, inference):
        monkeypatch.setattr(module, "operands_of", lambda name: PLAIN if name == "float32" else kind)


@pytest.fixture(params=KINDS, ids=["rounded", "packed"][: len(KINDS)])
def kind(request, monkeypatch):
    """The ways to compute the products: two if the CPU has the instruction, or else one."""
    _use(monkeypatch, request.param)
    return request.param


def _distance(found, expected):
    """The distance of two lists of arrays, relative to the second list."""
    squares = sum(float(np.square(a - b).sum()) for a, b in zip(found, expected, strict=True))
    return (squares / sum(float(np.square(b).sum()) for b in expected)) ** 0.5


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "identity"])
def test_gradients_are_those_of_rounded_operands(kind, norm, activation, all_threads):
    for widths, n in (([20, 3], 45), ([33, 24, 17, 5], 61), ([17, 40, 9], 130)):
        X, y = problem(n, widths[0], widths[-1])
        net = network(widths, norm, activation=activation)
        found = gradient_of_step(net, X, y, matmul_precision="bfloat16")
        # a float32 number may be rounded up where its float64 twin is rounded down: that changes a term by 1/256
        rounded = Twin(net).gradients(X, y).parts()
        exact = reference_network.Network(net).gradients(X, y).parts()
        assert _distance(found, rounded) < 0.2 * _distance(exact, rounded)
        assert _distance(found, rounded) < 2e-3


@pytest.mark.parametrize("output", ["softmax", "logistic", "identity", "exp"])
def test_every_output_with_weights_of_rows(kind, output, all_threads):
    X, _ = problem(50, 12, 4)
    net = network([12, 30, 4], output=output)
    targets, weights = targets_of(net, 50), np.random.default_rng(3).uniform(0, 2, 50)
    found = gradient_of_step(net, X, targets, sample_weight=weights, matmul_precision="bfloat16")
    expected = Twin(net, losses.default(output)).gradients(X, targets, weights=weights).parts()
    assert _distance(found, expected) < 2e-3


# widths, batch norm, batch size, rows, optimizer, share of the data that are not zero, other arguments of the network
TRAININGS = {
    "one_layer": ([40, 3], None, 37, 150, SGD(0.2), 1.0, {}),
    "narrow": ([33, 20, 7, 5, 10], None, 32, 201, SGD(0.2, weight_decay=0.01), 1.0, {}),
    "odd_rows": ([50, 130, 257, 11], None, 77, 351, SGD(0.1), 1.0, {}),
    "many_rows": ([17, 33, 100], None, 291, 601, SGD(0.1, momentum=0.9, nesterov=True), 1.0, {}),
    "adam": ([50, 33, 5], None, 41, 150, Adam(0.01, clip_norm=0.5), 1.0, {"activation": "silu"}),
    "adamw": ([50, 33, 5], None, 41, 150, AdamW(schedules.Cosine(0.01), weight_decay=0.01), 1.0, {"dropout": 0.3}),
    "after": ([50, 130, 33, 17], BatchNorm(affine=True), 100, 350, SGD(0.2), 1.0, {"dropout": 0.1}),
    "before": ([33, 40, 7, 10], BatchNorm("before_relu", affine=True), 61, 201, SGD(0.2), 1.0, {"activation": "tanh"}),
    "zeros": ([301, 70, 10], None, 129, 351, SGD(0.2), 0.2, {"input_scale": 0.3}),
}


def _trained(name, threads):
    widths, norm, batch_size, n, optimizer, share, arguments = TRAININGS[name]
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((n, widths[0])), rng.integers(0, widths[-1], n)
    X[rng.random(X.shape) > share] = 0
    net = network(widths, norm, **arguments)
    history = train(
        net, X, y, validation=0.1, optimizer=optimizer, batch_size=batch_size, epochs=2, threads=threads,
        progress=False, matmul_precision="bfloat16",
    )  # fmt: skip
    predicted = net.outputs(X, matmul_precision="bfloat16", threads=threads)
    return digest(net), history.batch_costs.tobytes(), predicted.tobytes()


@pytest.mark.parametrize("name", list(TRAININGS))
def test_same_bits_at_any_number_of_threads_and_in_either_way(name, all_threads, monkeypatch):
    found = set()
    for kind in KINDS:
        _use(monkeypatch, kind)
        found |= {_trained(name, threads) for threads in (1, 2, 3, 7)}
    assert len(found) == 1
    monkeypatch.setattr(zeros, "mostly_zeros", lambda *_: TRAININGS[name][5] == 1.0)  # the opposite choice
    _use(monkeypatch, ROUNDED)
    assert _trained(name, 2) in found


def test_predictions_are_those_of_rounded_operands(kind, norm):
    X, _ = problem(200, 23, 18)
    net = network([23, 40, 18], norm)
    for scale in (1.0, 1 / 255):
        net.architecture = type(net.architecture)(**vars(net.architecture) | {"input_scale": scale})
        found = net.outputs(X, matmul_precision="bfloat16")
        assert not np.array_equal(found, net.outputs(X))
        assert np.abs(found - net.outputs(X)).max() < 0.05
    if norm is None:
        assert_close(net.outputs(X, matmul_precision="bfloat16"), _byte_outputs(net, X), factor=100)


def _byte_outputs(net, X):
    """The outputs for data that are rounded before they are scaled."""
    twin = Twin(net)
    hidden = np.maximum(twin.product(X, twin.weights[0]) * net.input_scale + twin.biases[0], 0)
    return twin.output(twin.product(hidden, twin.weights[1]) + twin.biases[1])


def test_bytes_are_exact(kind):
    X = np.arange(256, dtype=np.uint8)[:, None]
    net = network([1, 1], output="identity", input_scale=1 / 255)
    net.weights[0][:], net.biases[0][:] = 1, 0
    np.testing.assert_array_equal(
        net.outputs(X, matmul_precision="bfloat16"), (X * np.float32(1 / 255)).astype(np.float32)
    )


def test_a_row_is_predicted_alike_wherever_it_stands(kind):
    X, _ = problem(300, 23, 18)
    net = network([23, 40, 18])
    whole = net.outputs(X, matmul_precision="bfloat16", threads=2)
    for rows in (slice(0, 1), slice(5, 6), slice(7, 108), slice(299, 300)):
        assert net.outputs(X[rows], matmul_precision="bfloat16", threads=1).tobytes() == whole[rows].tobytes()


def test_parameters_are_not_rounded(kind):
    X, y = problem(64, 20, 3)
    net = network([20, 16, 3])
    before = net.snapshot()
    train(net, X, y, validation=None, optimizer=SGD(1e-4), batch_size=64, epochs=1, matmul_precision="bfloat16")
    moved = net.snapshot() - before
    assert 0 < np.abs(moved).max() < 2**-9 * np.abs(before).max(), "smaller than half a step of bfloat16"


def test_weights_that_were_written_between_epochs_are_read(kind):
    X, y = problem(64, 20, 3)
    found = []
    for between in (False, True):
        net = network([20, 16, 3])
        trainer = Trainer(net.network, X, y, 32, SGD(0.1), 1, options=StepOptions(matmul_precision="bfloat16"))
        snapshot = trainer.snapshot()
        if between:
            trainer.run_epoch(np.arange(64))
            trainer.restore(snapshot)
        trainer.run_epoch(np.arange(64))
        found.append(digest(net))
    assert found[0] == found[1]


@pytest.mark.skipif(not HAS_BFLOAT16, reason="the CPU has no AVX512-BF16")
def test_the_quicker_way_is_measured_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "FOLDER", tmp_path)
    monkeypatch.setattr(precision, "timing", precision.timing.__wrapped__)
    found = precision.timing()
    assert min(found) > 0
    assert kept_timing() == found
    monkeypatch.setattr(precision, "_measure", lambda: pytest.fail("measured again"))
    assert precision.timing() == found
    assert precision.operands_of("bfloat16") == (PACKED if found.packed < found.rounded else ROUNDED)


@pytest.mark.skipif(not HAS_BFLOAT16, reason="the CPU has no AVX512-BF16")
@pytest.mark.parametrize(("rounded", "packed", "taken"), [(2.0, 1.0, PACKED), (1.0, 2.0, ROUNDED)])
def test_the_quicker_way_is_taken(monkeypatch, rounded, packed, taken):
    monkeypatch.setattr(precision, "timing", lambda: Timing(rounded, packed))
    assert precision.operands_of("bfloat16") == taken
    assert precision.operands_of("float32") == PLAIN


def test_a_cpu_without_the_instruction_measures_nothing(monkeypatch):
    monkeypatch.setattr(precision, "HAS_BFLOAT16", False)
    monkeypatch.setattr(precision, "timing", lambda: pytest.fail("measured"))
    assert precision.operands_of("bfloat16") == ROUNDED


def test_without_a_folder_it_is_measured_in_every_process(monkeypatch):
    monkeypatch.setattr(cache, "FOLDER", None)
    monkeypatch.setattr(precision, "_measure", lambda: Timing(1.0, 2.0))
    assert precision.timing.__wrapped__() == Timing(1.0, 2.0)
