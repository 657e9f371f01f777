"""One process at a time: a lock on a file, which the system takes back when its holder ends, however that ends."""

import sys
import time
from pathlib import Path
from typing import BinaryIO

POLL_SECONDS = 0.05

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try_lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)  # closing the file is not enough, as a forked child may hold it open


class Turn:
    """The turn of one process at what a path stands for.

    Parameters
    ----------
    path : pathlib.Path
        An empty file; made if there is none, and left where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def wait(self, seconds: float) -> bool:
        """Wait for the turn; return whether it came. It does not come where the file cannot be opened."""
        try:
            file = self.path.open("ab")
        except OSError:
            return False
        end = time.monotonic() + seconds
        while True:
            try:
                _try_lock(file)
            except OSError:
                if time.monotonic() >= end:
                    file.close()
                    return False
                time.sleep(POLL_SECONDS)
            else:
                self._file = file
                return True

    def end(self) -> None:
        """Let the next process have its turn; nothing where the turn never came."""
        if self._file is not None:
            _unlock(self._file)
            self._file.close()
            self._file = None
