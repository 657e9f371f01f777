"""The worker process of a library, as the comparing process uses it."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from dialogue import Dialogue

from . import LIBRARIES
from .task import Task

FOLDER = Path(__file__).parents[1]
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
OPENBLAS_CHOICES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # removed, so that BLAS chooses its fastest kernels
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


class MissingError(Exception):
    """The library is not installed."""


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a worker, which sets the number of threads of every library's thread pool."""
    variables = {name: value for name, value in os.environ.items() if name not in OPENBLAS_CHOICES}
    variables |= dict.fromkeys(POOLS, str(threads))
    if threads == 1:
        variables["XLA_FLAGS"] = XLA_ONE_THREAD
    return variables


class LibraryProcess(Dialogue):
    """A library in its own process, which is ready when the constructor returns.

    Parameters
    ----------
    label : str
        Name of the library in errors.
    command : sequence of str
        Command that starts the process. Its first answer is its version, or that the library is missing.
    threads : int
        Number of threads that the library may use.
    variables : mapping, optional
        Further variables of its environment.

    Raises
    ------
    MissingError
        The library is not installed.
    CrashError
        The library is installed and could not do the task. The text holds the last line that the process wrote.
    """

    def __init__(
        self, label: str, command: Sequence[str], threads: int, variables: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(label, command, environment(threads) | dict(variables), FOLDER)
        try:
            first = self.receive()
            if "missing" in first:
                raise MissingError(first["missing"])
        except BaseException:
            self.close()
            raise
        self.version: str = first["version"]

    def best_epoch(self, seconds: float) -> float:
        """Train for about `seconds`; return the time of the quickest epoch."""
        return float(self.ask(seconds))


class Worker(LibraryProcess):
    """One library and its training.

    Parameters
    ----------
    name : str
        A key of `LIBRARIES`.
    task : Task
        What to train.
    python : str
        The interpreter that has the library. Default: the interpreter of this process.
    module : str
        The module that runs in the process.
    """

    def __init__(self, name: str, task: Task, python: str = sys.executable, module: str = "peers.worker") -> None:
        command = [python, "-m", module, name, json.dumps(asdict(task))]
        super().__init__(LIBRARIES[name].label, command, task.threads)
