"""PyTorch with autocast, which chooses the operations that run in bfloat16. Parameters and data are float32."""

from typing import Any

import torch
from numpy.typing import NDArray

from .pytorch import Sequential
from .task import Labels, Task, Training


class _Autocast(Sequential):
    def cost(self, x: Any, y: Any) -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return super().cost(x, y)

    def predict(self, x: NDArray[Any]) -> Labels:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return super().predict(x)


def make(task: Task) -> Training:
    """Return the training."""
    return _Autocast(task)
