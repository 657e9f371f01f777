"""The whole comparison of two builds: compile, time until every benchmark is decided, count instructions."""

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .counts import Counts
from .errors import GateError
from .process import Build, Worker, set_up
from .selection import Case
from .timing import Sample, round_of_pairs
from .verdict import LOOKS, Finding, Verdict, judge


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    Attributes
    ----------
    base, head : str
        Abbreviated hashes of the commits.
    findings : list of Finding
        The finding of every benchmark that ran in both builds.
    not_compared : mapping of Case to str
        The other benchmarks, and the reasons.
    counts : Counts
        The instructions, if they could be counted.
    """

    base: str
    head: str
    findings: list[Finding]
    not_compared: Mapping[Case, str]
    counts: Counts = field(default_factory=Counts)

    @property
    def slower(self) -> bool:
        """Whether there is a regression."""
        return any(finding.verdict is Verdict.SLOWER for finding in self.findings)


def warm_up(builds: tuple[Build, Build], folder: Path, cases: Sequence[Case]) -> dict[Case, str]:
    """Set up every benchmark once in both builds, which compiles the kernels.

    Returns the benchmarks that cannot be compared, with the reasons.

    Raises
    ------
    GateError
        A benchmark fails in the head, or no benchmark can be compared.
    """
    reasons = {}
    rng = random.Random()
    with Worker(builds[0], folder, rng) as base, Worker(builds[1], folder, rng) as head:
        for case in cases:
            of_base, of_head = set_up(base, head, case)
            if "failed" in of_head:
                raise GateError(f"{case} fails in the head, {builds[1].label}: {of_head['failed']}")
            if "failed" in of_base:
                reasons[case] = f"fails in the base, {builds[0].label}: {of_base['failed']}"
            elif skipped := of_head.get("skipped") or of_base.get("skipped"):
                reasons[case] = skipped
    if len(reasons) == len(cases):
        raise GateError("nothing to compare: " + "; ".join(f"{case}: {reason}" for case, reason in reasons.items()))
    return reasons


def compare(
    builds: tuple[Build, Build],
    folder: Path,
    cases: Sequence[Case],
    tell: Callable[[str], None],
    *,
    stop_at_slower: bool = False,
) -> list[Finding]:
    """Time the benchmarks until each is decided or the last look is over; return the findings.

    With `stop_at_slower`, the first look that finds a slower benchmark is the last.
    """
    rng = random.Random()
    samples: dict[Case, list[Sample]] = {case: [] for case in cases}
    findings: dict[Case, Finding] = {}
    calls: dict[Case, int | None] = dict.fromkeys(cases)
    for start, stop in itertools.pairwise((0, *LOOKS)):
        for number in range(start, stop):
            tell(f"round {number + 1} of {stop}, {len(calls)} benchmarks")
            for case, sample in round_of_pairs(builds, folder, calls, number, rng).items():
                samples[case].append(sample)
        findings |= {case: judge(case, samples[case], len(cases)) for case in calls}
        calls = {case: n for case, n in calls.items() if findings[case].verdict is Verdict.UNCLEAR}
        slower = any(finding.verdict is Verdict.SLOWER for finding in findings.values())
        if not calls or (stop_at_slower and slower):
            break
    return list(findings.values())
