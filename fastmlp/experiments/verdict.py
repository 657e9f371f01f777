"""The comparison of the figures with the study's and the report's, and of the report's ranking with the noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fastmlp.experiments.table import Spread, Summary

# The allowed differences, an accuracy and a share of the steps. In the reproduction study, figures of different seeds
# differ by so much.
ACCURACY_BAND = 0.03
STEPS_BAND = 0.40

# a difference of means is more than noise if it is above this number of its standard errors
STANDARD_ERRORS = 2.0

BATCH_NORM_NOTE = (
    "With batch norm, fastmlp predicts by running statistics gathered in training. The report does not say what it "
    "does; its predict runs the same forward pass as training, so it probably normalised by the evaluated set itself."
)


@dataclass(frozen=True, kw_only=True)
class Check:
    """A measured figure, a reference value, and the band of allowed values about the reference."""

    experiment: str
    source: str
    figure: str
    measured: float
    reference: float
    low: float
    high: float
    runs_inside: int
    runs: int

    @property
    def inside(self) -> bool:
        """Whether the measured figure lies within the band."""
        return self.low <= self.measured <= self.high

    @property
    def measured_text(self) -> str:
        """The measured figure, rounded."""
        return self._number(self.measured)

    @property
    def band_text(self) -> str:
        """The ends of the band, rounded."""
        return f"{self._number(self.low)} to {self._number(self.high)}"

    def text(self) -> str:
        """Return the figure with its band, such as ``test accuracy 0.9102 (0.8760 to 0.9360, 5 of 5 runs inside)``."""
        return f"{self.figure} {self.measured_text} ({self.band_text}, {self.runs_inside} of {self.runs} runs inside)"

    def _number(self, value: float) -> str:
        return f"{value:.0f}" if self.figure == "steps" else f"{value:.4f}"


@dataclass(frozen=True)
class Verdict:
    """The checks, a sentence on the ranking, and sentences on runs that the stop rule did not end."""

    checks: list[Check]
    ranking: str
    endings: list[str]

    @property
    def all_inside(self) -> bool:
        """Whether every figure lies within its band."""
        return all(check.inside for check in self.checks)

    def lines(self) -> list[str]:
        """Return the verdict as sentences, one on each line."""
        groups = dict.fromkeys((check.experiment, check.source) for check in self.checks)
        lines = []
        for experiment, source in groups:
            own = [check for check in self.checks if (check.experiment, check.source) == (experiment, source)]
            for inside, word in ((True, "within"), (False, "OUTSIDE")):
                texts = [check.text() for check in own if check.inside is inside]
                if texts:
                    lines.append(f"{experiment}, {word} the band about {source}: {'; '.join(texts)}.")
        return [*lines, *self.endings, self.ranking, BATCH_NORM_NOTE]


def judge(summaries: Sequence[Summary]) -> Verdict:
    """Compare each experiment's means with the bands, and the report's ranking with the noise between seeds."""
    checks = [check for summary in summaries for check in _checks(summary)]
    return Verdict(checks, _ranking(summaries), [line for summary in summaries for line in _endings(summary)])


def _checks(summary: Summary) -> list[Check]:
    study, report = summary.experiment.study, summary.experiment.report
    about_study, about_report = "the study's means", "the report's numbers"
    references = [
        (about_study, "test_accuracy", "mean", study.test_accuracy),
        (about_study, "test_accuracy", "median", study.test_accuracy_median),
        (about_study, "steps", "mean", study.steps),
        (about_report, "train_accuracy", "mean", report.train_accuracy),
        (about_report, "test_accuracy", "mean", report.test_accuracy),
        (about_report, "val_accuracy", "mean", report.val_accuracy),
        (about_report, "steps", "mean", report.steps),
    ]
    checks = []
    for source, name, statistic, reference in references:
        spread = summary.figures[name]
        if reference is None or spread is None:
            continue
        margin = STEPS_BAND * reference if name == "steps" else ACCURACY_BAND
        low, high = reference - margin, reference + margin
        figure = name.replace("val_", "validation_").replace("_", " ")
        checks.append(
            Check(
                experiment=summary.experiment.title,
                source=source,
                figure=figure if statistic == "mean" else f"{statistic} {figure}",
                measured=getattr(spread, statistic),
                reference=reference,
                low=low,
                high=high,
                runs_inside=sum(low <= value <= high for value in spread.values),
                runs=summary.runs,
            )
        )
    return checks


def _endings(summary: Summary) -> list[str]:
    """Return a sentence for each reason other than the stop rule, with the number of runs that it ended."""
    limit = summary.experiment.configuration.epochs
    texts = {"epochs": f"reached the limit of {limit} epochs before the stop rule ended them"}
    return [
        f"{summary.experiment.title}: {count} of {summary.runs} runs {texts.get(reason, f'stopped because: {reason}')}."
        for reason, count in summary.stopped_because.items()
        if reason != "early stopping"
    ]


def _ranking(summaries: Sequence[Summary]) -> str:
    """Return a sentence on whether the report's order of test accuracies stands out of the noise between seeds."""
    ranked = sorted(summaries, key=lambda summary: summary.experiment.report.test_accuracy, reverse=True)
    spreads = [(summary.name, summary.figures["test_accuracy"]) for summary in ranked]
    order = " > ".join(name for name, _ in spreads)
    known = [(name, spread) for name, spread in spreads if spread is not None]
    if len(known) < 2:
        return "The report's ranking cannot be judged from one experiment."
    if any(spread.deviation is None for _, spread in known):
        return f"The report's ranking {order} (test accuracy) cannot be judged from one run of each: run several seeds."
    differences = [_difference(*better, *worse) for better, worse in pairwise(known)]
    texts = [f"{better} over {worse} {mean:+.4f} ± {error:.4f}" for better, worse, mean, error in differences]
    evidence = f"mean difference ± its standard error: {', '.join(texts)}"
    if all(mean > STANDARD_ERRORS * error for *_, mean, error in differences):
        return f"The report's ranking {order} (test accuracy) stands out of the noise between seeds here: {evidence}."
    noise = all(abs(mean) <= STANDARD_ERRORS * error for *_, mean, error in differences)
    reason = "the differences are within the noise between seeds" if noise else "not every difference points its way"
    return f"The report's ranking {order} (test accuracy) is not reproduced: {reason} ({evidence})."


def _difference(better: str, first: Spread, worse: str, second: Spread) -> tuple[str, str, float, float]:
    """Return the two names, the difference of the means, and its standard error."""
    variances = [(spread.deviation or 0.0) ** 2 / len(spread.values) for spread in (first, second)]
    return better, worse, first.mean - second.mean, math.sqrt(sum(variances))
