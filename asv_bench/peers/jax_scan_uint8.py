"""JAX with a data set of bytes."""

from .jax_scan import Scan
from .task import Task, Training


def make(task: Task) -> Training:
    """Return the training."""
    return Scan(task, as_bytes=True)
