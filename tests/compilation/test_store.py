"""Files of compiled functions: damaged files are compiled again, and an unwritable folder is no error."""

import errno
import os
import subprocess
import sys
from subprocess import PIPE

import numba
import pytest
from installations import Installation
from processes import PROGRAMS

from fastmlp.compilation import jit, store
from fastmlp.compilation.jit import worker
from fastmlp.compilation.store import MAGIC, read, write
from fastmlp.system import warning
from fastmlp.system.turns import Turn


@pytest.fixture
def installation(tmp_path):
    return Installation(tmp_path)


def _said(installation, stderr=PIPE, **settings):
    """Run a process in which warnings are no errors; return its result and its stderr."""
    environment = installation.environment(**settings)
    command = [sys.executable, "-P", str(PROGRAMS / "call_probe.py")]
    result = subprocess.run(command, env=environment, stdout=PIPE, stderr=stderr, text=True, timeout=300, check=True)
    return result.stdout, result.stderr


def _said_to_a_terminal(installation):
    import pty

    ours, theirs = pty.openpty()
    try:
        _said(installation, stderr=theirs)
        os.write(theirs, b"end")
        return os.read(ours, 10_000).decode().removesuffix("end")
    finally:
        os.close(theirs)
        os.close(ours)


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_is_told_of_the_compilation(installation):
    program = (PROGRAMS / "probe.py").read_text(encoding="utf-8")
    installation.write("probe.py", program.replace("driver", "worker").replace("in prange(", "in range("))
    assert _said_to_a_terminal(installation).strip() == (
        "fastmlp compiles its kernels for this CPU, once: usually 5 to 15 s (`fastmlp compile` does it ahead of time)"
    )
    assert _said_to_a_terminal(installation) == ""


def _truncated(content):
    return content[: len(content) // 2]


def _flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGES = {
    "truncated": _truncated,
    "empty": lambda content: b"",
    "flipped": _flipped,
    "of another kind": lambda content: b"x" + content[1:],
}


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_damage_is_noticed(damage, tmp_path):
    path = tmp_path / "one.kernel"
    write(path, b"a compiled function")
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(ValueError, match=r"one\.kernel is damaged"):
        read(path)


def test_what_is_damaged_is_compiled_again(installation):
    installation.run()
    (file,) = installation.files()
    file.write_bytes(_flipped(file.read_bytes()))
    out, err = _said(installation)
    assert '"value": 2.0, "hits": 0, "misses": 1' in out
    assert err.count("RuntimeWarning: compiled kernels in") == 1
    assert "were damaged: they are compiled again" in err
    again = installation.run()  # a warning would be an error here
    assert (again["hits"], again["misses"]) == (1, 0)


def test_a_file_that_nobody_may_read_is_compiled_again(installation):
    installation.run()
    (file,) = installation.files()
    file.unlink()
    file.mkdir()
    out, err = _said(installation)
    assert '"value": 2.0, "hits": 0, "misses": 1' in out
    assert "cannot be read (Is a directory)" in err


@pytest.mark.skipif(os.name == "nt", reason="a user's folders are private on Windows")
def test_a_folder_that_others_can_write_to_is_not_used(installation, tmp_path):
    shared = tmp_path / "shared"
    installation.run(NUMBA_CACHE_DIR=str(shared))
    (shared / "fastmlp").chmod(0o777)
    out, err = _said(installation, NUMBA_CACHE_DIR=str(shared))
    assert '"value": 2.0, "hits": 0, "misses": 1' in out
    assert err.count("others can write to") == 1
    assert len(installation.files()) == 1, "kept in the user's own folder"
    out, _ = _said(installation, NUMBA_CACHE_DIR=str(shared))
    assert '"hits": 1, "misses": 0' in out


def test_folders_are_made_for_the_user_alone(installation):
    installation.run()
    (file,) = installation.files()
    assert [folder.stat().st_mode & 0o777 for folder in (file.parent, file.parent.parent)] == [0o700, 0o700]


def test_a_full_disk_stops_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(jit.cache, "FOLDER", tmp_path)
    monkeypatch.setattr(warning, "_said", set())

    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store, "write", full)

    @worker
    def add_one(x):
        return x + 1

    with pytest.warns(RuntimeWarning, match="cannot be kept in .* \\(No space left on device\\)") as caught:
        assert (add_one(1), add_one(1.5)) == (2, 2.5)
    assert len(caught) == 1
    assert list(tmp_path.glob("*.kernel")) == []


def test_a_compilation_that_fails_keeps_nobody_waiting(tmp_path, monkeypatch):
    """Found by fuzzing: a compilation that failed kept the lock for which other processes wait."""
    monkeypatch.setattr(jit.cache, "FOLDER", tmp_path)

    @worker
    def add_text(x):
        return x + "text"

    for _ in range(2):  # twice: Numba keeps the error of a failed compilation
        with pytest.raises(numba.TypingError):
            add_text(1)
        (lock,) = tmp_path.glob("*.lock")
        turn = Turn(lock)
        assert turn.wait(0)
        turn.end()


def test_no_half_written_file(tmp_path):
    write(tmp_path / "one.kernel", b"data")
    assert read(tmp_path / "one.kernel") == b"data"
    assert (tmp_path / "one.kernel").read_bytes().startswith(MAGIC)
    assert [path.name for path in tmp_path.iterdir()] == ["one.kernel"]
    assert read(tmp_path / "two.kernel") is None


def test_flush_removes_the_files_of_a_function(tmp_path, monkeypatch):
    monkeypatch.setattr(jit.cache, "FOLDER", tmp_path)

    @worker
    def twice(x):
        return 2 * x

    twice(1)
    assert len(list(tmp_path.glob("*.kernel"))) == 1
    twice._cache.flush()
    assert list(tmp_path.glob("*.kernel")) == []
