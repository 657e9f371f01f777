"""Notes on a terminal."""

import sys

import pytest

from fastmlp.system import progress
from fastmlp.system.progress import note, progress_bar


@pytest.fixture
def terminal(monkeypatch):
    """Let stderr appear to be a terminal."""
    monkeypatch.setattr(progress, "on_terminal", lambda: True)


def test_a_note_on_a_terminal(terminal, capsys):
    note("one")
    assert capsys.readouterr().err == "one\n"


def test_no_note_elsewhere(capsys, monkeypatch):
    note("one")
    monkeypatch.setattr(sys, "stderr", None)
    note("two")
    assert capsys.readouterr().err == ""


def test_no_note_where_no_bar_is_wanted(terminal, capsys):
    with progress_bar(False, 1, "step"), progress_bar(False, 1, "step"):
        note("one")
    assert capsys.readouterr().err == ""
    note("two")
    assert capsys.readouterr().err == "two\n"


def test_a_note_above_the_bar(terminal, capsys):
    with progress_bar(None, 3, "step") as bar:
        note("one")
        bar.within_epoch(3)
    shown = capsys.readouterr().err
    assert "one\n" in shown
    assert shown.index("one\n") < shown.index("3/3")
    assert not progress._hushed
