"""What was made of the columns of a table, one line each."""

from collections.abc import Sequence
from typing import Any

from fastmlp.cli import output
from fastmlp.streaming.columns import CATEGORY
from fastmlp.tables.column import WORDS
from fastmlp.tables.encoder import Encoder

SHOWN = 12  # columns, and levels of one
LONGEST = 24  # characters of a name or a level
HEADINGS = ("column", "kind", "gaps", "different", "inputs", "")


def described(encoder: Encoder) -> list[dict[str, Any]]:
    """Return what the columns are, as plain values.

    Parameters
    ----------
    encoder : Encoder
        As it was learned.

    Returns
    -------
    list of dict
        ``name``, ``kind``, ``gaps`` (rows without a value), ``different`` (values), ``inputs`` (of the network),
        ``levels`` (of categories, those with an input of their own) and ``left_out`` (why it has no input, or "").
    """
    return [
        {
            "name": column.name,
            "kind": column.kind,
            "gaps": column.n_missing,
            "different": column.n_distinct,
            "inputs": column.n_inputs,
            "levels": list(getattr(column, "levels", ())),
            "left_out": column.left_out,
        }
        for column in encoder.columns
    ]


def lines(found: Sequence[dict[str, Any]], *, every: bool) -> list[str]:
    """Return a table of the columns from `described` as text: of the first 12, or of every one."""
    shown = found if every else found[:SHOWN]
    more = len(found) - len(shown)
    text = output.aligned([HEADINGS, *map(cells_of, shown)], left=(0, 1, 5))
    return text + ([f"… and {more} more (--columns prints all)"] if more else [])


def cells_of(column: dict[str, Any]) -> tuple[str, ...]:
    """Return a column from `described` as texts under `HEADINGS`."""
    counts = (f"{column[name]:,}" for name in ("gaps", "different", "inputs"))
    return (shortened(column["name"]), WORDS[column["kind"]], *counts, note(column))


def note(column: dict[str, Any]) -> str:
    """Return why a column is left out, or its levels."""
    if column["left_out"]:
        return f"left out: {column['left_out']}"
    if column["kind"] != CATEGORY:
        return ""
    return listed(column["levels"], column["different"])


def listed(levels: Sequence[Any], number: int, most: int = 4) -> str:
    """Return the first of so many levels."""
    shown = [shortened(str(level)) for level in levels[:most]]
    return ", ".join(shown + (["…"] if number > len(shown) else []))


def shortened(text: str) -> str:
    """Return a text of at most 24 characters, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
