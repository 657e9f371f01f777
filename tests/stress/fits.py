"""Short trainings, each determined by a number. Their results must be the same under all disturbances."""

import hashlib
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from networks import digest

from fastmlp import MLP, SGD, Adam, BatchNorm, History, train, train_many
from fastmlp.optimizers import Optimizer

NORMS = [None, None, BatchNorm(), BatchNorm(affine=True), BatchNorm("before_relu", affine=True)]
OPTIMIZERS = [
    SGD(0.05),
    SGD(0.05, weight_decay=0.01),
    SGD(0.02, momentum=0.9),
    SGD(0.05, clip_norm=0.5),
    Adam(0.002),
    Adam(0.002, clip_norm=0.5),
]
PRECISIONS = [("float32", "float32"), ("float64", "float32"), ("float32", "bfloat16")]


@dataclass(frozen=True)
class Fitted:
    """The result of a training: the reason why it stopped, and a digest of its parameters, costs and predictions."""

    stopped_because: str
    digest: str


def fit(number: int, threads: int) -> Fitted:
    """Make the network of a number, train it and predict with it, on `threads` threads."""
    net, X, y, optimizer, options = _made(number)
    history = train(net, X, y, optimizer=optimizer, seed=number, threads=threads, **options)
    return _fitted(net, history, X, threads, options["matmul_precision"])


def fit_many(number: int, copies: int, threads: int, epochs: int | None = None) -> list[Fitted]:
    """Train copies of the network of a number at once, for its epochs or for so many; predict with each."""
    nets = [_made(number)[0] for _ in range(copies)]
    _, X, y, optimizer, options = _made(number)
    own = {} if epochs is None else {"epochs": epochs}
    histories = train_many(nets, X, y, seeds=number, optimizers=optimizer, threads=threads, **options | own)
    pairs = zip(nets, histories, strict=True)
    return [_fitted(net, history, X, threads, options["matmul_precision"]) for net, history in pairs]


def _made(number: int) -> tuple[MLP, np.ndarray, np.ndarray, Optimizer, dict[str, Any]]:
    """The network of a number, its data, its rule and the options of its training."""
    draw, rng = random.Random(number), np.random.default_rng(number)
    n, width, classes = draw.randint(20, 400), draw.choice([3, 17, 40, 64]), draw.choice([2, 7, 10, 33])
    hidden = [draw.choice([5, 16, 33, 80]) for _ in range(draw.randint(0, 3))]
    dtype, precision = draw.choice(PRECISIONS)
    X, y = rng.integers(0, 256, (n, width), np.uint8), rng.integers(0, classes, n)
    net = MLP(
        [width, *hidden, classes], batch_norm=draw.choice(NORMS), dropout=draw.choice([0.0, 0.0, 0.2]), dtype=dtype,
        activation=draw.choice(["relu", "relu", "gelu"]), input_scale=1 / 255, seed=number,
    )  # fmt: skip
    options = {
        "validation": draw.choice([None, 0.2]), "batch_size": draw.choice([7, 32, 64, 200]),
        "epochs": draw.randint(1, 4), "matmul_precision": precision, "progress": False,
    }  # fmt: skip
    return net, X, y, draw.choice(OPTIMIZERS), options


def _fitted(net: MLP, history: History, X: np.ndarray, threads: int, precision: str) -> Fitted:
    found = hashlib.sha256(digest(net).encode() + history.batch_costs.tobytes())
    found.update(net.predict_proba(X, threads=threads, matmul_precision=precision).tobytes())
    found.update(net.predict(X, threads=threads).tobytes())
    return Fitted(history.stopped_because, found.hexdigest())


def train_for_ever(threads: int) -> None:
    """Train until the process ends."""
    X, y = np.zeros((400, 40), np.uint8), np.zeros(400, int)
    train(MLP([40, 64, 10]), X, y, batch_size=32, epochs=10**9, threads=threads, progress=False)
