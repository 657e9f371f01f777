"""Clipping by the norm of the whole gradient, against its formula."""

from dataclasses import replace

import numpy as np
import pytest
from closeness import assert_close
from engine_runs import gradient_of_step, network, problem
from reference_network import Network

from fastmlp import SGD, Adam, AdamW, BatchNorm
from fastmlp.engine import Trainer

# no width is a multiple of the lanes, because padding must not count; 130 outputs are several tiles
NETWORKS = [[5, 3], [9, 37, 7, 21, 5], [17, 130, 3]]
NORMS = [None, BatchNorm(affine=True), BatchNorm("before_relu", affine=True)]
RULES = {
    "plain": SGD(0.1, weight_decay=0.01),
    "momentum": SGD(0.1, weight_decay=0.01, momentum=0.9),
    "nesterov": SGD(0.1, weight_decay=0.01, momentum=0.9, nesterov=True),
    "adam": Adam(0.01, 0.01),
    "adamw": AdamW(0.01),
}


def _norm(arrays):
    return np.sqrt(sum((array**2).sum() for array in arrays))


@pytest.mark.parametrize("activation", ["relu", "logistic"])
@pytest.mark.parametrize("batch_norm", NORMS, ids=["none", "after", "before"])
@pytest.mark.parametrize("widths", NETWORKS, ids=str)
def test_the_norm_is_that_of_all_parameters_and_of_nothing_else(widths, batch_norm, activation, dtype):
    X, y = problem(150, widths[0], widths[-1], dtype)
    net = network(widths, batch_norm, dtype, activation=activation)
    whole = gradient_of_step(net, X, y)
    norm = _norm(whole)
    for limit in (0.9 * norm, 0.1 * norm):
        clipped = gradient_of_step(net, X, y, clip_norm=limit)
        assert_close(_norm(clipped), limit, dtype)
        for found, gradient in zip(clipped, whole, strict=True):
            assert_close(found, limit / norm * gradient, dtype)
    for found, gradient in zip(gradient_of_step(net, X, y, clip_norm=1.1 * norm), whole, strict=True):
        assert_close(found, gradient, dtype)  # a norm below the limit changes nothing


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("batch_norm", NORMS, ids=["none", "after", "before"])
def test_a_clipped_step_is_the_step_of_the_scaled_gradient(batch_norm, rule):
    # the gradient of a squared error is linear in the residuals: residuals times 1/4 give the gradient times 1/4
    widths = [9, 37, 7, 2]
    X, _ = problem(60, widths[0], 2, "float64")
    net = network(widths, batch_norm, "float64", activation="tanh", output="identity")
    residuals = np.random.default_rng(3).standard_normal((60, 2))
    predicted = Network(net).forward(X, training=True)[0]  # by the batch's statistics
    norm = _norm(gradient_of_step(net, X, predicted + residuals))
    nets = []
    for clip, factor in ((0.25 * norm, 1.0), (None, 0.25)):
        nets.append(network(widths, batch_norm, "float64", activation="tanh", output="identity"))
        optimizer = replace(RULES[rule], clip_norm=clip)
        Trainer(nets[-1].network, X, predicted + factor * residuals, 60, optimizer, 1).run_epoch(np.arange(60))
    np.testing.assert_allclose(nets[0].snapshot(), nets[1].snapshot(), rtol=1e-9, atol=1e-11)
    assert np.abs(nets[0].snapshot() - net.snapshot()).max() > 1e-4


def test_decay_is_not_clipped():
    X, y = problem(40, 9, 3, "float64")
    limit, rate, decay = 1e-9, 0.5, 0.1
    net = network([9, 7, 3], None, "float64")
    before = [w.copy() for w in net.weights]
    Trainer(net.network, X, y, 40, SGD(rate, decay, clip_norm=limit), 1).run_epoch(np.arange(40))
    for found, weight in zip(net.weights, before, strict=True):
        np.testing.assert_allclose(found, (1 - rate * decay) * weight, atol=1e-8)


@pytest.mark.parametrize("rule", RULES)
def test_a_limit_out_of_reach_changes_no_more_than_rounding(rule, norm):
    X, y = problem(64, 20, 3, "float64")
    nets = []
    for clip in (None, 1e30):
        nets.append(network([20, 17, 3], norm, "float64"))
        trainer = Trainer(nets[-1].network, X, y, 16, replace(RULES[rule], clip_norm=clip), 1)
        trainer.run_epoch(np.arange(64))
    np.testing.assert_allclose(nets[0].snapshot(), nets[1].snapshot(), rtol=1e-11, atol=1e-13)
