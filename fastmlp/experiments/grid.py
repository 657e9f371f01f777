"""The report's grid: its cells, the key of a cell, and the best cell of each method."""

import hashlib
import json
import statistics
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fastmlp import __version__
from fastmlp.experiments.configuration import Configuration
from fastmlp.experiments.run import Data
from fastmlp.inputs import checks

BATCH_SIZES = (32, 64, 128, 250, 500, 1000, 2000)
DECAYS = (0.1, 0.01, 0.001, 0.0005, 0.0001, 1e-5, 1e-6, 5e-6)
METHODS = ("none", "batch norm", "L2")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training of the grid: a method, its configuration and a seed."""

    method: str
    configuration: Configuration
    seed: int

    @property
    def column(self) -> str:
        """The heading of the cell's column: the method, or λ for L2."""
        return f"λ {self.configuration.weight_decay:g}" if self.method == "L2" else self.method

    def key(self, data_digest: str) -> str:
        """Return a digest of what determines the result: method, configuration, seed, data, version of fastmlp."""
        identity = {"cell": asdict(self), "data": data_digest, "fastmlp": __version__}
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The axes of the grid.

    Parameters
    ----------
    batch_sizes : tuple of int
        The batch sizes, one for each row of the grid.
    decays : tuple of float
        λ of the L2 columns, above 0. "none" and "batch norm" are further columns.
    learning_rate : float
        Learning rate of all cells.
    epochs : int
        Largest number of epochs of a cell. The report's stop rule usually ends a training earlier.
    seeds : tuple of int
        Every configuration is trained once with each seed.

    Raises
    ------
    ValueError
        An axis is empty, has a value twice, or a value is out of its range.
    """

    batch_sizes: tuple[int, ...] = BATCH_SIZES
    decays: tuple[float, ...] = DECAYS
    learning_rate: float = 0.009
    epochs: int = 100
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        for name in ("batch_sizes", "seeds"):
            if not getattr(self, name):
                raise ValueError(f"{name} must hold at least one value, got none")
        for name in ("batch_sizes", "decays", "seeds"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} must hold distinct values, got {values}")
        for decay in self.decays:
            checks.positive("decays", decay)
        self.cells()  # every configuration checks its own values

    def cells(self) -> list[Cell]:
        """Return all cells. For each seed, those with most steps come first, so that no long training is the last."""
        return [
            Cell(method=method, configuration=configuration, seed=seed)
            for seed in self.seeds
            for batch_size in sorted(self.batch_sizes)
            for method, configuration in self._row(batch_size)
        ]

    def columns(self) -> list[str]:
        """Return the headings of the columns, from no decay to the largest decay, and batch norm last."""
        decays = [f"λ {decay:g}" for decay in sorted(self.decays)]
        return ["none", *decays, "batch norm"]

    def _row(self, batch_size: int) -> list[tuple[str, Configuration]]:
        common: dict[str, Any] = {
            "batch_size": batch_size,
            "learning_rate": self.learning_rate,
            "epochs": self.epochs,
        }
        return [
            ("batch norm", Configuration(batch_norm=True, **common)),
            ("none", Configuration(**common)),
            *(("L2", Configuration(weight_decay=decay, **common)) for decay in self.decays),
        ]


@dataclass(frozen=True, kw_only=True)
class Place:
    """One place of the heat map: a batch size and a column, with figures averaged over the seeds."""

    method: str
    column: str
    batch_size: int
    weight_decay: float
    seeds: int
    val_accuracy: float
    test_accuracy: float
    epochs: float
    seconds: float


def places(results: Sequence[tuple[Cell, dict[str, Any]]]) -> list[Place]:
    """Average the results over the seeds.

    Parameters
    ----------
    results : sequence of (Cell, dict)
        Each finished cell with its figures, as `run_sweep` returns them.
    """
    groups: dict[tuple[int, str], list[tuple[Cell, dict[str, Any]]]] = {}
    for cell, figures in results:
        groups.setdefault((cell.configuration.batch_size, cell.column), []).append((cell, figures))
    return [
        Place(
            method=members[0][0].method,
            column=column,
            batch_size=batch_size,
            weight_decay=members[0][0].configuration.weight_decay,
            seeds=len(members),
            **{
                name: statistics.fmean(figures[name] for _, figures in members)
                for name in ("val_accuracy", "test_accuracy", "epochs", "seconds")
            },
        )
        for (batch_size, column), members in groups.items()
    ]


def best_cells(results: Sequence[tuple[Cell, dict[str, Any]]]) -> dict[str, Place]:
    """Return the place with the best validation accuracy of each method. The choice does not use the test set."""
    best: dict[str, Place] = {}
    for place in places(results):
        if place.method not in best or place.val_accuracy > best[place.method].val_accuracy:
            best[place.method] = place
    return {method: best[method] for method in METHODS if method in best}


def digest_of(data: Data) -> str:
    """Return a short digest of the arrays' shapes, dtypes and bytes."""
    parts = [f"{array.shape}{array.dtype}{zlib.crc32(np.ascontiguousarray(array).data):08x}" for array in data]
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]
