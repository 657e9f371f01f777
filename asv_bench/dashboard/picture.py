"""README's picture: the ratios of all libraries over the commits, as one SVG image for a light or a dark page."""

import math
from dataclasses import dataclass

from .chart import Point, ratio_ticks
from .page import day, environment, facts, short
from .store import History
from .versus import Course, courses

WIDTH, MARGIN, GAP = 830, 14, 10
LEFT, PANEL_TOP, PANEL, BELOW = 30, 66, 120, 48  # of a panel: room for the axis, and its height
TITLE = "How many times as long others take for the same training"
SUBTITLE = "Line: geometric mean over networks and batches. Band: from the closest to the farthest. Dashed: fastmlp."
LOOKS = {
    "light": {"paper": "#ffffff", "ink": "#1b1b1b", "quiet": "#555555", "rule": "#dddddd", "line": "#0072b2"},
    "dark": {"paper": "#16181b", "ink": "#e6e6e6", "quiet": "#a8a8a8", "rule": "#34383d", "line": "#56b4e9"},
}


@dataclass(frozen=True)
class Panel:
    """The curve of a library."""

    library: str
    newest: float
    x: float
    y: float
    first: bool
    ticks: list[Point]
    one: float
    band: list[Point]
    line: list[Point]


def draw(history: History, look: str) -> str | None:
    """Return the image in the colours of `LOOKS`; None if no other library was measured."""
    shown = courses(history)
    if not shown:
        return None
    commits = history.commits
    width = (WIDTH - 2 * MARGIN - LEFT - GAP * (len(shown) - 1)) / len(shown)
    ticks = ratio_ticks(min(min(course.lows) for course in shown), max(max(course.highs) for course in shown))
    panels = [_panel(course, i, width, ticks, len(commits)) for i, course in enumerate(shown)]
    known = dict(facts(history))
    cpu = known.get("CPU of the newest run", f"{known['CPU']}, {known['cores']} cores")
    others = known.get("other libraries", "versions not noted")
    first, last = (f"{short(commit)} ({day(commit)})" for commit in (commits[0], commits[-1]))
    notes = [f"{len(commits)} commits from {first} to {last}, measured in turns. {cpu}."]
    notes.append(f"fastmlp: {known['environment']}; other libraries: {others}")
    text = (
        environment()
        .get_template("picture.svg")
        .render(
            title=TITLE,
            subtitle=SUBTITLE,
            notes=notes,
            panels=panels,
            width=WIDTH,
            height=PANEL_TOP + PANEL + BELOW,
            margin=MARGIN,
            left=LEFT,
            right=round(LEFT + width, 1),
            look=LOOKS[look],
        )
    )
    return text.rstrip("\n") + "\n"


def _panel(course: Course, index: int, width: float, ticks: tuple[float, ...], commits: int) -> Panel:
    low, high = math.log(ticks[0]), math.log(ticks[-1])

    def place(i: int, value: float) -> Point:
        x = LEFT + course.places[i] * width / max(1, commits - 1)
        return round(x, 1), _y(value)

    def _y(value: float) -> float:
        return round(8 + (PANEL - 8) * (high - math.log(value)) / (high - low), 1)

    upper = [place(i, value) for i, value in enumerate(course.highs)]
    lower = [place(i, value) for i, value in enumerate(course.lows)]
    return Panel(
        course.library,
        course.means[-1],
        round(MARGIN + index * (width + GAP), 1),
        PANEL_TOP,
        index == 0,
        [(tick, _y(tick)) for tick in ticks],
        _y(1),
        upper + lower[::-1],
        [place(i, value) for i, value in enumerate(course.means)],
    )
