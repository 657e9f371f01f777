"""Writing a file whole or not at all, and so that it stays."""

import contextlib
import glob
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PARTIAL = ".partial"  # ends the names of files that are being written
LONG_WRITE = 3600.0  # seconds, longer than any write; where no lock says that a file is being written

if sys.platform == "win32":

    def _hold(handle: int) -> None:
        os.close(handle)  # an open file can be neither written by another handle nor renamed there

    def _let_go(handle: int) -> None:
        pass

    def _sync_folder(folder: Path) -> None:
        pass  # cannot be opened there

    def _is_left(path: Path) -> bool:
        return time.time() - path.stat().st_mtime > LONG_WRITE
else:
    import fcntl

    def _hold(handle: int) -> None:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)

    def _let_go(handle: int) -> None:
        os.close(handle)

    def _sync_folder(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _is_left(path: Path) -> bool:
        """Whether no process holds the file."""
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
        return True


@contextlib.contextmanager
def replaced_whole(path: str | os.PathLike[str], *, synced: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to `path` when the block ends without an error.

    A reader sees the earlier file or the new one, never a part of either; when the block raises, the earlier file
    stands as it was. What writers of `path` left behind when they were killed is removed.

    Parameters
    ----------
    path : path-like
        The file to write.
    synced : bool
        Whether the file is on the disk when the block has ended, so that no power cut takes it away; False for what can
        be made again.

    Yields
    ------
    pathlib.Path
        An existing empty file in the folder of `path`, to be written by the block.

    Raises
    ------
    OSError
        The folder does not exist or cannot be written to.
    """
    target = Path(path)
    _remove_leftovers(target)
    handle, temporary = _begin(target)
    try:
        yield temporary
        # mkstemp makes the file private; a plain open() would have honoured the umask
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        if synced:
            _sync(temporary)
        temporary.replace(target)
        if synced:
            _sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
        _let_go(handle)


def _begin(target: Path) -> tuple[int, Path]:
    """Make a file beside `target` that nobody else takes for a leftover."""
    while True:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=PARTIAL)
        _hold(handle)
        if Path(name).exists():  # else another writer came before the hold
            return handle, Path(name)
        _let_go(handle)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _remove_leftovers(target: Path) -> None:
    """Remove what killed writers of `target` left beside it."""
    for path in target.parent.glob(f".{glob.escape(target.name)}.*{PARTIAL}"):
        with contextlib.suppress(OSError):  # of another user, or gone by now
            if _is_left(path):
                path.unlink()


def user_cache_folder() -> Path:
    """Return the folder for files that can be made again, inside the user's cache folder; it is not created here."""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fastmlp"
