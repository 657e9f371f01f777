"""Training in several processes, by MPI: ``fastmlp.train(..., comm=MPI.COMM_WORLD)``.

Needs mpi4py and an MPI library: ``pip install 'fastmlp[mpi]'``.
"""

from fastmlp.mpi.processes import Processes

__all__ = ["Processes"]
