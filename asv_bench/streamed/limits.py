"""A limit of memory for a process: a cgroup where one can be made, else a limit of its address space."""

import contextlib
import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

FOLDERS = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))  # version 1, version 2
FILES = ("memory.limit_in_bytes", "memory.max")
KINDS = ("cgroup", "as", "none")


def usable() -> str:
    """Return the best kind of limit that this process may set."""
    try:
        with group(1 << 30):
            return "cgroup"
    except OSError:
        return "as"


@contextlib.contextmanager
def group(limit: int) -> Iterator[Path]:
    """Yield the file of a new cgroup that takes the number of a process, whose memory and page cache it limits.

    Parameters
    ----------
    limit : int
        Bytes.

    Raises
    ------
    OSError
        This process may make no such group.
    """
    for folder, name in zip(FOLDERS, FILES, strict=True):
        if folder.is_dir() and (folder / "cgroup.procs").exists():
            place = Path(tempfile.mkdtemp(prefix="fastmlp-", dir=folder))
            try:
                (place / name).write_text(str(limit), encoding="ascii")
                yield place / "cgroup.procs"
            finally:
                place.rmdir()
            return
    raise OSError("no cgroup for memory")


def obey(kind: str, limit: int, procs: str | None) -> None:
    """Limit this process."""
    if kind == "as":
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    elif kind == "cgroup" and procs is not None:
        Path(procs).write_text(str(os.getpid()), encoding="ascii")


def peak_megabytes() -> float:
    """Return the most memory that was in use by this process since its program began.

    `getrusage` would count that of the process which started it, too.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
