"""Comparison of arrays with expected arrays, to the tolerance of their dtype."""

import numpy as np

# relative to the largest magnitude of the expected array; enough for sums of about 1000 terms in another order
TOLERANCE = {np.dtype("float32"): 2e-5, np.dtype("float64"): 1e-12}


def assert_close(actual, expected, dtype=None, factor=1.0):
    """Compare arrays or numbers, to the tolerance of a dtype times `factor`. NaN and infinity always fail."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    limit = factor * TOLERANCE[np.dtype(actual.dtype if dtype is None else dtype)]
    assert actual.shape == expected.shape
    assert np.all(np.isfinite(actual)), "not finite"
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(actual, expected, rtol=limit, atol=limit * scale)
