"""Write a report of each headline figure that became worse and has stayed so, unless an issue tells of it already.

    cd asv_bench && python rises.py --known issues.json --out rises

A figure has become worse if its newest change point on the summary page is a rise, and three commits since then are
nearer to the new level than to the old one. ``--known`` is what ``gh issue list --json body`` prints of the issues that
were made from these reports. A report ends with a line that names the figure and the newest commit that was measured.
An issue with such a line stands for every rise of this figure up to that commit, so each rise is reported once.

Each report is a file: the first line is the title of the issue, the rest is its text. The command prints their number.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import reading

if TYPE_CHECKING:
    from dashboard.changes import Change
    from dashboard.store import History
    from dashboard.trends import Trend

MARK = re.compile(r"^<!-- rise (\{.*\}) -->\s*$", re.MULTILINE)
SHOWN = 10  # newest commits whose values a report lists

Figure = tuple[str, str, str]  # machine, benchmark, parameters


def told(bodies: Iterable[str]) -> dict[Figure, datetime]:
    """Return the figures that have issues, each with the date of the newest commit that its newest issue knew."""
    found: dict[Figure, datetime] = {}
    for text in (text for body in bodies for text in MARK.findall(body)):
        fields = json.loads(text)
        key = (fields["machine"], fields["benchmark"], fields["parameters"])
        measured = datetime.fromisoformat(fields["measured"])
        found[key] = max(measured, found.get(key, measured))
    return found


def figure(history: "History", trend: "Trend") -> Figure:
    """Return the name of a figure in marks."""
    parameters = ", ".join(f"{name}={value}" for name, value in trend.headline.parameters)
    return history.machine["machine"], trend.headline.benchmark, parameters


def reports(histories: Iterable["History"], known: dict[Figure, datetime]) -> Iterator[str]:
    """Yield the report of each rise of which no issue tells."""
    from dashboard.trends import trends

    for history in histories:
        for trend in trends(history)[0]:
            rise = trend.rise()
            until = known.get(figure(history, trend))
            if rise is not None and (until is None or trend.points[rise.start][0].date > until):
                yield report(history, trend, rise)


def report(history: "History", trend: "Trend", rise: "Change") -> str:
    """Return the title and the text of an issue."""
    from dashboard.page import day, digits, percent, short

    machine, benchmark, parameters = figure(history, trend)
    commits = [commit for commit, _ in trend.points]
    size = f"{percent(rise.ratio)} (95 % interval: {percent(rise.low)} to {percent(rise.high)})"
    lines = [
        f"{percent(rise.ratio)}: {trend.headline.title}",
        f"The figure changed by {size} on the machine {machine}. Confidence: {100 * rise.confidence:.1f} %.",
        "",
        f"- after {commits[rise.earliest - 1].hash}",
        f"- at the latest in {commits[rise.latest].hash}",
        f"- most likely in {commits[rise.start].hash}",
        f"- benchmark: `{benchmark}` ({parameters})",
        "",
        f"| commit | day | {trend.headline.unit}, as measured | without the noise of the night |",
        "|---|---|---:|---:|",
    ]
    rows = list(zip(trend.points, trend.quiet, strict=True))[-SHOWN:]
    lines += [f"| {short(c)} | {day(c)} | {digits(value)} | {digits(quiet)} |" for (c, value), quiet in rows]
    measured = commits[-1].date.isoformat()
    fields = {"machine": machine, "benchmark": benchmark, "parameters": parameters, "measured": measured}
    return "\n".join([*lines, "", f"<!-- rise {json.dumps(fields)} -->"]) + "\n"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, metavar="DIR", help="asv's results; default: where asv.conf.json says")
    parser.add_argument("--known", type=Path, metavar="FILE", help="issues that there are; default: none")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for the reports")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the reports; return 2 if results or issues cannot be read."""
    args = parse(arguments)
    try:
        issues = [] if args.known is None else json.loads(args.known.read_text(encoding="utf-8"))
        known = told(issue["body"] for issue in issues)
        histories = reading.read(args.results)
        args.out.mkdir(parents=True)
    except (OSError, ValueError, KeyError, TypeError, reading.ReadError) as error:
        return reading.fail("rises.py", f"{type(error).__name__}: {error}")
    found = list(reports(histories, known))
    for i, text in enumerate(found, start=1):
        (args.out / f"{i}.md").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(found)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
