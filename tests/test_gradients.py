"""Gradients of the whole network by central differences, in float64.

The twin's gradients are compared with differences of its own cost. The change of every parameter in one step of `train`
is compared with the same differences. The networks have batch norm before or after the activation, with and without γ
and β, L2 or not, no, one or three hidden layers, every activation and every loss.
"""

import numpy as np
import pytest
from networks import perturb
from reference_network import Network

from fastmlp import MLP, SGD, losses, train
from fastmlp.mlp import ACTIVATIONS

# the error of central differences is of the order STEP² + 1e-16 / STEP
STEP = 1e-5
ACCURACY = 1e-7
RATE = 0.5
WIDTHS = [[6, 4], [6, 7, 4], [6, 8, 7, 5, 4]]


def _problem(widths, batch_norm, **functions):
    net = perturb(MLP(widths, batch_norm=batch_norm, input_scale=0.5, dtype="float64", seed=3, **functions))
    rng = np.random.default_rng(8)
    return net, 2.0 * rng.standard_normal((9, widths[0])), rng.integers(0, widths[-1], size=9)


def _differences(twin, x, y, weight_decay, weights=None):
    """Derivatives of the twin's training cost with respect to every parameter, one element at a time."""
    gradients = []
    for parameter in twin.parameters():
        gradient = np.empty_like(parameter)
        for index in np.ndindex(parameter.shape):
            kept = parameter[index]
            costs = []
            for moved in (kept + STEP, kept - STEP):
                parameter[index] = moved
                costs.append(twin.cost(x, y, weight_decay, training=True, weights=weights))
            parameter[index] = kept
            gradient[index] = (costs[0] - costs[1]) / (2 * STEP)
        gradients.append(gradient)
    return gradients


def _taken_by_a_step(net, x, y, optimizer=SGD(RATE), **arguments):  # noqa: B008 - immutable
    """What one step of `train` subtracts from each parameter, divided by the learning rate."""
    before = Network(net).parameters()
    train(net, x, y, validation=None, optimizer=optimizer, batch_size=len(x), epochs=1, progress=False, **arguments)
    return [(old - new) / RATE for old, new in zip(before, Network(net).parameters(), strict=True)]


def _check(gradients, expected):
    for gradient, difference in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient, difference, rtol=ACCURACY, atol=ACCURACY)


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_twin(widths, batch_norm, weight_decay):
    net, x, y = _problem(widths, batch_norm)
    twin = Network(net)
    _check(twin.gradients(x, y, weight_decay).parts(), _differences(twin, x, y, weight_decay))


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_one_step_of_train(widths, batch_norm, weight_decay):
    net, x, y = _problem(widths, batch_norm)
    before = Network(net)
    taken = _taken_by_a_step(net, x, y, optimizer=SGD(RATE, weight_decay=weight_decay))
    _check(taken, _differences(before, x, y, weight_decay))


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_factors_of_the_inputs(widths, batch_norm, weight_decay):
    net, x, y = _problem(widths, batch_norm, input_factors=True)
    before = Network(net)
    expected = _differences(before, x, y, weight_decay)
    assert len(expected[-1]) == 6
    _check(before.gradients(x, y, weight_decay).parts(), expected)
    _check(_taken_by_a_step(net, x, y, optimizer=SGD(RATE, weight_decay=weight_decay)), expected)


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "relu"])
def test_activations(activation, batch_norm):
    net, x, y = _problem([6, 8, 7, 4], batch_norm, activation=activation)
    before = Network(net)
    expected = _differences(before, x, y, 0.0)
    _check(before.gradients(x, y).parts(), expected)
    _check(_taken_by_a_step(net, x, y), expected)


LOSSES = [
    losses.CrossEntropy(label_smoothing=0.2),
    losses.BinaryCrossEntropy(),
    losses.BinaryCrossEntropy(label_smoothing=0.2),
    losses.SquaredError(),
    losses.AbsoluteError(),
    losses.Huber(delta=0.7),
    losses.Poisson(),
]


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_losses_of_weighted_rows(loss, batch_norm):
    net, x, labels = _problem([6, 8, 4], batch_norm, activation="tanh", output=loss.output)
    rng = np.random.default_rng(5)
    targets = {
        "softmax": labels,
        "logistic": rng.choice([0.0, 1.0, 0.25], (9, 4)),
        "identity": rng.standard_normal((9, 4)),
        "exp": rng.poisson(1.0, (9, 4)).astype(float),
    }[loss.output]
    weights = rng.choice([0.0, 0.5, 1.0, 3.0], 9)
    before = Network(net, loss)
    expected = _differences(before, x, targets, 0.0, weights)
    _check(before.gradients(x, targets, weights=weights).parts(), expected)
    _check(_taken_by_a_step(net, x, targets, loss=loss, sample_weight=weights), expected)


def test_a_wrong_gradient_is_noticed():
    net, x, y = _problem([6, 7, 4], None)
    twin = Network(net)
    gradient = twin.gradients(x, y, 0.3).weights[0]
    without_decay = twin.gradients(x, y, 0.0).weights[0]
    assert np.abs(gradient - without_decay).max() > 1000 * ACCURACY
