"""What code that must not wait for the import of `fastmlp.mpi` knows of rows that several processes have."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Given:
    """What `train` takes as X from one of several processes.

    Attributes
    ----------
    x : array-like or Matrix
        The rows of this process.
    ranks : fastmlp.mpi.ranks.Ranks
        The processes.
    """

    x: Any
    ranks: Any


class AnySharedRows:
    """Base of `fastmlp.mpi.rows.Shared`, by which they are told from those of one process.

    Attributes
    ----------
    filler : fastmlp.streaming.filling.Filler or None
        Where they are rows of a stream.
    """

    filler: Any = None
