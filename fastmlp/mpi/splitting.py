"""The checks of the rows that several processes pass to `fastmlp.train`, and which of them are held out."""

import hashlib
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp.inputs import checks
from fastmlp.inputs.ranked import Given
from fastmlp.inputs.sparse import CsrRows
from fastmlp.inputs.splitting import Dataset, Part, SharedData, checked_validation, with_class_weights
from fastmlp.inputs.streamed import is_stream
from fastmlp.losses import Loss
from fastmlp.mlp import MLP
from fastmlp.mpi.moving import Cut, cut_of, moved
from fastmlp.mpi.ranks import Ranks
from fastmlp.mpi.rows import SharedRows


def split(
    net: MLP,
    loss: Loss,
    given: Given,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    validation: Any,
    rng: np.random.Generator,
) -> tuple[SharedRows, SharedRows | None]:
    """Check the data that each process passed; return the rows to train on and those to validate on."""
    ranks: Ranks = given.ranks
    if is_stream(given.x) or is_stream(validation):
        raise ValueError("comm: processes cannot share a stream; pass each its rows as arrays, such as numpy.memmap")
    pair = isinstance(validation, (tuple, list))
    ranks.agree(
        {
            "shards": ranks.processes.n_shards, "reduction": ranks.processes.reduction,
            "network": net.network.architecture, "parameters": _digest(net), "loss": loss, "seed": rng,
            "class_weight": class_weight, "validation": "rows" if pair else validation,
            "sample_weight": sample_weight is not None,
        }
    )  # fmt: skip
    known = _of_all(ranks, net, loss, given.x, lambda: Part(SharedData(), given.x).checked(net, loss, y, sample_weight))
    held = None
    if pair:
        held = _of_all(
            ranks,
            net,
            loss,
            next(iter(validation), None),
            lambda: checked_validation(net, loss, validation, SharedData()),
        )
    data, cut = known
    data.weights = with_class_weights(
        class_weight, loss, data, net.n_outputs, lambda counts: np.sum(ranks.share(counts), axis=0)
    )
    if pair or validation is None:
        return _shared(ranks, *known), held and _shared(ranks, *held)
    checks.held_out(validation, int(cut.given[-1]))
    return _held_out(ranks, _shared(ranks, data, cut), validation, int(rng.integers(1 << 63)))


def _digest(net: MLP) -> str:
    return hashlib.sha256(net.network.parameters.snapshot().tobytes()).hexdigest()[:16]


def _of_all(ranks: Ranks, net: MLP, loss: Loss, X: Any, check: Callable[[], Dataset]) -> tuple[Dataset, Cut]:
    """Return the checked rows of a process, which may be none at all, and how those of all are cut."""
    data = None if np.shape(X) == (0, net.n_inputs) else check()
    kind = None if data is None else ("sparse" if isinstance(data.x, CsrRows) else "dense", data.x.dtype.name)
    weighted = data is not None and data.weights is not None
    known = ranks.share((0 if data is None else data.n, kind, weighted))
    kinds = [kind for _, kind, _ in known if kind is not None]
    if not kinds:
        raise ValueError(f"X must have at least one row in one of {ranks.size} processes, got none")
    if len(set(kinds)) > 1:
        got = " and ".join(f"{layout} {dtype}" for layout, dtype in sorted(set(kinds)))
        raise ValueError(f"X must be of the same kind and dtype in all processes, got {got}")
    if data is None:
        data = _nothing(net, loss, *kinds[0], any(weighted for *_, weighted in known))
    return data, cut_of(ranks, [n for n, *_ in known])


def _nothing(net: MLP, loss: Loss, layout: str, dtype: str, weighted: bool) -> Dataset:
    """Return no rows of a kind."""
    x: Any = np.empty((0, net.n_inputs), dtype)
    if layout == "sparse":
        from scipy.sparse import csr_array

        x = CsrRows(csr_array(x))
    targets = np.empty(0, np.int64) if loss.kernel == "cross_entropy" else np.empty((0, net.n_outputs), net.dtype)
    return Dataset(x, targets, np.empty(0) if weighted else None)


def _shared(ranks: Ranks, data: Dataset, cut: Cut) -> SharedRows:
    """Return the rows of all processes, each with those of its own shards."""
    here = Dataset(
        moved(ranks, "X", data.x, cut),
        np.asarray(moved(ranks, "y", data.targets, cut)),
        None if data.weights is None else np.asarray(moved(ranks, "sample_weight", data.weights, cut)),
    )
    ends = itertools.pairwise(cut.local(ranks.rank))
    return SharedRows(ranks, here, cut.owned, [np.arange(first, last) for first, last in ends])


def _held_out(ranks: Ranks, rows: SharedRows, fraction: float, key: int) -> tuple[SharedRows, SharedRows]:
    """Hold out a fraction of the rows of each shard; `key` and the number of the shard say which."""
    orders = [
        np.random.default_rng([key, number]).permutation(shard)
        for number, shard in zip(rows.shards.numbers, rows.shards.rows, strict=True)
    ]
    heads = [round(fraction * len(order)) for order in orders]
    trained, held = (
        SharedRows(ranks, rows.data, rows.shards.owned, part)
        for part in (
            [order[head:] for order, head in zip(orders, heads, strict=True)],
            [order[:head] for order, head in zip(orders, heads, strict=True)],
        )
    )
    if not 0 < held.n < rows.n:
        raise ValueError(
            f"validation={fraction!r} of {rows.n} rows in {len(rows.shards.sizes)} shards leaves {trained.n} to train "
            f"on and {held.n} to validate on"
        )
    return trained, held
