"""From the ratios of some rounds to a verdict on each benchmark, with a bounded rate of false alarms over all."""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from scipy import stats

from .selection import Case
from .timing import Sample

ALPHA = 0.05  # chance of any false alarm in a whole comparison, at most
LOOKS = (8, 16, 24)  # rounds after which a benchmark is judged; one that is decided is not timed again
MARGIN = 0.03  # a smaller slowdown is no regression
LIMIT = 0.10  # a slowdown that must be excluded before a benchmark passes


class Verdict(enum.Enum):
    """What the confidence interval of the ratio head / base says; values are as reports write them."""

    SLOWER = "**slower**"  # all of it is above 1 + MARGIN
    FASTER = "faster"  # all of it is below 1 / (1 + MARGIN)
    SAME = "same"  # all of it is below 1 + LIMIT
    UNCLEAR = "unclear"  # none of these


@dataclass(frozen=True)
class Finding:
    """A benchmark, judged.

    Attributes
    ----------
    case : Case
        The benchmark.
    rounds : int
        How many pairs of processes timed it.
    base, head : float
        Seconds of a call, medians over the rounds.
    ratio, low, high : float
        Head / base: the geometric mean over the rounds, and its confidence interval.
    verdict : Verdict
        What follows.
    """

    case: Case
    rounds: int
    base: float
    head: float
    ratio: float
    low: float
    high: float
    verdict: Verdict


def judge(case: Case, samples: Sequence[Sample], cases: int) -> Finding:
    """Judge one of `cases` benchmarks.

    The rounds are independent: a new pair of processes each. Student's t interval of their mean log ratio has coverage
    ``1 - 2 ALPHA / (cases · looks)``, so that by Bonferroni's inequality the chance that any interval of a comparison,
    at any look, lies wholly above its true ratio is at most `ALPHA`.
    """
    logs = [sample.log_ratio for sample in samples]
    confidence = 1 - 2 * ALPHA / (cases * len(LOOKS))
    interval = stats.ttest_1samp(logs, 0).confidence_interval(confidence)
    low, high = math.exp(interval.low), math.exp(interval.high)
    base, head = median(sample.base for sample in samples), median(sample.head for sample in samples)
    return Finding(case, len(samples), base, head, math.exp(fmean(logs)), low, high, _verdict(low, high))


def _verdict(low: float, high: float) -> Verdict:
    if low > 1 + MARGIN:
        return Verdict.SLOWER
    if high < 1 / (1 + MARGIN):
        return Verdict.FASTER
    return Verdict.SAME if high < 1 + LIMIT else Verdict.UNCLEAR
