"""The recipe beside a naive twin: the neural tangent parametrisation written out, in float64."""

import numpy as np
import pytest

from fastmlp.losses import CrossEntropy, SquaredError
from fastmlp.sklearn.tabular.recipe import Recipe

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


def recipe(output="softmax", hidden=(6, 5), epochs=30, batch_size=256):
    loss = CrossEntropy(0.1) if output == "softmax" else SquaredError()
    return Recipe(hidden, "selu", output, loss, 0.04, batch_size, epochs)


def selu(z):
    below = SCALE * ALPHA * np.expm1(np.minimum(z, 0))
    return np.where(z > 0, SCALE * z, below), np.where(z > 0, SCALE, below + SCALE * ALPHA)


def gradients(x, y, factors, weights, biases):
    """The gradients of the mean loss by the inputs' factors, and by each U and b of ``z = x·U / √n_in + b``."""
    kept, slopes = [x * factors], []
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        out, slope = selu(kept[-1] @ weight / np.sqrt(len(weight)) + bias)
        kept.append(out)
        slopes.append(slope)
    z = kept[-1] @ weights[-1] / np.sqrt(len(weights[-1])) + biases[-1]
    if y.ndim == 1:
        e = np.exp(z - z.max(axis=1, keepdims=True))
        dz = e / e.sum(axis=1, keepdims=True) - (0.9 * np.eye(z.shape[1])[y] + 0.1 / z.shape[1])
    else:
        dz = z - y
    dz /= len(x)
    of_weights, of_biases = [], []
    for i in reversed(range(len(weights))):
        of_weights.append(kept[i].T @ dz / np.sqrt(len(weights[i])))
        of_biases.append(dz.sum(axis=0))
        dx = dz @ weights[i].T / np.sqrt(len(weights[i]))
        dz = dx * slopes[i - 1] if i else dx
    return [(dz * x).sum(axis=0), *of_weights[::-1], *of_biases[::-1]]


def twin(x, y, net, steps):
    """Train on all rows at once with Adam, β₂ = 0.95, coslog₄ and its rates; return factors, W and b."""
    layers = len(net.weights)
    factors, biases = net.factors[0].copy(), [bias.copy() for bias in net.biases]
    weights = [weight * np.sqrt(len(weight)) for weight in net.weights]
    parameters, rates = [factors, *weights, *biases], [6.0, *layers * [1.0], *layers * [0.1]]
    moments = [np.zeros((2, *array.shape)) for array in parameters]
    # the engine's ε is added to √v of W, which is √n_in times that of U
    epsilons = [1e-8, *(1e-8 / np.sqrt(len(weight)) for weight in weights), *layers * [1e-8]]
    for t in range(steps):
        rate = 0.04 * (0.5 - 0.5 * np.cos(2 * np.pi * np.log2(1 + 15 * t / steps)))
        size = rate * np.sqrt(1 - 0.95 ** (t + 1)) / (1 - 0.9 ** (t + 1))
        for array, (m, v), gradient, times, epsilon in zip(
            parameters, moments, gradients(x, y, factors, weights, biases), rates, epsilons, strict=True
        ):
            m += 0.1 * (gradient - m)
            v += 0.05 * (gradient**2 - v)
            array -= times * size * m / (np.sqrt(v) + epsilon)
    return [factors, *(weight / np.sqrt(len(weight)) for weight in weights), *biases]


@pytest.mark.parametrize("output", ["softmax", "identity"])
def test_a_training_is_that_of_the_twin(rng, output):
    x = rng.normal(size=(40, 3))
    y = rng.integers(0, 3, 40) if output == "softmax" else rng.normal(size=(40, 2))
    how = recipe(output)
    (net,) = how.networks(3, 3 if output == "softmax" else 2, [7], "float64")
    expected = twin(x, y, net, how.epochs)
    how.train([net], (x, y, None), None, [7], threads=1, progress=False)
    for ours, theirs in zip(net.factors + net.weights + net.biases, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)


def test_networks_begin_with_outputs_of_0():
    (net,) = recipe(hidden=(400, 300)).networks(200, 3, [0])
    for weight, n_in in zip(net.weights[:-1], (200, 400), strict=True):
        np.testing.assert_allclose(weight.std(), 1 / np.sqrt(n_in), rtol=0.02)
    for bias in net.biases[:-1]:
        np.testing.assert_allclose(bias.std(), 1, rtol=0.1)
    assert not net.weights[-1].any()
    assert not net.biases[-1].any()


@pytest.mark.parametrize(("n", "steps"), [(1, 1), (255, 1), (257, 1), (383, 1), (385, 2), (1000, 4), (100_000, 391)])
def test_mini_batches_are_of_one_size_near_256(n, steps):
    size = recipe().rows_per_step(n)
    assert -(-n // size) == steps
    assert n - (steps - 1) * size > size - steps


def test_several_at_once_have_the_bits_of_one_after_another(rng):
    x, y = rng.normal(size=(60, 3)).astype(np.float32), rng.integers(0, 3, 60)
    how, seeds = recipe(epochs=4, batch_size=16), [1, 2, 3]
    many, single = how.networks(3, 3, seeds), how.networks(3, 3, seeds)
    together = how.train(many, (x, y, None), (x, y), seeds, threads=2, progress=False)
    alone = how.train(single, (x, y, None), (x, y), seeds, threads=1, progress=False)
    for ours, theirs in zip(many, single, strict=True):
        np.testing.assert_array_equal(ours.predict_proba(x), theirs.predict_proba(x))
    assert [history.best_epoch for history in together] == [history.best_epoch for history in alone]
