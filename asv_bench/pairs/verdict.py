"""The verdict on each benchmark from the ratios of the rounds, at several looks, with bounded chances of error.

A benchmark is judged by two tests in a group-sequential design. "Slower" rejects that head / base is at most
``1 + MARGIN``, with the chance `ALPHA` of any false alarm in the whole comparison. "Same" rejects that head / base is
``1 + LIMIT`` or more, with the chance `BETA` for a benchmark that is so much slower. Each look spends a part of these
chances, in proportion to the rounds since the last look: the spending function ``f(t) = t`` of Lan and DeMets
("Discrete sequential boundaries for clinical trials", Biometrika, 1983), and for the second test as in Pampallona,
Tsiatis and Kim ("Interim monitoring of group sequential trials using spending functions for the type I and type II
error probabilities", Drug Information Journal, 2001). What is spent is added up (Boole's inequality), so the bounds
hold whatever the looks and the benchmarks have in common.
"""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from scipy import stats

from .selection import Case
from .timing import Sample

ALPHA = 0.05  # largest chance of any false alarm in a whole comparison
BETA = 0.04  # largest chance that a benchmark passes that is slower by LIMIT
MARGIN = 0.01  # a smaller slowdown is no regression
LIMIT = 0.05  # a slowdown that must be excluded before a benchmark passes


class Verdict(enum.Enum):
    """The verdict from the bounds of the ratio head / base. The values are the words of the report."""

    SLOWER = "**slower**"  # the lower bound is above 1 + MARGIN
    FASTER = "faster"  # the upper bound, with the same confidence, is below 1 / (1 + MARGIN)
    SAME = "same"  # the upper bound, with the confidence 1 - BETA, is below 1 + LIMIT
    UNCLEAR = "unclear"  # none of these


@dataclass(frozen=True)
class Finding:
    """A benchmark with its figures and its verdict.

    Attributes
    ----------
    case : Case
        The benchmark.
    rounds : int
        Number of pairs of processes that measured the benchmark.
    base, head : float
        What was measured, medians over the rounds.
    ratio, low, high : float
        Head / base: the geometric mean over the rounds, and the bounds by which it counts as slower or as faster.
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

    @property
    def decided(self) -> bool:
        """Whether more rounds would change nothing."""
        return self.verdict is not Verdict.UNCLEAR


def judge(case: Case, samples: Sequence[Sample], cases: int, before: int = 0) -> Finding:
    """Judge one of `cases` benchmarks, which was last judged after `before` rounds.

    The rounds are independent, since each has a new pair of processes. The bounds are those of Student's t for their
    mean log ratio.
    """
    logs = [sample.log_ratio for sample in samples]
    centre, error, freedom = fmean(logs), stdev(logs) / math.sqrt(len(logs)), len(logs) - 1
    spent = (len(logs) - before) / case.measure.looks[-1]
    alarm, miss = (stats.t.isf(chance * spent, freedom) * error for chance in (ALPHA / cases, BETA))
    low, high = math.exp(centre - alarm), math.exp(centre + alarm)
    base, head = median(sample.base for sample in samples), median(sample.head for sample in samples)
    verdict = _verdict(low, high, math.exp(centre + miss))
    return Finding(case, len(samples), base, head, math.exp(centre), low, high, verdict)


def _verdict(low: float, high: float, largest: float) -> Verdict:
    if low > 1 + MARGIN:
        return Verdict.SLOWER
    if high < 1 / (1 + MARGIN):
        return Verdict.FASTER
    return Verdict.SAME if largest < 1 + LIMIT else Verdict.UNCLEAR
