"""Networks from PyTorch's ``Sequential``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from fastmlp.batchnorm import BatchNorm
from fastmlp.exchange.assembly import Network, assembled
from fastmlp.exchange.to_pytorch import Exp
from fastmlp.inputs import checks
from fastmlp.network.architecture import OUTPUTS

ACTIVATIONS: dict[Any, str] = {
    nn.Identity: "identity",
    nn.Sigmoid: "logistic",
    nn.Tanh: "tanh",
    nn.ReLU: "relu",
    nn.LeakyReLU: "leaky_relu",
    nn.GELU: "gelu",
    nn.SiLU: "silu",
    nn.SELU: "selu",
    nn.Mish: "mish",
}
# the allowed orders of Activation, Batch norm and Dropout between two Linears, as their first letters
HIDDEN_ORDERS = {order + dropout for order in ("", "A", "B", "AB", "BA") for dropout in ("", "D")}

HIDDEN = (
    "between two Linears there may be one activation (Identity, Sigmoid, Tanh, ReLU, LeakyReLU(0.01), GELU(), SiLU, "
    "SELU, Mish), one BatchNorm1d before or behind it, and Dropout behind both"
)
LAST = "behind the last Linear there may be one of Softmax(dim=1), LogSoftmax(dim=1) and Sigmoid"


@dataclass
class _Module:
    """A module and its position, such as ``[2]``, or ``[0][2]`` in a Sequential inside another."""

    position: str
    module: Any

    def __str__(self) -> str:
        return f"sequential{self.position}, {' '.join(repr(self.module).split())}"

    def refused(self, reason: str) -> ValueError:
        return ValueError(f"{self} is not supported: {reason}")


@dataclass
class _Layer:
    """A Linear and the modules that follow it, up to the next Linear."""

    linear: _Module
    followers: list[_Module]


@dataclass
class _Hidden:
    """The modules that follow a Linear, as settings of `MLP`."""

    activation: str
    batch_norm: BatchNorm | None
    dropout: float
    statistics: Any


def from_torch(kind: type[Network], sequential: Any, output: str | None) -> Network:
    """Return `sequential` as a network; see `MLP.from_torch`."""
    checks.instance("sequential", sequential, nn.Sequential)
    if output is not None:
        checks.one_of("output", output, OUTPUTS)
    layers = _layers(list(_flattened(sequential, "")))
    _check_linears(layers)
    hidden = [_hidden(layer) for layer in layers[:-1]]
    for layer, found in zip(layers, hidden, strict=False):
        _check_alike(layer, found, hidden[0])
    settings: dict[str, Any] = {"output": _output(layers[-1].followers, output)}
    if hidden:
        settings |= {"activation": hidden[0].activation, "batch_norm": hidden[0].batch_norm}
        settings["dropout"] = [found.dropout for found in hidden]
    return assembled(kind, _arrays(layers, hidden), **settings)


def _flattened(sequential: Any, prefix: str) -> Iterator[_Module]:
    for i, module in enumerate(sequential):  # named_children() gives a module that occurs twice only once
        if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
            yield from _flattened(module, f"{prefix}[{i}]")
        else:
            yield _Module(f"{prefix}[{i}]", module)


def _layers(modules: list[_Module]) -> list[_Layer]:
    if modules and type(modules[0].module) is nn.Flatten:
        if (modules[0].module.start_dim, modules[0].module.end_dim) != (1, -1):
            raise modules[0].refused("it must be Flatten(start_dim=1, end_dim=-1)")
        modules = modules[1:]
    if not modules:
        raise ValueError("sequential must hold at least one Linear, got none")
    if type(modules[0].module) is not nn.Linear:
        raise modules[0].refused("the first module must be Linear, or Flatten and then Linear")
    layers: list[_Layer] = []
    for module in modules:
        if type(module.module) is nn.Linear:
            layers.append(_Layer(module, []))
        else:
            layers[-1].followers.append(module)
    return layers


def _check_linears(layers: list[_Layer]) -> None:
    first = layers[0].linear.module
    for i, layer in enumerate(layers):
        weight = layer.linear.module.weight
        if weight.dtype not in (torch.float32, torch.float64) or weight.dtype != first.weight.dtype:
            raise layer.linear.refused(
                f"all Linears must be float32 or all float64, got {weight.dtype} and {first.weight.dtype} in the first"
            )
        n_in, before = layer.linear.module.in_features, layers[i - 1].linear.module.out_features
        if i and n_in != before:
            raise layer.linear.refused(f"it must have the {before} inputs that the Linear before gives, got {n_in}")


def _hidden(layer: _Layer) -> _Hidden:
    """Return the settings of the modules between this Linear and the next."""
    followers = layer.followers
    if any(type(follower.module) in ACTIVATIONS.keys() - {nn.Identity} for follower in followers):
        followers = [follower for follower in followers if type(follower.module) is not nn.Identity]
    order, found = "", {}
    for follower in followers:
        letter = _letter(follower)
        order += letter
        if order not in HIDDEN_ORDERS:
            raise follower.refused(HIDDEN)
        found[letter] = follower
    return _Hidden(
        activation=ACTIVATIONS[type(found["A"].module)] if "A" in found else "identity",
        batch_norm=_batch_norm(found["B"], layer, "AB" in order) if "B" in found else None,
        dropout=found["D"].module.p if "D" in found else 0.0,
        statistics=found["B"].module if "B" in found else None,
    )


def _letter(follower: _Module) -> str:
    module = follower.module
    if type(module) is nn.BatchNorm1d:
        return "B"
    if type(module) is nn.Dropout:
        if not module.p < 1:
            raise follower.refused("p must be below 1")
        return "D"
    if type(module) not in ACTIVATIONS:
        raise follower.refused(HIDDEN)
    if type(module) is nn.GELU and module.approximate != "none":
        raise follower.refused('GELU must be exact, approximate="none"')
    if type(module) is nn.LeakyReLU and module.negative_slope != 0.01:
        raise follower.refused("LeakyReLU must have the slope 0.01")
    return "A"


def _batch_norm(follower: _Module, layer: _Layer, behind: bool) -> BatchNorm:
    module, width = follower.module, layer.linear.module.out_features
    if module.num_features != width:
        raise follower.refused(f"it must have the {width} features that the Linear before it gives")
    if module.running_mean is None:
        raise follower.refused("it must keep running statistics, track_running_stats=True")
    if module.momentum is None:
        raise follower.refused("momentum must be a number, got None")
    placement = "after_relu" if behind else "before_relu"
    try:
        return BatchNorm(placement, affine=module.affine, eps=module.eps, momentum=module.momentum)
    except ValueError as error:
        raise follower.refused(str(error)) from error


def _check_alike(layer: _Layer, found: _Hidden, first: _Hidden) -> None:
    """Raise unless this hidden layer has the activation and the batch norm of the first hidden layer."""
    for name in ("activation", "batch_norm"):
        one, other = getattr(first, name), getattr(found, name)
        if one != other:
            raise layer.linear.refused(
                f"all hidden layers must have the same {name}, got {one!r} in the first and {other!r} behind this one"
            )


def _output(followers: list[_Module], wanted: str | None) -> str:
    """Return the output function: the module after the last Linear, or else `wanted`, or else the identity."""
    followers = [follower for follower in followers if type(follower.module) is not nn.Identity]
    if not followers:
        return wanted or "identity"
    functions = {nn.Softmax: "softmax", nn.LogSoftmax: "softmax", nn.Sigmoid: "logistic", Exp: "exp"}
    for follower in followers:
        if follower is not followers[0] or type(follower.module) not in functions:
            raise follower.refused(LAST)
    module = followers[0].module
    if isinstance(module, nn.Softmax | nn.LogSoftmax) and module.dim not in (1, -1):
        raise followers[0].refused("dim must be 1 or -1, the outputs of a row")
    found = functions[type(module)]
    if wanted not in (None, found):
        raise ValueError(f"output must be {found!r} or None for a sequential that ends in {module!r}, got {wanted!r}")
    return found


def _arrays(layers: list[_Layer], hidden: list[_Hidden]) -> dict[str, list[np.ndarray]]:
    linears = [layer.linear.module for layer in layers]
    norms = [found.statistics for found in hidden if found.statistics is not None]
    affine = [norm for norm in norms if norm.affine]
    return {
        "weights": [_array(linear.weight).T for linear in linears],
        "biases": [np.zeros(linear.out_features) if linear.bias is None else _array(linear.bias) for linear in linears],
        "gammas": [_array(norm.weight) for norm in affine],
        "betas": [_array(norm.bias) for norm in affine],
        "running_means": [_array(norm.running_mean) for norm in norms],
        "running_vars": [_array(norm.running_var) for norm in norms],
    }


def _array(tensor: Any) -> np.ndarray:
    array: np.ndarray = tensor.detach().cpu().numpy()
    return array
