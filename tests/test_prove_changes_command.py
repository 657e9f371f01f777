"""The command that shows what the search for change points finds."""

import numpy as np
from asv_files import load

prove = load("prove_changes")


def test_a_large_step_is_found_within_three_commits_and_only_once():
    outcome = prove.replay(*prove.make(np.random.default_rng(0), 0.5, 0.01), 0.5)
    assert outcome == prove.Outcome(found=True, delay=3, false=False)


def test_no_step_is_no_rise():
    assert prove.replay(*prove.make(np.random.default_rng(0), 0.0, 0.01), 0.0) == prove.Outcome(False, None, False)


def test_rise_elsewhere_is_false():
    figure, inverse_peak = prove.make(np.random.default_rng(0), 0.0, 0.001)
    figure[:10] /= 1.5
    assert prove.replay(figure, inverse_peak, 0.1).false


def test_row_by_hand():
    outcomes = [prove.Outcome(True, 3, False), prove.Outcome(True, 9, True), prove.Outcome(False, None, False)]
    assert prove.row(0.01, 0.05, outcomes) == "| 1 % | 5 % | 3 | 2 | 1 | 1 | 6, 9 |"
    assert prove.row(0.03, 0.0, outcomes[2:]) == "| 3 % | none | 1 | - | - | 0 | - |"


def test_table_is_the_same_every_time(capsys):
    for _ in range(2):
        assert prove.main(["--histories", "1", "--noise", "0.01"]) == 0
    first, second = np.split(np.array(capsys.readouterr().out.splitlines()), 2)
    assert len(first) == 2 + len(prove.STEPS)
    assert list(first) == list(second)
