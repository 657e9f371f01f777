"""The number of threads of an estimator: all cores, but 1 inside a worker, since other workers use the other cores."""

import multiprocessing
import sys

from joblib.parallel import get_active_backend

from fastmlp.inputs import checks
from fastmlp.system.cores import usable_cores


def threads(wanted: int | None) -> int:
    """Return `wanted`. For None, return the number of cores that the process may use, or 1 in a parallel worker."""
    if wanted is not None:
        return checks.count("threads", wanted)
    return 1 if in_worker() else usable_cores()


def in_worker() -> bool:
    """Whether this code runs in a worker of joblib (any backend, also for ``n_jobs``), of dask or of a process pool."""
    backend, _ = get_active_backend()
    # joblib runs its tasks with a backend whose nesting level is above 0; n_jobs=1 does not change the level
    if getattr(backend, "nesting_level", None):
        return True
    return bool(multiprocessing.current_process().daemon) or _in_dask_task()


def _in_dask_task() -> bool:
    distributed = sys.modules.get("distributed")  # a process that has not imported it runs no task of dask
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True
