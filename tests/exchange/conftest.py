"""Every activation and every output function."""

import pytest

from fastmlp.mlp import ACTIVATIONS, OUTPUTS


@pytest.fixture(params=ACTIVATIONS)
def activation(request):
    """Every activation of the hidden layers."""
    return request.param


@pytest.fixture(params=OUTPUTS)
def output(request):
    """Every output function."""
    return request.param
