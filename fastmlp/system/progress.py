"""What a terminal shows while something lasts: the progress bar of a training, and notes."""

import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from fastmlp.system import interrupt

SHOWN = ("epoch", "cost", "val_accuracy", "learning_rate")


_hushed = 0  # progress bars that are open and not to be shown
_counting = threading.Lock()


def on_terminal() -> bool:
    """Whether somebody looks at stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


def note(line: str) -> None:
    """Print a line to a terminal, above the progress bar; nothing where that is not to be shown."""
    if not _hushed and on_terminal():
        from tqdm import tqdm

        tqdm.write(line, file=sys.stderr)


class progress_bar:  # noqa: N801 - reads as a function where it is used
    """A tqdm bar on stderr, or nothing at all.

    Parameters
    ----------
    shown : bool or None
        None shows it on a terminal only, and not for a training that another thread watches; False also keeps notes
        off it.
    total : int
        Steps of the whole training.
    unit : str
        What the bar calls a step.
    """

    def __init__(self, shown: bool | None, total: int, unit: str) -> None:
        self._bar: Any = None
        self._epochs_end = 0
        self._hushes = shown is False
        if shown or (shown is None and on_terminal() and interrupt.watch() is None):
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit=unit, leave=True)

    def begin(self, steps: int) -> None:
        """Show how many steps an earlier process has done."""
        self._epochs_end = steps
        if self._bar is not None and steps:
            self._bar.initial = steps  # no part of the rate
            self.within_epoch(0)

    def within_epoch(self, steps: int) -> None:
        """Show how many steps of the running epoch are done."""
        if self._bar is not None:
            self._bar.update(self._epochs_end + steps - self._bar.n)

    def end_epoch(self, steps: int, record: Mapping[str, Any]) -> None:
        """Show a finished epoch's record beside the bar, and how many steps are done."""
        self._epochs_end = steps
        if self._bar is not None:
            figures = {name: record[name] for name in SHOWN if record.get(name) is not None}
            self._bar.set_postfix(figures, refresh=False)
            self.within_epoch(0)

    def __enter__(self) -> "progress_bar":
        global _hushed
        with _counting:
            _hushed += self._hushes
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global _hushed
        with _counting:
            _hushed -= self._hushes
        if self._bar is not None:
            self._bar.close()
