"""What update rules remember: packed one behind the other in the engine, plain in a `State`."""

from collections.abc import Sequence

import numpy as np

from fastmlp.engine.plan import Plan
from fastmlp.engine.workspace import PackedParameters, vectors_of
from fastmlp.network.parameters import Parameters


def packed(moments: Sequence[np.ndarray], plan: Plan, parameters: Parameters) -> np.ndarray:
    """Return arrays that are laid out as a network's `snapshot`, packed as its parameters are."""
    buffers = np.zeros(len(moments) * plan.n_parameters, parameters.dtype)
    for buffer, moment in zip(_split(buffers, plan), moments, strict=True):
        arrays = parameters.views_of(moment)
        buffer.pack(arrays["weights"], vectors_of(arrays))
    return buffers


def unpacked(buffers: np.ndarray, plan: Plan, parameters: Parameters) -> list[np.ndarray]:
    """Return packed buffers as arrays that are laid out as a network's `snapshot`."""
    found = []
    for buffer in _split(buffers, plan):
        found.append(np.zeros_like(parameters.snapshot()))
        arrays = parameters.views_of(found[-1])
        buffer.unpack(arrays["weights"], vectors_of(arrays))
    return found


def _split(buffers: np.ndarray, plan: Plan) -> list[PackedParameters]:
    size = plan.n_parameters
    starts = range(0, len(buffers), size)
    return [PackedParameters(plan, buffers.dtype, buffers[start : start + size]) for start in starts]
