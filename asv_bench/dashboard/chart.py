"""The positions of what a small line chart shows, in the units of its SVG image."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 380, 170
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 12, 26  # margins, for the labels
STEPS = (1, 2, 2.5, 4, 5, 8, 10)  # the top of an axis is one of these times a power of ten: it and its half are short
RATIOS = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1000,
)  # the possible ticks of an axis of ratios

Point = tuple[float, float]


@dataclass(frozen=True)
class Chart:
    """Values of commits, which are at equal distances.

    Attributes
    ----------
    points : list of (float, float)
        x and y of the values.
    runs : list of list of (float, float)
        The points in runs without a gap between commits.
    ticks : list of (float, float)
        Values on the axis, and their y coordinates.
    y : callable
        Returns the y coordinate of a value.
    """

    points: list[Point]
    runs: list[list[Point]]
    ticks: list[Point]
    y: Callable[[float], float]


def chart(values: list[float], places: Sequence[int] | None = None, commits: int | None = None) -> Chart:
    """Return the chart of `values`, none of which is negative.

    Parameters
    ----------
    values : list of float
        The values.
    places : sequence of int, optional
        The index of each value's commit. Default: 0, 1, ...
    commits : int, optional
        The number of commits. Default: the number of values.
    """
    bottom, top = axis(min(values), max(values))

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (top - value) / (top - bottom), 1)

    ticks = [(value, y(value)) for value in (bottom, (bottom + top) / 2, top)]
    return _placed(values, ticks, y, places or range(len(values)), commits or len(values))


def ratio_chart(values: list[float], places: Sequence[int], commits: int, lowest: float, highest: float) -> Chart:
    """Return the chart of ratios on a logarithmic axis from below `lowest` and 1 to above `highest`."""
    shown = ratio_ticks(lowest, highest)
    low, high = math.log(shown[0]), math.log(shown[-1])

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - math.log(value)) / (high - low), 1)

    return _placed(values, [(value, y(value)) for value in shown], y, places, commits)


def x_of(place: int, commits: int) -> float:
    """Return the x coordinate of a commit."""
    return round(LEFT + place * (WIDTH - LEFT - RIGHT) / max(1, commits - 1), 1)


def axis(smallest: float, largest: float) -> Point:
    """Return the ends of an axis: it starts at 0, or nearer to values that all differ by less than a half."""
    if smallest < largest / 2 or largest <= 0:
        return 0.0, axis_top(largest)
    span = axis_top(max(largest - smallest, largest / 10))
    while True:
        # half a span, so that all three ticks are short numbers
        bottom = math.floor(smallest / (span / 2) + 1e-9) * span / 2
        if bottom + span >= largest:
            return max(bottom, 0.0), bottom + span
        span = axis_top(span * 1.01)


def axis_top(largest: float) -> float:
    """Return a short number that is at least `largest`."""
    if largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next(step * power for step in STEPS if step * power >= largest)


def ratio_ticks(lowest: float, highest: float) -> tuple[float, ...]:
    """Return the ticks of a logarithmic axis from below `lowest` and 1 to above `highest` and 1."""
    lowest, highest = min(lowest, 1), max(highest, 1)
    first = max((i for i, tick in enumerate(RATIOS) if tick <= lowest), default=0)
    last = min((i for i, tick in enumerate(RATIOS) if tick >= highest), default=len(RATIOS) - 1)
    return RATIOS[first : max(last, first + 1) + 1]


def _placed(
    values: list[float], ticks: list[Point], y: Callable[[float], float], places: Sequence[int], commits: int
) -> Chart:
    points = [(x_of(place, commits), y(value)) for place, value in zip(places, values, strict=True)]
    runs: list[list[Point]] = []
    for i, point in enumerate(points):
        if i == 0 or places[i] != places[i - 1] + 1:
            runs.append([])
        runs[-1].append(point)
    return Chart(points, runs, ticks, y)
