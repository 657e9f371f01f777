"""Other libraries: their times divided by fastmlp's, with the newest commit and over the commits."""

from dataclasses import dataclass
from statistics import geometric_mean

from peers import LIBRARIES, OURS

from .store import Commit, History
from .values import Parameters

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


@dataclass(frozen=True)
class Course:
    """A library's ratios over the commits.

    Attributes
    ----------
    library : str
        Name of the library.
    places : list of int
        Indices of the commits that have the ratio of every task that the newest one has.
    means, lows, highs : list of float
        The geometric mean, the least and the largest of the ratios, for each of these commits.
    partial : int
        The number of commits that are left out, since they have some of the tasks only.
    """

    library: str
    places: list[int]
    means: list[float]
    lows: list[float]
    highs: list[float]
    partial: int


def versus(history: History) -> Versus | None:
    """Return the newest table, or None where no library was measured."""
    for commit in reversed(history.having(TIMES_AS_LONG)):
        ratios = _ratios(commit)
        if ratios:
            return _table(commit, ratios)
    return None


def courses(history: History) -> list[Course]:
    """Return the ratios of each library over the commits."""
    found: dict[str, list[tuple[int, dict[Parameters, float]]]] = {}
    for place, commit in enumerate(history.commits):
        for name in dict.fromkeys(map(_library, ratios := _ratios(commit))):
            tasks = {_task(key): value for key, value in ratios.items() if _library(key) == name}
            found.setdefault(name, []).append((place, tasks))
    return [_course(label_of(name), measured) for name, measured in found.items()]


def _course(label: str, measured: list[tuple[int, dict[Parameters, float]]]) -> Course:
    wanted = measured[-1][1].keys()  # a mean over other tasks would be another quantity
    whole = [(place, [ratios[task] for task in wanted]) for place, ratios in measured if wanted <= ratios.keys()]
    places, values = [place for place, _ in whole], [ratios for _, ratios in whole]
    means, lows, highs = ([of(ratios) for ratios in values] for of in (geometric_mean, min, max))
    return Course(label, places, means, lows, highs, len(measured) - len(whole))


def _ratios(commit: Commit) -> dict[Parameters, float]:
    return {key: value for key, value in commit.values.get(TIMES_AS_LONG, {}).items() if _library(key) != OURS}


def _table(commit: Commit, ratios: dict[Parameters, float]) -> Versus:
    libraries = list(dict.fromkeys(map(_library, ratios)))
    tasks = list(dict.fromkeys(map(_task, ratios)))
    cells = {(_task(key), _library(key)): value for key, value in ratios.items()}
    means = [geometric_mean([value for key, value in ratios.items() if _library(key) == name]) for name in libraries]
    rows = [Row([text(value) for _, value in task], [cells.get((task, name)) for name in libraries]) for task in tasks]
    return Versus(commit, [name for name, _ in tasks[0]], list(map(label_of, libraries)), rows, means)


def label_of(name: str) -> str:
    """Return the name of a library in tables."""
    return LIBRARIES[name].label if name in LIBRARIES else name


def _library(key: Parameters) -> str:
    return text(dict(key)[COLUMN])


def _task(key: Parameters) -> Parameters:
    return tuple(pair for pair in key if pair[0] != COLUMN)


def text(value: str) -> str:
    """Return a parameter's value without the quotation marks of its repr."""
    return value.strip("'\"")
