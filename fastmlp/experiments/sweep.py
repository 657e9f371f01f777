"""Training the cells of a grid in parallel processes. Every finished cell is kept in a file."""

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
    """Every cell of the grid with its figures, and the time of the sweep.

    `seconds` is the wall time of this call, including compilation. `trained` is the number of cells that this call
    trained. The other cells had been finished before.
    """

    results: list[tuple[Cell, dict[str, Any]]]
    trained: int
    seconds: float

    @property
    def training_seconds(self) -> float:
        """The sum of the training seconds of all cells, also of those that earlier calls trained."""
        return math.fsum(figures["seconds"] for _, figures in self.results)


def run_sweep(
    data: Data,
    folder: Path,
    *,
    grid: Grid | None = None,
    jobs: int = 1,
    finished: Callable[[Cell, dict[str, Any], bool], None] | None = None,
) -> SweepResult:
    """Train those cells of the grid whose results `folder` does not hold yet.

    Parameters
    ----------
    data : tuple of arrays
        X, y, X_test, y_test. The processes share one copy.
    folder : pathlib.Path
        The folder of the results, which is made if it is missing. Every cell that ends is appended to its file
        ``cells.jsonl``. Cells of other configurations, other data or other versions of fastmlp stay in the file and are
        not used.
    grid : Grid, optional
        The grid. Default: the report's.
    jobs : int
        Number of processes. Each trains on one thread.
    finished : callable, optional
        Called with every cell, its figures, and whether the cell had been finished before, for a progress bar.

    Returns
    -------
    SweepResult

    Raises
    ------
    ValueError
        `jobs` is below 1, or ``cells.jsonl`` is not the file of a sweep.
    OSError
        The folder cannot be made or written to.
    KeyboardInterrupt
        The sweep was interrupted by Ctrl-C. The cells that ended before are kept.
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
    """Yield every cell with its figures, in the order in which the trainings end."""
    if not cells:
        return
    joblib = require("joblib", extra="experiments")
    jobs = min(jobs, len(cells))
    # joblib writes the arrays to a file once, and every process maps this file into its memory
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    with _ctrl_c_ignored() if jobs > 1 else contextlib.nullcontext():
        ended = parallel(joblib.delayed(_train_cell)(cell, data) for cell in cells)
    try:
        for pair in ended:  # noqa: UP028 - `yield from` would close it before the filter below is set
            yield pair
    finally:
        with warnings.catch_warnings():
            # joblib warns of the tasks that `close` cancels; an interruption is meant to cancel them
            warnings.filterwarnings("ignore", message=".*tasks which were still being processed", category=UserWarning)
            ended.close()


@contextlib.contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Let processes that start in this block ignore Ctrl-C. A terminal sends it to all; the main process ends them."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    earlier = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, earlier)


def _train_cell(cell: Cell, data: Data) -> tuple[Cell, dict[str, Any]]:
    """Train one cell on one thread. For a process's first cell of a method, compile before the time is measured."""
    method = (cell.configuration.batch_norm, cell.configuration.weight_decay > 0)
    if method not in _compiled:
        warm_up(cell.configuration, data, threads=1)
        _compiled.add(method)
    run = train_once(cell.configuration, data, seed=cell.seed, threads=1, name=cell.method)
    figures = run.figures()
    if run.final_cost is not None and not math.isfinite(run.final_cost):
        figures["final_cost"] = None
    return cell, figures


# the methods that this process has run before; a worker process keeps this set from cell to cell
_compiled: set[tuple[bool, bool]] = set()
