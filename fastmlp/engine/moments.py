"""What update rules remember: packed one behind the other in the engine and its snapshots, plain in a `State`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastmlp.engine.plan import Plan
from fastmlp.engine.settings import STATES
from fastmlp.engine.workspace import PackedParameters, vectors_of
from fastmlp.kernels.update import RULES
from fastmlp.network.parameters import Parameters
from fastmlp.optimizers import State

if TYPE_CHECKING:
    from fastmlp.optimizers import Optimizer


@dataclass(frozen=True)
class Snapshot:
    """A training at the end of an epoch, for `Trainer.restore`."""

    parameters: np.ndarray
    steps: int
    state: np.ndarray | None


def buffers_of(optimizer: "Optimizer") -> int:
    """Return how many buffers of the parameters' size a rule needs: one for the gradients, and its moments."""
    settings = optimizer.settings()
    return max(STATES[RULES.index(settings["rule"])], int(settings["clip"] > 0))


def check_state(state: State, optimizer: "Optimizer", parameters: Parameters) -> None:
    """Raise ValueError where a state is another rule's, or of another network."""
    found, size = [moment.shape for moment in state.moments], parameters.snapshot().shape
    count = max(buffers_of(optimizer) - 1, 0)
    if found != count * [size]:
        expected = f"{count} moments of shape {size} for {optimizer}"
        raise ValueError(f"state must hold {expected}, got shapes {found}")


def packed(moments: Sequence[np.ndarray], plan: Plan, parameters: Parameters) -> np.ndarray:
    """Return arrays that are laid out as a network's `snapshot`, packed as its parameters are, without copies."""
    buffers = np.zeros((len(moments), plan.n_parameters), parameters.dtype)
    for buffer, moment in zip(buffers, moments, strict=True):
        arrays = parameters.views_of(moment)
        PackedParameters(plan, parameters.dtype, buffer).pack(arrays["weights"], vectors_of(arrays))
    return buffers[:, : plan.n_gradient].ravel()


def unpacked(buffers: np.ndarray, plan: Plan, parameters: Parameters) -> list[np.ndarray]:
    """Return packed buffers as arrays that are laid out as a network's `snapshot`."""
    found = []
    for buffer in buffers.reshape(-1, plan.n_gradient):
        found.append(np.zeros_like(parameters.snapshot()))
        arrays = parameters.views_of(found[-1])
        PackedParameters(plan, buffers.dtype, buffer).unpack(arrays["weights"], vectors_of(arrays))
    return found
