"""The public kernels: a call is right, or it is refused and writes nothing. No call writes outside its outputs."""

from dataclasses import dataclass

import numpy as np
import reference
from closeness import TOLERANCE
from hypothesis import strategies as st
from kernel_calls import MARGIN

from fastmlp import kernels
from fuzz.cases import ROWS, WIDTHS, in_memory

# for each kernel its inputs and its outputs. A shape is written with "n" rows, "i" inputs and "o" outputs. "labels" are
# indices below o. Numbers are arguments themselves.
SIGNATURES = {
    "linear_forward": ({"x": "ni", "weight": "io", "bias": "o"}, {"out": "no"}),
    "linear_backward": ({"x": "ni", "weight": "io", "dout": "no"}, {"dx": "ni", "dweight": "io", "dbias": "o"}),
    "relu_forward": ({"z": "no"}, {"out": "no"}),
    "relu_backward": ({"z": "no", "dout": "no"}, {"dz": "no"}),
    "relu_batchnorm_forward": ({"z": "no", "eps": 1e-2}, {"out": "no", "mean": "o", "inv_std": "o"}),
    "batchnorm_relu_forward": (
        {"z": "no", "gamma": "o", "beta": "o", "eps": 1e-2}, {"out": "no", "mean": "o", "inv_std": "o"},
    ),
    "softmax": ({"z": "no"}, {"out": "no"}),
    "softmax_cross_entropy": ({"z": "no", "y": "labels"}, {"proba": "no", "dz": "no"}),
    "dropout": ({"x": "no", "key": 1, "step": 2, "layer": 3, "threshold": 1 << 30}, {"out": "no"}),
    "gather": ({"data": "no", "index": "index", "scale": 0.5}, {"out": "no"}),
}  # fmt: skip
LAYOUTS = ("columns", "backwards", "every second", "read only")
VALUES = {"usual": 1.0, "subnormal": 1e-40, "large": 1e18, "largest": 1e38}


@dataclass(frozen=True)
class Call:
    """A call. One of its arrays may have another layout, and one may be longer or shorter by one."""

    kernel: str
    sizes: tuple
    dtype: str
    values: str
    turned: int
    layout: str
    changed: int
    by: int
    seed: int


CASES = st.builds(
    Call,
    st.sampled_from(list(SIGNATURES)),
    st.tuples(ROWS, WIDTHS, WIDTHS),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from(["usual", *VALUES]),
    st.integers(0, 30),  # most of these numbers are no array's: every other layout needs a compilation
    st.sampled_from(LAYOUTS),
    st.integers(0, 40),
    st.sampled_from([-1, 1]),
    st.integers(0, 2**20),
)


class _Arrays:
    """The arguments of a call. Each output is inside a larger buffer that is filled with one value."""

    def __init__(self, case):
        self.case, self.rng = case, np.random.default_rng(case.seed)
        self.sizes = dict(zip("nio", case.sizes, strict=True))
        self.number, self.usual, self.buffers = 0, case.changed > 6, []
        inputs, outputs = SIGNATURES[case.kernel]
        self.inputs = [self._made(kind, False) for kind in inputs.values()]
        self.outputs = [self._made(kind, True) for kind in outputs.values()]

    def _made(self, kind, is_output):
        if not isinstance(kind, str):
            return kind
        shape = (self.case.sizes[0],) if kind in ("labels", "index") else tuple(self.sizes[letter] for letter in kind)
        if self.number == self.case.changed:
            shape = (*shape[:-1], max(0, shape[-1] + self.case.by))
        layout = self.case.layout if self.number == self.case.turned else "rows"
        self.number += 1
        self.usual &= layout in (("rows",) if is_output else ("rows", "read only"))
        if kind in ("labels", "index"):
            below = self.sizes["o"] if kind == "labels" else self.case.sizes[0]
            return in_memory(self.rng.integers(0, below, shape), "read only" if layout == "read only" else "rows")
        drawn = np.clip(self.rng.standard_normal(shape), -3, 3)
        numbers = (drawn * VALUES[self.case.values]).astype(self.case.dtype)
        if not is_output:
            return in_memory(numbers, layout) if numbers.ndim == 2 else numbers
        return self._inside(shape, layout)

    def _inside(self, shape, layout):
        size = int(np.prod(shape))
        self.buffers.append((np.full(size + 2 * MARGIN, -9, self.case.dtype), size))
        out = self.buffers[-1][0][MARGIN : MARGIN + size].reshape(shape)
        if layout == "columns" and len(shape) == 2:
            out = out.reshape(shape[::-1]).T
        elif layout == "backwards":
            out = out[::-1]
        out.setflags(write=layout != "read only")
        return out

    def check_margins(self):
        for buffer, size in self.buffers:
            assert (buffer[:MARGIN] == -9).all(), "written before an output"
            assert (buffer[MARGIN + size :] == -9).all(), "written behind an output"

    def check_untouched(self):
        for buffer, _ in self.buffers:
            assert (buffer == -9).all(), "written before the refusal"


def check(case):
    """Check one call."""
    arrays = _Arrays(case)
    before = [np.copy(value) for value in arrays.inputs]
    with np.errstate(all="ignore"):
        try:
            found = getattr(kernels, case.kernel)(*arrays.inputs, *arrays.outputs)
        except (TypeError, ValueError):
            assert not arrays.usual, "refused, though all arrays fit"
            arrays.check_untouched()
            return
        arrays.check_margins()
        for value, copy in zip(arrays.inputs, before, strict=True):
            np.testing.assert_array_equal(value, copy)
        assert arrays.case.changed >= arrays.number or _any_size_fits(case), "taken, though a shape does not fit"
        if case.values != "usual":
            return
        expected = [np.zeros(out.shape) for out in arrays.outputs]
        cost = getattr(reference, case.kernel)(*arrays.inputs, *expected)
    limit = 10 * TOLERANCE[np.dtype(case.dtype)]
    for out, twin in zip(arrays.outputs, expected, strict=True):
        scale = max(1.0, np.abs(twin).max(initial=0.0))
        np.testing.assert_allclose(out, twin, rtol=limit, atol=limit * scale)
    if cost is not None:
        assert abs(found - cost) <= limit * max(1.0, abs(cost))


def _any_size_fits(case):
    """Whether the call is still valid with the changed array's other size, as with more rows to gather from."""
    return case.kernel == "gather" or min(case.sizes) <= 1
