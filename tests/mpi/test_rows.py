"""Trainings in several processes: the same bits in each of them, and for any number of them."""

import json

import numpy as np
import pytest
from ranks import together

from fastmlp import MLP, SGD, BatchNorm, train

TREE = (
    "sgd", "momentum", "adam", "batch_norm", "before", "bfloat16", "factors", "zeros", "weights", "float64", "stops",
    "threads", "one_thread", "sync", "sync before", "sync whole", "sync threads", "sync one_thread",
)  # fmt: skip


def trained(size, shares, *cases):
    """What each case gave, the same in all processes."""
    result = together(size, "trained_together", shares, *cases)
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    for name, of_ranks in found.items():
        assert len(of_ranks) == size
        assert of_ranks == size * of_ranks[:1], name
    return {name: of_ranks[0] for name, of_ranks in found.items()}


@pytest.fixture(scope="module")
def by_one():
    return trained(1, "even", *TREE, "allreduce", "sparse")


def test_one_process_learns(by_one):
    for name, (_, records, costs, *_) in by_one.items():
        assert records[-1]["cost"] < records[0]["cost"], name
        assert len(costs) == records[-1]["steps"], name
    steps = -(-(611 - 122) // 50)
    assert [record["steps"] for record in by_one["sgd"][1]] == [steps, 2 * steps, 3 * steps]
    assert by_one["stops"][3] == "early stopping"
    assert by_one["threads"] == by_one["one_thread"]
    assert by_one["sync threads"] == by_one["sync one_thread"]


@pytest.mark.parametrize(("size", "shares"), [(2, "uneven"), (3, "first"), (3, "messages"), (4, "even")])
def test_the_bits_do_not_depend_on_the_number_of_processes(by_one, size, shares):
    found = trained(size, shares, *TREE)
    assert found == {name: by_one[name] for name in TREE}


def test_batch_norm_of_all_rows_is_that_of_one_process(by_one):
    """A step over all rows, whose order is of no matter but for rounding."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((611, 20))
    y = np.argmax(X[:, :3] + 0.3 * rng.standard_normal((611, 3)), axis=1)
    net = MLP([20, 33, 17, 3], batch_norm=BatchNorm(affine=True), dtype="float64")
    history = train(
        net, X, y, optimizer=SGD(0.5, momentum=0.5), batch_size=611, validation=None, epochs=5, progress=False
    )
    np.testing.assert_allclose(by_one["sync whole"][2], history.batch_costs, rtol=1e-10)


def test_allreduce_is_the_same_training_in_another_order(by_one):
    found = trained(2, "uneven", "allreduce", "sparse")
    for name, (_, records, *_) in found.items():
        for record, other in zip(records, by_one[name][1], strict=True):
            assert record["steps"] == other["steps"]
            assert record["cost"] == pytest.approx(other["cost"], rel=0.2)
