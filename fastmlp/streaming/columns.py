"""The columns of a table: which of them a network can take, and their values as arrays."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastmlp.system import extras

NUMBER, LIST, CATEGORY = "number", "list", "category"
MOST_CATEGORIES = 1 << 16  # of a column: more are names of rows rather than categories
EXPECTED = (
    "numbers, booleans, categories (dictionary-coded or strings), bytes or lists of numbers of a fixed size; "
    "choose the others by columns"
)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name : str
        Of the column.
    kind : str
        ``NUMBER``, ``LIST`` or ``CATEGORY``.
    dtype : numpy.dtype
        Of its numbers, bool for booleans; of a category that of its codes.
    width : int
        Numbers in a row.
    categories : tuple of str
        Of a category, in the order of their codes; empty until they are known.
    """

    name: str
    kind: str
    dtype: np.dtype
    width: int = 1
    categories: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[str]:
        """Names of the network's inputs that it becomes."""
        if self.kind == CATEGORY:
            return [f"{self.name}={category}" for category in self.categories]
        return [self.name] if self.kind == NUMBER else [f"{self.name}[{i}]" for i in range(self.width)]


class Columns(NamedTuple):
    """The columns of a stream, each a sequence of Column: of the data, the targets, and at most one of weights."""

    data: Sequence[Column]
    targets: Sequence[Column] = ()
    weights: Sequence[Column] = ()


def shown(names: Iterable[Any], most: int = 12) -> str:
    """Return names as an error shows them, the first so many."""
    known = list(names)
    return ", ".join(map(repr, known[:most])) + (", …" if len(known) > most else "")


def array_column(name: str, dtype: np.dtype, width: int | None) -> Column:
    """Return the column that an array of a file stands for; `width` None is an array of one dimension."""
    return Column(name, NUMBER, dtype) if width is None else Column(name, LIST, dtype, width)


def column_of(field: Any, where: str) -> Column:
    """Return what a field of an Arrow schema holds.

    Raises
    ------
    ValueError
        No network can take it.
    """
    types, kind = extras.require("pyarrow.types", extra="tables"), field.type
    if types.is_dictionary(kind) or _is_text(types, kind):
        return Column(field.name, CATEGORY, np.dtype(np.int32))
    if _is_number(types, kind):
        return Column(field.name, NUMBER, np.dtype(kind.to_pandas_dtype()))
    if types.is_fixed_size_list(kind) and _is_number(types, kind.value_type) and kind.list_size > 0:
        return Column(field.name, LIST, np.dtype(kind.value_type.to_pandas_dtype()), kind.list_size)
    if types.is_fixed_size_binary(kind) and kind.byte_width > 0:
        return Column(field.name, LIST, np.dtype(np.uint8), kind.byte_width)
    raise ValueError(f"{where}: column {field.name!r} holds {kind}, expected {EXPECTED}")


def _is_text(types: Any, kind: Any) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _is_number(types: Any, kind: Any) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


def values_of(array: Any, column: Column, where: str) -> np.ndarray:
    """Return the values of an Arrow array: numbers ``(n,)``, ``(n, width)`` of lists, int32 codes of categories.

    NumPy's arrays, which hold numbers alone, are returned as they are.

    Raises
    ------
    ValueError
        A value is missing, or a category is not among those of the column.
    """
    if isinstance(array, np.ndarray):
        return array
    refuse_missing(array, column.name, where)
    if column.kind == CATEGORY:
        return codes_of(array, column.name, column.categories, where)
    if column.kind == NUMBER:
        return numbers_of(array, column.dtype)
    if not hasattr(array, "flatten"):  # bytes of a fixed length
        content = np.frombuffer(array.buffers()[1], np.uint8).reshape(-1, column.width)
        return content[array.offset : array.offset + len(array)]
    elements = array.flatten()
    refuse_missing(elements, column.name, where, column.width)
    return numbers_of(elements, column.dtype).reshape(len(array), column.width)


def refuse_missing(array: Any, name: str, where: str, width: int = 1) -> None:
    """Raise ValueError where an Arrow array has missing values; a row has `width` of them."""
    if array.null_count:
        row = int(np.argmax(array.is_null().to_numpy(zero_copy_only=False))) // width
        raise ValueError(
            f"{where}: column {name!r} has no value in row {row} of the {len(array) // width} read at a time "
            f"({array.null_count} missing), expected one in every row"
        )


def numbers_of(array: Any, dtype: np.dtype) -> np.ndarray:
    """Return an Arrow array of a dtype without missing values as NumPy's, booleans as uint8."""
    if dtype.kind == "b":
        array = array.cast("uint8")
    found: np.ndarray = array.to_numpy(zero_copy_only=False)
    return found


def text_of(array: Any) -> Any:
    """Return an Arrow array of text or categories as (the different texts, their numbers row by row)."""
    encoded = (
        array.dictionary_encode() if _is_text(extras.require("pyarrow.types", extra="tables"), array.type) else array
    )
    return encoded.dictionary.cast("string"), encoded.indices


def codes_of(array: Any, name: str, known: tuple[str, ...], where: str) -> np.ndarray:
    """Return for each row of a column of text the place of its text in `known`.

    Raises
    ------
    ValueError
        A text is not known.
    """
    compute = extras.require("pyarrow.compute", extra="tables")
    texts, numbers = text_of(array)
    places = compute.index_in(texts, value_set=_value_set(known))
    found = places.take(numbers)
    if found.null_count:
        row = int(np.argmax(found.is_null().to_numpy(zero_copy_only=False)))
        text = texts[numbers[row].as_py()].as_py()
        raise ValueError(f"{where}: column {name!r} holds {text!r}, expected one of {shown(known, 8)}")
    codes: np.ndarray = found.to_numpy(zero_copy_only=False)
    return codes


@functools.lru_cache(maxsize=256)
def _value_set(known: tuple[str, ...]) -> Any:
    pyarrow = extras.require("pyarrow", extra="tables")
    return pyarrow.array(known, pyarrow.string())
