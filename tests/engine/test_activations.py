"""Activations and outputs in the engine: steps and predictions equal the twin's, and padding has no influence."""

import numpy as np
import pytest
from closeness import assert_close
from engine_runs import gradient_of_step, network, problem, targets_of
from reference_network import Network

from fastmlp import SGD
from fastmlp.engine import Trainer, evaluate, outputs
from fastmlp.mlp import ACTIVATIONS, OUTPUTS

# no width is a multiple of the lanes; some are smaller than a vector, others larger
WIDTHS = [9, 37, 7, 21, 5]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_step_and_a_prediction_equal_the_twins(activation, norm, dtype):
    X, y = problem(70, WIDTHS[0], WIDTHS[-1], dtype)
    net = network(WIDTHS, norm, dtype, activation=activation)
    twin = Network(net)
    for found, expected in zip(gradient_of_step(net, X, y), twin.gradients(X, y).parts(), strict=True):
        assert_close(found, expected, dtype, factor=10.0)
    assert_close(outputs(net.network, X, 2)[0], twin.outputs(X), dtype, factor=10.0)
    assert_close(evaluate(net.network, X, y, None, 2)[0], twin.cost(X, y), dtype, factor=10.0)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("activation", ["relu", "logistic"])
@pytest.mark.parametrize("n_outputs", [1, 5, 16, 19])
def test_outputs_equal_the_twins(n_outputs, activation, output, dtype):
    X, _ = problem(150, 9, 2, dtype)
    net = network([9, 18, n_outputs], None, dtype, activation=activation, output=output)
    targets, twin = targets_of(net, 150), Network(net)
    for found, expected in zip(gradient_of_step(net, X, targets), twin.gradients(X, targets).parts(), strict=True):
        assert_close(found, expected, dtype, factor=10.0)
    predicted = outputs(net.network, X, 2)[0]
    assert_close(predicted, twin.outputs(X), dtype, factor=10.0)
    cost, accuracy = evaluate(net.network, X, targets, None, 2)
    assert_close(cost, twin.cost(X, targets), dtype, factor=10.0)
    right = {
        "softmax": lambda: predicted.argmax(axis=1) == targets,
        "logistic": lambda: ((predicted > 0.5) == (targets > 0.5)).all(axis=1),
    }
    assert accuracy == (right[output]().mean() if output in right else None)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_padding_stays_zero(activation, norm, dtype):
    X, y = problem(40, WIDTHS[0], WIDTHS[-1], dtype)
    net = network(WIDTHS, norm, dtype, activation=activation, dropout=0.4)
    trainer = Trainer(net.network, X, y, 20, SGD(0.1, momentum=0.9, clip_norm=0.5), 1)
    trainer.run_epoch(np.arange(40))
    plan, panel = trainer.plan, trainer.plan.stride
    for layer in plan.layers:
        used = int(layer["n_out"]) % plan.lanes
        for name in ("out", "dz"):
            start = int(layer[name]) + int(layer["n_out"]) // plan.lanes * panel
            rows = trainer.workspace.rows[start : start + panel].reshape(-1, plan.lanes)[:20]
            assert rows[:, :used].any(), name
            assert (rows[:, used:] == 0).all(), name


def test_hidden_layers_are_no_linear_map():
    # any number of identity layers is one linear map; layers with other activations are not
    X, _ = problem(64, 9, 3, "float64")
    for activation in ACTIVATIONS:
        net = network([9, 20, 4], None, "float64", activation=activation, output="identity")
        z = outputs(net.network, np.concatenate([X, -X, np.zeros_like(X)]), 1)[0]
        linear = np.abs(z[:64] + z[64:128] - 2 * z[128:]).max() < 1e-12
        assert linear == (activation == "identity"), activation
