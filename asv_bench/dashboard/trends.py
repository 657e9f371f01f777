"""A few figures over the commits, which show whether fastmlp becomes faster, and where it did."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import geometric_mean
from urllib.parse import quote

from . import changes, nights
from .changes import Change
from .store import Commit, History
from .values import Parameters

STEPS = 40  # number of steps in one call of `training.Step.time_steps`
PEAK, BARRIER = "machine.Peak.track_fma_peak", "machine.Barrier.track_barrier"  # of the same night


@dataclass(frozen=True)
class Headline:
    """A benchmark with one set of its parameters. A smaller value is better.

    Attributes
    ----------
    title, unit : str
        Title and unit on the page.
    benchmark : str
        asv's name of the benchmark.
    parameters : tuple of (str, str)
        Names and values of all its parameters, as asv writes them.
    scale : float
        Factor that converts asv's value to the unit.
    """

    title: str
    unit: str
    benchmark: str
    parameters: Parameters = ()
    scale: float = 1.0

    @property
    def threads(self) -> str:
        """The number of threads, as asv writes it."""
        return dict(self.parameters).get("threads", "1")

    def value(self, commit: Commit) -> float | None:
        """Return the value with a commit, in the unit of the page; None if it was not measured."""
        value = commit.values.get(self.benchmark, {}).get(self.parameters)
        return None if value is None else value * self.scale

    def link(self, machine: str) -> str:
        """Return the address of asv's graph of the benchmark."""
        chosen = [("machine", machine), *((f"p-{name}", value) for name, value in self.parameters)]
        return f"index.html#{self.benchmark}?" + "&".join(f"{quote(name)}={quote(value)}" for name, value in chosen)


def _step(network: str) -> Headline:
    parameters = (("network", repr(network)), ("batch norm", "'none'"), ("batch (rows)", "128"), ("threads", "2"))
    title = f"One step of {network}, batch 128, 2 threads"
    return Headline(title, "µs", "training.Step.time_steps", parameters, 1e6 / STEPS)


HEADLINES = (
    _step("784-20-7-5-10"),
    _step("784-128-10"),
    _step("784-512-512-10"),
    Headline(
        "Prediction of 10,000 images by 784-128-10, 2 threads",
        "ms",
        "prediction.Prediction.time_predict_proba",
        (("network", "'784-128-10'"), ("threads", "2")),
        1e3,
    ),
    Headline(
        "Training of 784-128-10 to 98 % of MNIST's test images, 2 threads",
        "s",
        "accuracy.TimeToAccuracy.track_seconds",
        (("network", "'784-128-10'"), ("threads", "2")),
    ),
    Headline(
        "New process, from its start to the end of a tiny training",
        "s",
        "startup.Startup.time_process",
        (("what", "'first training'"),),
    ),
    Headline("First training on a machine: everything is compiled", "s", "startup.ColdStart.track_first_training"),
)


@dataclass(frozen=True)
class Trend:
    """The values of a headline.

    Attributes
    ----------
    headline : Headline
        The benchmark.
    points : list of (Commit, float)
        Oldest first, in the headline's unit; at least one.
    places : list of int
        The index of each point's commit among all commits of the history.
    quiet : list of float
        The values without the noise of the night.
    changes : list of Change
        The change points of `quiet`, oldest first. Their indices count the points.
    """

    headline: Headline
    points: list[tuple[Commit, float]]
    places: list[int]
    quiet: list[float]
    changes: list[Change]

    @property
    def change(self) -> float | None:
        """The newest of `quiet` divided by the oldest; None if there is only one."""
        return self.quiet[-1] / self.quiet[0] if len(self.points) > 1 else None

    @property
    def gaps(self) -> int:
        """The number of commits between the oldest and the newest point without a value."""
        return self.places[-1] - self.places[0] + 1 - len(self.places)

    @property
    def noise(self) -> float:
        """The standard deviation of the logarithms of `quiet`, without steps."""
        return changes.noise(self.quiet)

    @property
    def measured_noise(self) -> float:
        """The same of the values as they were measured, with the noise of the night."""
        return changes.noise([value for _, value in self.points])

    def levels(self) -> list[tuple[int, int, float]]:
        """Return the first and the last point of each level between change points, and the level."""
        starts = [0, *[change.start for change in self.changes], len(self.quiet)]
        return [(a, b - 1, geometric_mean(self.quiet[a:b])) for a, b in pairwise(starts)]

    def rise(self) -> Change | None:
        """Return the newest change point if the figure became worse there and has stayed so for `changes.HOLD` commits.

        These commits are nearer to the new level than to the old one: PELT may count a commit of the old level with the
        new one.
        """
        if not self.changes or self.changes[-1].ratio <= 1:
            return None
        (_, _, old), (first, _, new) = self.levels()[-2:]
        held = sum(value > math.sqrt(old * new) for value in self.quiet[first:])
        return self.changes[-1] if held >= changes.HOLD else None


def trends(history: History) -> tuple[list[Trend], list[Headline]]:
    """Return the headlines that were measured, and those that were not."""
    found = {headline: trend(history, headline) for headline in HEADLINES}
    measured = [trend for trend in found.values() if trend is not None]
    return measured, [headline for headline, trend in found.items() if trend is None]


def trend(history: History, headline: Headline) -> Trend | None:
    """Return the values of a headline; None if it was never measured."""
    values = [headline.value(commit) for commit in history.commits]
    places = [i for i, value in enumerate(values) if value is not None and value > 0]
    if not places:
        return None
    points = [(history.commits[i], values[i] or 0.0) for i in places]
    factors, _ = nights.factors([value for _, value in points], list(_variates(headline, points)))
    quiet = [value / factor for (_, value), factor in zip(points, factors, strict=True)]
    return Trend(headline, points, places, quiet, changes.find(quiet))


def _variates(headline: Headline, points: list[tuple[Commit, float]]) -> Iterator[list[float | None]]:
    key = (("threads", headline.threads),)
    peaks = [commit.values.get(PEAK, {}).get(key) for commit, _ in points]
    yield [1 / peak if peak else None for peak in peaks]
    if headline.threads != "1":
        yield [commit.values.get(BARRIER, {}).get(key) or None for commit, _ in points]
