"""Figures of a report as text."""

import pytest

from fastmlp.reports.digits import digits


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.875, "0.8750"), (-0.00004, "-0.0000"), (1.0, "1.0000"), (1.23456, "1.235"), (999.94, "999.9"),
     (-12345.6, "-12,346"), (1e7, "10,000,000"), (float("nan"), "-")],
)  # fmt: skip
def test_digits(value, text):
    assert digits(value) == text
