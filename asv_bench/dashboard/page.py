"""The HTML page: one file, which loads nothing from elsewhere."""

from collections.abc import Iterator
from pathlib import Path
from statistics import geometric_mean

import jinja2

from . import changes, chart
from .question import HEADINGS, answers
from .store import Commit, History
from .trends import trends
from .versus import TIMES_AS_LONG, courses, versus

FOLDER = Path(__file__).parent
LOOKS = FOLDER.parents[1] / "fastmlp" / "experiments" / "templates"  # base.html, which the experiments' pages use too


def render(histories: list[History]) -> str:
    """Return the page of all machines."""
    return (
        environment()
        .get_template("summary.html")
        .render(
            machines=[_machine(history) for history in histories],
            chart=chart,
            geometric_mean=geometric_mean,
            comparison=TIMES_AS_LONG.partition(".")[0],
            headings=HEADINGS,
            hold=changes.HOLD,
        )
    )


def environment() -> jinja2.Environment:
    """Return Jinja's environment with the templates and the filters of the page."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([FOLDER / "templates", LOOKS]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"digits": digits, "short": short, "day": day, "zip": zip, "percent": percent, "path": path}
    return found


def _machine(history: History) -> dict[str, object]:
    measured, missing = trends(history)
    count, ratios = len(history.commits), courses(history)
    lowest = min((value for course in ratios for value in course.lows), default=1.0)
    highest = max((value for course in ratios for value in course.highs), default=1.0)
    return {
        "name": history.machine["machine"],
        "facts": list(facts(history)),
        "commits": history.commits,
        "left_out": history.left_out,
        "versus": versus(history),
        "courses": [
            (course, chart.ratio_chart(course.means, course.places, count, lowest, highest)) for course in ratios
        ],
        "answers": answers(history),
        "trends": [(trend, chart.chart(trend.quiet, trend.places, count)) for trend in measured],
        "missing": missing,
    }


def facts(history: History) -> Iterator[tuple[str, str]]:
    """Yield the known facts about the machine and the environment, as name and value."""
    for name, label in (("cpu", "CPU"), ("num_cpu", "cores"), ("ram", "RAM"), ("os", "OS"), ("arch", "architecture")):
        value = history.machine.get(name, "")
        yield label, (_memory(value) if name == "ram" else value) or "not noted"
    yield "environment", history.environment or "not noted"
    yield from ((name, value) for name, value in history.facts.items() if name != "commit")


def _memory(amount: str) -> str:
    """Return the memory with a unit. asv notes bytes, without a unit."""
    return f"{int(amount) / 2**30:.1f} GiB" if amount.isdecimal() else amount


def digits(value: float) -> str:
    """Return a number with at least three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3g}"


def percent(ratio: float) -> str:
    """Return a ratio as a change in percent, with its sign."""
    change = (ratio - 1) * 100
    return f"{change:+.1f} %" if abs(change) < 10 else f"{change:+.0f} %"


def path(points: list[chart.Point]) -> str:
    """Return points as SVG writes them."""
    return " ".join(f"{x},{y}" for x, y in points)


def short(commit: Commit) -> str:
    """Return the first digits of the hash."""
    return commit.hash[:8]


def day(commit: Commit) -> str:
    """Return the date, UTC."""
    return f"{commit.date:%Y-%m-%d}"
