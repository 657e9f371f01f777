"""The HTML page: one file, which loads nothing from elsewhere."""

from collections.abc import Iterator
from pathlib import Path
from statistics import geometric_mean

import jinja2

from . import chart
from .store import Commit, History
from .trends import trends
from .versus import TIMES_AS_LONG, versus

FOLDER = Path(__file__).parent
LOOKS = FOLDER.parents[1] / "fastmlp" / "experiments" / "templates"  # base.html, which the experiments' pages use too


def render(histories: list[History]) -> str:
    """Return the page of all machines."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([FOLDER / "templates", LOOKS]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"digits": digits, "short": short, "day": day, "zip": zip}
    machines = [_machine(history) for history in histories]
    template = environment.get_template("summary.html")
    return template.render(
        machines=machines, chart=chart, geometric_mean=geometric_mean, comparison=TIMES_AS_LONG.partition(".")[0]
    )


def _machine(history: History) -> dict[str, object]:
    measured, missing = trends(history)
    return {
        "name": history.machine["machine"],
        "facts": list(facts(history)),
        "newest": history.commits[-1],
        "count": len(history.commits),
        "versus": versus(history),
        "trends": [(trend, chart.chart([value for _, value in trend.points])) for trend in measured],
        "missing": missing,
    }


def facts(history: History) -> Iterator[tuple[str, str]]:
    """Yield the known facts about the machine and the environment, as name and value."""
    for name, label in (("cpu", "CPU"), ("num_cpu", "cores"), ("ram", "RAM"), ("os", "OS"), ("arch", "architecture")):
        value = history.machine.get(name, "")
        yield label, (_memory(value, history.machine) if name == "ram" else value) or "not noted"
    yield "environment", history.environment


def _memory(amount: str, machine: dict[str, str]) -> str:
    """Return the memory with a unit. asv notes a number without a unit: KiB on Linux, bytes on macOS."""
    if not amount.isdecimal():
        return amount
    size = int(amount) * (1024 if machine.get("os", "").startswith("Linux") else 1)
    return f"{size / 2**30:.1f} GiB"


def digits(value: float) -> str:
    """Return a number with at least three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3g}"


def short(commit: Commit) -> str:
    """Return the first digits of the hash."""
    return commit.hash[:8]


def day(commit: Commit) -> str:
    """Return the date, UTC."""
    return f"{commit.date:%Y-%m-%d}"
