"""Local SGD: each member trains a copy of the network on its own rows; then the copies are averaged.

Stich, "Local SGD Converges Fast and Communicates Little" (ICLR 2019). The average is weighted by the rows that each
copy was trained on: McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data"
(AISTATS 2017). The optimizer's moments are averaged with the parameters, as the velocities are in Yu, Jin and Yang, "On
the Linear Speedup Analysis of Communication Efficient Momentum SGD for Distributed Non-Convex Optimization" (ICML
2019). So all that a training remembers between two averages is one array, and the death of a worker loses none of it.

These functions run on the workers.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp import engine
from fastmlp.dask.scores import Evaluation
from fastmlp.inputs.splitting import Dataset
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.network.architecture import Architecture
from fastmlp.optimizers import State
from fastmlp.sklearn.update_rule import UpdateRule

DROPOUT, ORDER = 0, 1  # what a member's generators are for


@dataclasses.dataclass(frozen=True)
class Training:
    """What all members of a fit have in common, from its beginning to its end.

    Attributes
    ----------
    architecture : Architecture
        Of the network.
    rule : UpdateRule
        At its start.
    loss : Loss
        Of a row.
    outputs_in_mean : int
        Over how many outputs scikit-learn's loss is a mean.
    alpha : float
        λ of the L2 part, as in `Objective`.
    batch : int
        Rows of a mini-batch of a member.
    shuffle : bool
        Whether each epoch has an order of its own.
    matmul_precision : {"float32", "bfloat16"}
        Of the products.
    epochs : int
        That a schedule is made for.
    seed : int
        Of all orders and dropout masks.
    """

    architecture: Architecture
    rule: UpdateRule
    loss: Loss
    outputs_in_mean: int
    alpha: float
    batch: int
    shuffle: bool
    matmul_precision: str
    epochs: int
    seed: int


class Stretch(NamedTuple):
    """Steps of one epoch between two averages.

    Attributes
    ----------
    epoch : int
        From 0.
    first, steps : int
        The first step, and how many at most; a member whose epoch is shorter does fewer, or none.
    learning_rate : float
        Where there is no schedule.
    """

    epoch: int
    first: int
    steps: int
    learning_rate: float


class Place(NamedTuple):
    """Who trains: the number of the member, from 0, and its threads."""

    number: int
    threads: int


class Course(NamedTuple):
    """What the steps of a stretch gave; arrays have an element for each step.

    Attributes
    ----------
    costs : numpy.ndarray
        Mean loss of the mini-batch; shorter than the others where one was not finite.
    losses : numpy.ndarray
        The same as scikit-learn counts it, with the L2 part before the step.
    rows : numpy.ndarray
        Of the mini-batch.
    l2 : numpy.ndarray
        λ of the step.
    """

    costs: np.ndarray
    losses: np.ndarray
    rows: np.ndarray
    l2: np.ndarray


class Trained(NamedTuple):
    """A member's copy behind its stretches: the array that `average` takes, and the course of each stretch."""

    state: np.ndarray
    courses: list[Course]


def network_with(architecture: Architecture, parameters: np.ndarray) -> Network:
    """Return a network whose parameters are a snapshot."""
    own = Parameters(architecture)
    own.restore(parameters)
    return Network(architecture, own)


def train(data: Dataset, state: np.ndarray, training: Training, stretches: Sequence[Stretch], place: Place) -> Trained:
    """Train a copy of the network on a member's rows.

    Parameters
    ----------
    data : Dataset
        The member's.
    state : numpy.ndarray (1 + n_moments, n) or (1, n)
        Parameters, laid out as a `snapshot`, and moments; without moments they are 0.
    training : Training
        Of the fit.
    stretches : sequence of Stretch
        Of neighbouring steps, in order.
    place : Place
        Who trains.
    """
    network = network_with(training.architecture, state[0])
    batch = min(training.batch, data.n)
    trainer = engine.Trainer(
        network, data.x, data.targets, batch, training.rule.optimizer, place.threads,
        options=engine.StepOptions(training.loss, _key(training, place), training.matmul_precision),
        sample_weight=data.weights,
    )  # fmt: skip
    steps = -(-data.n // batch)
    done = stretches[0].epoch * steps + min(stretches[0].first, steps)
    if done:
        trainer.import_state(State(done, list(state[1:]), _key(training, place)))
    courses = [_course(trainer, data, training, stretch, place) for stretch in stretches]
    moments = trainer.export_state().moments
    return Trained(np.stack([network.parameters.snapshot(), *moments]), courses)


def _course(trainer: "engine.Trainer", data: Dataset, training: Training, stretch: Stretch, place: Place) -> Course:
    batch, steps = trainer.plan.batch, -(-data.n // trainer.plan.batch)
    last = min(stretch.first + stretch.steps, steps)
    if last <= stretch.first:
        return Course(*(np.empty(0) for _ in Course._fields))
    order = _order(data.n, training, stretch.epoch, place.number)[stretch.first * batch : last * batch]
    rule = dataclasses.replace(
        training.rule, learning_rate=stretch.learning_rate, steps=stretch.epoch * steps, state=None
    )
    rates = rule.rates(steps, training.epochs)[stretch.first : last]
    weights = trainer.weights(order)
    l2 = np.divide(training.alpha, weights, out=np.zeros(len(weights)), where=weights > 0)
    squares = np.empty(len(weights) + 1)  # Σ‖W‖² before each step and behind the last
    with np.errstate(over="ignore"):
        squares[0] = trainer.network.parameters.penalty(2.0)
    costs = trainer.run_epoch(order, rates=rates, l2=l2, weight_squares=squares[1:])
    rows = np.full(len(weights), float(batch))
    rows[-1] += len(order) - rows.sum()
    done = len(costs)
    losses = costs / training.outputs_in_mean + 0.5 * l2[:done] * squares[:done]
    return Course(costs, losses, rows, l2)


def _key(training: Training, place: Place) -> int:
    return int(np.random.default_rng([training.seed, place.number, DROPOUT]).integers(1 << 63))


def _order(n: int, training: Training, epoch: int, number: int) -> np.ndarray:
    """Return the order of a member's rows in an epoch; it is drawn anew wherever it is needed."""
    if not training.shuffle:
        return np.arange(n)
    order: np.ndarray = np.random.default_rng([training.seed, number, ORDER, epoch]).permutation(n)
    return order


def average(copies: Sequence[Trained], rows: Sequence[float]) -> np.ndarray:
    """Return the mean of the members' states, summed in float64 in the order of the members.

    Parameters
    ----------
    copies : sequence of Trained
        Of all members.
    rows : sequence of float
        How many rows each was trained on since the last average.
    """
    first = copies[0].state
    if len(copies) == 1:
        return first
    total = np.zeros(first.shape)
    for copy, weight in zip(copies, np.divide(rows, np.sum(rows)), strict=True):
        total += weight * copy.state
    return total.astype(first.dtype)


def courses(trained: Trained) -> list[Course]:
    """Return what the client wants to know of a member's stretches."""
    return trained.courses


def evaluate(data: Dataset, state: np.ndarray, training: Training, threads: int) -> Evaluation:
    """Return what a member's rows say of the network."""
    network = network_with(training.architecture, state[0])
    cost, accuracy = engine.evaluate(
        network, data.x, data.targets, None, threads, loss=training.loss, sample_weight=data.weights
    )
    weight = float(data.n if data.weights is None else data.weights.sum())
    if accuracy is not None:
        return Evaluation(weight, weight * cost, weight * accuracy, None)
    outputs, _ = engine.outputs(network, data.x, threads)
    return Evaluation(weight, weight * cost, None, squared_errors(data.targets, outputs, data.weights))


def squared_errors(targets: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return the weighted sum of the squared errors of each column of ``(n, n_outputs)``."""
    errors = np.square(outputs.astype(np.float64) - targets)
    found: Any = errors.sum(axis=0) if weights is None else weights @ errors
    return np.asarray(found)
