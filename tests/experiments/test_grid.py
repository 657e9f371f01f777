import math
from dataclasses import replace

import numpy as np
import pytest

from fastmlp.experiments import Cell, Configuration, Grid, best_cells
from fastmlp.experiments.grid import digest_of, places

CELL = Cell(method="L2", configuration=Configuration(batch_size=100, weight_decay=0.01), seed=0)


def test_the_reports_grid():
    cells = Grid().cells()
    assert len(cells) == len(set(cells)) == 7 * (8 + 2)
    assert {cell.configuration.batch_size for cell in cells} == {32, 64, 128, 250, 500, 1000, 2000}
    decays = {cell.configuration.weight_decay for cell in cells if cell.method == "L2"}
    assert decays == {0.1, 0.01, 0.001, 0.0005, 0.0001, 1e-5, 1e-6, 5e-6}
    for method in ("none", "batch norm"):
        own = [cell.configuration for cell in cells if cell.method == method]
        assert len(own) == 7
        assert all(c.weight_decay == 0 and c.batch_norm is (method == "batch norm") for c in own)
    assert {cell.column for cell in cells} == set(Grid().columns())


def test_seeds_multiply_the_cells():
    assert len(Grid(batch_sizes=(10, 20), decays=(0.1,), seeds=(3, 4, 5)).cells()) == 2 * 3 * 3


def test_no_decays_leave_the_other_columns():
    assert Grid(decays=()).columns() == ["none", "batch norm"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_sizes", ()),
        ("batch_sizes", (10, 10)),
        ("seeds", ()),
        ("seeds", (1, 1)),
        ("decays", (0.1, 0.1)),
        ("decays", (-0.1,)),
        ("decays", (0.0,)),
        ("decays", (math.nan,)),
        ("learning_rate", 0.0),
        ("epochs", 0),
    ],
)
def test_bad_axes_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        Grid(**{name: value})


def test_bad_batch_sizes_are_named():
    with pytest.raises(ValueError, match="batch_size"):
        Grid(batch_sizes=(0,))


def test_the_key_depends_on_everything(monkeypatch):
    changes = {
        "batch_size": 200,
        "batch_norm": True,
        "weight_decay": 0.02,
        "learning_rate": 0.01,
        "epochs": 5,
        "hidden": (20, 7),
        "init_scale": 0.1,
        "validation": 0.1,
    }
    assert set(changes) == set(Configuration.__dataclass_fields__)
    cells = [replace(CELL, configuration=replace(CELL.configuration, **{k: v})) for k, v in changes.items()]
    cells += [CELL, replace(CELL, seed=1)]
    keys = [cell.key("data") for cell in cells] + [CELL.key("other data")]
    monkeypatch.setattr("fastmlp.experiments.grid.__version__", "another")
    keys.append(CELL.key("data"))
    assert len(set(keys)) == len(changes) + 4


def test_the_digest_of_the_data_sees_one_changed_pixel(small_data):
    X, *others = small_data
    changed = X.copy()
    changed[17, 3] += 1
    assert digest_of((X, *others)) == digest_of((X.copy(), *others))
    assert digest_of((X, *others)) != digest_of((changed, *others))
    assert digest_of((X[:, :6], *others)) != digest_of((np.ascontiguousarray(X[:, 6:]), *others))


def figures(val, test):
    return {"val_accuracy": val, "test_accuracy": test, "epochs": 10, "seconds": 1.0}


def test_the_best_is_chosen_by_validation_and_averaged_over_seeds():
    grid = Grid(batch_sizes=(10, 20), decays=(0.5,), seeds=(0, 1))
    accuracy = {
        # one seed has the best accuracy, but the mean is not the best
        ("none", 10): ((0.95, 0.60), (0.20, 0.30)),
        ("none", 20): ((0.80, 0.50), (0.80, 0.70)),
        ("batch norm", 10): ((0.70, 0.70), (0.70, 0.70)),
        # the best test accuracy must not count
        ("batch norm", 20): ((0.60, 0.99), (0.60, 0.99)),
        ("L2", 10): ((0.1, 0.1), (0.1, 0.1)),
        ("L2", 20): ((0.2, 0.2), (0.2, 0.2)),
    }
    results = [
        (cell, figures(*accuracy[cell.method, cell.configuration.batch_size][cell.seed])) for cell in grid.cells()
    ]
    assert len(places(results)) == 6
    best = best_cells(results)
    assert list(best) == ["none", "batch norm", "L2"]
    assert (best["none"].batch_size, best["none"].seeds) == (20, 2)
    assert best["none"].test_accuracy == pytest.approx(0.6)
    assert best["batch norm"].batch_size == 10
    assert (best["L2"].batch_size, best["L2"].weight_decay) == (20, 0.5)
