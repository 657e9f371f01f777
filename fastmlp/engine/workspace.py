"""All memory of a training, and the way between a network's plain arrays and the engine's panels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastmlp.engine.plan import CHUNK_ROWS, NORM_NONE, Plan, deal_tiles
from fastmlp.kernels.nonzero import lists_bytes
from fastmlp.simd.atomics import CONTROL_CELLS, LINE
from fastmlp.simd.kinds import Array
from fastmlp.simd.sizes import ceil_divide, round_up
from fastmlp.simd.target import VECTOR_BYTES


def aligned(size: int, dtype: np.dtype | type) -> np.ndarray:
    """Zeros that start on a cache line."""
    itemsize = np.dtype(dtype).itemsize
    raw = np.zeros(size + VECTOR_BYTES // itemsize, dtype)
    address, _ = raw.__array_interface__["data"]  # quicker than `raw.ctypes.data`; a training asks 11 times
    start = -address % VECTOR_BYTES // itemsize
    return raw[start : start + size]


def to_panels(matrix: np.ndarray, lanes: int, out: np.ndarray) -> None:
    """Write ``matrix (m, n)`` as ``[n / lanes][m padded][lanes]`` into the flat `out`, leaving the padding alone."""
    m, n = matrix.shape
    panels = out.reshape(ceil_divide(n, lanes), -1, lanes)
    whole = n // lanes
    if whole:
        panels[:whole, :m] = matrix[:, : whole * lanes].reshape(m, whole, lanes).transpose(1, 0, 2)
    if n % lanes:
        panels[whole, :m, : n % lanes] = matrix[:, whole * lanes :]


def from_panels(panels: np.ndarray, lanes: int, matrix: np.ndarray) -> None:
    """Read back what `to_panels` wrote."""
    m, n = matrix.shape
    panels = panels.reshape(ceil_divide(n, lanes), -1, lanes)
    whole = n // lanes
    if whole:
        row = np.dtype((np.void, lanes * matrix.itemsize))  # one element for NumPy, which takes half as long so
        matrix[:, : whole * lanes].view(row)[:] = panels[:whole, :m].view(row)[:, :, 0].T
    if n % lanes:
        matrix[:, whole * lanes :] = panels[whole, :m, : n % lanes]


class PackedParameters:
    """The parameters of a network as panels.

    Parameters
    ----------
    plan : Plan
        The layout.
    dtype : numpy.dtype
        Of the network.
    buffer : numpy.ndarray, optional
        Where they are; default: memory of their own, with γ at 1.
    """

    def __init__(self, plan: Plan, dtype: np.dtype, buffer: np.ndarray | None = None) -> None:
        self.plan = plan
        self.buffer = aligned(plan.n_parameters, dtype) if buffer is None else buffer
        if buffer is not None:
            return
        for layer in plan.layers:
            if layer["gamma"] >= 0:
                self._piece(layer["gamma"], int(layer["n_out"]))[:] = 1

    def _piece(self, start: int, size: int) -> np.ndarray:
        return self.buffer[start : start + size]

    def _weight(self, layer: np.void, name: str) -> np.ndarray:
        lanes = self.plan.lanes
        return self._piece(layer[name], round_up(int(layer["n_in"]), lanes) * round_up(int(layer["n_out"]), lanes))

    def pack(self, weights: Sequence[np.ndarray], vectors: dict[str, list[np.ndarray]]) -> None:
        """Copy arrays in: weight matrices, and vectors by the names of the plan's offsets."""
        for layer, weight in zip(self.plan.layers, weights, strict=True):
            to_panels(weight, self.plan.lanes, self._weight(layer, "weight"))
            if layer["transposed"] >= 0:
                to_panels(weight.T, self.plan.lanes, self._weight(layer, "transposed"))
        for vector, piece in self._pieces(vectors):
            piece[:] = vector

    def unpack(self, weights: Sequence[np.ndarray], vectors: dict[str, list[np.ndarray]]) -> None:
        """Copy the parameters back into arrays."""
        for layer, weight in zip(self.plan.layers, weights, strict=True):
            from_panels(self._weight(layer, "weight"), self.plan.lanes, weight)
        for vector, piece in self._pieces(vectors):
            vector[:] = piece

    def _pieces(self, vectors: dict[str, list[np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [
            (vector, self._piece(self.plan.layers[i][name], len(vector)))
            for name, group in vectors.items()
            for i, vector in enumerate(group)
        ]


def vectors_of(views: dict[str, list[np.ndarray]]) -> dict[str, list[np.ndarray]]:
    """Return the vectors among a network's arrays by the names of the plan's offsets."""
    return {
        "bias": views["biases"],
        "gamma": views["gammas"],
        "beta": views["betas"],
        "running_mean": views["running_means"],
        "running_var": views["running_vars"],
        "factors": views["factors"],
    }


class Memory(NamedTuple):
    """The buffers of a training, as compiled code takes them; `Workspace` says how large they are."""

    parameters: Array
    copies: Array  # of the weights, for the products; where these read the parameters, it is `parameters`
    state: Array  # of the update rule, or None
    rows: Array
    statistics: Array  # or None where there is no batch norm
    sums: Array
    costs: Array
    gradient_squares: Array
    weight_squares: Array
    control: Array
    arrivals: Array
    claims: Array
    lists: Array


class Workspace:
    """The buffers of one training besides the parameters and the state.

    Parameters
    ----------
    plan : Plan
        The layout.
    dtype : numpy.dtype
        Of the network.
    threads : int
        Of the team.
    lists : bool
        Whether there is memory for lists of what is not zero in the data.
    parts : int
        Mini-batches, or shards of one, whose rows and statistics are in memory side by side.
    """

    def __init__(self, plan: Plan, dtype: np.dtype, threads: int, *, lists: bool = False, parts: int = 1) -> None:
        self.norm = plan.norm
        self.rows = aligned(parts * plan.n_rows, dtype)
        self.copies = aligned(plan.n_copies, dtype) if plan.n_copies else None
        self.statistics = aligned(threads * parts * plan.n_statistics, dtype)
        self.sums = aligned(parts * 4 * plan.blocks * plan.widest if plan.norm != NORM_NONE else 1, dtype)
        self.costs = aligned(parts * plan.blocks, np.float64)
        self.gradient_squares, self.weight_squares = (aligned(plan.n_tiles, np.float64) for _ in range(2))
        self.control = aligned(CONTROL_CELLS, np.int64)
        self.arrivals = aligned(LINE * threads, np.int64)
        # for each thread: two cells with the rows taken, each on its own cache line, and a cell for each layer's tiles
        self.claims = aligned(threads * (2 * LINE + round_up(len(plan.layers), LINE)), np.int64)
        self.tiles = deal_tiles(plan, threads)
        rows, n_in = max(plan.block, CHUNK_ROWS), int(plan.layers[0]["n_in"])
        self.lists = aligned(threads * lists_bytes(rows, n_in, plan.lanes) if lists else 1, np.uint8)

    def memory(self, parameters: np.ndarray, state: np.ndarray | None) -> Memory:
        """Return all buffers of a training."""
        own = {name: getattr(self, name) for name in Memory._fields[3:]}
        if self.norm == NORM_NONE:
            own["statistics"] = None
        return Memory(parameters, parameters if self.copies is None else self.copies, state, **own)

    def reset(self) -> None:
        """Forget the last epoch's arrivals, claims and stops."""
        self.control[:] = 0
        self.arrivals[:] = 0
        self.claims[:] = 0
