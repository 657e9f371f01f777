"""The verdict on each benchmark from the ratios of the rounds. The chance of a false alarm over all is bounded."""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from scipy import stats

from .selection import Case
from .timing import Sample

ALPHA = 0.05  # largest chance of any false alarm in a whole comparison
LOOKS = (8, 16, 24)  # rounds after which a benchmark is judged; one that is decided is not timed again
MARGIN = 0.03  # a smaller slowdown is no regression
LIMIT = 0.10  # a slowdown that must be excluded before a benchmark passes


class Verdict(enum.Enum):
    """The verdict from the confidence interval of the ratio head / base. The values are the words of the report."""

    SLOWER = "**slower**"  # the whole interval is above 1 + MARGIN
    FASTER = "faster"  # the whole interval is below 1 / (1 + MARGIN)
    SAME = "same"  # the whole interval is below 1 + LIMIT
    UNCLEAR = "unclear"  # none of these


@dataclass(frozen=True)
class Finding:
    """A benchmark with its figures and its verdict.

    Attributes
    ----------
    case : Case
        The benchmark.
    rounds : int
        Number of pairs of processes that timed the benchmark.
    base, head : float
        Seconds of a call, medians over the rounds.
    ratio, low, high : float
        Head / base: the geometric mean over the rounds, and its confidence interval.
    verdict : Verdict
        The verdict.
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

    The rounds are independent, since each has a new pair of processes. Student's t interval of their mean log ratio has
    the coverage ``1 - 2 ALPHA / (cases · looks)``. So, by Bonferroni's inequality, the chance is at most `ALPHA` that
    any interval of a comparison, at any look, is wholly above its true ratio.
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
