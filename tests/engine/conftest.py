"""Fixtures of the engine's tests: every kind of batch norm, and teams of any size."""

import pytest

from fastmlp import BatchNorm
from fastmlp.engine import plan


@pytest.fixture
def all_threads(monkeypatch):
    """Let networks of any size use all the threads that a test asks for."""
    for name in ("PARALLEL_FLOP", "PACKED_PARALLEL_FLOP", "EPOCH_FLOP"):
        monkeypatch.setattr(plan, name, 0)


NORMS = {
    "none": None,
    "after": BatchNorm(),
    "after_affine": BatchNorm(affine=True),
    "before": BatchNorm(placement="before_relu"),
    "before_affine": BatchNorm(placement="before_relu", affine=True),
}


@pytest.fixture(params=list(NORMS))
def norm(request):
    """Every kind of batch norm, and none."""
    return NORMS[request.param]
