"""Rows go to the processes that train on them, once, before a training begins."""

from typing import NamedTuple

import numpy as np

from fastmlp.inputs.sparse import CsrRows, Matrix
from fastmlp.mpi.ranks import Ranks
from fastmlp.mpi.shards import cuts


class Cut(NamedTuple):
    """Who has which of the rows of all processes, numbered in the order of the processes.

    Attributes
    ----------
    bounds : numpy.ndarray (shards + 1,)
        Where the shards begin.
    owned : numpy.ndarray (size + 1,)
        Which shards each process trains on.
    given : numpy.ndarray (size + 1,)
        Which rows each process was given.
    """

    bounds: np.ndarray
    owned: np.ndarray
    given: np.ndarray

    @property
    def wanted(self) -> np.ndarray:
        """Which rows each process trains on ``(size + 1,)``."""
        found: np.ndarray = self.bounds[self.owned]
        return found

    @property
    def moves(self) -> bool:
        """Whether a process was given other rows than it trains on."""
        return not np.array_equal(self.wanted, self.given)

    def local(self, rank: int) -> np.ndarray:
        """Return where the shards of a process begin in its own rows."""
        mine = self.bounds[self.owned[rank] : self.owned[rank + 1] + 1]
        found: np.ndarray = mine - mine[0]
        return found


def cut_of(ranks: Ranks, counts: list[int]) -> Cut:
    """Return how the rows are cut into shards, where every process has so many."""
    given = np.concatenate([[0], np.cumsum(counts)])
    owned = cuts(ranks.processes.n_shards, ranks.size)
    bounds = given if ranks.processes.reduction == "allreduce" else cuts(int(given[-1]), ranks.processes.n_shards)
    return Cut(bounds, owned, given)


def moved(ranks: Ranks, name: str, rows: Matrix, cut: Cut) -> Matrix:
    """Return the rows that a process trains on, those of the array itself where they are the same in all processes.

    Raises
    ------
    ValueError
        Sparse rows would have to go to another process.
    """
    if not cut.moves:
        return rows
    if isinstance(rows, CsrRows):
        raise ValueError(
            f"{name}: sparse rows cannot go to another process; give process {ranks.rank} of {ranks.size} the rows "
            f"{cut.wanted[ranks.rank]} to {cut.wanted[ranks.rank + 1]} of all {cut.given[-1]}, or take "
            "Processes(comm, reduction='allreduce'), which trains on the rows where they are"
        )
    wanted, given = ranks.rank, ranks.rank
    found = np.empty((int(np.diff(cut.wanted)[wanted]), *rows.shape[1:]), rows.dtype)
    ranks.share(None)  # all have the memory
    kind = ranks.mpi.BYTE.Create_contiguous(max(1, rows.dtype.itemsize * int(np.prod(rows.shape[1:])))).Commit()
    outgoing = _overlaps(cut.given[given : given + 2], cut.wanted)
    incoming = _overlaps(cut.wanted[wanted : wanted + 2], cut.given)
    ranks.comm.Alltoallv([rows, *outgoing, kind], [found, *incoming, kind])
    kind.Free()
    return found


def _overlaps(mine: np.ndarray, theirs: np.ndarray) -> tuple[list[int], list[int]]:
    """Return how many of my rows lie in each of their ranges, and where these begin among mine."""
    ends = np.clip(theirs, *mine)
    return np.diff(ends).tolist(), (ends[:-1] - mine[0]).tolist()
