"""Which rows of a stream are trained on, and which rows validate."""

from typing import Any

import numpy as np

from fastmlp.inputs import checks
from fastmlp.inputs.splitting import Dataset, SharedData, checked_validation, class_factors
from fastmlp.losses import Loss
from fastmlp.mlp import MLP
from fastmlp.streaming.order import HeldOut, Share
from fastmlp.streaming.rows import StreamedRows
from fastmlp.streaming.stream import Network, Stream


def split(
    net: MLP, loss: Loss, stream: Stream, class_weight: Any, validation: Any, rng: np.random.Generator
) -> tuple[StreamedRows, StreamedRows | Dataset | None]:
    """Return the rows of a stream to train on and those to validate on.

    With a fraction, the generator draws a key, and a hash of key and row number decides about each row.

    Parameters
    ----------
    net : MLP
        To be trained.
    loss : Loss
        Of its output.
    stream : Stream
        To train on.
    class_weight : dict, "balanced" or None
        As for `fastmlp.train`.
    validation : float, tuple, Stream or None
        As for `fastmlp.train`.
    rng : numpy.random.Generator
        Draws the key.

    Raises
    ------
    ValueError, TypeError
        The stream is not one of this network, or another argument is wrong.
    """
    factors = None if class_weight is None else _factors(stream, loss, class_weight, net)
    training = stream.rows_for(net.described(loss.kernel), factors=factors)
    described = named(net, loss, training)
    held_out: StreamedRows | Dataset | None
    if validation is None:
        held_out = None
    elif isinstance(validation, Stream):
        held_out = validation.rows_for(described)
    elif isinstance(validation, (tuple, list)):
        held_out = checked_validation(net, loss, validation, SharedData())
    else:
        checks.held_out(validation, training.n)
        chosen, memory = HeldOut(float(validation), int(rng.integers(1 << 63))), list[Any]()
        training, held_out = (
            stream.rows_for(described, Share(chosen, inside), factors=factors, blocks=memory)
            for inside in (False, True)
        )
        for name, part in (("train", training), ("validate", held_out)):
            if not part.n:
                raise ValueError(f"validation={validation!r} of {len(stream)} rows leaves none to {name} on")
    return training, held_out


def named(net: MLP, loss: Loss, training: StreamedRows) -> Network:
    """Return what a stream for validation needs to know of a network that is to be trained on some rows."""
    described, classes = net.described(loss.kernel), training.filler.targets.classes
    if described.class_names is None and classes is not None:
        described = described._replace(class_names=[str(name) for name in classes.names])
    if described.feature_names is None:
        described = described._replace(feature_names=training.filler.feature_names)
    return described


def _factors(stream: Stream, loss: Loss, class_weight: Any, net: MLP) -> np.ndarray:
    """Return the weight of a row of each class."""
    if loss.kernel != "cross_entropy":
        raise ValueError(f"class_weight beside a stream needs output='softmax', got {loss}")
    names = stream.classes_for(net.described(loss.kernel)).names
    counts = stream.summary(labels=True).classes or {}
    found = np.zeros(net.n_outputs, np.int64)
    found[: len(names)] = [counts.get(name, 0) for name in names]
    factors = class_factors(class_weight, found)
    if not (factors * found).any():
        raise ValueError(f"class_weight must leave a row with a weight above 0, got {class_weight!r}")
    return factors
