"""Files of compiled functions: one for each function and types of arguments, beside each other in one folder.

A file is `MAGIC`, the SHA-256 of what follows, and the pickled result of a compilation. It is written whole or not at
all. One that is damaged is not loaded; the function is compiled again and the file replaced. Of several processes that
need the same function, one compiles it and the others wait.
"""

import functools
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from fastmlp.compilation.prebuilt import Prebuilt
from fastmlp.system.files import replaced_whole
from fastmlp.system.progress import note
from fastmlp.system.turns import Turn
from fastmlp.system.warning import warn_once

MAGIC = b"fastmlp kernel 1\n"
SUFFIX = ".kernel"
MISSED: list[str] = []  # functions that this process had to compile
WAIT_SECONDS = 120.0  # for another process that compiles a function, which takes up to 10 s, on a busy machine more


def read(path: Path) -> bytes | None:
    """Return what a file holds, None where there is none.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    start = len(MAGIC) + hashlib.sha256().digest_size
    if content[: len(MAGIC)] != MAGIC or content[len(MAGIC) : start] != hashlib.sha256(content[start:]).digest():
        raise ValueError(f"{path} is damaged")
    return content[start:]


def write(path: Path, data: bytes) -> None:
    """Write a file that `read` reads, whole or not at all."""
    with replaced_whole(path, synced=False) as temporary:
        temporary.write_bytes(MAGIC + hashlib.sha256(data).digest() + data)


@functools.cache
def source_stamp(path: str) -> str:
    """Return a digest of a source file outside of the package, whose own files the folder's name stands for."""
    inside = Path(path).is_relative_to(Path(__file__).parent.parent)
    return "" if inside else hashlib.sha256(Path(path).read_bytes()).hexdigest()


@functools.cache
def announce() -> None:
    """Say on a terminal, once, that this process compiles, and how long that takes."""
    note("fastmlp compiles its kernels for this CPU, once: usually 5 to 15 s (`fastmlp compile` does it ahead of time)")


class _Results(CompileResultCacheImpl):
    """To plain values and back, without a search for a folder."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = SimpleNamespace(_py_file=function.__code__.co_filename)  # for Numba's warnings


class KernelCache(FunctionCache):
    """Numba's cache of a function, in the files of a folder.

    Parameters
    ----------
    function : callable
        Not compiled.
    folder : pathlib.Path or None
        Its name stands for the sources, the CPU and the versions (`fastmlp.compilation.cache.digest`); None where
        nothing can be kept.
    prebuilt : Prebuilt or None
        Files that came with the package, which are looked through first.
    lasting : bool
        Compiling takes so long that a terminal is told.
    """

    def __init__(
        self, function: Callable[..., Any], folder: Path | None, prebuilt: Prebuilt | None, *, lasting: bool = False
    ) -> None:
        self._py_func, self._impl, self.folder, self.prebuilt = function, _Results(function), folder, prebuilt
        self.lasting = lasting
        self._turn: Turn | None = None

    def __repr__(self) -> str:
        return f"<KernelCache of {self._name} in {self.folder}>"

    @property
    def cache_path(self) -> str | None:
        """The folder."""
        return None if self.folder is None else str(self.folder)

    def enable(self) -> None:
        """Do nothing: it is never off."""

    def disable(self) -> None:
        """Do nothing: it is never off."""

    def flush(self) -> None:
        """Remove the files of the function, but for those that came with the package."""
        for path in [] if self.folder is None else self.folder.glob(f"{self._name}-*{SUFFIX}"):
            path.unlink(missing_ok=True)

    @property
    def _name(self) -> str:
        return f"{self._py_func.__module__}.{self._py_func.__qualname__}"

    def _file(self, signature: Any, target: tuple[str, str, str], codegen: Any) -> str:
        """Return the name of the file for types of arguments and a target: triple, CPU and features."""
        types, _, code = self._index_key(signature, codegen)
        key = repr((types, target, code, source_stamp(self._py_func.__code__.co_filename))).encode()
        return f"{self._name}-{hashlib.sha256(key).hexdigest()[:24]}{SUFFIX}"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function, or None where this process is to compile it and `save_overload` it."""
        found = self._find(sig, target_context.codegen())
        if found is None:
            MISSED.append(self._name)
            if self.lasting:
                announce()
            return None
        # Numba's caches refresh the whole context here, which takes three times as long as all else of a first training
        rtsys.initialize(target_context)
        return self._impl.rebuild(target_context, pickle.loads(found))

    def _find(self, signature: Any, codegen: Any) -> bytes | None:
        if self.prebuilt is not None:
            triple, level = codegen.magic_tuple()[0], self.prebuilt.level
            found = self._read(self.prebuilt.folder / self._file(signature, (triple, level.cpu, level.flags), codegen))
            if found is not None:
                return found
        if self.folder is None:
            return None
        path = self.folder / self._file(signature, codegen.magic_tuple(), codegen)
        found = self._read(path)
        if found is None:
            turn = Turn(path.with_suffix(".lock"))
            if turn.wait(WAIT_SECONDS):
                self._turn = turn
                found = self._read(path)  # another process may have written it while this one waited
        if found is not None:
            self.end_turn()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled function."""
        if self.folder is None:
            return
        try:
            if self._impl.check_cachable(data):
                path = self.folder / self._file(sig, data.codegen.magic_tuple(), data.codegen)
                write(path, dumps(self._impl.reduce(data)))
        except OSError as error:
            warn_once(
                f"compiled kernels cannot be kept in {self.folder} ({error.strerror}): they are compiled anew in every "
                "process; NUMBA_CACHE_DIR names another folder",
                RuntimeWarning,
            )
        finally:
            self.end_turn()

    def _read(self, path: Path) -> bytes | None:
        try:
            return read(path)
        except ValueError:
            warn_once(f"compiled kernels in {path.parent} were damaged: they are compiled again", RuntimeWarning)
        except OSError as error:
            warn_once(f"compiled kernels in {path.parent} cannot be read ({error.strerror})", RuntimeWarning)
        return None

    def end_turn(self) -> None:
        """Let other processes go on: the function is loaded or compiled here, or its compilation has failed."""
        if self._turn is not None:
            self._turn.end()
            self._turn = None
