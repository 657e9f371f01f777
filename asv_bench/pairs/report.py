"""The report of a comparison as Markdown, for a terminal, a job summary or a pull request."""

from collections.abc import Sequence
from typing import Any

from .comparison import Comparison
from .counts import TARGET
from .measures import Measure
from .selection import Case
from .verdict import ALPHA, BETA, LIMIT, MARGIN, Finding, Verdict

SECONDS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
BYTES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0))
HEADER = """\
| benchmark | base | head | head ÷ base | bounds | instructions | |
| --- | ---: | ---: | ---: | ---: | ---: | --- |"""


def markdown(comparison: Comparison) -> str:
    """Return the report, without HTML: a headline, the benchmarks that differ or are unclear, and then the others."""
    loud = [f for f in comparison.findings if f.verdict is not Verdict.SAME]
    quiet = [f for f in comparison.findings if f.verdict is Verdict.SAME]
    parts = [f"### Benchmarks: {_headline(comparison)}", f"Base {comparison.base}, head {comparison.head}."]
    if loud:
        parts.append(_table(comparison, sorted(loud, key=lambda f: list(Verdict).index(f.verdict))))
    if comparison.not_compared:
        rows = (f"- {_code(case)}: {reason}" for case, reason in comparison.not_compared.items())
        parts.append("Not compared:\n\n" + "\n".join(rows))
    if quiet:
        parts.append("Without a regression:\n\n" + _table(comparison, quiet))
    parts.append(_notes(comparison))
    return "\n\n".join(parts) + "\n"


def _headline(comparison: Comparison) -> str:
    slower = sum(f.verdict is Verdict.SLOWER for f in comparison.findings)
    unclear = sum(f.verdict is Verdict.UNCLEAR for f in comparison.findings)
    text = f"{slower} of {len(comparison.findings)} slower" if slower else "no regression found"
    if unclear:
        text += f"; {unclear} too noisy to exclude a slowdown of {LIMIT:.0%}"
    if comparison.not_compared:
        text += f"; {len(comparison.not_compared)} not compared"
    return text


def _table(comparison: Comparison, findings: Sequence[Finding]) -> str:
    return "\n".join([HEADER, *(_row(comparison, finding) for finding in findings)])


def _row(comparison: Comparison, f: Finding) -> str:
    counted = comparison.counts.instructions.get(f.case)
    instructions = f"{counted[1] / counted[0] - 1:+.1%}" if counted else ""
    interval = f"{f.low:.3f} … {f.high:.3f}"
    figures = [_figure(f.base, f.case), _figure(f.head, f.case), f"{f.ratio:.3f}", interval]
    cells = [_code(f.case), *figures, instructions, f.verdict.value]
    return "| " + " | ".join(cells) + " |"


def _code(case: Case) -> str:
    return f"`{case}`"


def _figure(value: float, case: Case) -> str:
    units = BYTES if case.measure is Measure.PEAK else SECONDS
    unit, size = next((u for u in units if value >= u[1]), units[-1])
    return f"{value / size:.3g} {unit}"


def _notes(comparison: Comparison) -> str:
    rounds = sorted({f.rounds for f in comparison.findings}) or [0]
    spent = str(rounds[0]) if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
    counts = (
        f"Instructions: of a call, counted by Valgrind on code for {TARGET['NUMBA_CPU_NAME']}; they decide nothing."
        if comparison.counts.instructions
        else f"No instructions were counted: {comparison.counts.missing}."
    )
    how = (
        f"Figures of {spent} pairs of processes, calls alternating; one thread: CPU time on one core, else wall clock; "
        "processes that a benchmark starts: their CPU time."
    )
    verdicts = (
        f"Slower: the lower bound of head ÷ base is above {1 + MARGIN:.2f}; the chance of any false alarm in all "
        f"{len(comparison.findings)} benchmarks and looks together is at most {ALPHA:.0%}. Same: a slowdown of "
        f"{LIMIT:.0%} is excluded; the chance that such a benchmark passes is at most {BETA:.0%}."
    )
    return " ".join((how, verdicts, *comparison.notes, counts))


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return all figures. Times are seconds of a call, memory is bytes."""
    return {
        "base": comparison.base,
        "head": comparison.head,
        "findings": [_as_json(comparison, finding) for finding in comparison.findings],
        "not_compared": {str(case): reason for case, reason in comparison.not_compared.items()},
        "notes": list(comparison.notes),
    }


def _as_json(comparison: Comparison, f: Finding) -> dict[str, Any]:
    row = {"benchmark": str(f.case), "measure": f.case.measure.value, "verdict": f.verdict.name.lower()}
    figures = {"rounds": f.rounds, "base": f.base, "head": f.head, "ratio": f.ratio, "low": f.low, "high": f.high}
    counted = comparison.counts.instructions.get(f.case)
    return row | figures | ({"instructions": list(counted)} if counted else {})
