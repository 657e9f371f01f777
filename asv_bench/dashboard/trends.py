"""The few figures that tell whether fastmlp becomes faster, over the commits."""

from dataclasses import dataclass
from urllib.parse import quote

from .store import Commit, History, Parameters

STEPS = 40  # that `training.Step.time_steps` measures at once


@dataclass(frozen=True)
class Headline:
    """A benchmark with one set of its parameters; less is better.

    Attributes
    ----------
    title, unit : str
        For reading.
    benchmark : str
        asv's name of it.
    parameters : tuple of (str, str)
        All of its parameters, values as asv writes them.
    scale : float
        Converts asv's value to the unit.
    """

    title: str
    unit: str
    benchmark: str
    parameters: Parameters = ()
    scale: float = 1.0

    def link(self, machine: str) -> str:
        """Return the address of asv's own graph."""
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
    """A headline's values.

    Attributes
    ----------
    headline : Headline
        What they are.
    points : list of (Commit, float)
        Oldest first, in the headline's unit; at least one.
    """

    headline: Headline
    points: list[tuple[Commit, float]]

    @property
    def change(self) -> float | None:
        """Newest value divided by the oldest; None where there is only one."""
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
