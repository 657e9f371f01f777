import io
import subprocess
import sys

import numpy as np
import pytest

import fastmlp
from fastmlp import plots


def history(epochs=3, validated=True, **options):
    records = [
        {
            "epoch": epoch,
            "steps": 10 * epoch,
            "cost": 1 / epoch,
            "last_cost": 0.9 / epoch,
            "val_cost": 1.1 / epoch if validated else None,
            "val_accuracy": 1 - 0.5 / epoch if validated else None,
            "seconds": 0.1 * epoch,
        }
        for epoch in range(1, epochs + 1)
    ]
    return fastmlp.History(records=records, **options)


def drawn(figure):
    """Draw the figure into a file: some errors appear only when it is drawn."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=40)
    return buffer.getvalue()


def test_pyplot_is_never_imported():
    script = "import sys, fastmlp; fastmlp.History().plot(); sys.exit('matplotlib.pyplot' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_history_with_validation():
    figure = plots.plot_history(history(stopped_because="early stopping", best_epoch=2))
    cost, accuracy = figure.axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in cost.get_lines()}
    assert lines["training"] == [[1, 1], [2, 0.5], [3, 1 / 3]]
    assert lines["validation"] == [[1, 1.1], [2, 0.55], [3, 1.1 / 3]]
    assert accuracy.get_lines()[0].get_ydata().tolist() == [0.5, 0.75, 1 - 0.5 / 3]
    assert "early stopping" in cost.get_title()
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    drawn(figure)


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_a_history_without_validation(epochs):
    figure = plots.plot_history(history(epochs, validated=False))
    assert len(figure.axes) == 1
    drawn(figure)


def test_a_history_of_numbers_has_a_validation_cost_and_no_accuracy():
    numbers = history(best_epoch=3)
    for record in numbers.records:
        record["val_accuracy"] = None
    (cost,) = plots.plot_history(numbers).axes
    assert [line.get_label() for line in cost.get_lines()] == ["training", "validation", "best epoch 3"]


def test_the_accuracy_below_the_cost():
    cost, accuracy = plots.plot_history(history(), stacked=True).axes
    assert cost.get_position().y0 > accuracy.get_position().y1


def test_history_plot_is_this_figure():
    assert len(history().plot().axes) == 2


def test_curves_have_a_panel_for_each_group_and_a_line_for_each_training():
    figure = plots.cost_curves(
        {"a": [history(), history(5)], "b": [history(1)]},
        highlighted={"a": 1},
        references={"b": (12, 0.4)},
        reference_label="there",
    )
    first, second = figure.axes
    assert [len(line.get_xdata()) for line in first.get_lines()] == [3, 5]
    faint, full = first.get_lines()
    assert faint.get_alpha() < full.get_alpha()
    assert second.get_lines()[-1].get_xydata().tolist() == [[12, 0.4]]
    assert second.get_legend().get_texts()[0].get_text() == "there"
    drawn(figure)


def test_curves_of_accuracy():
    figure = plots.curves({"a": [history()]}, quantity="val_accuracy")
    assert figure.axes[0].get_ylabel() == "validation accuracy"


def test_curves_of_what_is_unknown():
    with pytest.raises(ValueError, match="quantity"):
        plots.curves({"a": [history()]}, quantity="beauty")
    with pytest.raises(ValueError, match="groups"):
        plots.cost_curves({})


def test_histograms_of_one_network_count_every_weight():
    net = fastmlp.MLP([30, 8, 4, 3])
    figure = plots.weight_histograms(net)
    assert len(figure.axes) == 3
    assert "30 × 8" in figure.axes[0].get_title()
    largest = max(np.abs(net.weights[0]).max(), 0)
    assert f"{largest:.2f}" in figure.axes[0].get_title()
    drawn(figure)


def test_histograms_of_networks_of_different_depth():
    figure = plots.weight_histograms({"deep": fastmlp.MLP([6, 5, 4, 3]), "flat": [np.zeros((6, 3))]})
    shown = [axes.axison for axes in figure.axes]
    assert shown == [True, True, True, True, False, False]
    drawn(figure)


def test_histograms_of_nothing():
    with pytest.raises(ValueError, match="networks"):
        plots.weight_histograms({})


def test_heat_map_writes_every_number_and_leaves_gaps_blank():
    values = np.array([[0.1, 0.9123], [np.nan, 0.95]])
    figure = plots.heat_map(values, rows=["r", "s"], columns=["c", "d"], lowest_colour=0.8, outlined=[(1, 1)])
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.100", "0.912", "0.950"]
    assert axes.images[0].get_clim() == (0.8, 0.95)
    assert len(axes.patches) == 1
    drawn(figure)


@pytest.mark.parametrize("values", [np.full((1, 2), np.nan), np.ones((1, 2)), np.array([[0.1, 0.2]])])
def test_heat_map_of_little(values):
    drawn(plots.heat_map(values, rows=["r"], columns=["c", "d"], lowest_colour=0.8))


def test_heat_map_of_a_wrong_shape():
    with pytest.raises(ValueError, match="values must have shape"):
        plots.heat_map(np.ones((2, 2)), rows=["r"], columns=["c", "d"])


def test_missing_matplotlib(monkeypatch):
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.layout_engine"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'fastmlp\[plot\]'"):
        plots.plot_history(history())
