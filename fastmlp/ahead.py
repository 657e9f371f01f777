"""What is compiled ahead of time: a list of jobs, each of which compiles a few functions by running or naming them.

A job is a plain tuple, so that another process can take it: the name of a function of this module and its arguments.
"""

import itertools
import os
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from fastmlp import MLP, SGD, Adam, BatchNorm, kernels, train
from fastmlp.compilation.store import MISSED
from fastmlp.engine.shard_update import add_gradients
from fastmlp.engine.sharded import ShardTrainer, Steps
from fastmlp.kernels import bfloat16, nonzero
from fastmlp.kernels.dropout import dropper
from fastmlp.kernels.gather import DTYPES, converter, spreader
from fastmlp.simd.target import HAS_BFLOAT16

Job: TypeAlias = tuple[str, tuple[Any, ...]]

FLOATS = ("float32", "float64")
DATA = ("uint8", "float32", "float64")  # that most people have
ACTIVATIONS = ("logistic", "tanh", "leaky_relu", "gelu", "silu", "selu", "mish", "exp", "softmax")
LOSSES = ("cross_entropy", "binary_cross_entropy", "squared_error", "absolute_error", "huber", "poisson")
KERNELS = tuple(name for name in kernels.__all__ if name not in ("activation", "loss"))  # those two return addresses
ROWS, WIDTH, CLASSES = 40, 20, 3


def training(dtype: str, remembers: bool) -> None:
    """Train networks without and with batch norm, by a rule with memory or plain SGD, evaluate one and predict."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((ROWS, WIDTH)).astype(dtype), rng.integers(0, CLASSES, ROWS)
    net = MLP([WIDTH, 8, CLASSES], dtype=dtype)
    optimizer = Adam(0.01) if remembers else SGD(0.01)
    for trained in (net, MLP([WIDTH, 8, CLASSES], dtype=dtype, batch_norm=BatchNorm())):
        train(trained, X, y, optimizer=optimizer, batch_size=16, epochs=1, progress=False)
    net.accuracy(X, y)
    net.predict(X)
    if remembers:
        factors = MLP([WIDTH, 8, CLASSES], dtype=dtype, input_factors=True)
        train(factors, X, y, optimizer=optimizer, batch_size=16, epochs=1, progress=False)
    net.weights[0][0, 0] += 1  # somebody holds a view from now on: predictions compare bits
    net.predict(X)


def rounded_training() -> None:
    """Train without and with batch norm and predict, with products in bfloat16."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((ROWS, WIDTH)).astype(np.float32), rng.integers(0, CLASSES, ROWS)
    net = MLP([WIDTH, 8, CLASSES])
    for trained in (net, MLP([WIDTH, 8, CLASSES], batch_norm=BatchNorm())):
        train(trained, X, y, batch_size=16, epochs=1, progress=False, matmul_precision="bfloat16")
    net.predict(X, matmul_precision="bfloat16")


def shards(dtype: str) -> None:
    """Train on two shards of one process, as each of several does, without and with batch norm."""
    for batch_norm in (None, BatchNorm()):
        _on_shards(MLP([WIDTH, 8, CLASSES], dtype=dtype, batch_norm=batch_norm))


def _on_shards(net: MLP) -> None:
    """Do one step on two shards, and add gradients of two."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((ROWS, WIDTH)).astype(net.dtype), rng.integers(0, CLASSES, ROWS)
    half = ROWS // 2
    trainer = ShardTrainer(np.array([[0, 0, 0], [0, 1, 1]]), net.network, X, y, half, SGD(), 1)
    rows, first = np.full((1, 2), half), np.array([[0, half]])
    trainer.begin(Steps(np.arange(ROWS), first, rows, rows / ROWS, np.array([float(ROWS)]), 0, 2, np.array([0.01])))
    trainer.sum_gradients(0)
    add_gradients(trainer.gradient, trainer.gradient, trainer.gradient)
    trainer.update(0)
    trainer.end()


def conversion(source: str, dtype: str) -> None:
    """Read rows of a dtype."""
    converter(np.dtype(source), np.dtype(dtype))


def address(name: str, *arguments: Any) -> None:
    """Compile functions that are called by their address."""
    ADDRESSES[name](*arguments)


ADDRESSES: dict[str, Callable[..., Any]] = {
    "activation": lambda function, dtype: kernels.activation(function, np.dtype(dtype)),
    "loss": lambda function, dtype: kernels.loss(function, np.dtype(dtype)),
    "sparse": lambda dtype: spreader(np.dtype(dtype)),
    "dropout": lambda dtype: dropper(np.dtype(dtype)),
    "zeros": lambda dtype: nonzero.products(np.dtype(dtype)),
    "bfloat16": bfloat16.products,
    "bfloat16_zeros": bfloat16.listed,
}


def kernel(name: str, dtype: str) -> None:
    """Call a public kernel."""
    kind = np.dtype(dtype)
    x, weight, index = np.ones((6, 4), kind), np.ones((4, 4), kind), np.zeros(6, np.int64)
    a, b, c, d, e, f = (np.ones(4, kind) for _ in range(6))
    out, other = np.ones((6, 4), kind), np.ones((6, 4), kind)
    arguments: dict[str, tuple[Any, ...]] = {
        "activate": (kernels.activation("tanh", kind), x, out, other),
        "batchnorm_relu_backward": (x, a, b, c, d, x, out, e, f),
        "batchnorm_relu_forward": (x, a, b, 1e-5, out, c, d),
        "dropout": (x, 0, 0, 0, 1, out),
        "gather": (x, index, 1.0, out),
        "linear_backward": (x, weight, x, out, weight.copy(), a),
        "linear_forward": (x, weight, a, out),
        "loss_gradient": (kernels.loss("squared_error", kind), x, x, np.ones(6), 0.0, out),
        "relu_backward": (x, x, out),
        "relu_batchnorm_backward": (x, a, b, x, out),
        "relu_batchnorm_forward": (x, 1e-5, out, a, b),
        "relu_forward": (x, out),
        "sgd_update": (x, out, 0.1, 0.0),
        "softmax": (x, out),
        "softmax_cross_entropy": (x, index, out, other),
    }
    getattr(kernels, name)(*arguments[name])


def usual_jobs() -> list[Job]:
    """Return the jobs for what most programs use, the longest first."""
    trainings = [("training", (dtype, remembers)) for dtype in FLOATS for remembers in (True, False)]
    rows = [("conversion", pair) for pair in itertools.product(DATA, FLOATS)]
    functions = [
        *(("loss", name, dtype) for name in LOSSES for dtype in FLOATS),
        *(("activation", name, dtype) for name in ACTIVATIONS for dtype in FLOATS),
        *((name, dtype) for name in ("sparse", "dropout", "zeros") for dtype in FLOATS),
    ]
    return [*trainings, *rows, *(("address", arguments) for arguments in functions)]


def other_jobs() -> list[Job]:
    """Return the jobs for the rest: training in several processes, the public kernels, other integers, bfloat16."""
    kinds = (bfloat16.ROUNDED, bfloat16.PACKED) if HAS_BFLOAT16 else (bfloat16.ROUNDED,)
    others = [str(dtype) for dtype in DTYPES if dtype.name not in DATA]
    return [
        *(("shards", (dtype,)) for dtype in FLOATS),
        *(("kernel", pair) for pair in itertools.product(KERNELS, FLOATS)),
        *(("address", ("bfloat16", kind)) for kind in kinds),
        ("address", ("bfloat16_zeros",)),
        ("rounded_training", ()),
        *(("conversion", pair) for pair in itertools.product(others, FLOATS)),
    ]


def run(job: Job) -> tuple[int, int]:
    """Do a job; return the number of this process and how many functions it has compiled so far."""
    name, arguments = job
    globals()[name](*arguments)
    return os.getpid(), len(MISSED)
