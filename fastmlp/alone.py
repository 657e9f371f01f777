"""A training in one process. `fastmlp.mpi.ranks.Ranks` has the same methods for a training in several."""

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

from fastmlp.inputs import checks
from fastmlp.system import interrupt

T = TypeVar("T")


class Alone:
    """What several processes would have to agree on, one decides."""

    first = True  # prints and writes files

    def preparing(self) -> contextlib.AbstractContextManager[None]:
        """Surround what is done before anything changes."""
        return contextlib.nullcontext()

    def running(self) -> contextlib.AbstractContextManager[None]:
        """Surround the training."""
        return contextlib.nullcontext()

    def threads(self, asked: int | None) -> int:
        """Return how many threads the process has."""
        return checks.threads(asked)

    def rows(self, X: Any) -> Any:
        """Return X as `fastmlp.passes.split` takes it."""
        return X

    def agree(self, asked: dict[str, Any]) -> None:
        """Refuse what the processes were asked for where it is not the same."""

    def from_first(self, function: Callable[[], T]) -> T:
        """Return what the first process gets from a function."""
        return function()

    def any(self, flag: bool) -> bool:
        """Whether a flag is set in a process."""
        return flag

    def ended(self, reason: str) -> str:
        """Return why the training ended in all processes, of which each has a reason."""
        return reason

    def check(self) -> None:
        """Raise KeyboardInterrupt where there was a Ctrl-C."""
        interrupt.check()
