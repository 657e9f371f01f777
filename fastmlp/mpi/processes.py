"""Which processes train together, and how they sum their gradients."""

from dataclasses import dataclass
from typing import Any

from fastmlp.inputs import checks

REDUCTIONS = ("tree", "allreduce")
BATCH_NORMS = ("shard", "sync")
SHARDS = 8  # divided by 2, 4 and 8 processes; of a mini-batch of 1000 rows, each has 125


@dataclass(frozen=True)
class Processes:
    """The processes of a training, for ``train(..., comm=Processes(comm))``.

    Parameters
    ----------
    comm : mpi4py.MPI.Intracomm
        A communicator of all processes that train.
    shards : int, optional
        Into how many shards the rows are cut, at least one for each process; default: 8, or the number of processes
        where that is larger. The bits of the result depend on it, and not on the number of processes. A number that
        the number of processes divides gives all of them the same work.
    reduction : {"tree", "allreduce"}
        "tree" sums the gradients of the shards in one binary tree. "allreduce" has one shard for each process and
        leaves the order of the sums to MPI: other numbers of processes give other bits, and rows never move.
    batch_norm : {"shard", "sync"}
        Of which rows batch norm takes the statistics in a step: of those of each shard by itself, or of those of all
        shards. For "sync" the processes exchange statistics twice for each hidden layer of a step. A network without
        batch norm is trained in the same way by both.

    Raises
    ------
    ValueError, TypeError
        A parameter is out of its range or of the wrong type.
    """

    comm: Any
    shards: int | None = None
    reduction: str = "tree"
    batch_norm: str = "shard"

    def __post_init__(self) -> None:
        if not all(hasattr(self.comm, name) for name in ("allgather", "Allgatherv", "Dup", "Get_rank", "Get_size")):
            expected = "a communicator of mpi4py, such as mpi4py.MPI.COMM_WORLD"
            raise TypeError(f"comm must be {expected}, got {self.comm!r} ({type(self.comm).__name__})")
        checks.one_of("reduction", self.reduction, REDUCTIONS)
        checks.one_of("batch_norm", self.batch_norm, BATCH_NORMS)
        size = self.comm.Get_size()
        if self.shards is None:
            return
        checks.count("shards", self.shards)
        if self.reduction == "allreduce":
            raise ValueError(f"shards must be left out with reduction='allreduce', got {self.shards}")
        if self.shards < size:
            raise ValueError(f"shards must be at least the number of processes, {size}, got {self.shards}")

    @property
    def n_shards(self) -> int:
        """How many shards there are."""
        size: int = self.comm.Get_size()
        if self.reduction == "allreduce":
            return size
        return self.shards or max(SHARDS, size)
