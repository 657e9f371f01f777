"""Networks for the tests of exchange, without values of 0 and 1, and inputs for them."""

import numpy as np
from networks import perturb

from fastmlp.mlp import MLP

WIDTHS = [5, 7, 6, 3]


def network(widths=WIDTHS, **settings):
    """Make a network whose biases, γ, β and running statistics are not 0 or 1."""
    net = perturb(MLP(widths, seed=3, **settings))
    rng = np.random.default_rng(4)
    for mean, var in zip(net.running_means, net.running_vars, strict=True):
        mean[:] = rng.standard_normal(mean.shape)
        var[:] = rng.uniform(0.2, 3, var.shape)
    return net


def inputs(net, n=50):
    """Make rows for a network, in its dtype, on both sides of zero."""
    return np.random.default_rng(5).standard_normal((n, net.n_inputs)).astype(net.dtype) / net.input_scale


def settings_of(net):
    """The settings of a network, without its arrays."""
    names = ("widths", "activation", "output", "dropout", "batch_norm", "input_scale", "input_factors", "dtype")
    return {name: getattr(net, name) for name in names}
