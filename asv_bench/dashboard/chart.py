"""The positions of the points of a small line chart, in the units of its SVG image."""

import math
from dataclasses import dataclass

WIDTH, HEIGHT = 380, 170
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 12, 26  # margins, for the labels
STEPS = (1, 2, 2.5, 4, 5, 8, 10)  # the top of an axis is one of these times a power of ten: it and its half are short


@dataclass(frozen=True)
class Chart:
    """Values at equal distances, on an axis that starts at 0.

    Attributes
    ----------
    points : list of (float, float)
        x and y of the values.
    ticks : list of (float, float)
        Values on the axis, and their y coordinates.
    """

    points: list[tuple[float, float]]
    ticks: list[tuple[float, float]]


def chart(values: list[float]) -> Chart:
    """Return the chart of `values`, none of which is negative."""
    top = axis_top(max(values))
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def y(value: float) -> float:
        return round(TOP + inner_height * (1 - value / top), 1)

    distance = inner_width / max(1, len(values) - 1)
    points = [(round(LEFT + i * distance, 1), y(value)) for i, value in enumerate(values)]
    return Chart(points, [(value, y(value)) for value in (0, top / 2, top)])


def axis_top(largest: float) -> float:
    """Return a short number that is at least `largest`."""
    if largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next(step * power for step in STEPS if step * power >= largest)
