"""The columns of a stream matched to the names of a network's inputs."""

from collections.abc import Sequence
from dataclasses import replace

from fastmlp.streaming.columns import CATEGORY, LIST, Column, shown


def matched(columns: Sequence[Column], names: Sequence[str]) -> list[Column]:
    """Return the columns that a network was trained with, in its order, with the categories that it knows.

    Parameters
    ----------
    columns : sequence of Column
        Of the stream.
    names : sequence of str
        Of the network's inputs, as `Column.inputs` makes them.

    Raises
    ------
    ValueError
        There is no such column.
    """
    known = {column.name: column for column in columns}
    found, place = list[Column](), 0
    while place < len(names):
        column = _column(names[place], known)
        if column is None:
            lacks = f"the network was trained with {names[place]!r}, which the stream lacks"
            raise ValueError(f"{lacks}; it has {shown(known)}")
        if column.kind == CATEGORY:
            column = replace(column, categories=_categories(column.name, names, place))
        elif list(names[place : place + column.width]) != column.inputs:
            raise ValueError(
                f"the network was trained with other parts of {column.name!r} than {column.width} in order"
            )
        found.append(column)
        place += len(column.inputs)
    return found


def _column(name: str, known: dict[str, Column]) -> Column | None:
    """Return the column that an input comes from."""
    column = known.get(name)
    if column is not None and column.kind not in (CATEGORY, LIST):
        return column
    behind = [known.get(name[:place]) for place, letter in enumerate(name) if letter == "="]
    category = next((column for column in behind if column is not None and column.kind == CATEGORY), None)
    first_of_list = known.get(name.removesuffix("[0]"))
    return category or (first_of_list if first_of_list is not None and first_of_list.kind == LIST else None)


def _categories(name: str, names: Sequence[str], place: int) -> tuple[str, ...]:
    found = []
    while place < len(names) and names[place].startswith(f"{name}="):
        found.append(names[place][len(name) + 1 :])
        place += 1
    return tuple(found)
