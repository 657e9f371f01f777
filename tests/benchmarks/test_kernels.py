"""Benchmarks of every public kernel and of its NumPy twin, by pytest-benchmark.

They measure only with the option ``--benchmark-enable``. Without it, each kernel runs once and is compared with its
twin. The guide's page for developers shows how to store a baseline and how to compare with it.
"""

import numpy as np
import pytest
import reference
from closeness import assert_close

from fastmlp import kernels
from fastmlp.kernels.dropout import threshold_of

BATCH, EPS, RATE, DECAY = 1000, 1e-5, 0.009, 0.0005


def _normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def _calls(n):
    """Inputs and the shapes of the outputs of every kernel, for layers of `n` inputs and `n` outputs."""
    z, dout, features, weight = _normal(BATCH, n), _normal(BATCH, n, seed=1), _normal(n), _normal(n, n)
    rows, labels = np.random.default_rng(0).integers([[5 * BATCH], [n]], size=(2, BATCH))
    pixels = np.random.default_rng(0).integers(256, size=(5 * BATCH, n), dtype=np.uint8)
    mean, inv_std = z.mean(axis=0), 1 / z.std(axis=0)
    positive = np.maximum(z, 0)
    mean_positive, inv_std_positive = positive.mean(axis=0), 1 / positive.std(axis=0)
    matrix, vector = (BATCH, n), (n,)
    return {
        "gather": ((pixels, rows, 1 / 255), [matrix]),
        "linear_forward": ((z, weight, features), [matrix]),
        "linear_backward": ((z, weight, dout), [matrix, weight.shape, vector]),
        "relu_forward": ((z,), [matrix]),
        "relu_backward": ((z, dout), [matrix]),
        "relu_batchnorm_forward": ((z, EPS), [matrix, vector, vector]),
        "relu_batchnorm_backward": ((z, mean_positive, inv_std_positive, dout), [matrix]),
        "batchnorm_relu_forward": ((z, features, features, EPS), [matrix, vector, vector]),
        "batchnorm_relu_backward": ((z, features, features, mean, inv_std, dout), [matrix, vector, vector]),
        "softmax": ((z,), [matrix]),
        "softmax_cross_entropy": ((z, labels), [matrix, matrix]),
        "dropout": ((z, 1, 2, 3, threshold_of(0.5)), [matrix]),
    }


@pytest.mark.parametrize("side", ["fastmlp", "numpy"])
@pytest.mark.parametrize("n", [64, 512])
@pytest.mark.parametrize("kernel", sorted(_calls(1)))
def test_kernel(kernel, n, side, benchmark):
    benchmark.group = f"{kernel} {BATCH} x {n}"
    inputs, shapes = _calls(n)[kernel]
    outputs = [np.empty(shape, np.float32) for shape in shapes]
    benchmark(getattr(kernels if side == "fastmlp" else reference, kernel), *inputs, *outputs)
    expected = [np.empty(shape) for shape in shapes]
    getattr(reference, kernel)(*inputs, *expected)
    for output, value in zip(outputs, expected, strict=True):
        assert_close(output, value)


@pytest.mark.parametrize("side", ["fastmlp", "numpy"])
@pytest.mark.parametrize("n", [64, 512])
@pytest.mark.parametrize("function", ["logistic", "tanh", "leaky_relu", "gelu", "silu", "selu", "mish"])
def test_activation(function, n, side, benchmark):
    benchmark.group = f"activate {function} {BATCH} x {n}"
    z = _normal(BATCH, n)
    outputs, expected = ([np.empty((BATCH, n), dtype) for _ in range(2)] for dtype in (np.float32, np.float64))
    if side == "fastmlp":
        benchmark(kernels.activate, kernels.activation(function, z.dtype), z, *outputs)
    else:
        benchmark(reference.activate, function, z, *outputs)
    reference.activate(function, z, *expected)
    for output, value in zip(outputs, expected, strict=True):
        assert_close(output, value)


@pytest.mark.parametrize("side", ["fastmlp", "numpy"])
@pytest.mark.parametrize("n", [64, 512])
@pytest.mark.parametrize("function", sorted(reference.LOSSES))
def test_loss(function, n, side, benchmark):
    benchmark.group = f"loss_gradient {function} {BATCH} x {n}"
    z, labels = _normal(BATCH, n), np.random.default_rng(0).integers(n, size=BATCH)
    targets = labels if function == "cross_entropy" else np.eye(n, dtype=np.float32)[labels]
    weights, dz, expected = np.ones(1), np.empty((BATCH, n), np.float32), np.empty((BATCH, n))
    if side == "fastmlp":
        cost = benchmark(kernels.loss_gradient, kernels.loss(function, z.dtype), z, targets, weights, 0.5, dz)
    else:
        cost = benchmark(reference.loss_gradient, function, z, targets, weights, 0.5, dz)
    assert_close(cost, reference.loss_gradient(function, z, targets, weights, 0.5, expected), np.float32)
    assert_close(dz, expected)


@pytest.mark.parametrize("side", ["fastmlp", "numpy"])
@pytest.mark.parametrize("n", [64, 512])
def test_update(n, side, benchmark):
    benchmark.group = f"sgd_update {n} x {n}"
    weight, dweight = _normal(n, n), _normal(n, n, seed=1)
    update = (kernels if side == "fastmlp" else reference).sgd_update
    benchmark(update, weight, dweight, RATE, DECAY)  # every repetition changes the weights again
    once, expected = _normal(n, n), _normal(n, n).astype(np.float64)
    update(once, dweight, RATE, DECAY)
    reference.sgd_update(expected, dweight, RATE, DECAY)
    assert_close(once, expected)
