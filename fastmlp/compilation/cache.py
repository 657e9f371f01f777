"""Where compiled kernels are kept between processes.

Numba checks a cached kernel against the hash of its own source file only: a changed helper in another file would keep
running the old machine code. So the folder's name is a digest of everything that the machine code depends on.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from llvmlite import binding
from numba.core import config

from fastmlp.system.files import user_cache_folder

COMPILED = ("compilation", "simd", "kernels", "engine")  # what the machine code is made from
KEPT_DIGESTS = 8  # two commits that are compared side by side must not evict one another
_NOT_IN_CODE = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER"}


def digest() -> str:
    """Digest of the sources that are compiled, the CPU that Numba compiles for, and Numba's settings."""
    found = hashlib.sha256()
    package = Path(__file__).parent.parent
    sources = [source for folder in COMPILED for source in (package / folder).rglob("*.py")]
    for source in sorted(sources):
        found.update(source.relative_to(package).as_posix().encode() + b"\0")
        found.update(source.read_bytes() + b"\0")
    cpu = config.CPU_NAME or binding.get_host_cpu_name()
    features = binding.get_host_cpu_features().flatten() if config.CPU_FEATURES is None else config.CPU_FEATURES
    settings = sorted((name, value) for name, value in os.environ.items() if name.startswith("NUMBA_"))
    found.update(repr((cpu, features, [s for s in settings if s[0] not in _NOT_IN_CODE])).encode())
    return found.hexdigest()[:24]


def _make_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        os.utime(folder)
    except OSError:
        return False
    return True


def _remove_old(parent: Path) -> None:
    by_use = sorted(((f.stat().st_mtime, f) for f in parent.iterdir() if f.is_dir()), reverse=True)
    for _, folder in by_use[KEPT_DIGESTS:]:
        shutil.rmtree(folder, ignore_errors=True)


def choose_folder() -> Path | None:
    """Make and return the folder for this digest, or None when no place is writable.

    It lies in ``NUMBA_CACHE_DIR`` where that is set, in the user's cache folder otherwise. Of the digests beside it,
    the `KEPT_DIGESTS` used last are kept.
    """
    base = Path(config.CACHE_DIR) / "fastmlp" if config.CACHE_DIR else user_cache_folder() / "kernels"
    folder = base / digest()
    new = not folder.exists()
    if not _make_writable(folder):
        return None
    if new:
        with contextlib.suppress(OSError):  # another process may remove the same folders
            _remove_old(base)
    return folder


FOLDER = choose_folder()


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """Let the functions that are compiled inside the block cache in `FOLDER`; other packages' are not affected."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(FOLDER or "")
    try:
        yield
    finally:
        config.CACHE_DIR = before
