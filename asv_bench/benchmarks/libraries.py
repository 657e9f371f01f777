"""The same training with other libraries: the time of a step, and this time divided by fastmlp's.

asv's environments do not have the other libraries. ``FASTMLP_PEERS_PYTHON`` names a Python that has them. fastmlp
always runs in asv's environment.
"""

import contextlib
import os
import sys
from pathlib import Path

from peers import COMPARED, LIBRARIES, OURS
from peers.comparison import Comparison, in_turns
from peers.process import MissingError, Worker
from peers.task import Task

from ._data import NETWORKS, widths_of
from ._pages import shown_as

VARIABLE = "FASTMLP_PEERS_PYTHON"
SAMPLES = 12_000  # a quarter of compare.py's rows: even so, an epoch of the slowest library takes seconds
TURNS = 3
BUDGET = 0.2  # seconds of a library in each turn; a turn has at least one epoch
THREADS = 2


def peers_python() -> str:
    """Return the Python that runs the other libraries."""
    python = os.environ.get(VARIABLE, sys.executable)
    if not (Path(python).is_file() and os.access(python, os.X_OK)):
        raise ValueError(f"{VARIABLE}: got {python!r}, expected the path of a Python, an executable file")
    return python


class Library:
    """A library and fastmlp, which take turns, so that noise of the machine affects both."""

    params = ([name for name in COMPARED["float32"] if name != OURS], NETWORKS, [128, 1000])
    param_names = ("library", "network", "batch (rows)")
    timeout = 600.0

    def setup(self, library: str, network: str, batch: int) -> None:
        self.task, self.workers = Task(tuple(widths_of(network)), batch, THREADS, SAMPLES), dict[str, Worker]()
        with contextlib.ExitStack() as stack:
            try:
                self.workers[library] = stack.enter_context(Worker(library, self.task, peers_python()))
            except MissingError as error:
                raise NotImplementedError(f"{LIBRARIES[library].label}: {error}") from error
            self.workers[OURS] = stack.enter_context(Worker(OURS, self.task))
            stack.pop_all()  # no error: `teardown` ends them

    def teardown(self, library: str, network: str, batch: int) -> None:
        for worker in self.workers.values():
            worker.close()

    def compare(self) -> Comparison:
        """Time both."""
        return Comparison(self.task, in_turns(self.workers, TURNS, BUDGET))

    @shown_as(f"Other libraries: a training step, {THREADS} threads", unit="microseconds")
    def track_step(self, library: str, network: str, batch: int) -> float:
        return self.compare().microseconds(library)

    @shown_as(f"Other libraries ÷ fastmlp, {THREADS} threads", unit="times as long as fastmlp")
    def track_ratio(self, library: str, network: str, batch: int) -> float:
        return self.compare().ratio(library)
