"""Training of many independent networks at once, each in one thread, on one copy of the data."""

import threading
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastmlp.history import History
from fastmlp.inputs import checks, samples
from fastmlp.inputs.sparse import Matrix
from fastmlp.inputs.splitting import Part, SharedData, UserData
from fastmlp.inputs.streamed import is_stream
from fastmlp.losses import Loss
from fastmlp.mlp import MLP
from fastmlp.optimizers import SGD, Optimizer, State
from fastmlp.prepared import Hyperparameters
from fastmlp.stopping import EarlyStopping
from fastmlp.system.cores import usable_cores
from fastmlp.system.warning import warn
from fastmlp.train import Callback
from fastmlp.trainings import Task, Training, run_all


def train_many(
    nets: Sequence[MLP],
    X: Any,
    y: Any,
    *,
    seeds: Any = 0,
    optimizers: Optimizer | Sequence[Optimizer] = SGD(),  # noqa: B008 - immutable
    rows: Sequence[Any] | None = None,
    validation: Any = 0.2,
    loss: Loss | None = None,
    sample_weight: Any = None,
    class_weight: dict[int, float] | str | None = None,
    states: Sequence[State | None] | None = None,
    batch_size: int = 1000,
    epochs: int = 100,
    stop: EarlyStopping | None = None,
    callbacks: Sequence[Callback] = (),
    matmul_precision: str = "float32",
    threads: int | None = None,
    progress: bool | None = None,
) -> list[History]:
    """Train independent networks in place on the same data, each in one thread.

    Each network gets the bits, and the history, of ``train(net, X, y, seed=..., optimizer=..., threads=1, ...)``. The
    data are checked once, and all threads read the same copy. The longest training begins first, and a thread that has
    ended one takes the next, so on a core that is busy with other work fewer networks are trained. Networks may differ
    in widths, dtype, activation and all else but the number of inputs.

    Ctrl-C ends all trainings after their current mini-batches; each history says ``"interrupted"``, also those of
    networks whose training had not begun. A network whose cost becomes NaN or infinite ends alone, as in `train`, with
    a RuntimeWarning that names it when all have ended.

    Parameters
    ----------
    nets : sequence of MLP
        Changed in place; each stands there once.
    X : array-like or SciPy sparse matrix (n, n_inputs)
        As for `train`.
    y : array-like (n,) or (n, n_outputs)
        As for `train`.
    seeds : int, or sequence of int or numpy.random.Generator
        One for all, or one for each network. A Generator belongs to one network.
    optimizers : Optimizer, or sequence of Optimizer
        One for all, or one for each network.
    rows : sequence of array-like of int, optional
        For each network the indices of the rows that it may use, or None for all; an index may come more than once. The
        bits are those of ``train(net, X[rows], y[rows], ...)``.
    validation : float, tuple or None; or list of them
        As for `train`, for all networks; a list has one for each. A fraction is one of the rows that the network may
        use, drawn by its seed.
    loss : Loss, optional
        As for `train`, for all networks; default: the one that belongs to each network's output.
    sample_weight : array-like (n,), optional
        As for `train`: for all rows of X.
    class_weight : dict or "balanced", optional
        As for `train`; "balanced" counts the rows that the network may use.
    states : sequence of State, optional
        For each network the ``history.state`` of an earlier training, or None.
    batch_size : int
        Rows per step.
    epochs : int
        At most this many for each network.
    stop : EarlyStopping, optional
        Followed for each network on its own. A metric that is a function is called in several threads at once.
    callbacks : sequence of callable
        As for `train`; each is called with the network whose epoch has ended, in the thread that trains it. No two
        calls are under way at once. One that returns True ends the training of its network. What one raises,
        `train_many` raises when all trainings have ended after their current mini-batches.
    matmul_precision : {"float32", "bfloat16"}
        As for `train`.
    threads : int, optional
        At most so many networks are trained at once, and no more than there are cores that the process may use, which
        is the default.
    progress : bool, optional
        Show one progress bar over all networks; default: on a terminal only.

    Returns
    -------
    list of History
        One for each network, in the order of `nets`.

    Raises
    ------
    ValueError, TypeError
        An argument is out of its range or of the wrong type, for any network; all networks are unchanged.
    """
    nets = _checked_nets(nets)
    n = len(nets)
    batch_size, epochs = checks.count("batch_size", batch_size), checks.count("epochs", epochs)
    size = min(checks.threads(threads), usable_cores(), n)
    checks.functions("callbacks", callbacks)
    own = [
        _seeds(seeds, n),
        _one_each("optimizers", optimizers, n, one=isinstance(optimizers, Optimizer)),
        _one_each("validation", validation, n, one=not isinstance(validation, list)),
        _one_each("states", states, n, one=states is None),
    ]
    if is_stream(X):
        raise TypeError("X must be an array or a sparse matrix that all networks share, got a Stream; `train` takes it")
    x = samples.matrix("X", X, nets[0].n_inputs)
    y = y if hasattr(y, "__array__") else np.asarray(y)
    tasks = [
        Task(
            net, UserData(part, y, held_out, sample_weight, class_weight),
            Hyperparameters(optimizer, loss, batch_size, epochs, stop, matmul_precision), state, seed,
        )
        for net, part, seed, optimizer, held_out, state in zip(nets, _parts(x, rows, n), *own, strict=True)
    ]  # fmt: skip
    lock = threading.Lock()
    trainings = [Training(number, task, callbacks, lock) for number, task in enumerate(tasks)]
    for training in trainings:
        training.check()
    run_all(trainings, size, progress)
    for training in trainings:
        for message, category in training.warnings:
            warn(f"nets[{training.number}]: {message}", category)
    return [training.history for training in trainings]


def _checked_nets(nets: Any) -> list[MLP]:
    """Return the networks; raise unless there is one, and none stands there twice."""
    if isinstance(nets, (str, bytes)) or not isinstance(nets, Iterable):
        raise TypeError(f"nets must be a sequence of MLP, got {nets!r} ({type(nets).__name__})")
    found = list(nets)
    if not found:
        raise ValueError("nets must hold at least one MLP, got none")
    place: dict[int, int] = {}
    for i, net in enumerate(found):
        checks.instance(f"nets[{i}]", net, MLP)
        if place.setdefault(id(net), i) != i:
            raise ValueError(
                f"nets must be different networks, got the same one as nets[{place[id(net)]}] and nets[{i}]"
            )
    return found


def _one_each(name: str, value: Any, n: int, *, one: bool) -> list[Any]:
    """Return a list with one for each of `n` networks."""
    if one:
        return n * [value]
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or not hasattr(value, "__iter__"):
        raise TypeError(f"{name} must be one for all networks or a sequence with one for each, got {value!r}")
    if len(value) != n:
        raise ValueError(f"{name} must have one for each of {n} networks, got {len(value)}")
    return list(value)


def _seeds(seeds: Any, n: int) -> list[Any]:
    """Return the seed of each network; raise where two of them would draw from the same generator."""
    found = _one_each("seeds", seeds, n, one=np.ndim(seeds) == 0)
    generators = [id(seed) for seed in found if isinstance(seed, np.random.Generator)]
    if len(set(generators)) < len(generators):
        raise ValueError(
            "seeds must be integers or a Generator of its own for each network, got one Generator for several; "
            "rng.spawn(n) makes n of one"
        )
    return found


def _parts(x: Matrix, rows: Any, n: int) -> list[Part]:
    """Return what `train` takes as X for each network."""
    shared, parts = SharedData(), []
    for i, indices in enumerate(_one_each("rows", rows, n, one=rows is None)):
        checked = None if indices is None else checks.row_indices(f"rows[{i}]", indices, len(x))
        parts.append(Part(shared, x, checked))
    return parts
