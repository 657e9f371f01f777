"""Matrix products of every shape, against a chain of fused multiply-adds for each element and against NumPy.

The chain is the definition. Products for the tile shapes of other CPUs must give the same bits as the chain, too.
"""

import itertools
import re

import numba
import numpy as np
import pytest
from closeness import assert_close

from fastmlp.kernels.panels import Panels
from fastmlp.simd import gemm, tile
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import pointer
from fastmlp.simd.target import VECTOR_BYTES, features, tiles

CPUS = {
    "avx512": ("+avx512f,+avx2,+fma", "x86_64-unknown-linux-gnu"),
    "avx2": ("+avx2,+fma", "x86_64-unknown-linux-gnu"),
    "neon": ("+neon", "aarch64-unknown-linux-gnu"),
    "sse": ("+sse2", "x86_64-unknown-linux-gnu"),
}
FORMS = ["forward", "forward_relu", "backward", "backward_masked", "update"]
LISTED_FORMS = ["forward", "forward_relu", "update"]
SENTINEL = -12345.0


@numba.njit
def _matrices(by_rows, a, b, out, sizes):
    """The panels of a product, from its sizes: rows, columns and terms, three strides, and the start of the output."""
    rows, columns, count = sizes[0], sizes[1], sizes[2]
    factor = pointer(a, 0)
    if by_rows:
        first = Panels(start=factor, stride=sizes[3], rows=rows, columns=count)
    else:
        first = Panels(start=factor, stride=sizes[3], rows=count, columns=rows)
    second = Panels(start=pointer(b, 0), stride=sizes[4], rows=count, columns=columns)
    return first, second, Panels(start=pointer(out, sizes[6]), stride=sizes[5], rows=rows, columns=columns)


def _switch(forward, forward_relu, backward, backward_masked, update):
    """One compiled function for the five products."""

    @numba.njit
    def product(which, a, b, out, operand, sizes, alpha, beta):
        p, q, r = _matrices(which != 4, a, b, out, sizes)
        s = pointer(operand, sizes[7])
        if which == 0:
            forward(p, q, r, s, alpha, beta)
        elif which == 1:
            forward_relu(p, q, r, s, alpha, beta)
        elif which == 2:
            backward(p, q, r, s, alpha, beta)
        elif which == 3:
            backward_masked(p, q, r, s, alpha, beta)
        else:
            update(p, q, r, s, alpha, beta)

    return product


def _switch_listed(forward, forward_relu, update):
    """One compiled function for the three listed products."""

    @numba.njit
    def product(which, a, b, out, operand, sizes, alpha, beta, lists):
        p, q, r = _matrices(which != 2, a, b, out, sizes)
        s, t = pointer(operand, sizes[7]), pointer(lists, 0)
        if which == 0:
            forward(p, q, r, s, alpha, beta, t)
        elif which == 1:
            forward_relu(p, q, r, s, alpha, beta, t)
        else:
            update(p, q, r, s, alpha, beta, t)

    return product


@pytest.fixture(scope="module")
def products():
    """The compiled products for each CPU; "" is the CPU of this machine. Each product is made once."""
    made = {}

    def of(cpu, listed=False):
        if (cpu, listed) not in made:
            with pytest.MonkeyPatch.context() as patch:
                if cpu:
                    patch.setattr(gemm, "TILES", tiles(*CPUS[cpu]))
                forward = gemm.make_product(tile.bias, by_rows=True, per_column=True, listed=listed)
                forward_relu = gemm.make_product(tile.bias_relu, by_rows=True, per_column=True, listed=listed)
                update = gemm.make_product(tile.scaled_add, by_rows=False, listed=listed)
                if listed:
                    made[cpu, listed] = _switch_listed(forward, forward_relu, update)
                else:
                    backward = gemm.make_product(tile.store, by_rows=True)
                    backward_masked = gemm.make_product(tile.mask, by_rows=True)
                    made[cpu, listed] = _switch(forward, forward_relu, backward, backward_masked, update)
                for name in ("float32", "float64"):  # compiled while the shapes are patched
                    problem = Problem("forward", name, 4, 1, 1)
                    if listed:
                        problem = ListedProblem("forward", name, 4, 1, 1, gemm.TILES.listed[0])
                    problem.run(made[cpu, listed])
        return made[cpu, listed]

    return of


@numba.njit
def _chain(which, a, b, operand, out, alpha, beta):
    """``out (rows, columns)`` from a (rows, count) and b (count, columns): one fused multiply-add for each term."""
    zero = out.dtype.type(0)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            total = zero
            for k in range(a.shape[1]):
                total = v.scalar_fma(a[i, k], b[k, j], total)
            if which <= 1:
                total += operand[i, j]
            if which == 1 and zero > total:
                total = zero
            if which == 3 and not operand[i, j] > zero:
                total = zero
            if which == 4:
                total = v.scalar_fma(alpha, total, beta * out[i, j])
            out[i, j] = total


def _panels(matrix, lanes, height, fill):
    """The panels [n / lanes][height][lanes] of a matrix, flat. Extra rows hold `fill`, extra columns hold zeros."""
    m, n = matrix.shape
    count = -(-n // lanes)
    panels = np.full((count, height, lanes), fill, matrix.dtype)
    panels[:, :m] = 0
    for j in range(n):
        panels[j // lanes, :m, j % lanes] = matrix[:, j]
    return panels.reshape(-1)


def _matrix(panels, shape, lanes, height):
    m, n = shape
    panels = panels.reshape(-1, height, lanes)
    return panels[:, :m].transpose(1, 0, 2).reshape(m, -1)[:, :n]


class Problem:
    """Operands of a product as plain matrices and as panels between guard zones.

    Elements that a product must not read are NaN: rows of a and b after the sum's terms, inputs of a after `count`.
    """

    def __init__(self, form, name, rows, columns, count):
        self.form, self.dtype, self.shape, self.count = form, np.dtype(name), (rows, columns), count
        self.lanes = VECTOR_BYTES // self.dtype.itemsize
        self.which = FORMS.index(form)
        rng = np.random.default_rng([rows, columns, count])
        self.a, self.b, self.operand, self.before = (
            rng.standard_normal(shape).astype(self.dtype)
            for shape in ((rows, count), (count, columns), (rows, columns), (rows, columns))
        )
        if self.which <= 1:
            self.operand[:] = self.operand[0]
        self.alpha, self.beta = self.dtype.type(-0.3), self.dtype.type(0.9)

    def expected(self):
        out = self.before.copy()
        _chain(self.which, self.a, self.b, self.operand, out, self.alpha, self.beta)
        return out

    def _panel_of_a(self, a):
        if self.form == "update":  # one panel; the product sums over its rows
            return _panels(np.ascontiguousarray(a.T), self.lanes, self.count + 1, np.nan)
        panels = _panels(a, self.lanes, self.shape[0] + 1, np.nan).reshape(-1, self.shape[0] + 1, self.lanes)
        if self.count % self.lanes:
            panels[-1, :, self.count % self.lanes :] = np.nan
        return panels.reshape(-1)

    def run(self, product):
        return self._run(product, self.a)

    def _run(self, product, a, *lists):
        rows, columns = self.shape
        lanes, height, guard = self.lanes, rows + 3, 64
        a, b = self._panel_of_a(a), _panels(self.b, lanes, self.count + 2, np.nan)
        inner = _panels(self.before, lanes, height, SENTINEL)
        zone = np.full(guard, SENTINEL, self.dtype)
        out = np.concatenate([zone, inner, zone])
        if self.which <= 1:
            operand, start = _panels(self.operand[:1], lanes, 1, np.nan), 0
        elif self.which == 3:
            operand, start = _panels(self.operand, lanes, height, np.nan), 0
        else:
            operand, start = out, guard
        a_panel = 0 if self.form == "update" else (rows + 1) * lanes
        sizes = np.array([rows, columns, self.count, a_panel, (self.count + 2) * lanes, height * lanes, guard, start])
        product(
            (LISTED_FORMS if lists else FORMS).index(self.form),
            a,
            b,
            out,
            operand,
            sizes,
            self.alpha,
            self.beta,
            *lists,
        )
        assert (out[:guard] == SENTINEL).all()
        assert (out[-guard:] == SENTINEL).all()
        written = out[guard:-guard].reshape(-1, height, lanes)
        assert (written[:, rows:] == SENTINEL).all(), "rows beyond the product's were written"
        padding = written[-1, :rows, columns % lanes :] if columns % lanes else np.zeros(0)
        assert not padding.any(), "padding lanes must stay 0"
        return _matrix(written.reshape(-1), self.shape, lanes, height)


class ListedProblem(Problem):
    """A product in which each tile of `height` rows has a list of two of five terms. The other terms of a are NaN."""

    def __init__(self, form, name, rows, columns, count, height):
        super().__init__(form, name, rows, columns, count)
        self.height = height
        self.named = np.random.default_rng(count).random((rows // height, count)) < 0.4
        self.named[0] = False  # this list has only the one term that every list must have
        self.named[:, :: gemm.LISTED] = True
        self.a[~self.named.repeat(height, axis=0)] = 0

    def run(self, product):
        starts = range(0, self.count, gemm.LISTED)
        lists = np.full((len(self.named), len(starts), gemm.LIST), 255, np.uint8)
        for row, named in enumerate(self.named):
            for part, start in enumerate(starts):
                (terms,) = named[start : start + gemm.LISTED].nonzero()
                lists[row, part, 0], lists[row, part, 1 : 1 + len(terms)] = len(terms), terms
        seen = np.where(self.named.repeat(self.height, axis=0), self.a, np.nan).astype(self.dtype)
        return self._run(product, seen, lists.reshape(-1))


def _problems(name, form):
    """All combinations of columns and numbers of terms; the numbers of rows alternate."""
    lanes = VECTOR_BYTES // np.dtype(name).itemsize
    heights = [4, 8, 12, 16] if form == "update" else [4, 8, 12, 16, 20, 24, 28, 40]
    turns = itertools.cycle([height for height in heights if form != "update" or height <= lanes])
    sizes = [1, 2, 3, *range(7, 10), *range(15, 18), 24, 25, *range(31, 34), 40]
    counts = [*sizes, 129] if form == "update" else [*sizes, 255, 256, 257, 512, 513]
    for columns in sorted({*sizes, *range(1, 41, 3)}):
        for count in counts:
            yield Problem(form, name, next(turns), columns, count)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cpu", list(CPUS))
def test_the_shape_of_the_tiles_changes_no_bit(cpu, form, dtype, products):
    for problem in _problems(dtype.name, form):
        np.testing.assert_array_equal(
            problem.run(products(cpu)), problem.expected(), err_msg=f"{problem.shape} {problem.count}", strict=True
        )


@pytest.mark.parametrize("form", LISTED_FORMS)
@pytest.mark.parametrize("cpu", list(CPUS))
def test_a_listed_product_reads_no_other_terms(cpu, form, dtype, products):
    for p in _problems(dtype.name, form):
        if form == "update" and p.count > gemm.LISTED:
            continue
        problem = ListedProblem(form, dtype.name, *p.shape, p.count, tiles(*CPUS[cpu]).listed[0])
        np.testing.assert_array_equal(
            problem.run(products(cpu, listed=True)), problem.expected(), err_msg=f"{p.shape} {p.count}", strict=True
        )


def _innermost_loops(assembly):
    """The instructions of each loop that is one block."""
    label, block = None, []
    for line in assembly.splitlines():
        if found := re.match(r"(\.L\w+):", line):
            label, block = found[1], []
        elif re.match(r"\s+[a-z]", line):
            block.append(line)
            if re.match(rf"\s+j\w+\s+{re.escape(str(label))}$", line):
                yield tuple(block)


@pytest.mark.skipif("+fma" not in features(), reason="without the instruction, fused multiply-adds are calls")
@pytest.mark.parametrize("listed", [False, True])
def test_sums_stay_in_registers(listed, products):
    loops = [loop for code in products("", listed).inspect_asm().values() for loop in _innermost_loops(code)]
    sums = [loop for loop in loops if any("vfmadd" in line for line in loop)]
    assert len(sums) >= 6
    for loop in sums:
        assert not [line for line in loop if re.match(r"\s+v.*\(%rsp\)", line)], "\n".join(loop)


@pytest.mark.parametrize("form", FORMS)
def test_equals_numpy(form, dtype, products):
    for rows, columns, count in [(4, 1, 1), (8, 17, 40), (16, 40, 33), (4, 16, 300), (8, 100, 7), (12, 33, 16)]:
        if form == "update" and rows > VECTOR_BYTES // dtype.itemsize:
            continue
        p = Problem(form, dtype.name, rows, columns, count)
        a, b, operand, before = (array.astype(np.float64) for array in (p.a, p.b, p.operand, p.before))
        expected = {
            "forward": a @ b + operand,
            "forward_relu": np.maximum(a @ b + operand, 0),
            "backward": a @ b,
            "backward_masked": np.where(operand > 0, a @ b, 0),
            "update": float(p.alpha) * (a @ b) + float(p.beta) * before,
        }
        assert_close(p.run(products("")), expected[form])


def test_the_library_uses_these_products(dtype, products):
    library = _switch(gemm.forward, gemm.forward_relu, gemm.backward, gemm.backward_masked, gemm.update)
    for form in FORMS:
        problem = Problem(form, dtype.name, 8, 37, 20)
        np.testing.assert_array_equal(problem.run(library), problem.expected(), strict=True)
    listed = _switch_listed(gemm.forward_listed, gemm.forward_relu_listed, gemm.update_listed)
    for form in LISTED_FORMS:
        problem = ListedProblem(form, dtype.name, 8, 37, 20, gemm.TILES.listed[0])
        np.testing.assert_array_equal(problem.run(listed), problem.expected(), strict=True)
