"""The encoding of a table: learned from training rows, then the same for all rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastmlp.streaming.columns import CATEGORY, NUMBER, shown
from fastmlp.system.warning import warn
from fastmlp.tables.column import BOOLEAN, DATE, GAP, WORDS, Known, Table, Values
from fastmlp.tables.levels import Levels
from fastmlp.tables.numbers import Numbers
from fastmlp.tables.scaling import Scaling

Column = Numbers | Levels


@dataclass(frozen=True)
class Encoder:
    """How the columns of a table become the inputs of a network.

    Attributes
    ----------
    columns : tuple of Numbers or Levels
        One for each column of the table.
    """

    columns: tuple[Column, ...]

    @classmethod
    def learned(cls, table: Table, weights: np.ndarray | None = None) -> "Encoder":
        """Return the encoding that training rows ask for; warn of columns without a difference or that identify rows.

        Parameters
        ----------
        table : Table
            The training rows.
        weights : numpy.ndarray (n,), optional
            How often each of them counts, above 0.

        Raises
        ------
        ValueError
            No column has two different values.
        """
        counts = np.ones(table.n) if weights is None else weights
        found = cls(tuple(_learned(column, counts) for column in table.columns))
        if not found.n_inputs:
            reasons = [f"{column.name!r} {column.left_out}" for column in found.columns[:5]]
            raise ValueError(
                f"no column of X has anything to learn from, expected two different values: {'; '.join(reasons)}"
            )
        for suspicion in _suspicions(found.columns):
            warn(suspicion)
        return found

    @property
    def inputs(self) -> list[str]:
        """Names of the network's inputs."""
        return [name for column in self.columns for name in column.inputs]

    @property
    def n_inputs(self) -> int:
        """How many they are."""
        return sum(column.n_inputs for column in self.columns)

    @property
    def known(self) -> list[Known | None]:
        """What `frames.read` needs to know."""
        return [column.known if column.n_inputs else None for column in self.columns]

    def __call__(self, table: Table) -> np.ndarray:
        """Return the inputs of rows.

        Parameters
        ----------
        table : Table
            With the columns of the training in their order, read with `known`.

        Returns
        -------
        numpy.ndarray (n, n_inputs)
            float32, C-ordered.

        Raises
        ------
        TypeError
            A column is of another kind.
        """
        out, first = np.empty((table.n, self.n_inputs), np.float32), 0
        for column, values in zip(self.columns, table.columns, strict=True):
            last = first + column.n_inputs
            if column.n_inputs:
                column.encode(_of_same_kind(column, values), out[:, first:last])
            first = last
        return out

    def described(self) -> list[dict[str, Any]]:
        """Return it as values of JSON, without loss."""
        return [column.described() for column in self.columns]

    @classmethod
    def of(cls, described: Any) -> "Encoder":
        """Return what `described` returned as an encoder again.

        Raises
        ------
        ValueError, TypeError, KeyError, IndexError
            It is something else.
        """
        found = cls(tuple(_column_of(item) for item in described))
        if not found.n_inputs:
            raise ValueError("expected a column with inputs, got none")
        found(Table([_nothing(column) for column in found.columns], 1))  # raises where numbers do not fit together
        return found


def _learned(column: Values, weights: np.ndarray) -> Column:
    kind = Levels if column.kind in (BOOLEAN, CATEGORY) else Numbers
    return kind.learned(column, weights)


def _suspicions(columns: tuple[Column, ...]) -> list[str]:
    """Return what a user should know of columns. All that hold one value, and all that hold none, have one sentence."""
    alike: dict[str, list[str]] = {}
    for column in columns:
        if column.left_out and column.n_distinct < 2:
            alike.setdefault(column.left_out, []).append(column.name)
    found = [column.suspicion for column in columns if column.suspicion]
    for why, names in alike.items():
        if len(names) == 1:
            found.append(f"column {names[0]!r} {why}: it is left out")
        else:
            found.append(f"columns {shown(names)} have {why.removeprefix('has ')}: they are left out")
    return found


def _nothing(column: Column) -> Values:
    """Return a row without a value."""
    return Values(column.name, column.kind, column.dtype, np.full(1, np.nan))


def _of_same_kind(column: Column, values: Values) -> Values:
    """Return values of the column's kind; a column without any value is of all kinds."""
    if values.missing.all():
        gap = GAP if isinstance(column, Levels) else np.nan
        return replace(values, kind=column.kind, values=np.full(len(values.values), gap), levels=())
    if values.kind != column.kind:
        raise TypeError(
            f"column {column.name!r} holds {WORDS[values.kind]} ({values.dtype}), expected {WORDS[column.kind]} "
            f"({column.dtype}) as in training"
        )
    if column.kind == DATE and (values.time_zone is None) != (column.known.time_zone is None):
        with_zone, without = f"the time zone {column.known.time_zone or values.time_zone}", "no time zone"
        got, expected = (with_zone, without) if values.time_zone else (without, with_zone)
        raise TypeError(f"column {column.name!r} holds dates of {got}, expected {expected} as in training")
    return values


def _column_of(described: Mapping[str, Any]) -> Column:
    fields = dict(described)
    fields["scaling"], fields["kept"] = _scaling_of(fields["scaling"]), tuple(fields["kept"])
    texts = (fields["name"], fields["dtype"], fields.get("time_zone") or "", *fields.get("levels", []))
    counts = (fields["n_missing"], fields["n_distinct"], *fields["kept"])
    if not all(isinstance(text, str) for text in texts) or not all(type(n) is int and n >= 0 for n in counts):
        raise ValueError(f"expected names and levels of text and counts of at least 0, got {described}")
    if len(fields["kept"]) != len(fields["scaling"].factor):
        raise ValueError(f"expected as many factors as inputs, got {described}")
    if fields["kind"] in (BOOLEAN, CATEGORY):
        return Levels(**fields | {"levels": tuple(fields["levels"])})
    if fields["kind"] not in (NUMBER, DATE):
        raise ValueError(f"kind must be one of {sorted(WORDS)}, got {fields['kind']!r}")
    gaps = fields["gaps"]
    return Numbers(**fields | {"gaps": None if gaps is None else _scaling_of(gaps)})


def _scaling_of(described: Mapping[str, Any]) -> Scaling:
    centre, factor = np.array(described["centre"], np.float64), np.array(described["factor"], np.float64)
    if centre.ndim != 1 or centre.shape != factor.shape or not np.isfinite([centre, factor]).all():
        raise ValueError(f"expected as many finite centres as factors, got {described}")
    return Scaling(centre, factor)
