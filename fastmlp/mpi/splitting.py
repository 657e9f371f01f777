"""The checks of the rows that several processes pass to `fastmlp.train`, and which of them are held out."""

import hashlib
import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from fastmlp.inputs import checks
from fastmlp.inputs.sparse import CsrRows
from fastmlp.inputs.splitting import Dataset, Part, SharedData, UserData, checked_validation, with_class_weights
from fastmlp.losses import Loss
from fastmlp.mlp import MLP
from fastmlp.mpi.moving import Cut, cut_of, moved
from fastmlp.mpi.ranks import Ranks
from fastmlp.mpi.rows import SharedRows
from fastmlp.mpi.streams import SharedStream, asked_of, read_once
from fastmlp.streaming import splitting as streams
from fastmlp.streaming.rows import StreamedRows
from fastmlp.streaming.stream import Network, Stream

OfAll: TypeAlias = SharedRows | SharedStream


def split(net: MLP, loss: Loss, user_data: UserData, rng: np.random.Generator) -> tuple[OfAll, OfAll | None]:
    """Check the data that each process passed, X as a `Given`; return the rows to train on and those to validate on."""
    given, y, validation, sample_weight, class_weight = user_data
    ranks: Ranks = given.ranks
    pair = isinstance(validation, (tuple, list))
    ranks.agree(
        {
            "shards": ranks.processes.n_shards, "reduction": ranks.processes.reduction,
            "batch_norm": ranks.processes.batch_norm,
            "network": net.network.architecture, "parameters": _digest(net), "loss": loss, "seed": rng,
            "class_weight": class_weight, "validation": "rows" if pair else _asked(validation),
            "X": asked_of(given.x) if isinstance(given.x, Stream) else "rows",
            "sample_weight": sample_weight is not None,
        }
    )  # fmt: skip
    if isinstance(given.x, Stream):
        checks.absent_beside_a_stream(y=y, sample_weight=sample_weight)
        return _of_stream(ranks, net, loss, given.x, class_weight, validation, rng)
    data, cut = _of_all(
        ranks, net, loss, given.x, lambda: Part(SharedData(), given.x).checked(net, loss, y, sample_weight)
    )
    held = _of_pair(ranks, net, loss, validation) if pair else None
    data.weights = with_class_weights(
        class_weight, loss, data, net.n_outputs, lambda counts: np.sum(ranks.share(counts), axis=0)
    )
    if isinstance(validation, Stream):
        return _shared(ranks, data, cut), _validation(ranks, validation, net.described(loss.kernel), rng)
    if pair or validation is None:
        return _shared(ranks, data, cut), held and _shared(ranks, *held)
    checks.held_out(validation, int(cut.given[-1]))
    return _held_out(ranks, _shared(ranks, data, cut), validation, _key(rng))


def _digest(net: MLP) -> str:
    return hashlib.sha256(net.network.parameters.snapshot().tobytes()).hexdigest()[:16]


def _asked(validation: Any) -> Any:
    return asked_of(validation) if isinstance(validation, Stream) else validation


def _of_stream(
    ranks: Ranks,
    net: MLP,
    loss: Loss,
    stream: Stream,
    class_weight: Any,
    validation: Any,
    rng: np.random.Generator,
) -> tuple[SharedStream, OfAll | None]:
    """Return the rows of a stream to train on, dealt out among the shards, and those to validate on."""
    pair = isinstance(validation, (tuple, list))
    held = _of_pair(ranks, net, loss, validation) if pair else None
    read_once(ranks, stream, net.described(loss.kernel), labels=class_weight is not None)
    fraction = None if pair or isinstance(validation, Stream) else validation
    training, held_out = streams.split(net, loss, stream, class_weight, fraction, rng)
    both = [training, held_out] if isinstance(held_out, StreamedRows) else [training]
    shared = SharedStream.of(ranks, both, _key(rng))
    if isinstance(validation, Stream):
        return shared[0], _validation(ranks, validation, streams.named(net, loss, training), rng)
    return shared[0], _shared(ranks, *held) if held else next(iter(shared[1:]), None)


def _validation(ranks: Ranks, stream: Stream, network: Network, rng: np.random.Generator) -> SharedStream:
    read_once(ranks, stream, network)
    return SharedStream.of(ranks, [stream.rows_for(network)], _key(rng))[0]


def _key(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 63))


def _of_pair(ranks: Ranks, net: MLP, loss: Loss, validation: Any) -> tuple[Dataset, Cut]:
    """Return the validation rows that a process passed as arrays, and how those of all are cut."""
    first = next(iter(validation), None)
    return _of_all(ranks, net, loss, first, lambda: checked_validation(net, loss, validation, SharedData()))


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
    orders = rows.permuted(key)
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
