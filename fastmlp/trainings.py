"""The trainings of `fastmlp.train_many`: one for each network, each in one thread of a crew."""

import copy
import itertools
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp import engine
from fastmlp.history import History
from fastmlp.inputs import checks
from fastmlp.inputs.splitting import UserData
from fastmlp.mlp import MLP
from fastmlp.optimizers import State
from fastmlp.prepared import Hyperparameters, prepare
from fastmlp.system import interrupt
from fastmlp.system.progress import progress_bar
from fastmlp.system.warning import collected
from fastmlp.train import Callback, train


class Task(NamedTuple):
    """What is asked of the training of one of the networks; `fastmlp.train_many` describes it.

    Attributes
    ----------
    net : MLP
        The network.
    data : UserData
        With a `Part` as X.
    how : Hyperparameters
        Of this network.
    state : State or None
        Of its optimizer.
    seed : int or numpy.random.Generator
        For the split and the shuffling.
    """

    net: MLP
    data: UserData
    how: Hyperparameters
    state: State | None
    seed: int | np.random.Generator


class Training:
    """The training of one of the networks."""

    def __init__(self, number: int, task: Task, callbacks: Sequence[Callback], lock: threading.Lock) -> None:
        self.number, self.task, self.callbacks, self.lock = number, task, callbacks, lock
        self.history = History(stopped_because="interrupted")
        self.warnings: list[tuple[str, type[Warning]]] = []
        self.steps_done, self.ended, self.most = 0, False, 0
        self.running = _no_steps

    def check(self) -> None:
        """Raise what `train` raises before it changes the network."""
        net, data, how, state, seed = self.task
        try:
            prepare(net, data, how, state=state, seed=copy.deepcopy(seed))  # a generator must not go on here
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"nets[{self.number}]: {error}") from error

    @property
    def n(self) -> int:
        """How many rows it may use."""
        part = self.task.data.X
        return len(part.x) if part.rows is None else len(part.rows)

    @property
    def work(self) -> int:
        """What its length grows with: products of a row, rows and epochs."""
        return sum(a * b for a, b in itertools.pairwise(self.task.net.widths)) * self.n * self.task.how.epochs

    @property
    def all_steps(self) -> int:
        """Steps of the whole training, but for the rows that a fraction holds out."""
        validation, how = self.task.data.validation, self.task.how
        n = self.n - (0 if validation is None or isinstance(validation, tuple) else checks.held_out(validation, self.n))
        return -(-n // how.batch_size) * how.epochs

    @property
    def progress(self) -> int:
        """Steps done, all of them where the training has ended."""
        if self.ended:
            return self.all_steps
        steps = self.all_steps // self.task.how.epochs
        # a whole epoch still stands in the cell of its steps when it has been counted
        self.most = max(self.most, self.steps_done + self.running() % steps)
        return self.most

    def run(self, running: Any) -> None:
        """Train the network, in a thread of a crew."""
        self.running = running
        try:
            interrupt.check()
            with collected() as self.warnings:
                net, data, how, state, seed = self.task
                self.history = train(
                    net, **data._asdict(), **how._asdict(), state=state, seed=seed,
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


def run_all(trainings: list[Training], size: int, progress: bool | None) -> None:
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
