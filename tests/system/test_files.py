"""A file is replaced whole or not at all."""

import os
import stat
import subprocess

import pytest
from failing_steps import failing
from processes import command_of, environment_of

from fastmlp.system.files import replaced_whole, user_cache_folder


def test_writes_a_new_file(tmp_path):
    path = tmp_path / "new.txt"
    with replaced_whole(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == tmp_path
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_replaces_a_file_at_the_end(tmp_path):
    path = tmp_path / "old.txt"
    path.write_text("earlier")
    with replaced_whole(str(path)) as temporary:
        temporary.write_text("later")
        assert path.read_text() == "earlier"
    assert path.read_text() == "later"
    assert list(tmp_path.iterdir()) == [path]


def _write_half(path, error):
    with replaced_whole(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_keeps_the_earlier_file_when_the_block_raises(error, tmp_path):
    path = tmp_path / "old.txt"
    path.write_text("earlier")
    with pytest.raises(error):
        _write_half(path, error)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_leaves_nothing_when_there_was_nothing(tmp_path):
    with pytest.raises(ValueError, match="broken"):
        _write_half(tmp_path / "never.txt", ValueError("broken"))
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"), replaced_whole(tmp_path / "absent" / "file"):
        pass


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError), replaced_whole(tmp_path / "file" / "below"):
        pass


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError), replaced_whole(tmp_path / "folder"):  # noqa: PT011 - its class depends on the system
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_follow_the_umask(umask, mode, tmp_path):
    path = tmp_path / "file"
    before = os.umask(umask)
    try:
        with replaced_whole(path) as temporary:
            temporary.write_text("")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_cache_folder_follows_the_system(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache_folder() == tmp_path / "fastmlp"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_cache_folder() == tmp_path / ".cache" / "fastmlp"
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_removed(tmp_path):
    path = tmp_path / "run.safetensors"
    for _ in range(3):
        printed = subprocess.run(
            command_of("killed_while_writing", path), env=environment_of(), capture_output=True, check=False
        )
        assert printed.stderr == b""
    assert [name.endswith(".partial") for name in os.listdir(tmp_path)] == [True]
    others = [
        tmp_path / name for name in (".run.safetensors.original", ".another.x.partial", "run.safetensors.partial")
    ]
    for other in others:
        other.write_text("somebody's")
    with replaced_whole(path) as temporary:
        temporary.write_text("whole")
    assert set(tmp_path.iterdir()) == {path, *others}


def test_two_writers_at_once_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "file"
    with replaced_whole(path) as first:
        first.write_text("first")
        with replaced_whole(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_each_step_of_a_write_fails_once(tmp_path, monkeypatch):
    path = tmp_path / "file"
    number, outcomes = 0, []
    while True:
        number += 1
        path.write_bytes(b"earlier")
        with failing(number, monkeypatch) as calls:
            try:
                with replaced_whole(path) as temporary:
                    temporary.write_bytes(b"later, and longer")
            except OSError:
                outcomes.append(path.read_bytes())
            else:
                break
    assert len(outcomes) == len(calls) >= 6
    assert set(outcomes) == {b"earlier", b"later, and longer"}
    assert outcomes.index(b"later, and longer") > calls.index("os.replace")
    with replaced_whole(path) as temporary:
        temporary.write_bytes(b"last")
    assert list(tmp_path.iterdir()) == [path]
