"""Training: the steps of the engine alone, and whole epochs of `fastmlp.train`."""

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastmlp
from fastmlp.engine import Trainer

from ._data import BATCHES, NETWORKS, NORMS, THREADS, labels, make_network, pixels, use_threads
from ._pages import shown_as

SAMPLES = 48_000
STEPS = 40  # steps of one measurement: they take far longer than the start of the threads (0.1 ms); no row comes twice
RATE = 0.01
PARAM_NAMES = ("network", "batch norm", "batch (rows)", "threads")
# the classes are named by strings, so that a commit without one of them can run the others
RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {}),
    "adamw": ("AdamW", {}),
    "plain, clipped": ("SGD", {"clip_norm": 1.0}),
    "adam, clipped": ("Adam", {"clip_norm": 1.0}),
}
# settings of the hidden layers
FUNCTIONS: dict[str, dict[str, Any]] = {
    "relu": {},
    "tanh": {"activation": "tanh"},
    "gelu": {"activation": "gelu"},
    "relu, dropout": {"dropout": 0.5},
    "gelu, dropout": {"activation": "gelu", "dropout": 0.5},
}

Costs = NDArray[np.float64]
Labels = NDArray[np.int64]
Pixels = NDArray[np.uint8]


def make_trainer(
    network: str, norm: str, batch: int, threads: int, rule: str = "plain", function: str = "relu", **engine: Any
) -> Trainer:
    """Return a trainer on the seeded data set. `engine` are further arguments, which early commits do not know."""
    optimizer, settings = RULES[rule]
    net = make_network(network, norm, **FUNCTIONS[function])
    x, y = pixels(SAMPLES, net.n_inputs), labels(SAMPLES, net.n_classes)
    trained: Any = getattr(net, "network", net)  # early commits take the network itself
    return Trainer(trained, x, y, batch, getattr(fastmlp, optimizer)(RATE, **settings), threads, **engine)


def train_one_epoch(net: fastmlp.MLP, X: Pixels, y: Labels, batch: int, threads: int) -> Costs:
    """Train as users do; return the cost of every step."""
    optimizer = fastmlp.SGD(learning_rate=RATE)
    history = fastmlp.train(
        net,
        X,
        y,
        validation=None,
        optimizer=optimizer,
        batch_size=batch,
        epochs=1,
        threads=threads,
        progress=False,
    )
    return history.batch_costs


class Step:
    """`STEPS` steps of gather, forward, backward and update, without the checks and the history of `fastmlp.train`."""

    params = (NETWORKS, NORMS, BATCHES, THREADS)
    param_names = PARAM_NAMES
    timeout = 600.0

    def setup(self, network: str, norm: str, batch: int, threads: int) -> None:
        use_threads(threads)
        self.trainer = make_trainer(network, norm, batch, threads)
        self.order = np.random.default_rng(0).permutation(SAMPLES)[: STEPS * batch]
        self.time_steps()

    @shown_as(f"Training: {STEPS} steps of the engine")
    def time_steps(self, *_: object) -> tuple[Costs, ...]:
        return (self.trainer.run_epoch(self.order),)


def _bfloat16() -> dict[str, Any]:
    """Return the argument of `Trainer` that asks for bfloat16, by the name that the commit has for it."""
    known = inspect.signature(Trainer).parameters
    if "options" in known:
        return {"options": known["options"].default._replace(matmul_precision="bfloat16")}
    if "matmul_precision" in known:
        return {"matmul_precision": "bfloat16"}
    raise NotImplementedError("there are no products in bfloat16")


class StepInBfloat16:
    """The same steps without batch norm, with operands of the products rounded to bfloat16."""

    params = (NETWORKS, BATCHES, THREADS)
    param_names = ("network", "batch (rows)", "threads")
    timeout = 600.0

    def setup(self, network: str, batch: int, threads: int) -> None:
        use_threads(threads)
        self.trainer = make_trainer(network, "none", batch, threads, **_bfloat16())
        self.order = np.random.default_rng(0).permutation(SAMPLES)[: STEPS * batch]
        self.time_steps()

    @shown_as(f"Training: {STEPS} steps in bfloat16")
    def time_steps(self, *_: object) -> tuple[Costs, ...]:
        return (self.trainer.run_epoch(self.order),)


class Rule:
    """The same steps with every update rule."""

    params = (list(RULES), NETWORKS, [32, 128])
    param_names = ("rule", "network", "batch (rows)")
    timeout = 600.0

    def setup(self, rule: str, network: str, batch: int) -> None:
        use_threads(1)
        self.trainer = make_trainer(network, "none", batch, 1, rule)
        self.order = np.random.default_rng(0).permutation(SAMPLES)[: STEPS * batch]
        self.time_steps()

    @shown_as(f"Training: {STEPS} steps, by update rule")
    def time_steps(self, *_: object) -> tuple[Costs, ...]:
        return (self.trainer.run_epoch(self.order),)


class Function:
    """The same steps with different settings of the hidden layers."""

    params = (list(FUNCTIONS), ["784-128-10", "784-512-512-10"], NORMS[:2])
    param_names = ("hidden layers", "network", "batch norm")
    timeout = 600.0

    def setup(self, function: str, network: str, norm: str) -> None:
        use_threads(1)
        self.trainer = make_trainer(network, norm, 128, 1, function=function)
        self.order = np.random.default_rng(0).permutation(SAMPLES)[: STEPS * 128]
        self.time_steps()

    @shown_as(f"Training: {STEPS} steps, by activation, dropout")
    def time_steps(self, *_: object) -> tuple[Costs, ...]:
        return (self.trainer.run_epoch(self.order),)


class Epoch:
    """A whole epoch as users run it: the shuffle and all steps."""

    # fewer parameter sets than for the step, since an epoch has many steps; batch norm is none or the report's
    params = (NETWORKS, NORMS[:2], [32, 1000], THREADS)
    param_names = PARAM_NAMES
    number = 1
    warmup_time = 0.0
    timeout = 600.0

    def setup(self, network: str, norm: str, batch: int, threads: int) -> None:
        use_threads(threads)
        self.net = make_network(network, norm)
        self.X, self.y = pixels(SAMPLES, self.net.n_inputs), labels(SAMPLES, self.net.n_classes)
        train_one_epoch(self.net, self.X[:batch], self.y[:batch], batch, threads)

    @shown_as(f"Training: an epoch of {SAMPLES:,} rows")
    def time_epoch(self, network: str, norm: str, batch: int, threads: int) -> tuple[Costs, ...]:
        return (train_one_epoch(self.net, self.X, self.y, batch, threads),)


class Call:
    """One call of `fastmlp.train` on so few rows that nearly all of the time is Python's."""

    params = ([1],)
    param_names = ("threads",)

    def setup(self, threads: int) -> None:
        use_threads(threads)
        self.net = fastmlp.MLP([4, 3, 2], input_scale=1 / 255)
        self.X, self.y = pixels(8, 4), labels(8, 2)
        self.time_train(threads)

    @shown_as("Training: one epoch of 8 rows")
    def time_train(self, threads: int) -> tuple[Costs, ...]:
        return (train_one_epoch(self.net, self.X, self.y, 8, threads),)
