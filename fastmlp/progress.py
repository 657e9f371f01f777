"""The progress bar of a training."""

import sys
from types import TracebackType
from typing import Any


class progress_bar:  # noqa: N801 - reads as a function where it is used
    """A tqdm bar on stderr, or nothing at all.

    Parameters
    ----------
    shown : bool or None
        None shows it on a terminal only.
    total : int
        How many times `show` will be called at most.
    unit : str
        What one of them is.
    """

    def __init__(self, shown: bool | None, total: int, unit: str) -> None:
        self._bar: Any = None
        if shown or (shown is None and sys.stderr is not None and sys.stderr.isatty()):
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit=unit, leave=True)

    def show(self, record: dict[str, Any]) -> None:
        """Advance by one, with the figures of a history's record beside the bar."""
        if self._bar is not None:
            figures = {name: record[name] for name in ("cost", "val_accuracy") if record.get(name) is not None}
            self._bar.set_postfix(figures, refresh=False)
            self._bar.update()

    def __enter__(self) -> "progress_bar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
