"""Training of many independent networks at once, each in one thread, on one copy of the data."""

import copy
import itertools
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastmlp import engine
from fastmlp.history import History
from fastmlp.inputs import checks, samples
from fastmlp.inputs.sparse import Matrix
from fastmlp.inputs.splitting import Part, SharedData
from fastmlp.inputs.streamed import is_stream
from fastmlp.losses import Loss
from fastmlp.mlp import MLP
from fastmlp.optimizers import SGD, Optimizer, State
from fastmlp.prepared import prepare
from fastmlp.stopping import EarlyStopping
from fastmlp.system import interrupt
from fastmlp.system.cores import usable_cores
from fastmlp.system.progress import progress_bar
from fastmlp.system.warning import collected, warn
from fastmlp.train import Callback, train


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
    each = zip(
        _seeds(seeds, n),
        _one_each("optimizers", optimizers, n, one=isinstance(optimizers, Optimizer)),
        _one_each("validation", validation, n, one=not isinstance(validation, list)),
        _one_each("states", states, n, one=states is None),
        strict=True,
    )
    common = {
        "loss": loss, "sample_weight": sample_weight, "class_weight": class_weight, "batch_size": batch_size,
        "epochs": epochs, "stop": stop, "matmul_precision": matmul_precision,
    }  # fmt: skip
    own = [
        {"seed": seed, "optimizer": optimizer, "validation": held_out, "state": state}
        for seed, optimizer, held_out, state in each
    ]
    if is_stream(X):
        raise TypeError("X must be an array or a sparse matrix that all networks share, got a Stream; `train` takes it")
    x = samples.matrix("X", X, nets[0].n_inputs)
    y = y if hasattr(y, "__array__") else np.asarray(y)
    lock, trainings = threading.Lock(), []
    for number, (part, options) in enumerate(zip(_parts(x, rows, n), own, strict=True)):
        trainings.append(_Training(number, nets[number], part, y, common | options, callbacks, lock))
    for training in trainings:
        training.check()
    _run(trainings, size, progress)
    for training in trainings:
        for message, category in training.warnings:
            warn(f"nets[{training.number}]: {message}", category)
    return [training.history for training in trainings]


class _Training:
    """The training of one of the networks."""

    def __init__(
        self,
        number: int,
        net: MLP,
        part: Part,
        y: Any,
        options: dict[str, Any],
        callbacks: Sequence[Callback],
        lock: threading.Lock,
    ) -> None:
        self.number, self.net, self.part, self.y, self.options = number, net, part, y, options
        self.callbacks, self.lock = callbacks, lock
        self.history = History(stopped_because="interrupted")
        self.warnings: list[tuple[str, type[Warning]]] = []
        self.steps_done, self.ended, self.most = 0, False, 0
        self.running = _no_steps

    def check(self) -> None:
        """Raise what `train` raises before it changes the network."""
        options = self.options | {"seed": copy.deepcopy(self.options["seed"])}  # a generator must not go on here
        try:
            prepare(self.net, self.part, self.y, **options)
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"nets[{self.number}]: {error}") from error

    @property
    def n(self) -> int:
        """How many rows it may use."""
        return len(self.part.x) if self.part.rows is None else len(self.part.rows)

    @property
    def work(self) -> int:
        """What its length grows with: products of a row, rows and epochs."""
        return sum(a * b for a, b in itertools.pairwise(self.net.widths)) * self.n * int(self.options["epochs"])

    @property
    def all_steps(self) -> int:
        """Steps of the whole training, but for the rows that a fraction holds out."""
        validation = self.options["validation"]
        n = self.n - (0 if validation is None or isinstance(validation, tuple) else checks.held_out(validation, self.n))
        return -(-n // int(self.options["batch_size"])) * int(self.options["epochs"])

    @property
    def progress(self) -> int:
        """Steps done, all of them where the training has ended."""
        if self.ended:
            return self.all_steps
        steps = self.all_steps // int(self.options["epochs"])
        # a whole epoch still stands in the cell of its steps when it has been counted
        self.most = max(self.most, self.steps_done + self.running() % steps)
        return self.most

    def run(self, running: Any) -> None:
        """Train the network, in a thread of a crew."""
        self.running = running
        try:
            interrupt.check()
            with collected() as self.warnings:
                self.history = train(
                    self.net, self.part, self.y, **self.options,
                    callbacks=[self._count, *map(self._in_turn, self.callbacks)], threads=1,
                )  # fmt: skip
        except KeyboardInterrupt:  # before its first step
            pass
        finally:
            self.ended, self.running = True, _no_steps

    def _count(self, net: MLP, record: dict[str, Any]) -> None:
        self.steps_done = record["steps"]

    def _in_turn(self, callback: Callback) -> Callback:
        def call(net: MLP, record: dict[str, Any]) -> bool | None:
            with self.lock:
                return callback(net, record)

        return call


def _no_steps() -> int:
    return 0


def _run(trainings: list[_Training], size: int, progress: bool | None) -> None:
    """Train them in so many threads, the longest first; Ctrl-C ends all."""
    jobs = [training.run for training in sorted(trainings, key=lambda training: -training.work)]
    try:  # around `caught`, whose end hands on a Ctrl-C that nobody has looked at
        with (
            interrupt.caught(),
            progress_bar(progress, sum(training.all_steps for training in trainings), "step") as bar,
        ):

            def poll() -> None:
                bar.within_epoch(sum(training.progress for training in trainings))

            engine.run_crew(jobs, size, poll)
            poll()
    except KeyboardInterrupt:
        pass  # the histories say so


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
