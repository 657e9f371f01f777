"""What a notebook shows of a training: a small curve, and the first and last records."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

ENDS = 3  # records shown of the beginning, and as many of the end
WIDTH, HEIGHT = 360, 120  # of the curve, in pixels
CURVES = (("cost", "#1f77b4"), ("val_cost", "#d62728"))


def history_html(title: str, fields: Sequence[str], records: Sequence[Mapping[str, Any]]) -> str:
    """Return the curves of the costs over the epochs, and the ends of the table of records, as HTML.

    Parameters
    ----------
    title : str
        One line above them.
    fields : sequence of str
        The columns of the table.
    records : sequence of dict
        One for each epoch.
    """
    shown = list(records) if len(records) <= 2 * ENDS else [*records[:ENDS], None, *records[-ENDS:]]
    head = "".join(f"<th>{escape(name)}</th>" for name in fields)
    rows = "".join(f"<tr>{_cells(record, fields)}</tr>" for record in shown)
    return f"<p>{escape(title)}</p>{_curves(records)}<table><tr>{head}</tr>{rows}</table>"


def _cells(record: Mapping[str, Any] | None, fields: Sequence[str]) -> str:
    if record is None:
        return "<td>…</td>" * len(fields)
    return "".join(f"<td>{escape(_text(record.get(name)))}</td>" for name in fields)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _curves(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the costs as lines from the left to the right; nothing where there are fewer than two points."""
    known = {name: [(i, r[name]) for i, r in enumerate(records) if _is_number(r.get(name))] for name, _ in CURVES}
    values = [value for points in known.values() for _, value in points]
    if len(records) < 2 or not values:
        return ""
    low, span = min(values), (max(values) - min(values)) or 1.0
    lines = []
    for name, colour in CURVES:
        points = " ".join(
            f"{i * WIDTH / (len(records) - 1):.1f},{(1 - (value - low) / span) * HEIGHT:.1f}"
            for i, value in known[name]
        )
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}"><title>{name}</title></polyline>')
    return f'<svg width="{WIDTH}" height="{HEIGHT}" role="img">{"".join(lines)}</svg>'


def _is_number(value: Any) -> bool:
    return value is not None and math.isfinite(value)
