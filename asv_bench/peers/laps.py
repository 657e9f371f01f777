"""The figures of a race from its epochs."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from . import LIBRARIES, OURS
from .recipe import Recipe
from .table import left_out, row, versions


@dataclass
class Race:
    """The epochs of all libraries and seeds.

    Attributes
    ----------
    recipe : Recipe
        What was trained.
    target : float
        The accuracy to reach.
    laps : dict
        For each library and each seed: the epochs, each with the seconds so far and the accuracy after it.
    versions, missing : dict
        For each library: its version, or the reason why it is left out.
    """

    recipe: Recipe
    target: float
    laps: dict[str, list[list[tuple[float, float]]]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def reached(self, name: str) -> int:
        """Return the number of seeds that reached the accuracy."""
        return sum(map(math.isfinite, self._times(name)))

    def seconds(self, name: str) -> float:
        """Return the median over the seeds of the seconds to the accuracy. A seed that never reached it is infinite."""
        return statistics.median(self._times(name))

    def seconds_of_an_epoch(self, name: str) -> float:
        """Return the median over the seeds of the seconds of an epoch."""
        return statistics.median(laps[-1][0] / len(laps) for laps in self.laps[name])

    def accuracy(self, name: str) -> float:
        """Return the median over the seeds of the accuracy at the end."""
        return statistics.median(laps[-1][1] for laps in self.laps[name])

    def _times(self, name: str) -> list[float]:
        return [laps[-1][0] if laps[-1][1] >= self.target else math.inf for laps in self.laps[name]]


def markdown(title: str, race: Race, machine: Iterable[str]) -> str:
    """Return the title, the table and the notes on the machine."""
    head = [
        "library",
        "seconds, median",
        "÷ fastmlp",
        "seconds of an epoch",
        "test accuracy, median",
        "seeds that got there",
    ]
    lines = [f"**{title}**", "", row(head), row(["---", *["---:"] * (len(head) - 1)])]
    lines += [row(_cells(race, name)) for name in LIBRARIES if name in race.laps]
    recipe = race.recipe
    work = (
        f"{recipe.samples:,} images, mini-batches of {recipe.batch}, {recipe.rule.label}, peak rate {recipe.peak}, "
        f"{recipe.epochs} epochs at most; seconds of training epochs alone"
    )
    notes = [
        work,
        *machine,
        *versions([race.versions]),
        *left_out([race.missing]),
    ]
    return "\n".join([*lines, "", *[f"- {note}" for note in notes]])


def _cells(race: Race, name: str) -> list[str]:
    seconds = race.seconds(name)
    ratio = seconds / race.seconds(OURS) if OURS in race.laps else math.nan
    return [
        LIBRARIES[name].label,
        f"{seconds:.2f}" if math.isfinite(seconds) else "not reached",
        f"{ratio:.2f}" if math.isfinite(ratio) and name != OURS else "-",
        f"{race.seconds_of_an_epoch(name):.2f}",
        f"{race.accuracy(name):.2%}",
        f"{race.reached(name)} of {len(race.laps[name])}",
    ]
