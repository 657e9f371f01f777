"""The table of a reader's own question: the time of a step by network, batch, threads and dtype, and others' beside it.

Each row is of the newest commit in which it was measured. A step of fastmlp is that of the engine alone; where only
other libraries were measured, in turns with `fastmlp.train`, it is their time divided by their ratio.
"""

from dataclasses import dataclass

from peers import OURS

from .store import Commit, History
from .trends import STEPS
from .versus import COLUMN, TIMES_AS_LONG, label_of, text

THEIR_STEP = "libraries.Library.track_step"
THEIR_THREADS = "2"  # of both benchmarks of other libraries
# the benchmarks of fastmlp's step: their dtype on the page, and the parameters that are fixed
OUR_STEPS: dict[str, tuple[str, dict[str, str]]] = {
    "training.Step.time_steps": ("float32", {"batch norm": "'none'"}),
    "training.StepInBfloat16.time_steps": ("bfloat16 products", {}),
}
HEADINGS = ("network", "batch", "threads", "dtype")

Key = tuple[str, str, str, str]  # network, rows of a batch, threads, dtype


@dataclass
class Answer:
    """One row.

    Attributes
    ----------
    key : tuple of str
        Network, batch, threads and dtype.
    commit : Commit
        The commit that was measured.
    microseconds : float
        Of a step of fastmlp.
    ratios : dict
        For each library: its time divided by fastmlp's.
    """

    key: Key
    commit: Commit
    microseconds: float
    ratios: dict[str, float]


def answers(history: History) -> tuple[list[Answer], list[str]]:
    """Return the rows, and the labels of the libraries in them."""
    found: dict[Key, Answer] = {}
    for commit in history.commits:  # newer ones replace older ones
        ours, theirs = _ours(commit), _theirs(commit)
        for key in {**ours, **theirs}:
            derived, ratios = theirs.get(key, (0.0, {}))
            earlier = found.get(key)
            found[key] = Answer(key, commit, ours.get(key, derived), ratios or (earlier.ratios if earlier else {}))
    rows = sorted(found.values(), key=lambda answer: _order(answer.key))
    return rows, list(dict.fromkeys(name for row in rows for name in row.ratios))


def _ours(commit: Commit) -> dict[Key, float]:
    found = {}
    for benchmark, (dtype, fixed) in OUR_STEPS.items():
        for parameters, seconds in commit.values.get(benchmark, {}).items():
            chosen = dict(parameters)
            if all(chosen.get(name) == value for name, value in fixed.items()):
                key = (text(chosen["network"]), chosen["batch (rows)"], chosen["threads"], dtype)
                found[key] = seconds / STEPS * 1e6
    return found


def _theirs(commit: Commit) -> dict[Key, tuple[float, dict[str, float]]]:
    """Return for each task: the microseconds of fastmlp's step, and the ratio of each library."""
    found: dict[Key, tuple[float, dict[str, float]]] = {}
    steps = commit.values.get(THEIR_STEP, {})
    for parameters, ratio in commit.values.get(TIMES_AS_LONG, {}).items():
        chosen = dict(parameters)
        library = text(chosen[COLUMN])
        if parameters in steps and library != OURS:
            key = (text(chosen["network"]), chosen["batch (rows)"], THEIR_THREADS, "float32")
            _, ratios = found.setdefault(key, (0.0, {}))
            ratios[label_of(library)] = ratio
            found[key] = (steps[parameters] / ratio, ratios)
    return found


def _order(key: Key) -> tuple[object, ...]:
    network, batch, threads, dtype = key
    size = [int(width) for width in network.split("-") if width.isdecimal()]
    return dtype != "float32", sum(size), network, batch.zfill(9), threads.zfill(3), dtype
