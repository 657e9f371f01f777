"""The representation of a history: one line of text, and HTML for a notebook."""

import xml.etree.ElementTree as ET

import pytest

from fastmlp import History
from fastmlp.notebook import ENDS, history_html


def record(epoch, cost, val_cost=None):
    return {
        "epoch": epoch, "steps": 10 * epoch, "cost": cost, "last_cost": cost, "val_cost": val_cost,
        "val_accuracy": None, "learning_rate": 0.1, "seconds": 0.5,
    }  # fmt: skip


def history(epochs):
    return History(records=[record(n, 1 / n, 2 / n) for n in range(1, epochs + 1)], seconds=1.26)


def test_a_line_however_long_the_training():
    assert repr(history(1000)) == (
        "<History of 1000 epochs, 10000 steps, 1.3 s, ended by 'epochs': cost 0.001, val_cost 0.002>"
    )


def test_a_line_without_epochs():
    assert repr(History(stopped_because="interrupted")) == "<History without an epoch, ended by 'interrupted'>"


@pytest.mark.parametrize(("epochs", "rows"), [(0, 0), (1, 1), (2 * ENDS, 2 * ENDS), (1000, 2 * ENDS + 1)])
def test_the_ends_of_the_table(epochs, rows):
    page = ET.fromstring(f"<div>{history(epochs)._repr_html_()}</div>")
    table = [[cell.text or "" for cell in row] for row in page.iter("tr")]
    assert len(table) == 1 + rows
    if epochs:
        assert (table[1][0], table[-1][0]) == ("1", str(epochs))
        assert table[1][table[0].index("val_cost")] == "2"
        assert table[1][table[0].index("val_accuracy")] == ""


def test_the_curves():
    page = ET.fromstring(f"<div>{history(3)._repr_html_()}</div>")
    cost, val_cost = (line.attrib["points"] for line in page.iter("polyline"))
    # from 2 at the top to 1/3 at the bottom
    assert cost == "0.0,72.0 180.0,108.0 360.0,120.0"
    assert val_cost == "0.0,0.0 180.0,72.0 360.0,96.0"


def test_what_is_not_finite_has_no_point():
    page = ET.fromstring(
        f"<div>{history_html('', [], [record(1, 1.0), record(2, float('nan')), record(3, 1.0)])}</div>"
    )
    assert [line.attrib["points"].count(",") for line in page.iter("polyline")] == [2, 0]


def test_texts_are_escaped():
    assert "<p>a &lt;b&gt;</p>" in history_html("a <b>", [], [])
