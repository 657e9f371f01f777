"""The file with the times of the two ways to compute a product in bfloat16."""

import json

import pytest

from fastmlp.compilation import cache
from fastmlp.engine.timing import KEPT, Timing, keep_timing, kept_timing


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for compiled kernels."""
    monkeypatch.setattr(cache, "FOLDER", tmp_path)
    return tmp_path


def test_there_and_back(folder):
    assert kept_timing() is None
    keep_timing(Timing(1.0, 2.0))
    assert json.loads((folder / KEPT).read_text()) == {"rounded": 1.0, "packed": 2.0}
    assert kept_timing() == Timing(1.0, 2.0)


@pytest.mark.parametrize("text", ["", "{}", "[1, 2]", '{"rounded": 1}', '{"rounded": 1, "packed": 2, "more": 3}'])
def test_a_file_of_something_else_is_no_timing(folder, text):
    (folder / KEPT).write_text(text)
    assert kept_timing() is None


def test_without_a_folder_nothing_is_kept(monkeypatch):
    monkeypatch.setattr(cache, "FOLDER", None)
    keep_timing(Timing(1.0, 2.0))
    assert kept_timing() is None


def test_the_quicker_way():
    assert Timing(rounded=2.0, packed=1.0).packed_is_quicker
    assert not Timing(rounded=1.0, packed=2.0).packed_is_quicker
