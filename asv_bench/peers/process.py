"""The worker of a library, seen from the process that compares."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import LIBRARIES
from .task import Task

FOLDER = Path(__file__).parents[1]
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
OPENBLAS_CHOICES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # NumPy's BLAS shall choose by itself, at its fastest
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


class MissingError(Exception):
    """The library is not installed."""


class CrashError(Exception):
    """The library is installed and its worker ended with an error."""


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a worker: as many threads as the comparison grants, for every library's pool."""
    variables = {name: value for name, value in os.environ.items() if name not in OPENBLAS_CHOICES}
    variables |= dict.fromkeys(POOLS, str(threads))
    if threads == 1:
        variables["XLA_FLAGS"] = XLA_ONE_THREAD
    return variables


class Worker:
    """One library at work, in a process of its own.

    Parameters
    ----------
    name : str
        A key of `LIBRARIES`.
    task : Task
        What to train.
    python : str
        The interpreter that has the library; default: the one that runs this.

    Raises
    ------
    MissingError
        The library is not installed.
    CrashError
        It is, and could not do the task; the text holds the last line that it wrote.
    """

    def __init__(self, name: str, task: Task, python: str = sys.executable) -> None:
        self.label = LIBRARIES[name].label
        sizes = map(str, (task.batch, task.threads, task.samples))
        command = [python, "-m", "peers.worker", name, "-".join(map(str, task.widths)), *sizes]
        self.complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - see `close`
        self.process = subprocess.Popen(
            command,
            cwd=FOLDER,
            env=environment(task.threads),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
        )
        try:
            first = self._answer()
            if "missing" in first:
                raise MissingError(first["missing"])
        except BaseException:
            self.close()
            raise
        self.version: str = first["version"]

    def best_epoch(self, seconds: float) -> float:
        """Train for about `seconds`; return the time of the quickest epoch."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended: `_answer` says why
        return float(self._answer())

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.complaints.seek(0)
        said = self.complaints.read().strip().splitlines() or ["it said nothing"]
        raise CrashError(f"{self.label} ended with {code}: {said[-1]}")

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
        self.complaints.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
