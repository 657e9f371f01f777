"""A few figures over the commits, which show whether fastmlp becomes faster."""

from dataclasses import dataclass
from urllib.parse import quote

from .store import Commit, History, Parameters

STEPS = 40  # number of steps in one call of `training.Step.time_steps`


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
    """

    headline: Headline
    points: list[tuple[Commit, float]]

    @property
    def change(self) -> float | None:
        """The newest value divided by the oldest; None if there is only one."""
        return self.points[-1][1] / self.points[0][1] if len(self.points) > 1 else None


def trends(history: History) -> tuple[list[Trend], list[Headline]]:
    """Return the headlines that were measured, and those that were not."""
    measured, missing = [], []
    for headline in HEADLINES:
        points = [
            (commit, commit.values[headline.benchmark][headline.parameters] * headline.scale)
            for commit in history.having(headline.benchmark)
            if headline.parameters in commit.values[headline.benchmark]
        ]
        if points:
            measured.append(Trend(headline, points))
        else:
            missing.append(headline)
    return measured, missing
