"""Training the cells of a grid in parallel processes, each finished cell kept."""

import contextlib
import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastmlp.experiments.folder import prepare_folder
from fastmlp.experiments.grid import Cell, Grid, digest_of
from fastmlp.experiments.results_file import ResultsFile
from fastmlp.experiments.run import Data, train_once, warm_up
from fastmlp.inputs import checks
from fastmlp.system.extras import require

RESULTS_NAME = "cells.jsonl"


@dataclass(frozen=True)
class SweepResult:
    """Every cell of the grid with its figures, and the time that it took.

    `seconds` is the wall time of this call, compilation included; `trained` of the cells were trained in it, the
    others had been finished before.
    """

    results: list[tuple[Cell, dict[str, Any]]]
    trained: int
    seconds: float

    @property
    def training_seconds(self) -> float:
        """The sum of all cells' training seconds, whenever they were trained."""
        return math.fsum(figures["seconds"] for _, figures in self.results)


def run_sweep(
    data: Data,
    folder: Path,
    *,
    grid: Grid | None = None,
    jobs: int = 1,
    finished: Callable[[Cell, dict[str, Any], bool], None] | None = None,
) -> SweepResult:
    """Train those cells of the grid that `folder` does not hold yet.

    Parameters
    ----------
    data : tuple of arrays
        X, y, X_test, y_test; the processes share one copy.
    folder : pathlib.Path
        Made where it is missing; holds ``cells.jsonl``, to which every cell is appended as it ends. Cells of another
        configuration, other data or another version of fastmlp stay in the file and are not taken for these.
    grid : Grid, optional
        The axes; the report's by default.
    jobs : int
        Processes; each trains on one thread.
    finished : callable, optional
        Called with every cell, its figures, and whether they had been there before, to draw a progress bar.

    Returns
    -------
    SweepResult

    Raises
    ------
    ValueError
        `jobs` is below 1, or ``cells.jsonl`` is something else.
    OSError
        The folder cannot be made or written to.
    KeyboardInterrupt
        Ctrl-C; the cells finished so far are kept.
    """
    jobs = checks.count("jobs", jobs)
    prepare_folder(folder, name="folder")
    start = time.perf_counter()
    cells = (grid or Grid()).cells()
    file = ResultsFile(folder / RESULTS_NAME)
    data_digest = digest_of(data)
    keys = {cell: cell.key(data_digest) for cell in cells}
    missing = []
    for cell in cells:
        if keys[cell] not in file.results:
            missing.append(cell)
        elif finished is not None:
            finished(cell, file.results[keys[cell]], True)
    with contextlib.closing(_train_all(missing, data, jobs)) as ended:
        for cell, figures in ended:
            file.append(keys[cell], asdict(cell), figures)
            if finished is not None:
                finished(cell, figures, False)
    results = [(cell, file.results[keys[cell]]) for cell in cells]
    return SweepResult(results, len(missing), time.perf_counter() - start)


def _train_all(cells: list[Cell], data: Data, jobs: int) -> Generator[tuple[Cell, dict[str, Any]], None, None]:
    """Yield every cell with its figures, in the order in which they end."""
    if not cells:
        return
    joblib = require("joblib", extra="experiments")
    jobs = min(jobs, len(cells))
    # joblib writes the arrays once and maps them into every process
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    with _ctrl_c_ignored() if jobs > 1 else contextlib.nullcontext():
        ended = parallel(joblib.delayed(_train_cell)(cell, data) for cell in cells)
    try:
        for pair in ended:  # noqa: UP028 - `yield from` would close it before the filter below is set
            yield pair
    finally:
        with warnings.catch_warnings():
            # joblib advises on the tasks that closing cancels, which is what an interruption asks for
            warnings.filterwarnings("ignore", message=".*tasks which were still being processed", category=UserWarning)
            ended.close()


@contextlib.contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Keep Ctrl-C, which a terminal sends to all, from processes that start inside: the main process ends them."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    earlier = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, earlier)


def _train_cell(cell: Cell, data: Data) -> tuple[Cell, dict[str, Any]]:
    """Train one cell on one thread; the first one of a process compiles before its seconds count."""
    method = (cell.configuration.batch_norm, cell.configuration.weight_decay > 0)
    if method not in _compiled:
        warm_up(cell.configuration, data, threads=1)
        _compiled.add(method)
    run = train_once(cell.configuration, data, seed=cell.seed, threads=1, name=cell.method)
    figures = run.figures()
    if run.final_cost is not None and not math.isfinite(run.final_cost):
        figures["final_cost"] = None
    return cell, figures


# the methods that this process has run before; a worker process keeps it from cell to cell
_compiled: set[tuple[bool, bool]] = set()
