"""Conversion of networks to PyTorch's ``Sequential``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import skip_init

from fastmlp.batchnorm import BatchNorm
from fastmlp.inputs import checks
from fastmlp.network import Network
from fastmlp.network.folding import with_factors


class Exp(nn.Module):
    """The exponential function, for which PyTorch has no module."""

    def forward(self, x: Any) -> Any:  # noqa: D102
        return torch.exp(x)


ACTIVATIONS: dict[str, Callable[[], Any]] = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "selu": nn.SELU,
    "mish": nn.Mish,
}
OUTPUTS: dict[str, Callable[[], Any]] = {
    "softmax": lambda: nn.Softmax(dim=1),
    "logistic": nn.Sigmoid,
    "identity": nn.Identity,
    "exp": Exp,
}


def to_torch(network: Network, logits: bool) -> Any:
    """Return a network as a Sequential; see `MLP.to_torch`."""
    architecture, arrays = network.architecture, network.parameters.views
    checks.flag("logits", logits)
    modules: list[Any] = []
    for i, bias in enumerate(arrays["biases"]):
        scale = architecture.input_scale if i == 0 else 1.0
        modules.append(_linear((with_factors(arrays, i) * scale).astype(architecture.dtype), bias))
        if i < len(arrays["weights"]) - 1:
            modules += _hidden(network, i)
    if not logits and architecture.output != "identity":
        modules.append(OUTPUTS[architecture.output]())
    return nn.Sequential(*modules).eval()


def _linear(weight: np.ndarray, bias: np.ndarray) -> Any:
    # drawing initial weights would advance PyTorch's global random generator
    linear = skip_init(nn.Linear, *weight.shape, dtype=torch.from_numpy(bias).dtype)
    _fill(linear.weight, weight.T)
    _fill(linear.bias, bias)
    return linear


def _hidden(network: Network, i: int) -> list[Any]:
    architecture = network.architecture
    modules = [ACTIVATIONS[architecture.activation]()]
    if architecture.batch_norm is not None:
        modules.insert(
            0 if architecture.batch_norm.placement == "before_relu" else 1,
            _batch_norm(network, architecture.batch_norm, i),
        )
    if architecture.dropout[i]:
        modules.append(nn.Dropout(architecture.dropout[i]))
    return modules


def _batch_norm(network: Network, settings: BatchNorm, i: int) -> Any:
    arrays = network.parameters.views
    mean = arrays["running_means"][i]
    dtype = torch.from_numpy(mean).dtype
    module = nn.BatchNorm1d(mean.size, settings.eps, settings.momentum, settings.affine, dtype=dtype)
    _fill(module.running_mean, mean)
    _fill(module.running_var, arrays["running_vars"][i])
    if settings.affine:
        _fill(module.weight, arrays["gammas"][i])
        _fill(module.bias, arrays["betas"][i])
    return module


def _fill(tensor: Any, array: np.ndarray) -> None:
    with torch.no_grad():
        tensor.copy_(torch.from_numpy(array))
