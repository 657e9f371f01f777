"""The proof by kills: a run of it, and that it reports other bits and what is left behind."""

import os
import random

import pytest

from stress.kills import Runner

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs signals")


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    folder.mkdir()
    return Runner("a stream", folder, random.Random(3))


def test_a_killed_run_ends_with_its_bits(runner):
    runner.once()
    assert runner.problems == []
    assert (runner.counts["runs"], runner.counts["other bits"]) == (1, 0)


def test_other_bits_and_leftovers_are_reported(runner, monkeypatch):
    monkeypatch.setattr(runner, "expected", "other")
    monkeypatch.setattr(runner, "problems", [])
    (runner.folder / "left").write_text("")
    runner.once()
    assert len(runner.problems) == 2
    assert "was expected" in runner.problems[0]
    assert "left" in runner.problems[1]
