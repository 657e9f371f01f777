"""Training of a network on arrays."""

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastmlp import engine, passes
from fastmlp.alone import Alone
from fastmlp.checkpoints import Checkpoints
from fastmlp.course import Course
from fastmlp.history import History, Record, Validation
from fastmlp.inputs import checks
from fastmlp.inputs.identity import described
from fastmlp.inputs.splitting import Dataset, UserData
from fastmlp.inputs.streamed import StreamError
from fastmlp.loop import NOT_FINITE, Epoch, Extent, WithinEpoch, run_epochs
from fastmlp.losses import Loss
from fastmlp.mlp import MLP
from fastmlp.optimizers import SGD, Optimizer, State
from fastmlp.passes import Rows
from fastmlp.prepared import Hyperparameters, prepare
from fastmlp.stopping import EarlyStopping
from fastmlp.system.warning import warn

if TYPE_CHECKING:
    from fastmlp.streaming.stream import Stream

Callback: TypeAlias = Callable[[MLP, dict[str, Any]], bool | None]


def train(
    net: MLP,
    X: Any,
    y: Any = None,
    *,
    validation: "float | tuple[Any, Any] | Stream | None" = 0.2,
    optimizer: Optimizer = SGD(),  # noqa: B008 - immutable
    loss: Loss | None = None,
    sample_weight: Any = None,
    class_weight: dict[int, float] | str | None = None,
    state: State | None = None,
    batch_size: int = 1000,
    epochs: int = 100,
    stop: EarlyStopping | None = None,
    callbacks: Sequence[Callback] = (),
    seed: int | np.random.Generator = 0,
    matmul_precision: str = "float32",
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_epochs: int = 1,
    checkpoint_seconds: float | None = None,
    comm: Any = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> History:
    """Train a network in place by mini-batch gradient descent on the mean loss.

    Every epoch visits the training rows once, in a fresh random order; the last, smaller mini-batch is trained on too.
    The generator made from `seed` first draws the permutation whose head is held out (with a fraction), then one
    permutation of the training rows for each epoch. Ctrl-C ends training after the current mini-batch and returns the
    history so far. When the cost becomes NaN or infinite, training stops with a RuntimeWarning and the network goes
    back to the end of the last epoch at which all was finite. While the steps run, numbers nearer to 0 than 1.2e-38
    (float64: 2.2e-308) are 0, as some CPUs take a hundred times as long for those.

    Parameters
    ----------
    net : MLP
        Changed in place.
    X : array-like, SciPy sparse matrix (n, n_inputs) or Stream
        Integers or floats; a ``numpy.memmap`` is read, a sparse matrix made dense, batch by batch. A stream of
        `fastmlp.datasets.stream` is read block by block; a network without names of classes and features takes the
        stream's.
    y : array-like (n,) or (n, n_outputs)
        Integer class indices ``0 … n_classes - 1`` where the output is softmax, else the targets. Left out
        beside a stream, which has its own.
    validation : float, tuple, Stream or None
        Fraction of the rows to hold out, drawn at random (of a stream about this fraction: a hash of key and row number
        decides about each row); or ``(X_val, y_val)``, or with ``sample_weight_val`` behind; or a stream.
    optimizer : SGD, Adam or AdamW
        The update rule.
    loss : Loss, optional
        From `fastmlp.losses`; default: the one that belongs to the network's output, which is cross-entropy for softmax
        and logistic, squared error for identity and Poisson for exp.
    sample_weight : array-like (n,), optional
        Weights of the rows in the mean loss of their mini-batch, at least 0.
    class_weight : dict or "balanced", optional
        A factor of the weights of each class's rows, by class index, 1 where absent; "balanced" is
        ``n / (classes in y · rows of the class)``.
    state : State, optional
        ``history.state`` of an earlier training of this network by such an optimizer, to go on with its moments and its
        count of steps; the schedule begins anew.
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
    matmul_precision : {"float32", "bfloat16"}
        "bfloat16" rounds the operands of the matrix products to the nearest bfloat16, of 8 significant bits, for
        networks of dtype float32. Their sums, the parameters and all else stay float32, and so do the validation and
        all predictions. It is quicker on CPUs with a fast bfloat16 unit (`fastmlp info`),
        and gives the same bits on every CPU.
    checkpoint : path-like, optional
        A file that keeps the training at the ends of epochs: parameters, the optimizer's state, the generator, the
        stopping rule and the history, as safetensors and JSON. Where it is there, the same call goes on from it, to the
        same bits as a training that was never interrupted; of a training that has ended it gives the network and the
        history at once. More epochs may be asked for where the learning rates of those that are done do not depend on
        their number. What callbacks keep is not in it.
    checkpoint_epochs : int
        Epochs from one writing of that file to the next. It is also written at the end and at Ctrl-C.
    checkpoint_seconds : float, optional
        Seconds that lie between two writings at least.
    comm : mpi4py.MPI.Intracomm or fastmlp.mpi.Processes, optional
        Train in all processes of a communicator, of which each passes its own rows, and the same for all else. A stream
        is the same in all of them, and its row groups are dealt out. A step takes `batch_size` rows of all; the
        gradients are summed, and all processes do the same update. The bits of the result are the same for any number
        of processes, and not those of a training without `comm`. The first process shows the bar and has the
        checkpoint.
    threads : int, optional
        Default: all cores that the process may use; of processes on one machine, each takes its part.
    progress : bool, optional
        Show a progress bar; default: on a terminal only.

    Returns
    -------
    History
        One record for each epoch, why training stopped, and the optimizer's state.

    Raises
    ------
    ValueError, TypeError
        An argument is out of its range or of the wrong type, or the checkpoint is that of another training, which the
        message compares with this one; the network is unchanged.
    StreamError
        A file of a stream cannot be read, or changed: a ValueError that names file and row group, the same in all
        processes of `comm`. The network is as it was after the last whole epoch.
    OSError
        The folder of the checkpoint does not exist or cannot be written to; the network is unchanged. A write that
        fails later is a RuntimeWarning: the earlier checkpoint stays, and the training goes on.
    """
    started, place = time.perf_counter(), _place_of(comm)
    with place.preparing():
        checks.functions("callbacks", callbacks)
        threads = place.threads(threads)
        asked = {"seed": described(seed)}  # before anything is drawn
        data = UserData(place.rows(X), y, validation, sample_weight, class_weight)
        how = Hyperparameters(optimizer, loss, batch_size, epochs, stop, matmul_precision)
        ready = prepare(net, data, how, state=state, seed=seed)
        training, held_out, loss, rng, patience = ready.training, ready.held_out, ready.loss, ready.rng, ready.patience
        asked |= {
            "network": net.network.architecture, "optimizer": optimizer, "loss": loss, "stop": stop,
            "batch_size": ready.batch_size, "matmul_precision": matmul_precision, "state": state and state.steps,
        }  # fmt: skip
        place.agree({**asked, "epochs": epochs, "checkpoint": checkpoint is not None})
        checkpoints = None
        if checkpoint is not None:
            asked |= {"data": training.described(), "validation": held_out and held_out.described()}
            checkpoints = Checkpoints(
                checkpoint, described(asked), ready.epochs, checkpoint_epochs, checkpoint_seconds, place=place
            )
        options = engine.StepOptions(loss, ready.key, matmul_precision)
        trainer = passes.trainer(net, training, ready.batch_size, optimizer, threads, options)
        if state is not None:
            trainer.import_state(state)
        evaluate = None if held_out is None else passes.evaluation(trainer, held_out, loss, threads)
        history, steps = History(), -(-training.n // ready.batch_size)
        course, ended = Course(trainer, rng, history, patience), False
        if checkpoints is not None:
            ended = course.take_up(checkpoints, steps)
            started -= history.seconds
        passes.name(net, training)

    def one_epoch(within_epoch: WithinEpoch) -> Epoch | None:
        rates = optimizer.schedule.rates_of_epoch(history.steps, steps, ready.epochs)
        trained = passes.epoch(trainer, training, rng, within_epoch, rates, evaluate)
        if trained is None:
            return None
        (batch_costs, weights), penalty = trained, net.penalty(optimizer.l2)
        if not np.isfinite(penalty):
            return None
        cost = float(batch_costs @ weights) / float(weights.sum()) + penalty
        validation: Validation = {"val_cost": None, "val_accuracy": None}
        if evaluate is not None:
            validation = _validation(net, evaluate(), penalty, held_out, stop)
        return Epoch(batch_costs, cost, float(batch_costs[-1]) + penalty, float(rates[-1]), validation)

    def after_epoch(record: Record) -> str | None:
        course.epoch_ended()
        if checkpoints is not None:
            checkpoints.epoch_ended(course.content())
        answers = [callback(net, dict(record)) for callback in callbacks]
        ends = place.any(any(answer is True for answer in answers))
        if patience is not None and patience.exhausted:
            return "early stopping"
        return "callback" if ends else None

    with place.running():
        if not ended:
            try:
                run_epochs(
                    history, Extent(ready.epochs, steps, history.epochs), one_epoch, after_epoch,
                    checkpoints=checkpoints, progress=progress, started=started, place=place,
                )  # fmt: skip
                history.stopped_because = place.ended(history.stopped_because)
            except StreamError:
                trainer.restore(course.finite)
                raise
        _finish(course)
        history.state = trainer.export_state()
        history.seconds = time.perf_counter() - started
    return history


def _place_of(comm: Any) -> Alone:
    if comm is None:
        return Alone()
    from fastmlp.mpi.ranks import ranks_of

    return ranks_of(comm)


def _validation(
    net: MLP, evaluated: tuple[float, float | None], penalty: float, held_out: "Rows | None", stop: EarlyStopping | None
) -> Validation:
    cost, accuracy = evaluated
    found: Validation = {"val_cost": cost + penalty, "val_accuracy": accuracy}
    if stop is not None and callable(stop.metric) and isinstance(held_out, Dataset):
        found["val_score"] = float(stop.metric(net, *held_out.picked()))
    return found


def _finish(course: Course) -> None:
    """Leave the network as the way in which training ended asks for."""
    trainer, history, patience = course.trainer, course.history, course.patience
    if history.stopped_because == NOT_FINITE:
        warn(
            f"the cost became NaN or infinite in epoch {history.epochs + 1}: training stopped, the network is as it "
            f"was after epoch {history.epochs}; try a smaller learning_rate or input_scale",
            RuntimeWarning,
        )
    if not trainer.network.parameters.is_finite() or history.stopped_because == NOT_FINITE:
        trainer.restore(course.finite)
    if patience is not None and patience.best_epoch is not None:
        history.best_epoch = patience.best_epoch
        if patience.rule.restore_best:
            trainer.restore(course.best)
