"""The recipe beside a naive twin: the neural tangent parametrisation written out, in float64."""

import numpy as np
import pytest

from fastmlp.losses import CrossEntropy, SquaredError
from fastmlp.sklearn.tabular.recipe import Recipe

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


def recipe(output="softmax", hidden=(6, 5), epochs=30, batch_size=256):
    loss, metric = (CrossEntropy(0.1), "accuracy") if output == "softmax" else (SquaredError(), "cost")
    return Recipe(hidden, "selu", output, loss, metric, 0.04, batch_size, epochs)


def selu(z):
    below = SCALE * ALPHA * np.expm1(np.minimum(z, 0))
    return np.where(z > 0, SCALE * z, below), np.where(z > 0, SCALE, below + SCALE * ALPHA)


def gradients(x, y, weights, biases):
    """The gradients of the mean loss by U and b, of ``z = x·U / √n_in + b``."""
    kept, slopes = [x], []
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
    found = []
    for i in reversed(range(len(weights))):
        found.append((kept[i].T @ dz / np.sqrt(len(weights[i])), dz.sum(axis=0)))
        if i:
            dz = dz @ weights[i].T / np.sqrt(len(weights[i])) * slopes[i - 1]
    return found[::-1]


def twin(x, y, net, steps):
    """Train on all rows at once: Adam, β₂ = 0.95, coslog₄, and a tenth of the rate for biases. Return W and b."""
    weights = [weight * np.sqrt(len(weight)) for weight in net.weights]
    biases = [bias.copy() for bias in net.biases]
    moments = [[np.zeros((2, *array.shape)) for array in pair] for pair in zip(weights, biases, strict=True)]
    for t in range(steps):
        rate = 0.04 * (0.5 - 0.5 * np.cos(2 * np.pi * np.log2(1 + 15 * t / steps)))
        for i, of_layer in enumerate(gradients(x, y, weights, biases)):
            for array, (m, v), gradient, factor in zip(
                (weights[i], biases[i]), moments[i], of_layer, (1, 0.1), strict=True
            ):
                m += 0.1 * (gradient - m)
                v += 0.05 * (gradient**2 - v)
                array -= factor * rate * (m / (1 - 0.9 ** (t + 1))) / (np.sqrt(v / (1 - 0.95 ** (t + 1))) + 1e-8)
    return [weight / np.sqrt(len(weight)) for weight in weights], biases


@pytest.mark.parametrize("output", ["softmax", "identity"])
def test_a_training_is_that_of_the_twin(rng, output):
    x = rng.normal(size=(40, 3))
    y = rng.integers(0, 3, 40) if output == "softmax" else rng.normal(size=(40, 2))
    how = recipe(output)
    (net,) = how.networks(3, 3 if output == "softmax" else 2, [7], "float64")
    weights, biases = twin(x, y, net, how.epochs)
    how.train([net], (x, y, None), None, [7], threads=1, progress=False)
    for found, expected in zip(net.weights + net.biases, weights + biases, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


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
