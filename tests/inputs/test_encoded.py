"""Rows with categories: the engine sees them spread out, with the bits of the same rows in an array."""

import numpy as np
import pytest
from networks import digest

from fastmlp import MLP, engine, losses
from fastmlp.engine import StepOptions, Trainer
from fastmlp.inputs.encoded import EncodedRows
from fastmlp.optimizers import SGD

CATEGORIES = [0, 40, 0, 3, 1]


def encoded(n, dtype, categories=CATEGORIES):
    rng = np.random.default_rng(5)
    columns = [rng.standard_normal(n) if count == 0 else rng.integers(0, count, n) for count in categories]
    return EncodedRows(np.column_stack(columns).astype(dtype), categories)


def test_shape_and_parts(dtype):
    rows = encoded(20, dtype)
    whole = np.asarray(rows)
    assert rows.shape == whole.shape == (20, 46)
    assert (rows.dtype, rows.ndim, len(rows)) == (dtype, 2, 20)
    np.testing.assert_array_equal(whole[:, 1:41].sum(axis=1), 1)
    np.testing.assert_array_equal(whole[:, 45], 1)
    np.testing.assert_array_equal(np.asarray(rows[[3, 1]]), whole[[3, 1]])


@pytest.mark.parametrize("n_hidden", [7, 70])
@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_training_has_the_bits_of_an_array(dtype, n_hidden, scale):
    rows, y = encoded(300, dtype), np.random.default_rng(1).integers(0, 3, 300)
    order = np.random.default_rng(2).permutation(300)
    digests = []
    for x in (rows, np.asarray(rows)):
        net = MLP([46, n_hidden, 3], input_scale=scale, dtype=dtype.name)
        Trainer(net.network, x, y, 37, SGD(0.1), 2).run_epoch(order)
        digests.append(digest(net))
    assert digests[0] == digests[1]


def test_prediction_has_the_bits_of_an_array(dtype):
    rows, y = encoded(300, dtype), np.random.default_rng(1).integers(0, 3, 300)
    net = MLP([46, 9, 3], dtype=dtype.name)
    outputs = [engine.outputs(net.network, x, 2)[0].tobytes() for x in (rows, np.asarray(rows))]
    assert outputs[0] == outputs[1]
    found = [engine.evaluate(net.network, x, y, None, 2, loss=losses.CrossEntropy()) for x in (rows, np.asarray(rows))]
    assert found[0] == found[1]


def test_bfloat16(dtype):
    if dtype == np.float64:
        return
    rows, y = encoded(300, dtype), np.random.default_rng(1).integers(0, 3, 300)
    digests = []
    for x in (rows, np.asarray(rows)):
        net = MLP([46, 9, 3], input_scale=0.5)
        options = StepOptions(matmul_precision="bfloat16")
        Trainer(net.network, x, y, 37, SGD(0.1), 1, options=options).run_epoch(np.arange(300))
        digests.append(digest(net))
    assert digests[0] == digests[1]
