"""The encoding of a column of numbers or dates."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.tables import scaling
from fastmlp.tables.column import DATE, Known, Values
from fastmlp.tables.dates import PARTS, parts
from fastmlp.tables.scaling import Scaling

SUSPECT_ROWS = 20  # fewer may differ all by chance


@dataclass(frozen=True)
class Numbers:
    """The inputs of a column of numbers, or of dates: the numbers scaled, and whether there is one, if it has gaps.

    Attributes
    ----------
    name, kind, dtype : str
        Of the column.
    n_missing, n_distinct : int
        Training rows without a value, and different values.
    scaling : Scaling
        Of the numbers that are not constant.
    kept : tuple of int
        Which numbers those are, of a date with several.
    gaps : Scaling or None
        Of the input that says whether a value is missing; None if no training row lacks one.
    time_zone : str or None
        Of dates.
    counts_rows : bool
        Whether it numbers rows, as identifiers do: whole numbers, each once, and most of those of their range.
    """

    name: str
    kind: str
    dtype: str
    n_missing: int
    n_distinct: int
    scaling: Scaling
    kept: tuple[int, ...]
    gaps: Scaling | None
    time_zone: str | None = None
    counts_rows: bool = False

    @classmethod
    def learned(cls, column: Values, weights: np.ndarray) -> "Numbers":
        """Return the encoding that training rows of some weights ask for."""
        missing = column.missing
        present = column.values[~missing]
        n_missing, different = int(missing.sum()), np.unique(present)
        gaps, scaled, kept = None, scaling.NOTHING, np.zeros(0, np.int64)
        if len(present):
            whole = scaling.learned(_numbers(column.kind, present), weights[~missing])
            kept = np.flatnonzero(whole.varies)
            scaled = whole.of(kept)
            if n_missing:
                gaps = scaling.learned(missing[:, None].astype(float), weights)
        return cls(
            column.name,
            column.kind,
            column.dtype,
            n_missing,
            len(different),
            scaled,
            tuple(map(int, kept)),
            gaps,
            column.time_zone,
            "int" in column.dtype.lower() and len(different) == len(present) >= SUSPECT_ROWS and _are_dense(different),
        )

    @property
    def inputs(self) -> list[str]:
        """Names of the network's inputs."""
        names = [f"{self.name}.{part}" for part in PARTS] if self.kind == DATE else [self.name]
        return [names[i] for i in self.kept] + ([f"{self.name}.missing"] if self.gaps else [])

    @property
    def n_inputs(self) -> int:
        """How many they are."""
        return len(self.kept) + (self.gaps is not None)

    @property
    def known(self) -> Known:
        """What a reader needs to know of it."""
        return Known(self.kind, self.time_zone)

    @property
    def left_out(self) -> str:
        """Why it has no input; empty where it has one."""
        if self.n_inputs:
            return ""
        return "has a single value in all rows" if self.n_distinct else "has no value in any row"

    @property
    def suspicion(self) -> str:
        """What a user should know of it; empty where there is nothing."""
        if not self.counts_rows:
            return ""
        return (
            f"column {self.name!r} numbers the rows ({self.n_distinct} whole numbers, each once), as identifiers do: "
            "it is trained on like other numbers; leave it out unless it means something"
        )

    def encode(self, column: Values, out: np.ndarray) -> None:
        """Write the inputs ``out (n, n_inputs)`` of some rows."""
        numbers = _numbers(self.kind, column.values)[:, list(self.kept)]
        out[:, : len(self.kept)] = self.scaling(numbers)
        if self.gaps is not None:
            out[:, len(self.kept) :] = self.gaps(column.missing[:, None].astype(float))

    def described(self) -> dict[str, Any]:
        """Return it as values of JSON."""
        own = {
            "scaling": self.scaling.described(),
            "gaps": self.gaps and self.gaps.described(),
            "kept": list(self.kept),
        }
        return {**vars(self), **own}


def _are_dense(different: np.ndarray) -> bool:
    """Whether these numbers, sorted, are at least half of the whole numbers of their range: some rows are held out."""
    return bool(different[-1] - different[0] < 2 * len(different))


def _numbers(kind: str, values: np.ndarray) -> np.ndarray:
    return parts(values) if kind == DATE else values[:, None]
