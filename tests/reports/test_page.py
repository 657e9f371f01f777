"""The page about a model of a table."""

import re
import sys

import numpy as np
import pytest

from fastmlp.cli.tabular.columns import described
from fastmlp.cli.tabular.training import trained
from fastmlp.reports.importance import Importance
from fastmlp.reports.page import confusion, render
from fastmlp.reports.scores import compare


def page_of(model, training, test, importances=(), target="<y>"):
    found = trained(model, model.histories_[0]) | {
        "data": "a.csv", "target": target, "task": "regression", "rows": 200, "rows_tested": 50, "seconds": 1.5,
        "columns": described(model.encoder_),
    }  # fmt: skip
    return render(found, model, test and compare(model, training, test), test and test[1], list(importances))


def test_it_loads_nothing(numbers):
    html = page_of(*numbers)
    addresses = re.findall(r"""(?:src|href|action|data)\s*=\s*["']?([^"'\s>]+)""", html)
    assert len(addresses) == 2
    assert all(address.startswith("data:image/svg+xml;base64,") for address in addresses)
    assert not re.search(r"url\(|@import|<script|http", re.sub(r"base64,[A-Za-z0-9+/=]+", "", html))


def test_numbers(numbers):
    html = page_of(*numbers, [Importance("a", 1.5, 0.1), Importance("noise", -0.01, 0.02)])
    assert "&lt;y&gt;, predicted from a.csv" in html
    assert "Predicted against true" in html
    assert "ridge regression" in html
    assert "By how much R²" in html
    assert re.findall(r'class="bar" style="width: ([\d.]+)%"', html) == ["100.0", "0.0"]
    assert "Confusion" not in html


def test_classes(classes):
    html = page_of(*classes)
    model, _, (X, y) = classes
    predicted = model.predict(X)
    cells = re.findall(r'class="share" style="--share: ([\d.]+)">(\d+)<', html)
    counts = [int(((y == a) & (predicted == b)).sum()) for a in model.classes_ for b in model.classes_]
    assert [int(count) for _, count in cells] == counts
    assert float(cells[0][0]) == pytest.approx(counts[0] / (counts[0] + counts[1]), abs=1e-3)
    assert "logistic regression" in html
    assert "Predicted against true" not in html


def test_no_rows_for_a_test(numbers):
    html = page_of(*numbers[:2], None)
    assert "no rows were kept for a test" in html
    assert "Importance" not in html
    assert "Learning curves" in html


def test_a_confusion_matrix_by_hand():
    found = confusion(np.array(["b", "a", "a"]), np.array(["b", "b", "a"]))
    assert found.classes == ["a", "b"]
    assert found.counts == [[1, 1], [0, 1]]
    assert found.rows == [("a", [(1, 0.5), (1, 0.5)]), ("b", [(0, 0.0), (1, 1.0)])]


def test_a_confusion_matrix_of_one_class():
    assert confusion(np.array(["a", "a"]), np.array(["a", "a"])) == (["a"], [[2]])


def test_rare_classes_together():
    y = np.repeat(np.arange(30), 2 + (np.arange(30) < 24))
    found = confusion(y, np.roll(y, 1))
    assert found.classes == [*map(str, range(24)), "others"]
    assert sum(map(sum, found.counts)) == len(y)
    assert found.counts[-1][-1] == 11


@pytest.mark.parametrize("library", ["matplotlib.figure", "jinja2"])
def test_a_missing_extra(numbers, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r"pip install 'fastmlp\[(plot|experiments)\]'"):
        page_of(*numbers)
