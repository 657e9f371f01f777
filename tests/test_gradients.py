"""Gradients of the whole network by central differences, in float64.

The twin's gradients are checked against differences of its own cost, and what `train` does to every parameter in one
step against the same differences: for batch norm on either side of the ReLU, with and without γ and β, with and
without L2, and for networks with no, one and three hidden layers.
"""

import numpy as np
import pytest
from reference_network import Network

from fastmlp import MLP, SGD, train

# central differences: error of the order STEP² + 1e-16 / STEP
STEP = 1e-5
ACCURACY = 1e-7
WIDTHS = [[6, 4], [6, 7, 4], [6, 8, 7, 5, 4]]


def _problem(widths, batch_norm, perturb):
    net = perturb(MLP(widths, batch_norm=batch_norm, input_scale=0.5, dtype="float64", seed=3))
    rng = np.random.default_rng(8)
    return net, 2.0 * rng.standard_normal((9, widths[0])), rng.integers(0, widths[-1], size=9)


def _differences(twin, x, y, weight_decay):
    """Derivatives of the twin's training cost by every parameter, one element at a time."""
    gradients = []
    for parameter in twin.parameters():
        gradient = np.empty_like(parameter)
        for index in np.ndindex(parameter.shape):
            kept = parameter[index]
            costs = []
            for moved in (kept + STEP, kept - STEP):
                parameter[index] = moved
                costs.append(twin.cost(x, y, weight_decay, training=True))
            parameter[index] = kept
            gradient[index] = (costs[0] - costs[1]) / (2 * STEP)
        gradients.append(gradient)
    return gradients


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_twin(widths, batch_norm, weight_decay, perturb):
    net, x, y = _problem(widths, batch_norm, perturb)
    twin = Network(net)
    analytic = twin.gradients(x, y, weight_decay)
    actual = [*analytic.weights, *analytic.biases, *analytic.gammas, *analytic.betas]
    for gradient, expected in zip(actual, _differences(twin, x, y, weight_decay), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=ACCURACY, atol=ACCURACY)


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_one_step_of_train(widths, batch_norm, weight_decay, perturb):
    net, x, y = _problem(widths, batch_norm, perturb)
    before = Network(net)
    rate = 0.5
    optimizer = SGD(rate, weight_decay=weight_decay)
    train(net, x, y, validation=None, optimizer=optimizer, batch_size=len(x), epochs=1, progress=False)
    after = Network(net)
    expected = _differences(before, x, y, weight_decay)
    assert len(expected) == len(after.parameters())
    for old, new, gradient in zip(before.parameters(), after.parameters(), expected, strict=True):
        np.testing.assert_allclose((old - new) / rate, gradient, rtol=ACCURACY, atol=ACCURACY)


def test_a_wrong_gradient_is_noticed(perturb):
    net, x, y = _problem([6, 7, 4], None, perturb)
    twin = Network(net)
    gradient = twin.gradients(x, y, 0.3).weights[0]
    without_decay = twin.gradients(x, y, 0.0).weights[0]
    assert np.abs(gradient - without_decay).max() > 1000 * ACCURACY
