"""The figure of a regression."""

import numpy as np
import pytest

from fastmlp.reports.figures import predicted_against_true


@pytest.mark.parametrize("n", [1, 3, 600])
def test_a_point_for_each_row_and_the_line_of_right_predictions(n, tmp_path):
    y = np.arange(n, dtype=float)
    figure = predicted_against_true(y, y + 1, label="price")
    points, line = figure.axes[0].get_lines()
    assert points.get_xydata().tolist() == [[i, i + 1] for i in range(n)]
    assert line.get_slope() == 1
    assert figure.axes[0].get_ylabel() == "price predicted"
    figure.savefig(tmp_path / "figure.svg")  # some errors appear only when it is drawn
