"""What stays the same from step to step, and what changes, as records that compiled code reads."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastmlp.engine.plan import FUSED, RATES, Plan
from fastmlp.inputs.encoded import EncodedRows, Gathered
from fastmlp.inputs.sparse import CsrRows
from fastmlp.kernels import nonzero
from fastmlp.kernels.activations import activation
from fastmlp.kernels.bfloat16 import PACKED, PLAIN, products
from fastmlp.kernels.bfloat16 import listed as listed_products
from fastmlp.kernels.dropout import dropper
from fastmlp.kernels.gather import converter, encoder, spreader
from fastmlp.kernels.losses import loss as loss_kernel

if TYPE_CHECKING:
    from fastmlp.losses import Loss
    from fastmlp.multipliers import RateMultipliers

_ADDRESSES = ("data", "convert", "activate", "drop", "loss", "targets", "weights", "output", "prepare", "refresh")
_INTEGERS = (
    "threads",
    "batch",
    "block",
    "stride",
    "norm",
    "affine",
    "n_features",
    "widest",
    "spins",
    "relu",
    "key",
    "weight_stride",
    "answers",
    "rule",
    "nesterov",
    "slot",
    "weight_squares",
    "packed",
)
# parameter: that of the loss. decay: decoupled weight decay. momentum, beta_1, beta_2, epsilon: those of the update
# rule. average: the weight of a batch in batch norm's running statistics. clip: the greatest norm of the gradients, 0
# for any. norm_rate, factor_rate: what multiplies the learning rate of γ and β, and of the factors of the inputs.
# `scale` multiplies the data when they are gathered, `product_scale` the products of the first layer.
_RATES = ("norm_rate", "factor_rate")
_RULE = ("decay", "momentum", "beta_1", "beta_2", "epsilon", "clip")
_NUMBERS = ("scale", "product_scale", "parameter", *_RULE, *_RATES, "eps", "average")
ONE = np.ones(1)  # the weight of every row where rows have none
STATES = (0, 2, 3, 1)  # how many buffers of the parameters' size each rule keeps: one for gradients, then moments
ADDRESSES = np.dtype([(name, np.int64) for name in _ADDRESSES])  # of data and of compiled functions; 0: there is none
SETTINGS = np.dtype(
    [(name, np.int64) for name in _INTEGERS] + [(name, np.float64) for name in _NUMBERS] + [("at", ADDRESSES)]
)
# rate: the learning rate. size: the rate with the update rule's correction. l2: λ in the cost. weight: the sum of the
# weights of the step's rows.
STEP = np.dtype([(name, np.float64) for name in ("rate", "size", "l2", "weight")] + [("number", np.int64)])


class StepOptions(NamedTuple):
    """How the steps of a training compute, beside the optimizer.

    Attributes
    ----------
    loss : Loss or None
        Of a row; None is the one that belongs to the network's output.
    key : int
        64 bits, of the dropout masks.
    matmul_precision : {"float32", "bfloat16"}
        To what the operands of the products are rounded; the second is for float32 networks.
    shards : int or None
        Of how many shards the mini-batches are made (`fastmlp.engine.sharded`).
    """

    loss: "Loss | None" = None
    key: int = 0
    matmul_precision: str = "float32"
    shards: int | None = None


def make_settings(plan: Plan, dtype: np.dtype, threads: int, function: str) -> np.ndarray:
    """Return the record of what a forward pass needs but for the data; what concerns training alone is 0.

    `function` is the activation of the hidden layers.
    """
    record = np.zeros(1, SETTINGS)
    for name in ("batch", "block", "stride", "norm", "widest"):
        record[name] = getattr(plan, name)
    record["threads"] = threads
    record["relu"] = function == "relu"
    record["packed"] = plan.operands == PACKED
    if plan.operands != PLAIN:
        made = products(plan.operands)
        record["at"]["prepare"], record["at"]["refresh"] = made.prepare, made.refresh
    record["at"]["activate"] = 0 if function in FUSED else activation(function, dtype)
    record["at"]["drop"] = dropper(dtype) if any(plan.layers["threshold"]) else 0
    return record


def with_products(plan: Plan, dtype: np.dtype, listed: bool) -> np.ndarray:
    """Return a copy of the plan's layers with the addresses of their products.

    `listed`: the first layer leaves out the zeros of the data.
    """
    layers = plan.layers.copy()
    if plan.operands != PLAIN:
        made = products(plan.operands)
        layers["forward"], layers["backward"], layers["update"] = made.forward, made.backward, made.update
    if listed:
        forward, update = nonzero.products(dtype) if plan.operands == PLAIN else listed_products()
        layers["forward"][0], layers["update"][0] = forward, update
    return layers


def set_rates(record: np.ndarray, layers: np.ndarray, multipliers: "RateMultipliers") -> None:
    """Write into the record and into the layers what multiplies the learning rate."""
    for name, rates in zip(RATES, multipliers.of_layers(len(layers)), strict=True):
        layers[name] = rates
    record["norm_rate"], record["factor_rate"] = multipliers.norms, multipliers.factors


def set_data(record: np.ndarray, x: Gathered, scale: float, dtype: np.dtype) -> None:
    """Write into the record where the data are, for a network of a dtype; whoever uses it keeps the data alive."""
    if isinstance(x, CsrRows):
        record["at"]["data"], record["at"]["convert"] = x.address(dtype), spreader(dtype)
    elif isinstance(x, EncodedRows):
        record["at"]["data"], record["at"]["convert"] = x.address(), encoder(dtype)
    else:
        record["at"]["data"], record["at"]["convert"] = x.ctypes.data, converter(x.dtype, dtype)
    record["n_features"] = x.shape[1]
    # A byte is exact in bfloat16, but a byte times a scale is not: then the product is scaled in place of the data.
    rounded = record["at"]["prepare"][0] != 0
    record["scale"], record["product_scale"] = (1.0, scale) if rounded else (scale, 1.0)


def set_loss(
    record: np.ndarray, loss: "Loss", dtype: np.dtype, targets: np.ndarray, sample_weight: np.ndarray | None
) -> None:
    """Write into the record what concerns the loss; whoever uses it keeps the arrays alive."""
    weights = ONE if sample_weight is None else sample_weight
    record["at"]["loss"], record["parameter"] = loss_kernel(loss.kernel, dtype), loss.parameter
    record["at"]["targets"], record["at"]["weights"] = targets.ctypes.data, weights.ctypes.data
    record["weight_stride"] = sample_weight is not None
