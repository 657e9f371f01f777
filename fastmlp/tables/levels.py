"""The encoding of a column of categories or booleans."""

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastmlp.tables import scaling
from fastmlp.tables.column import BOOLEAN, Known, Values
from fastmlp.tables.numbers import SUSPECT_ROWS
from fastmlp.tables.scaling import Scaling

MOST_LEVELS = 256  # with an input of their own
FEWEST_ROWS = 10  # of a level with an input of its own, in a column of more levels than that
IDENTIFYING = 0.95  # of the rows with a value have another level: so do names of rows
SHARED, MISSING, UNKNOWN = 0, 1, 2  # behind the levels: a level without an input of its own; none; never seen


@dataclass(frozen=True)
class Levels:
    """The inputs of a column of categories or booleans.

    Two levels are one input, -1 and 1, and 0 where a value is missing or was not seen in training. Otherwise each level
    has an input that is 1 in its rows and 0 elsewhere, and so have missing values, if training has any. A level that
    was not seen in training is 0 in all inputs. A column of more than 256 levels has inputs for the 256 most frequent
    ones that stand in at least 10 rows; all others share one input, also those that were not seen. All inputs are then
    scaled as numbers are.

    Attributes
    ----------
    name, kind, dtype : str
        Of the column.
    n_missing, n_distinct : int
        Training rows without a value, and different levels.
    levels : tuple of str
        Those with an input of their own.
    scaling : Scaling
        Of the inputs that are not constant.
    kept : tuple of int
        Which inputs those are.
    identifies : bool
        Whether nearly every row has another level; then there are no inputs.
    """

    name: str
    kind: str
    dtype: str
    n_missing: int
    n_distinct: int
    levels: tuple[str, ...]
    scaling: Scaling
    kept: tuple[int, ...]
    identifies: bool = False

    @classmethod
    def learned(cls, column: Values, weights: np.ndarray) -> "Levels":
        """Return the encoding that training rows of some weights ask for."""
        missing = column.missing
        counts = np.bincount(column.values[~missing], weights[~missing], len(column.levels))
        n_missing, n_distinct = int(missing.sum()), int(np.count_nonzero(counts))
        n = len(missing) - n_missing
        identifies = n >= SUSPECT_ROWS and n_distinct > IDENTIFYING * n
        levels = () if identifies else _with_inputs(column.levels, counts)
        found = cls(
            column.name, column.kind, column.dtype, n_missing, n_distinct, levels, scaling.NOTHING, (), identifies
        )
        if identifies:
            return found
        of_places = np.bincount(found._places(column), weights, len(levels) + 3)
        used = of_places > 0
        whole = scaling.learned(found._plain[used], of_places[used])
        kept = np.flatnonzero(whole.varies)
        return replace(found, scaling=whole.of(kept), kept=tuple(map(int, kept)))

    @property
    def n_shared(self) -> int:
        """How many levels share one input."""
        return self.n_distinct - len(self.levels)

    @property
    def inputs(self) -> list[str]:
        """Names of the network's inputs."""
        return [self._names[i] for i in self.kept]

    @property
    def n_inputs(self) -> int:
        """How many they are."""
        return len(self.kept)

    @property
    def known(self) -> Known:
        """What a reader needs to know of it."""
        return Known(self.kind)

    @property
    def left_out(self) -> str:
        """Why it has no input; empty where it has one."""
        if self.n_inputs:
            return ""
        if self.n_distinct == 0:
            return "has no value in any row"
        if self.n_distinct == 1:
            return "has a single value in all rows"
        return f"has {self.n_distinct} levels, each in very few rows"

    @property
    def suspicion(self) -> str:
        """What a user should know of it; empty where there is nothing."""
        if self.n_inputs or self.n_distinct < 2:
            return ""
        as_what = ", as identifiers have" if self.identifies else ""
        return f"column {self.name!r} {self.left_out}{as_what}: it is left out"

    def encode(self, column: Values, out: np.ndarray) -> None:
        """Write the inputs ``out (n, n_inputs)`` of some rows."""
        out[:] = self._scaled[self._places(column)]

    def described(self) -> dict[str, Any]:
        """Return it as values of JSON."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return fields | {"levels": list(self.levels), "scaling": self.scaling.described(), "kept": list(self.kept)}

    @property
    def _two(self) -> bool:
        return len(self.levels) == 2 and not self.n_shared

    @property
    def _names(self) -> list[str]:
        if self._two:
            return [self.name if self.kind == BOOLEAN else f"{self.name}={self.levels[1]}"]
        names = [f"{self.name}={level}" for level in self.levels]
        names += [f"{self.name}.other"] if self.n_shared else []
        return names + ([f"{self.name}.missing"] if self.n_missing else [])

    @functools.cached_property
    def _plain(self) -> np.ndarray:
        """The inputs (n_levels + 3, n_inputs) of each level, of shared levels, a missing value, an unknown level."""
        n = len(self.levels)
        if self._two:
            return np.array([[-1.0], [1.0], [0.0], [0.0], [0.0]])
        table = np.zeros((n + 3, len(self._names)))
        table[np.arange(n), np.arange(n)] = 1
        if self.n_shared:
            table[[n + SHARED, n + UNKNOWN], n] = 1
        if self.n_missing:
            table[n + MISSING, -1] = 1
        return table

    @functools.cached_property
    def _scaled(self) -> np.ndarray:
        return self.scaling(self._plain[:, list(self.kept)])

    def _places(self, column: Values) -> np.ndarray:
        """Return for each row its row of `_plain`."""
        n = len(self.levels)
        own = {level: place for place, level in enumerate(self.levels)}
        otherwise = n + (SHARED if self.n_shared else UNKNOWN)
        # the last one stands for GAP, which is -1
        places = np.array([*(own.get(level, otherwise) for level in column.levels), n + MISSING])
        found: np.ndarray = places[column.values]
        return found


def _with_inputs(levels: tuple[str, ...], counts: np.ndarray) -> tuple[str, ...]:
    """Return the levels that get inputs of their own, in the order of `levels`."""
    present = np.flatnonzero(counts)
    if len(present) > MOST_LEVELS:
        frequent = sorted(present[counts[present] >= FEWEST_ROWS], key=lambda code: -counts[code])[:MOST_LEVELS]
        present = np.sort(np.array(frequent, np.int64))
    return tuple(levels[code] for code in present)
