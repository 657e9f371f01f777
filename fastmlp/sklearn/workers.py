"""How many threads an estimator uses: all cores, but one inside a worker whose siblings use the others."""

import multiprocessing
import sys

from joblib.parallel import get_active_backend

from fastmlp.inputs import checks
from fastmlp.system.cores import usable_cores


def threads(wanted: int | None) -> int:
    """Return `wanted`; for None all cores that the process may use, or 1 in a parallel worker."""
    if wanted is not None:
        return checks.count("threads", wanted)
    return 1 if in_worker() else usable_cores()


def in_worker() -> bool:
    """Whether this runs in a worker of joblib (any backend, so scikit-learn's ``n_jobs``), dask or a process pool."""
    backend, _ = get_active_backend()
    # joblib calls its tasks under the backend for nested calls; n_jobs=1 leaves the level as it is
    if getattr(backend, "nesting_level", None):
        return True
    return bool(multiprocessing.current_process().daemon) or _in_dask_task()


def _in_dask_task() -> bool:
    distributed = sys.modules.get("distributed")  # who has not imported it is no task of it
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True
