"""Processes that do a training together: what they have to agree on, and how all end when one fails.

Before anything changes, whatever a process raises is told to the others, which raise it, too. To that end all processes
meet in `Ranks.share` and nowhere else. From then on a failure ends all processes, as the others wait in a call of MPI;
but a file that cannot be read is an error in all of them.
"""

import contextlib
import os
import platform
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from fastmlp.alone import Alone
from fastmlp.inputs import checks
from fastmlp.inputs.identity import described, differences
from fastmlp.inputs.ranked import Given
from fastmlp.inputs.streamed import StreamError
from fastmlp.loop import INTERRUPTED
from fastmlp.mpi.processes import Processes
from fastmlp.network import Parameters
from fastmlp.system import interrupt
from fastmlp.system.cores import usable_cores
from fastmlp.system.extras import require
from fastmlp.system.version import VERSION

T = TypeVar("T")


class OtherRankError(ValueError):
    """Another process refused what it was asked for."""


class SharedStreamError(StreamError):
    """What is wrong with a stream in one process, raised in all of them at the same place."""


class Ranks(Alone):
    """The processes of one training, seen from one of them.

    Parameters
    ----------
    processes : Processes
        All of them.
    """

    def __init__(self, processes: Processes) -> None:
        self.mpi = require("mpi4py.MPI", extra="mpi")
        self.processes = processes
        self.comm = processes.comm.Dup()  # no message of the caller's is taken for one of these
        self.given_back = contextlib.ExitStack()
        self.given_back.callback(self.comm.Free)
        self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
        self.first = self.rank == 0
        here = self.comm.Split_type(self.mpi.COMM_TYPE_SHARED)
        self._here = here.Get_size()  # processes that can share memory with this one
        here.Free()

    def share(self, value: T) -> list[T]:
        """Return what all processes pass, in their order.

        Raises
        ------
        OtherRankError
            Another process has raised an error.
        """
        found = self.comm.allgather((None, value))
        self._raise_of(found)
        return [item for _, item in found]

    def _raise_of(self, found: list[tuple[str | None, Any]]) -> None:
        texts = [f"process {rank} of {self.size}: {text}" for rank, (text, _) in enumerate(found) if text is not None]
        if texts:
            raise OtherRankError("; ".join(texts))

    @contextlib.contextmanager
    def preparing(self) -> Iterator[None]:
        """Tell the others of an error, and raise where another process has one."""
        try:
            yield
            self.share(None)
        except BaseException as error:
            if not isinstance(error, OtherRankError):
                self.comm.allgather((f"{type(error).__name__}: {error}", None))
            self.given_back.close()
            raise

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """End all processes where this one fails; Ctrl-C is for `check` alone."""
        try:
            with interrupt.held():
                yield
            self.given_back.close()
        except BaseException as error:
            if self.size == 1 or isinstance(error, SharedStreamError):
                self.given_back.close()
                raise
            sys.stderr.write(f"process {self.rank} of {self.size} failed, so all end:\n")
            traceback.print_exception(error)
            sys.stderr.flush()
            self.comm.Abort(1)

    @contextlib.contextmanager
    def failing_together(self) -> Iterator[None]:
        """Raise in all processes what is wrong with a stream in one of them; all come to the end of the block."""
        failure = None
        try:
            yield
        except StreamError as error:
            failure = error
        for rank, text in enumerate(self.share(None if failure is None else str(failure))):
            if text is not None:
                text = text if self.size == 1 else f"process {rank} of {self.size}: {text}"
                raise SharedStreamError(text) from failure

    def threads(self, asked: int | None) -> int:
        """Return how many threads the process has: by default its part of the cores that its machine has for all."""
        mine = checks.threads(asked)
        cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(usable_cores()))
        known = self.share((platform.node(), cores))
        here = [their_cores for node, their_cores in known if node == platform.node()]
        return mine if asked is not None else max(1, min(mine, len(set().union(*here)) // len(here)))

    def rows(self, X: Any) -> Given:
        """Return X as the rows that this process gives to the training."""
        return Given(X, self)

    def agree(self, asked: Mapping[str, Any]) -> None:
        """Raise ValueError where two processes were asked for different things."""
        known = self.share(described({"fastmlp": VERSION, **asked}))
        for rank, other in enumerate(known):
            found = differences(other, known[0], (f"in process {rank}", "in process 0"))
            if found:
                raise OtherRankError(f"the processes must be asked for the same: {'; '.join(found)}")

    def from_first(self, function: Callable[[], T]) -> T:
        """Return what the first process gets from a function."""
        value: T = self.share(function() if self.first else None)[0]  # type: ignore[assignment]
        return value

    def any(self, flag: bool) -> bool:
        """Whether a flag is set in a process."""
        return any(self.share(flag))

    def ended(self, reason: str) -> str:
        """Return why the training ended: "interrupted" where Ctrl-C came behind the last `check` of all."""
        return INTERRUPTED if INTERRUPTED in self.share(reason) else reason

    def same(self, parameters: Parameters) -> None:
        """Raise RuntimeError where the processes have not the same parameters."""
        sums = self.share(int(parameters.bits.sum(dtype=np.uint64)))
        if len(set(sums)) > 1:
            other = next(rank for rank, found in enumerate(sums) if found != sums[0])
            raise RuntimeError(
                f"process {other} has other parameters than process 0 behind an epoch: their MPI or their CPUs do not "
                "give the same sums; take reduction='tree' and machines of one kind"
            )

    def check(self) -> None:
        """Raise KeyboardInterrupt in all processes where there was a Ctrl-C in one."""
        if self.any(interrupt.taken()):
            raise KeyboardInterrupt

    def on_one_machine(self) -> bool:
        """Whether all processes can share memory."""
        return bool(self._here == self.size)

    def gather(self, mine: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the rows of all processes' arrays, of which each has as many as `counts` says, in their order."""
        mine = np.ascontiguousarray(mine, np.float64)
        found, width = np.empty((int(counts.sum()), *mine.shape[1:])), int(np.prod(mine.shape[1:]))
        self.comm.Allgatherv(mine, [found, (counts * width).tolist()])
        return found


def ranks_of(comm: Any) -> Ranks:
    """Return the processes of a communicator of mpi4py, or of `Processes`."""
    return Ranks(comm if isinstance(comm, Processes) else Processes(comm))
