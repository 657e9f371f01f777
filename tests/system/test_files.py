"""A file is replaced whole or not at all."""

import os
import stat

import pytest

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
