"""The whole comparison of two builds: compile, then measure until every benchmark is decided."""

import itertools
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .counts import Counts
from .errors import GateError
from .process import COMPILATIONS, Build, Worker, set_up
from .selection import Case
from .timing import Sample, one_round
from .verdict import Finding, Verdict, judge

SECONDS = 330.0  # of all rounds, if not told otherwise


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    Attributes
    ----------
    base, head : str
        Abbreviated hashes of the commits.
    findings : list of Finding
        The finding of every benchmark that was measured.
    not_compared : mapping of Case to str
        The other benchmarks, and the reasons.
    counts : Counts
        The instructions, if they could be counted.
    notes : sequence of str
        What else a reader must know: sentences.
    """

    base: str
    head: str
    findings: list[Finding]
    not_compared: Mapping[Case, str]
    counts: Counts = field(default_factory=Counts)
    notes: Sequence[str] = ()

    @property
    def slower(self) -> bool:
        """Whether there is a regression."""
        return any(finding.verdict is Verdict.SLOWER for finding in self.findings)


def warm_up(builds: tuple[Build, Build], folder: Path, cases: Sequence[Case]) -> dict[Case, str]:
    """Set up every benchmark once with every compilation of both builds, which compiles the kernels.

    Returns the benchmarks that cannot be compared, with the reasons.

    Raises
    ------
    GateError
        A benchmark fails in the head, or no benchmark can be compared.
    """
    reasons = {case: "this system does not measure it" for case in cases if not case.measure.available}
    for number in range(COMPILATIONS):
        compiled = builds[0].compilation(number), builds[1].compilation(number)
        ready = [case for case in cases if case not in reasons]
        with Worker(compiled[0], folder, random.Random()) as base, Worker(compiled[1], folder, random.Random()) as head:
            reasons |= {case: reason for case in ready if (reason := _reason(base, head, case, builds))}
    if len(reasons) == len(cases):
        raise GateError("nothing to compare: " + "; ".join(f"{case}: {reason}" for case, reason in reasons.items()))
    return reasons


def _reason(base: Worker, head: Worker, case: Case, builds: tuple[Build, Build]) -> str:
    of_base, of_head = set_up(base, head, case)
    if "failed" in of_head:
        raise GateError(f"{case} fails in the head, {builds[1].label}: {of_head['failed']}")
    if "failed" in of_base:
        return f"fails in the base, {builds[0].label}: {of_base['failed']}"
    return str(of_head.get("skipped") or of_base.get("skipped") or "")


def in_order(cases: Sequence[Case], untouched: Collection[Case] = ()) -> list[list[Case]]:
    """Return the benchmarks in the groups in which they are measured.

    The first are those that the change can touch. Among them, and among the others, those that need a new process for
    each figure come last, as their rounds take longest.
    """
    groups: dict[tuple[bool, bool], list[Case]] = {}
    for case in cases:
        groups.setdefault((case in untouched, not case.measure.repeated), []).append(case)
    return [groups[key] for key in sorted(groups)]


def not_measured(cases: Sequence[Case], findings: Sequence[Finding], untouched: Collection[Case]) -> dict[Case, str]:
    """Return the benchmarks for which there was no time, with the reasons."""
    missing = set(cases) - {finding.case for finding in findings}
    reason = {True: "no time was left; the change cannot touch it", False: "no time was left"}
    return {case: reason[case in untouched] for case in cases if case in missing}


class Rounds:
    """The rounds of a comparison.

    Parameters
    ----------
    builds : tuple of Build
        Base and head.
    folder : Path
        Folder of the benchmarks.
    tell : callable
        Is told the progress.
    seconds : float
        The last round begins at most so many seconds after the first one.
    enough : collection of Case
        The comparison ends when one of these benchmarks is found to be slower.
    """

    def __init__(
        self,
        builds: tuple[Build, Build],
        folder: Path,
        tell: Callable[[str], None],
        *,
        seconds: float = SECONDS,
        enough: Collection[Case] = (),
    ) -> None:
        self.builds, self.folder, self.tell, self.enough = builds, folder, tell, enough
        self.rng, self.end = random.Random(), time.perf_counter() + seconds

    def compare(self, groups: Sequence[Sequence[Case]]) -> list[Finding]:
        """Measure the benchmarks, a group after the other, and judge them at their looks; return the findings.

        A benchmark that could not be measured in time has none.
        """
        cases, findings = sum(map(len, groups)), dict[Case, Finding]()
        for group in groups:
            samples: dict[Case, list[Sample]] = {case: [] for case in group}
            calls: dict[Case, int | None] = dict.fromkeys(group)
            for before, look in itertools.pairwise((0, *group[0].measure.looks)):
                self._measure(samples, calls, before, look)
                found = {
                    case: judge(case, samples[case], cases, before)
                    for case in calls
                    if len(samples[case]) > max(1, before)
                }
                findings |= found
                calls = {case: n for case, n in calls.items() if case in found and not found[case].decided}
                if self._ended(findings) or not calls:
                    break
            if self._ended(findings):
                break
        return list(findings.values())

    def _measure(
        self, samples: dict[Case, list[Sample]], calls: dict[Case, int | None], before: int, look: int
    ) -> None:
        for number in range(before, look):
            if time.perf_counter() >= self.end:
                return
            self.tell(f"round {number + 1} of {look}, {len(calls)} benchmarks")
            for case, sample in one_round(self.builds, self.folder, calls, number, self.rng).items():
                samples[case].append(sample)

    def _ended(self, findings: Mapping[Case, Finding]) -> bool:
        enough = any(case in findings and findings[case].verdict is Verdict.SLOWER for case in self.enough)
        return enough or time.perf_counter() >= self.end
