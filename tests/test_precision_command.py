"""The command that compares accuracies in float32 and bfloat16."""

import re

from peer_commands import load, run_command


def test_table_of_a_run():
    done = run_command(
        "precision.py", "--nets", "784-8-10", "--samples", "500", "--tables", "wine", "--seeds", "2", "--threads", "1"
    )
    assert done.returncode == 0, done.stderr
    title, _, head, _, mnist, wine, _, *notes = done.stdout.splitlines()
    assert title == "**Test accuracy, mean ± standard deviation over 2 seeds**"
    assert head == "| data | float32 | bfloat16 |"
    cells = r"\| 0\.\d{4} ± 0\.\d{4} \| 0\.\d{4} ± 0\.\d{4} \|"
    assert re.fullmatch(r"\| MNIST, 784-8-10 " + cells, mnist)
    assert re.fullmatch(r"\| wine " + cells, wine)
    assert "FMA peak" in notes[1]


def test_figures_by_hand():
    scores = {"float32": [0.5, 0.75], "bfloat16": [0.25, 0.25]}
    line = load("precision").row("some", lambda precision, seed: scores[precision][seed], 2)
    assert line == "| some | 0.6250 ± 0.1768 | 0.2500 ± 0.0000 |"
