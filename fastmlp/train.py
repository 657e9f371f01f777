"""Training: the loop that a reader sees."""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from fastmlp import checks, interrupt
from fastmlp.engine import Trainer, evaluate
from fastmlp.history import History
from fastmlp.mlp import MLP
from fastmlp.optimizers import SGD, Optimizer
from fastmlp.progress import progress_bar
from fastmlp.stopping import EarlyStopping, Patience

Callback: TypeAlias = Callable[[MLP, dict[str, Any]], bool | None]


@dataclass
class _Split:
    """Rows to train on and rows to validate on; ``rows`` None means all of the array."""

    x: np.ndarray
    y: np.ndarray
    rows: np.ndarray | None
    n: int


def train(
    net: MLP,
    X: Any,
    y: Any,
    *,
    validation: float | tuple[Any, Any] | None = 0.2,
    optimizer: Optimizer = SGD(),  # noqa: B008 - immutable
    batch_size: int = 1000,
    epochs: int = 100,
    stop: EarlyStopping | None = None,
    callbacks: Sequence[Callback] = (),
    seed: int | np.random.Generator = 0,
    threads: int | None = None,
    progress: bool | None = None,
) -> History:
    """Train a network in place by mini-batch gradient descent on the mean cross-entropy.

    Every epoch visits the training rows once, in a fresh random order; the last, smaller mini-batch is trained on too.
    The generator made from `seed` first draws the permutation whose head is held out (with a fraction), then one
    permutation of the training rows for each epoch. Ctrl-C ends training after the current mini-batch and returns the
    history so far. When the cost becomes NaN or infinite, training stops with a RuntimeWarning and the network goes
    back to the end of the last epoch at which all was finite.

    Parameters
    ----------
    net : MLP
        Changed in place.
    X : array-like (n, n_inputs)
        Integers or floats; a ``numpy.memmap`` is read batch by batch.
    y : array-like (n,)
        Integer class indices ``0 … n_classes - 1``.
    validation : float, pair or None
        Fraction of the rows to hold out, drawn at random, or ``(X_val, y_val)``.
    optimizer : SGD, Adam or AdamW
        The update rule.
    batch_size : int
        Rows per step; one larger than the training set is one batch.
    epochs : int
        At most this many.
    stop : EarlyStopping, optional
        Needs a validation set.
    callbacks : sequence of callable
        Each is called as ``callback(net, record)`` after every epoch, with the network and a copy of the epoch's
        record; one that returns True ends the training. What it raises, `train` raises, with the network as it is.
    seed : int or numpy.random.Generator
        For the split and the shuffling. The same seed gives the same bits, at any number of threads.
    threads : int, optional
        Default: all cores that the process may use.
    progress : bool, optional
        Show a progress bar; default: on a terminal only.

    Returns
    -------
    History
        One record for each epoch, and why training stopped.

    Raises
    ------
    ValueError, TypeError
        An argument is out of its range or of the wrong type; the network is unchanged.
    """
    started = time.perf_counter()
    checks.instance("net", net, MLP)
    checks.instance("optimizer", optimizer, Optimizer)
    checks.functions("callbacks", callbacks)
    batch_size, epochs = checks.count("batch_size", batch_size), checks.count("epochs", epochs)
    threads = checks.threads(threads)
    rng = checks.generator("seed", seed)
    training, held_out = _split(net, X, y, validation, rng)
    patience = _patience(stop, held_out, training.n, batch_size)

    trainer = Trainer(net, training.x, training.y, min(batch_size, training.n), optimizer, threads)
    history, costs = History(), list[np.ndarray]()
    finite = best = net.snapshot()
    steps_per_epoch = -(-training.n // batch_size)
    try:  # around `caught`, whose end hands on a Ctrl-C that nobody has looked at
        with interrupt.caught(), progress_bar(progress, epochs * steps_per_epoch, "step") as bar:
            for epoch in range(1, epochs + 1):
                order = rng.permutation(training.n)
                if training.rows is not None:
                    order = training.rows[order]
                rates = _rates(optimizer, epoch, steps_per_epoch, epochs)
                batch_costs = trainer.run_epoch(order, bar.within_epoch, rates=rates)
                interrupt.check()
                if not (np.isfinite(batch_costs).all() and net.is_finite()):
                    history.stopped_because = "cost not finite"
                    break
                record = _record(net, epoch, batch_costs, training.n, batch_size, optimizer)
                if held_out is not None:
                    cost, accuracy = evaluate(net, held_out.x, held_out.y, held_out.rows, threads)
                    record |= {"val_cost": cost + net.penalty(optimizer.l2), "val_accuracy": accuracy}
                record["learning_rate"] = float(rates[-1])
                costs.append(batch_costs)
                history.records.append(record | {"seconds": time.perf_counter() - started})
                finite = net.snapshot()
                bar.end_epoch(record)
                if patience is not None:
                    if patience.is_best(epoch, record["val_cost"], record["val_accuracy"]):
                        best = finite
                    if patience.exhausted:
                        history.stopped_because = "early stopping"
                answers = [callback(net, dict(history.records[-1])) for callback in callbacks]
                if history.stopped_because == "epochs" and any(answer is True for answer in answers):
                    history.stopped_because = "callback"
                if history.stopped_because != "epochs":
                    break
                interrupt.check()
    except KeyboardInterrupt:
        history.stopped_because = "interrupted"
    if history.records:
        history.batch_costs = np.concatenate(costs[: history.epochs])
    _finish(net, history, patience, finite, best)
    history.seconds = time.perf_counter() - started
    return history


def _split(net: MLP, X: Any, y: Any, validation: Any, rng: np.random.Generator) -> tuple[_Split, _Split | None]:
    x = checks.features("X", X, net.n_inputs, net.dtype)
    labels = checks.labels("y", y, net.n_classes, len(x))
    if validation is None:
        return _Split(x, labels, None, len(x)), None
    if isinstance(validation, (tuple, list)):
        if len(validation) != 2:
            raise ValueError(
                f"validation must be a fraction, a pair (X_val, y_val) or None, got {len(validation)} items"
            )
        x_val = checks.features("X_val", validation[0], net.n_inputs, net.dtype)
        y_val = checks.labels("y_val", validation[1], net.n_classes, len(x_val), "X_val")
        return _Split(x, labels, None, len(x)), _Split(x_val, y_val, None, len(x_val))
    n_held_out = checks.held_out(validation, len(x))
    rows = rng.permutation(len(x))
    held_out, training = rows[:n_held_out], rows[n_held_out:]
    return _Split(x, labels, training, len(training)), _Split(x, labels, held_out, len(held_out))


def _patience(stop: Any, held_out: _Split | None, n: int, batch_size: int) -> Patience | None:
    if stop is None:
        return None
    checks.instance("stop", stop, EarlyStopping)
    if held_out is None:
        raise ValueError("stop needs validation, a fraction or a pair (X_val, y_val), got validation=None")
    return Patience(stop, stop.epochs_of_patience(-(-n // batch_size)))


def _rates(optimizer: Optimizer, epoch: int, steps_per_epoch: int, epochs: int) -> np.ndarray:
    """Return the learning rate of every step of an epoch, counted from 1."""
    steps = np.arange((epoch - 1) * steps_per_epoch, epoch * steps_per_epoch)
    rates = np.ascontiguousarray(optimizer.schedule.rates(steps, steps_per_epoch, epochs), np.float64)
    if rates.shape != steps.shape or not (np.isfinite(rates) & (rates >= 0)).all():
        raise ValueError(
            f"{optimizer.learning_rate!r} must give {steps.size} finite rates of at least 0 for epoch {epoch}, got "
            f"shape {rates.shape} with values from {rates.min(initial=np.inf)} to {rates.max(initial=-np.inf)}"
        )
    return rates


def _record(
    net: MLP, epoch: int, batch_costs: np.ndarray, n: int, batch_size: int, optimizer: Optimizer
) -> dict[str, Any]:
    rows = np.full(len(batch_costs), batch_size)
    rows[-1] = n - batch_size * (len(batch_costs) - 1)
    penalty = net.penalty(optimizer.l2)
    return {
        "epoch": epoch,
        "steps": epoch * len(batch_costs),
        "cost": float(batch_costs @ rows) / n + penalty,
        "last_cost": float(batch_costs[-1]) + penalty,
        "val_cost": None,
        "val_accuracy": None,
    }


def _finish(net: MLP, history: History, patience: Patience | None, finite: np.ndarray, best: np.ndarray) -> None:
    """Leave the network as the way in which training ended asks for."""
    if history.stopped_because == "cost not finite":
        warnings.warn(
            f"the cost became NaN or infinite in epoch {history.epochs + 1}: training stopped, the network is as it "
            f"was after epoch {history.epochs}; try a smaller learning_rate or input_scale",
            RuntimeWarning,
            stacklevel=3,
        )
    if not net.is_finite() or history.stopped_because == "cost not finite":
        net.restore(finite)
    if patience is not None and patience.best_epoch is not None:
        history.best_epoch = patience.best_epoch
        if patience.rule.restore_best:
            net.restore(best)
