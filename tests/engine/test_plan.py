"""Plans: buffers do not overlap, every tile and row has one owner, and all threads have about the same work."""

import numpy as np
import pytest
from engine_runs import network, plan_of
from guarded_buffers import use
from networks import digest

from fastmlp import MLP, BatchNorm
from fastmlp.engine.plan import (
    BACKWARD,
    EPOCH_FLOP,
    FORWARD,
    MOST_NORM_BLOCKS,
    PACKED_PARALLEL_FLOP,
    PARALLEL_FLOP,
    ROWS_UNIT,
    WHOLE,
    deal_tiles,
    useful_threads,
)
from fastmlp.engine.workspace import PackedParameters, Workspace, from_panels, to_panels, vectors_of
from fastmlp.kernels.bfloat16 import PACKED, PLAIN
from fastmlp.kernels.tiles import SUM_ROWS, TILE_PANELS
from fastmlp.simd.sizes import round_up

WIDTHS = [
    (1, 1), (784, 10), (16, 16), (17, 33), (784, 20, 7, 5, 10), (3, 1000, 4), (64, 512, 512, 100), (9, 1, 1, 1, 2),
    (4096, 7, 33),
]  # fmt: skip
BATCHES = [1, 2, 7, 8, 31, 96, 97, 128, 511, 512, 513, 1000, 7001]
THREADS = [1, 2, 3, 4, 7, 16, 64]


@pytest.fixture(params=WIDTHS, ids=str)
def widths(request):
    return request.param


def _disjoint(pieces, size, lanes):
    """Whether pieces (start, length) lie inside `size` without overlapping, each on a cache line of its own."""
    pieces = sorted([*pieces, (size, 0)])
    ends = [start + round_up(length, lanes) for start, length in pieces]
    starts = [start for start, _ in pieces]
    assert all(start % lanes == 0 for start in starts)
    assert all(end <= following for end, following in zip(ends[:-1], starts[1:], strict=True))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("factors", [False, True])
def test_buffers_do_not_overlap(widths, norm, dtype, training, factors):
    for batch in BATCHES:
        plan = plan_of(widths, dtype, norm, batch, training=training, factors=factors)
        _check_buffers(plan, widths, norm, training)
        below, *above = plan.layers
        assert (below["factors"] >= 0) == (below["scaled"] != below["weight"]) == (factors and training)
        assert below["factors"] < plan.n_gradient
        assert below["factors"] < 0 or below["scaled"] >= plan.n_gradient
        assert all(layer["factors"] < 0 and layer["scaled"] == layer["weight"] for layer in above)


def _check_buffers(plan, widths, norm, training):
    lanes = plan.lanes
    parameters, rows, statistics = [], [], []
    for i, layer in enumerate(plan.layers):
        assert (layer["n_in"], layer["n_out"]) == (widths[i], widths[i + 1])
        n_in, n_out = round_up(widths[i], lanes), round_up(widths[i + 1], lanes)
        sizes = dict.fromkeys(("bias", "gamma", "beta", "running_mean", "running_var"), n_out)
        sizes |= {"weight": n_in * n_out, "transposed": n_in * n_out, "factors": n_in}
        if layer["factors"] >= 0:
            sizes["scaled"] = n_in * n_out
        parameters += [(layer[name], size) for name, size in sizes.items() if layer[name] >= 0]
        hidden = i < len(widths) - 2
        assert (layer["gamma"] >= 0) == (layer["statistics"] >= 0) == (hidden and training and norm is not None)
        assert (layer["transposed"] >= 0) == (i > 0 and training)
        assert layer["input"] == (plan.layers[i - 1]["out"] if i else 0)
        rows += [(start, plan.stride * n_out // lanes) for start in {layer["out"], layer["pre"], layer["dz"]}]
        if layer["statistics"] >= 0:
            statistics.append((layer["statistics"], 5 * n_out))
    rows.append((0, plan.stride * round_up(widths[0], lanes) // lanes))
    _disjoint(parameters, plan.n_parameters, lanes)
    _disjoint(rows, plan.n_rows, lanes)
    _disjoint(statistics, plan.n_statistics, lanes)
    assert plan.widest == max(round_up(width, lanes) for width in widths)


@pytest.mark.parametrize("batch", BATCHES)
def test_blocks_and_panels(norm, dtype, batch):
    plan = plan_of((5, 9, 3), dtype, norm, batch)
    assert plan.lanes == 64 // dtype.itemsize
    rows = plan.stride // plan.lanes
    assert plan.stride % plan.lanes == 0
    assert rows % 2 == 1  # the number of cache lines from one panel to the next is odd
    assert batch <= round_up(batch, 4) <= rows  # products compute groups of four rows
    assert plan.block % ROWS_UNIT == 0
    assert (plan.blocks - 1) * plan.block < batch <= plan.blocks * plan.block
    if norm is not None:
        assert plan.blocks <= MOST_NORM_BLOCKS


@pytest.mark.parametrize("batch", BATCHES)
def test_copies_of_16_bits_start_on_cache_lines(batch):
    plan = plan_of((5, 9, 3), "float32", None, batch, operands=PACKED)
    lines, rest = divmod(plan.stride // 2 * 4, 64)
    assert rest == 0
    assert lines % 2 == 1
    for layer in plan.layers:
        assert all(layer[name] % plan.lanes == 0 for name in ("input_rows", "input_pairs", "dz_rows", "dz_pairs"))


def test_passes_over_the_rows(norm, dtype):
    passes = plan_of((5, 9, 8, 3), dtype, norm, 20).passes
    found = [(int(each["kind"]), int(each["layer"])) for each in passes]
    if norm is None:
        assert found == [(WHOLE, 0)]
    else:  # two passes for each of the two normalised layers, and one for the last layer
        assert found == [(FORWARD, 0), (FORWARD, 1), (FORWARD, 2), (BACKWARD, 1), (BACKWARD, 0)]
    assert passes["half"].tolist() == [number % 2 for number in range(len(passes))]


def test_units_fit_one_another():
    assert ROWS_UNIT % 4 == SUM_ROWS % 4 == 0


@pytest.mark.parametrize("threads", THREADS)
def test_every_tile_has_one_owner_and_a_fair_share(widths, dtype, threads):
    plan = plan_of(widths, dtype, None, 64)
    dealt = deal_tiles(plan, threads)
    assert dealt.shape == (threads, len(plan.layers), 2)
    work, largest = np.zeros(threads), 0
    for i, layer in enumerate(plan.layers):
        groups = -(-int(layer["n_out"]) // (plan.lanes * TILE_PANELS))
        tiles = -(-int(layer["n_in"]) // plan.lanes) * groups
        owned = [tile for thread in range(threads) for tile in range(*dealt[thread, i])]
        assert owned == list(range(tiles))
        cost = min(int(layer["n_out"]), plan.lanes * TILE_PANELS)
        largest = max(largest, cost)
        work += [cost * (last - first) for first, last in dealt[:, i]]
    assert work.max() <= work.sum() / threads + largest


def test_useful_threads():
    def plan(width, batch, operands=PLAIN):
        return plan_of((width, width), "float32", None, batch, operands=operands)

    many = 10**6
    assert useful_threads(plan(16, 8), 8, many) == 1
    assert useful_threads(plan(512, 128), 8, many) == 8
    assert useful_threads(plan(512, 128), 1, many) == 1
    # the work of a step, 6 operations for each weight and row, decides
    batch = int(PARALLEL_FLOP / 6 / 64**2)
    assert [useful_threads(plan(64, rows), 2, many) for rows in (batch, batch + 1)] == [1, 2]
    batch = int(PACKED_PARALLEL_FLOP / 6 / 64**2)
    assert [useful_threads(plan(64, rows, PACKED), 2, many) for rows in (batch, batch + 1)] == [1, 2]
    # and the work of an epoch
    rows = int(np.ceil(EPOCH_FLOP / 6 / 512**2))
    assert [useful_threads(plan(512, 32), 2, n) for n in (rows - 1, rows)] == [1, 2]


@pytest.mark.parametrize("lanes", [8, 16])
def test_panels_and_back(lanes, rng):
    for n in range(1, 41):
        matrix = rng.standard_normal((7, n))
        panels = np.full(round_up(n, lanes) * 9, np.nan)
        to_panels(matrix, lanes, panels)
        for j in range(n):
            np.testing.assert_array_equal(panels.reshape(-1, 9, lanes)[j // lanes, :7, j % lanes], matrix[:, j])
        assert np.isnan(panels).sum() == panels.size - matrix.size
        back = np.zeros_like(matrix)
        from_panels(panels, lanes, back)
        np.testing.assert_array_equal(back, matrix)


def test_parameters_and_back(norm, dtype):
    net, other = network([5, 17, 33, 3], norm, dtype), MLP([5, 17, 33, 3], batch_norm=norm, dtype=dtype, seed=9)
    for variance in net.running_vars:
        variance[:] = np.linspace(0.5, 2, len(variance))
    plan = plan_of(net.widths, net.dtype, norm, 10)
    parameters = PackedParameters(plan, net.dtype)
    state = other.snapshot()
    ours, theirs = net.views_of(net.snapshot()), other.views_of(state)
    parameters.pack(ours["weights"], vectors_of(ours))
    parameters.unpack(theirs["weights"], vectors_of(theirs))
    other.restore(state)
    assert digest(net) == digest(other)


def test_buffers_begin_on_cache_lines(norm, dtype, monkeypatch):
    use("usual", monkeypatch.setattr)  # the guarded buffers end at a page and may begin anywhere
    plan = plan_of((5, 17, 33, 3), dtype, norm, 100)
    for threads in (1, 3):
        workspace = Workspace(plan, dtype, threads)
        for name in ("rows", "statistics", "sums", "costs", "control", "arrivals"):
            buffer = getattr(workspace, name)
            assert buffer.ctypes.data % 64 == 0 or not buffer.size
        assert workspace.rows.size == plan.n_rows
        assert workspace.statistics.size == threads * plan.n_statistics
        assert len(workspace.costs) >= plan.blocks


def test_layout_does_not_depend_on_the_norm_being_affine():
    plans = [plan_of((5, 9, 3), "float32", BatchNorm(affine=affine), 10) for affine in (False, True)]
    assert plans[0].layers.tobytes() == plans[1].layers.tobytes()
