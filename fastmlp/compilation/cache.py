"""Where compiled kernels are kept between processes.

Numba's own cache checks a kernel against the hash of its own source file only: a changed helper in another file would
keep running the old machine code. So the folder's name is a digest of everything that the machine code depends on.
"""

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from llvmlite import binding

from fastmlp.compilation.prebuilt import CHOICE, circumstances, settings_in_code
from fastmlp.compilation.settings import setting
from fastmlp.system.files import user_cache_folder
from fastmlp.system.warning import warn_once

KEPT_DIGESTS = 8  # folders that are kept, so that two commits that run in turns do not delete each other's


def digest() -> str:
    """Digest of the sources that are compiled, of what compiles them, of the CPU and of Numba's settings."""
    cpu, features = setting("CPU_NAME") or binding.get_host_cpu_name(), setting("CPU_FEATURES")
    if features is None:
        features = binding.get_host_cpu_features().flatten()
    level = None if CHOICE.found is None else CHOICE.found.level.name  # whose tiles are used
    parts = (circumstances(), cpu, features, level, settings_in_code())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def is_private(folder: Path) -> bool:
    """Whether only its owner, this user or the system's, can write to a folder; compiled code is loaded from it.

    A group whose number is its owner's is taken for the owner alone. On Windows, a user's folders are private.
    """
    if os.name == "nt":
        return True
    found = folder.stat()
    group = found.st_mode & stat.S_IWGRP and found.st_gid != found.st_uid
    return found.st_uid in (os.geteuid(), 0) and not (group or found.st_mode & stat.S_IWOTH)


def _make_writable(folder: Path) -> bool:
    try:
        for made in (folder.parent, folder):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
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

    It lies in ``NUMBA_CACHE_DIR`` where that is set, in the user's cache folder otherwise, and there too where others
    can write to the first. Of the digests beside it, the `KEPT_DIGESTS` used last are kept.
    """
    own = user_cache_folder() / "kernels"
    named = setting("CACHE_DIR")
    base = Path(named) / "fastmlp" if named else own
    for parent in (base,) if base == own else (base, own):
        folder = parent / digest()
        new = not folder.exists()
        if not _make_writable(folder):
            return None
        if is_private(parent) and is_private(folder):
            if new:
                with contextlib.suppress(OSError):  # another process may remove the same folders
                    _remove_old(parent)
            return folder
        warn_once(f"others can write to {folder}: no compiled kernels are loaded from it or kept there", RuntimeWarning)
    return None


FOLDER = choose_folder()
