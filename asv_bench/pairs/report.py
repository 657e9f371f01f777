"""The report of a comparison as Markdown, for a terminal, a job summary or a pull request."""

from collections.abc import Sequence
from typing import Any

from .comparison import Comparison
from .counts import TARGET
from .selection import Case
from .verdict import ALPHA, LIMIT, LOOKS, MARGIN, Finding, Verdict

UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
HEADER = """\
| benchmark | base | head | head ÷ base | confidence interval | instructions | |
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
    cells = [_code(f.case), _time(f.base), _time(f.head), f"{f.ratio:.3f}", interval, instructions, f.verdict.value]
    return "| " + " | ".join(cells) + " |"


def _code(case: Case) -> str:
    return f"`{case}`"


def _time(seconds: float) -> str:
    unit, size = next((u for u in UNITS if seconds >= u[1]), UNITS[-1])
    return f"{seconds / size:.3g} {unit}"


def _notes(comparison: Comparison) -> str:
    rounds = sorted({f.rounds for f in comparison.findings})
    spent = str(rounds[0]) if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
    counts = (
        f"Instructions: of a call, counted by Valgrind on code for {TARGET['NUMBA_CPU_NAME']}; they decide nothing."
        if comparison.counts.instructions
        else f"No instructions were counted: {comparison.counts.missing}."
    )
    return (
        f"Times of {spent} pairs of processes, calls alternating; one thread: CPU time on one core, else wall clock. "
        f"Slower: the whole confidence interval is above {1 + MARGIN:.2f}. The intervals hold together: by Bonferroni, "
        f"over {len(comparison.findings)} benchmarks and {len(LOOKS)} looks, the chance of any false alarm is at most "
        f"{ALPHA:.0%}. {counts}"
    )


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return all figures. Times are seconds of a call."""
    rows = []
    for f in comparison.findings:
        row = {"benchmark": str(f.case), "verdict": f.verdict.name.lower(), "rounds": f.rounds}
        row |= {"base": f.base, "head": f.head, "ratio": f.ratio, "low": f.low, "high": f.high}
        if counted := comparison.counts.instructions.get(f.case):
            row["instructions"] = list(counted)
        rows.append(row)
    not_compared = {str(case): reason for case, reason in comparison.not_compared.items()}
    return {"base": comparison.base, "head": comparison.head, "findings": rows, "not_compared": not_compared}
