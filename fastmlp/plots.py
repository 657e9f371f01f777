"""Matplotlib figures from histories and networks.

Every function returns a `matplotlib.figure.Figure` that pyplot knows nothing of: no window, no global state, any
backend. ``figure.savefig(path)`` writes it; a notebook shows it as the value of a cell.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fastmlp.system.extras import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's colours, distinct to colour-blind eyes
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GREY = "#555555"
QUANTITIES = {"cost": "cost", "val_accuracy": "validation accuracy", "val_cost": "validation cost"}


class Recorded(Protocol):
    """What has the records of a training, such as `fastmlp.History`."""

    @property
    def records(self) -> Sequence[Mapping[str, Any]]:
        """One for each epoch."""

    stopped_because: str
    best_epoch: int | None


class Weighted(Protocol):
    """What has weight matrices, such as `fastmlp.MLP`."""

    @property
    def weights(self) -> list[np.ndarray]:
        """One for each layer."""


def plot_history(history: Recorded, *, stacked: bool = False) -> "Figure":
    """Cost and, where there was a validation set, validation cost and accuracy, by epoch.

    Parameters
    ----------
    history : History
        As `train` returns it.
    stacked : bool
        Whether the accuracy is below the cost, not beside it.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        matplotlib is not installed (extra ``plot``).
    """
    records = history.records
    known = {name for name in ("val_cost", "val_accuracy") if records and records[0][name] is not None}
    n = 2 if "val_accuracy" in known else 1
    figure, panels = axes_grid(*((n, 1) if stacked else (1, n)), width=5.0, height=3.6)
    epochs = [record["epoch"] for record in records]
    marker = "o" if len(records) == 1 else None
    cost, *others = panels.flat
    for name, label, colour in (("cost", "training", COLOURS[0]), ("val_cost", "validation", COLOURS[1])):
        if name in {"cost", *known}:
            cost.plot(epochs, [record[name] for record in records], color=colour, marker=marker, label=label)
    cost.set(xlabel="epoch", ylabel="cost", title=f"stopped because: {history.stopped_because}")
    for accuracy in others:
        accuracy.plot(epochs, [record["val_accuracy"] for record in records], color=COLOURS[1], marker=marker)
        accuracy.set(xlabel="epoch", ylabel="validation accuracy")
    if history.best_epoch is not None:
        chosen = others[0] if others else cost
        chosen.axvline(history.best_epoch, color=GREY, linestyle=":", label=f"best epoch {history.best_epoch}")
        chosen.legend()
    cost.legend()
    return figure


def curves(
    groups: Mapping[str, Sequence[Any]],
    *,
    quantity: str = "cost",
    highlighted: Mapping[str, int] | None = None,
    references: Mapping[str, tuple[float, float]] | None = None,
    reference_label: str = "reference",
) -> "Figure":
    """One panel for every group, one line for every training in it, against the optimizer's steps.

    Parameters
    ----------
    groups : mapping of str to sequence
        Title of the panel and its trainings: anything with the ``records`` of a `History`.
    quantity : {"cost", "val_accuracy", "val_cost"}
        The name in the records.
    highlighted : mapping of str to int, optional
        The position of the training in its group that is drawn in full colour.
    references : mapping of str to (float, float), optional
        A point (steps, value) to mark in the panel.
    reference_label : str
        What the legend calls these points.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        `groups` is empty or `quantity` is unknown.
    ImportError
        matplotlib is not installed (extra ``plot``).
    """
    if not groups:
        raise ValueError("groups must hold at least one group, got none")
    if quantity not in QUANTITIES:
        raise ValueError(f"quantity must be one of {', '.join(map(repr, QUANTITIES))}, got {quantity!r}")
    figure, panels = axes_grid(1, len(groups), width=4.0, height=3.4, sharey=True)
    for position, (title, trainings) in enumerate(groups.items()):
        axes = panels[0, position]
        colour = COLOURS[position % len(COLOURS)]
        chosen = (highlighted or {}).get(title)
        for number, training in enumerate(trainings):
            _curve(axes, training.records, quantity, colour, faint=chosen not in (None, number))
        if title in (references or {}):
            steps, value = (references or {})[title]
            axes.plot([steps], [value], "x", color="black", markersize=8, markeredgewidth=2, label=reference_label)
            axes.legend(loc="best")
        axes.set(xlabel="steps", title=title)
        axes.set_xlim(left=0)
    panels[0, 0].set_ylabel(QUANTITIES[quantity])
    return figure


def cost_curves(groups: Mapping[str, Sequence[Any]], **options: Any) -> "Figure":
    """`curves` of the training cost."""
    return curves(groups, quantity="cost", **options)


def weight_histograms(networks: Weighted | Mapping[str, Weighted | Sequence[np.ndarray]]) -> "Figure":
    """Histograms of every layer's weights: a row for each network, a column for each layer.

    Parameters
    ----------
    networks : MLP or mapping
        One network, or names and networks (or their lists of weight matrices).

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        `networks` is empty.
    ImportError
        matplotlib is not installed (extra ``plot``).
    """
    named = dict(networks) if isinstance(networks, Mapping) else {"": networks}
    if not named:
        raise ValueError("networks must hold at least one network, got none")
    rows = {name: _weights(network) for name, network in named.items()}
    depth = max(len(weights) for weights in rows.values())
    figure, panels = axes_grid(len(rows), depth, width=3.1, height=2.6)
    for row, (name, weights) in enumerate(rows.items()):
        for layer, axes in enumerate(panels[row]):
            if layer < len(weights):
                _histogram(axes, layer, weights[layer], COLOURS[row % len(COLOURS)])
            else:
                axes.set_axis_off()
        panels[row, 0].set_ylabel(f"{name}\nnumber of weights".strip())
    for axes in panels[-1]:
        axes.set_xlabel("weight")
    return figure


def heat_map(
    values: np.ndarray,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    row_label: str = "",
    column_label: str = "",
    title: str = "",
    decimals: int = 3,
    lowest_colour: float | None = None,
    outlined: Sequence[tuple[int, int]] = (),
) -> "Figure":
    """Draw a table of coloured cells, each with its number.

    Parameters
    ----------
    values : numpy.ndarray (rows, columns)
        NaN leaves a cell blank.
    rows, columns : sequence of str
        Headings.
    row_label, column_label, title : str
        What the axes and the colours show.
    decimals : int
        Of the numbers.
    lowest_colour : float, optional
        Values below it share the colour of the least, so that a few bad cells do not flatten the others.
    outlined : sequence of (int, int)
        Row and column of cells to frame.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        The shape of `values` is not that of the headings.
    ImportError
        matplotlib is not installed (extra ``plot``).
    """
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (len(rows), len(columns)):
        raise ValueError(
            f"values must have shape {(len(rows), len(columns))}, as the headings have, got {values.shape}"
        )
    figure, panels = axes_grid(1, 1, width=2.2 + 0.78 * len(columns), height=1.7 + 0.42 * len(rows))
    axes = panels[0, 0]
    axes.grid(visible=False)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    clipped = lowest_colour is not None and low < lowest_colour < high
    low = lowest_colour if clipped and lowest_colour is not None else low
    image = axes.imshow(np.ma.masked_invalid(values), cmap="viridis", vmin=low, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            dark = value < (low + high) / 2
            axes.text(
                column, row, f"{value:.{decimals}f}", ha="center", va="center", color="white" if dark else "black"
            )
    for row, column in outlined:
        axes.add_patch(_frame(row, column))
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlabel=column_label, ylabel=row_label, title=title)
    figure.colorbar(image, ax=axes, extend="min" if clipped else "neither")
    return figure


def axes_grid(
    rows: int, columns: int, *, width: float, height: float, sharey: bool = False
) -> tuple["Figure", np.ndarray]:
    """Return a figure with rows × columns axes of `width` × `height` inches each, light grid, no box."""
    layout = require("matplotlib.layout_engine", extra="plot").ConstrainedLayoutEngine(h_pad=0.1)
    figure = require("matplotlib.figure", extra="plot").Figure(figsize=(width * columns, height * rows), layout=layout)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=sharey)
    for axes in panels.flat:
        axes.grid(visible=True, color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels


def _curve(axes: "Axes", records: Sequence[Mapping[str, Any]], quantity: str, colour: str, *, faint: bool) -> None:
    """One training's line; a single epoch is a point."""
    axes.plot(
        [record["steps"] for record in records],
        [record[quantity] for record in records],
        color=colour, marker="o" if len(records) == 1 else None,
        linewidth=1.0 if faint else 1.6, alpha=0.4 if faint else 1.0, zorder=2 if faint else 3,
    )  # fmt: skip


def _weights(network: Weighted | Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the weight matrices of a network, or of a list of them."""
    return list(getattr(network, "weights", network))  # type: ignore[arg-type]


def _histogram(axes: "Axes", layer: int, weights: np.ndarray, colour: str) -> None:
    n_in, n_out = weights.shape
    values = np.asarray(weights, dtype=np.float64).ravel()
    axes.hist(values, bins=61 if values.size > 1000 else 21, color=colour, histtype="stepfilled")
    axes.locator_params(axis="y", integer=True)
    shape = f"{n_in} × {n_out}"  # noqa: RUF001
    axes.set_title(f"layer {layer + 1}: {shape}, largest {np.abs(values).max():.2f}", fontsize="medium")


def _frame(row: int, column: int) -> Any:
    patches = require("matplotlib.patches", extra="plot")
    return patches.Rectangle(
        (column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#D55E00", linewidth=2.5, clip_on=False
    )
