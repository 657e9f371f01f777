"""What stays the same from step to step, as one record that compiled code reads."""

import numpy as np

from fastmlp.engine.plan import Plan
from fastmlp.kernels.gather import converter

_INTEGERS = (
    "threads",
    "batch",
    "block",
    "panel",
    "norm",
    "affine",
    "convert",
    "address",
    "n_features",
    "widest",
    "spins",
    "rule",
    "nesterov",
    "slot",
)
# l2: decay in the cost; decay: beside it; beta_1: momentum of the update rule; momentum: of batch norm's averages
_NUMBERS = ("scale", "l2", "decay", "beta_1", "beta_2", "epsilon", "eps", "momentum")
PLAIN, MOMENTUM, ADAM = 0, 1, 2  # update rules
STATES = (0, 1, 3)  # buffers of the parameters' size that each rule keeps
SETTINGS = np.dtype([(name, np.int64) for name in _INTEGERS] + [(name, np.float64) for name in _NUMBERS])


def make_settings(plan: Plan, dtype: np.dtype, x: np.ndarray, scale: float, threads: int) -> np.ndarray:
    """Return the record of what a forward pass needs; what concerns training alone is 0."""
    record = np.zeros(1, SETTINGS)
    for name in ("batch", "block", "panel", "norm", "widest"):
        record[name] = getattr(plan, name)
    record["threads"], record["scale"] = threads, scale
    record["convert"], record["address"], record["n_features"] = converter(x.dtype, dtype), x.ctypes.data, x.shape[1]
    return record
