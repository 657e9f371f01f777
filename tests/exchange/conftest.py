"""Networks of every kind, moved away from their starting values, and inputs for them."""

import numpy as np
import pytest

from fastmlp.mlp import ACTIVATIONS, MLP, OUTPUTS

WIDTHS = [5, 7, 6, 3]


@pytest.fixture(params=ACTIVATIONS)
def activation(request):
    """Every activation of the hidden layers."""
    return request.param


@pytest.fixture(params=OUTPUTS)
def output(request):
    """Every output function."""
    return request.param


@pytest.fixture(scope="session")
def network(perturb):
    """Make a network whose biases, γ, β and running statistics are no round numbers."""

    def make(widths=WIDTHS, **settings):
        net = perturb(MLP(widths, seed=3, **settings))
        rng = np.random.default_rng(4)
        for mean, var in zip(net.running_means, net.running_vars, strict=True):
            mean[:] = rng.standard_normal(mean.shape)
            var[:] = rng.uniform(0.2, 3, var.shape)
        return net

    return make


@pytest.fixture
def inputs():
    """Make rows for a network, in its dtype, on both sides of zero."""

    def make(net, n=50):
        return np.random.default_rng(5).standard_normal((n, net.n_inputs)).astype(net.dtype) / net.input_scale

    return make


@pytest.fixture(scope="session")
def settings_of():
    """What a network is, but for its arrays."""

    def of(net):
        names = ("widths", "activation", "output", "dropout", "batch_norm", "input_scale", "dtype")
        return {name: getattr(net, name) for name in names}

    return of
