"""The figure of a regression."""

from typing import TYPE_CHECKING

import numpy as np

from fastmlp.plots import COLOURS, GREY, axes_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 500  # that an SVG file holds one by one; more are a picture in it


def predicted_against_true(y: np.ndarray, predicted: np.ndarray, *, label: str = "") -> "Figure":
    """Draw a point for each row, and the line on which predictions are right.

    Parameters
    ----------
    y, predicted : numpy.ndarray (n,)
        True and predicted numbers.
    label : str
        What they are.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        matplotlib is not installed (extra ``plot``).
    """
    figure, panels = axes_grid(1, 1, width=5.0, height=4.4)
    axes = panels[0, 0]
    axes.plot(y, predicted, ".", color=COLOURS[0], markersize=4, alpha=0.6, rasterized=len(y) > MOST_POINTS)
    axes.axline((float(y[0]), float(y[0])), slope=1, color=GREY, linestyle=":")
    axes.locator_params(nbins=5)
    axes.set(xlabel=f"{label} in the table".strip(), ylabel=f"{label} predicted".strip())
    return figure
