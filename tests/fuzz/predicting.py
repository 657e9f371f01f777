"""Predictions: close to the float64 twin's, with the same bits for every layout, team and selection of rows."""

from dataclasses import dataclass

import numpy as np
from closeness import TOLERANCE
from hypothesis import strategies as st
from reference_network import Network

from fuzz.cases import Data, Net, data, dense, nets, refuses


@dataclass(frozen=True)
class Prediction:
    """A network, its rows, and the number of threads."""

    net: Net
    data: Data
    threads: int


CASES = st.builds(Prediction, nets(), data(), st.integers(1, 4))


def check(case):
    """Check the outputs of all rows."""
    net, X = case.net.make(), case.data.array(case.net.widths[0])
    plain = np.ascontiguousarray(case.data.numbers(case.net.widths[0]))
    if not case.data.fits(case.net.widths[0], case.net.dtype):
        assert refuses(lambda: net.outputs(X)), "taken, though not finite"
        return
    before = dense(X).tobytes()
    with np.errstate(over="ignore", invalid="ignore"):
        found = net.outputs(X, threads=case.threads)
        again = net.outputs(plain, threads=1)
    assert dense(X).tobytes() == before, "the data were changed"
    assert found.shape == (case.data.rows, case.net.widths[-1])
    assert found.tobytes() == again.tobytes(), "other bits"
    some = np.random.default_rng(case.data.seed).permutation(case.data.rows)[:3]
    assert net.outputs(plain[some]).tobytes() == found[some].tobytes(), "other bits for some rows"
    if case.data.moderate:
        with np.errstate(over="ignore"):
            expected = Network(net).outputs(plain)
        if np.abs(expected).max(initial=0.0) > 1e4:
            return  # such a large exponential multiplies the rounding error
        scale = max(1.0, np.abs(expected).max(initial=0.0))
        assert np.abs(found - expected).max() < 50 * TOLERANCE[found.dtype] * scale, "far from the twin"
