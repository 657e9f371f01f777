"""The table of other libraries: their times divided by fastmlp's."""

from dataclasses import dataclass
from statistics import geometric_mean

from peers import LIBRARIES, OURS

from .store import Commit, History, Parameters

TIMES_AS_LONG = "libraries.Library.track_ratio"  # the time of a library divided by fastmlp's
COLUMN = "library"  # the parameter that names the library; each set of the other parameters is a row


@dataclass(frozen=True)
class Row:
    """One row of the table: one task.

    Attributes
    ----------
    task : list of str
        The values of the parameters.
    ratios : list of float or None
        The ratio of each library; None if it was not measured.
    """

    task: list[str]
    ratios: list[float | None]

    def best(self) -> float:
        """Return the ratio of the library that comes closest."""
        return min(ratio for ratio in self.ratios if ratio is not None)


@dataclass(frozen=True)
class Versus:
    """The table.

    Attributes
    ----------
    commit : Commit
        The newest commit with such a table.
    parameters, libraries : list of str
        Headings of the tasks and of the ratios.
    rows : list of Row
        One row for each task.
    means : list of float
        The geometric mean of each library's ratios.
    """

    commit: Commit
    parameters: list[str]
    libraries: list[str]
    rows: list[Row]
    means: list[float]

    @property
    def best(self) -> list[float]:
        """The best library's ratio, row by row."""
        return [row.best() for row in self.rows]


def versus(history: History) -> Versus | None:
    """Return the newest table, or None where no library was measured."""
    for commit in reversed(history.having(TIMES_AS_LONG)):
        ratios = {key: value for key, value in commit.values[TIMES_AS_LONG].items() if _library(key) != OURS}
        if ratios:
            return _table(commit, ratios)
    return None


def _table(commit: Commit, ratios: dict[Parameters, float]) -> Versus:
    libraries = list(dict.fromkeys(map(_library, ratios)))
    tasks = list(dict.fromkeys(map(_task, ratios)))
    cells = {(_task(key), _library(key)): value for key, value in ratios.items()}
    means = [geometric_mean([value for key, value in ratios.items() if _library(key) == name]) for name in libraries]
    rows = [Row([_text(value) for _, value in task], [cells.get((task, name)) for name in libraries]) for task in tasks]
    labels = [LIBRARIES[name].label if name in LIBRARIES else name for name in libraries]
    return Versus(commit, [name for name, _ in tasks[0]], labels, rows, means)


def _library(key: Parameters) -> str:
    return _text(dict(key)[COLUMN])


def _task(key: Parameters) -> Parameters:
    return tuple(pair for pair in key if pair[0] != COLUMN)


def _text(value: str) -> str:
    return value.strip("'\"")
