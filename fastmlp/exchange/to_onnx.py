"""Networks as ONNX files."""

import json
import math
import os
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from fastmlp.kernels.activations import SELU_ALPHA, SELU_SCALE
from fastmlp.network import Network
from fastmlp.network.folding import with_factors
from fastmlp.system.files import replaced_whole
from fastmlp.system.version import VERSION

OPSET = 9  # the lowest opset that has Erf, and in which constants need not be inputs of the graph
IR_VERSION = 4  # the file format of ONNX 1.4, the release of opset 9
OUTPUTS: dict[str, tuple[str, dict[str, int]]] = {
    "softmax": ("Softmax", {"axis": 1}),
    "logistic": ("Sigmoid", {}),
    "identity": ("Identity", {}),
    "exp": ("Exp", {}),
}


def save(network: Network, path: str | os.PathLike[str], **names: list[str] | None) -> None:
    """Write a network to `path`; see `MLP.to_onnx`. `names` of classes and of features become metadata."""
    content = model(network, **names).SerializeToString()
    with replaced_whole(path) as temporary:
        temporary.write_bytes(content)


def model(network: Network, **names: list[str] | None) -> ModelProto:
    """Return a network as an ONNX model, which ONNX's own checker has checked."""
    architecture, nodes = network.architecture, _nodes(network)
    element = helper.np_dtype_to_tensor_dtype(architecture.dtype)
    inputs = [helper.make_tensor_value_info("X", element, ["N", architecture.n_inputs])]
    outputs = [helper.make_tensor_value_info("outputs", element, ["N", architecture.n_outputs])]
    made = helper.make_model(
        helper.make_graph(nodes.nodes, "fastmlp", inputs, outputs, nodes.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="fastmlp",
        producer_version=VERSION,
    )
    helper.set_model_props(made, {key: json.dumps(value) for key, value in names.items() if value is not None})
    checker.check_model(made, full_check=True)
    return made


class _Nodes:
    """The nodes and constants of a graph, in the order of their addition."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, array: np.ndarray) -> str:
        """Add a constant in the network's dtype, once; return its name."""
        if name not in (known.name for known in self.constants):
            self.constants.append(numpy_helper.from_array(np.asarray(array, self.dtype), name))
        return name

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        output = output or f"{operator}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output


def _nodes(network: Network) -> _Nodes:
    architecture = network.architecture
    nodes, value = _Nodes(architecture.dtype), "X"
    if architecture.input_scale != 1:
        value = nodes.add("Mul", value, nodes.constant("input_scale", np.array(architecture.input_scale)))
    last = len(network.parameters.views["weights"]) - 1
    for i in range(last):
        value = _linear(nodes, network, i, value)
        if architecture.batch_norm is not None and architecture.batch_norm.placement == "before_relu":
            value = _batch_norm(nodes, network, i, value)
        value = _activation(nodes, architecture.activation, value)
        if architecture.batch_norm is not None and architecture.batch_norm.placement == "after_relu":
            value = _batch_norm(nodes, network, i, value)
    operator, attributes = OUTPUTS[architecture.output]
    nodes.add(operator, _linear(nodes, network, last, value), output="outputs", **attributes)
    return nodes


def _linear(nodes: _Nodes, network: Network, i: int, value: str) -> str:
    weight = nodes.constant(f"weights.{i}", with_factors(network.parameters.views, i))
    return nodes.add("Gemm", value, weight, nodes.constant(f"biases.{i}", network.parameters.views["biases"][i]))


def _batch_norm(nodes: _Nodes, network: Network, i: int, value: str) -> str:
    batch_norm = network.architecture.batch_norm
    assert batch_norm is not None
    eps = batch_norm.eps
    mean, var = network.parameters.views["running_means"][i], network.parameters.views["running_vars"][i]
    arrays = {
        "gammas": network.parameters.views["gammas"][i] if batch_norm.affine else np.ones_like(mean),
        "betas": network.parameters.views["betas"][i] if batch_norm.affine else np.zeros_like(mean),
        "running_means": mean,
        # the attribute epsilon is float32 in the format; in float64 its rounding error is added to the variance
        "running_vars": var + (eps - float(np.float32(eps))),
    }
    constants = [nodes.constant(f"{name}.{i}", array) for name, array in arrays.items()]
    return nodes.add("BatchNormalization", value, *constants, epsilon=eps)


def _activation(nodes: _Nodes, activation: str, value: str) -> str:
    if activation == "identity":
        return value
    composed = {"leaky_relu": _leaky_relu, "gelu": _gelu, "silu": _silu, "selu": _selu, "mish": _mish}
    if activation in composed:
        return composed[activation](nodes, value)
    return nodes.add({"logistic": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}[activation], value)


def _leaky_relu(nodes: _Nodes, value: str) -> str:
    if nodes.dtype == np.float32:
        return nodes.add("LeakyRelu", value, alpha=0.01)
    # onnxruntime 1.32 has no LeakyRelu for float64, and the attribute alpha is float32
    return nodes.add("Max", value, nodes.add("Mul", value, nodes.constant("slope", np.array(0.01))))


def _silu(nodes: _Nodes, value: str) -> str:
    if nodes.dtype == np.float32:
        return nodes.add("Mul", value, nodes.add("Sigmoid", value))
    # onnxruntime 1.17 to 1.27 fuses x·sigmoid(x) into an operator that these versions do not have for float64
    power = nodes.add("Exp", nodes.add("Neg", value))
    return nodes.add("Div", value, nodes.add("Add", power, nodes.constant("one", np.array(1.0))))


def _selu(nodes: _Nodes, value: str) -> str:
    """``λ (max(x, 0) + α (exp(min(x, 0)) - 1))``; the operator Selu has its factors in float32."""
    zero = nodes.constant("zero", np.array(0.0))
    grown = nodes.add("Sub", nodes.add("Exp", nodes.add("Min", value, zero)), nodes.constant("one", np.array(1.0)))
    below = nodes.add("Mul", grown, nodes.constant("alpha", np.array(SELU_ALPHA)))
    total = nodes.add("Add", nodes.add("Max", value, zero), below)
    return nodes.add("Mul", total, nodes.constant("scale", np.array(SELU_SCALE)))


def _mish(nodes: _Nodes, value: str) -> str:
    """``x · n / (n + 2)`` with ``n = e (e + 2)`` and ``e = exp(x)``; from 20 on the quotient is 1.

    The operator Mish came with opset 18, and onnxruntime 1.32 has no Softplus in double.
    """
    power = nodes.add("Exp", nodes.add("Min", value, nodes.constant("bound", np.array(20.0))))
    two = nodes.constant("two", np.array(2.0))
    product = nodes.add("Mul", power, nodes.add("Add", power, two))
    return nodes.add("Mul", value, nodes.add("Div", product, nodes.add("Add", product, two)))


def _gelu(nodes: _Nodes, value: str) -> str:
    """Add ``x (1 + erf(x / √2)) / 2``, with the order of operations that onnxruntime recognises and fuses."""
    erf = nodes.add("Div", value, nodes.constant("sqrt_2", np.array(math.sqrt(2))))
    if nodes.dtype == np.float32:
        erf = nodes.add("Erf", erf)
    else:  # onnxruntime 1.32 has no Erf for float64
        erf = nodes.add("Cast", nodes.add("Erf", nodes.add("Cast", erf, to=TensorProto.FLOAT)), to=TensorProto.DOUBLE)
    doubled = nodes.add("Mul", value, nodes.add("Add", erf, nodes.constant("one", np.array(1.0))))
    return nodes.add("Mul", doubled, nodes.constant("half", np.array(0.5)))
