"""Prediction of a stream: the answers of the same rows in an array, into an array or a Parquet file."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from refusals import refused

from fastmlp import MLP, losses, train
from fastmlp.datasets import StreamError, stream


@pytest.fixture
def net(folder):
    """A network that was trained on the table."""
    net = MLP([7, 12, 3])
    train(net, stream(folder, target="kind"), batch_size=20, epochs=3, progress=False)
    return net


@pytest.mark.parametrize("rows_in_memory", [24, 333, 100_000])
def test_outputs_are_those_of_an_array(rows, folder, net, rows_in_memory):
    found = stream(folder, columns=["colour", "flag", "c", "b", "a"], rows_in_memory=rows_in_memory)
    X = rows.X.astype(np.float32)
    np.testing.assert_array_equal(net.predict_proba(found), net.predict_proba(X))
    np.testing.assert_array_equal(net.predict(found, threads=1), net.predict(X))
    np.testing.assert_array_equal(
        net.outputs(found, matmul_precision="bfloat16"), net.outputs(X, matmul_precision="bfloat16")
    )


def test_accuracy_and_cost(rows, folder, net):
    found, X = stream(folder, target="kind", rows_in_memory=100), rows.X.astype(np.float32)
    assert net.accuracy(found) == pytest.approx(net.accuracy(X, rows.y))
    assert net.cost(found, weight_decay=0.1) == pytest.approx(net.cost(X, rows.y, 0.1), rel=1e-6)
    loss = losses.CrossEntropy(0.2)
    assert net.cost(found, loss=loss) == pytest.approx(net.cost(X, rows.y, loss=loss), rel=1e-6)


def test_costs_have_the_same_bits_at_any_number_of_threads(folder, net):
    found = stream(folder, target="kind", rows_in_memory=100)
    assert len({net.cost(found, threads=threads) for threads in (1, 2, 3)}) == 1


def test_columns_are_found_by_their_names(rows, folder, net):
    some = rows.table.take(pa.array(np.flatnonzero(rows.X[:, 4] == 0)))  # a category fewer, other columns
    table = some.select(["colour", "kind", "c", "b", "flag", "a"]).append_column("more", some["a"])
    parquet.write_table(table, folder.parent / "some.parquet")
    found = stream(folder.parent / "some.parquet", target="kind")
    expected = net.accuracy(rows.X[rows.X[:, 4] == 0].astype(np.float32), rows.y[rows.X[:, 4] == 0])
    assert net.accuracy(found) == pytest.approx(expected)


def test_a_category_that_the_network_does_not_know(rows, folder, net):
    table = rows.table.set_column(5, "colour", pa.array(["mauve"] * 1000))
    parquet.write_table(table, folder.parent / "other.parquet")
    found = stream(folder.parent / "other.parquet", target="kind")
    refused(
        lambda: net.predict(found), StreamError, ["other.parquet, row group 0", "'mauve'", "'blue', 'green', 'red'"]
    )


def test_a_class_that_the_network_does_not_know(folder, net):
    net.class_names = ["ash", "birch", "cherry"]
    refused(lambda: net.accuracy(stream(folder, target="kind")), StreamError, ["'cedar'", "'cherry'"])


def test_targets_are_left_out(folder, net):
    refused(
        lambda: net.accuracy(stream(folder, target="kind"), np.zeros(1000, int)), ValueError, ["y must be left out"]
    )
    refused(lambda: net.accuracy(stream(folder)), ValueError, ["target: expected one column"])


# ---- into a file


def test_to_parquet(rows, folder, net, tmp_path):
    path = tmp_path / "predicted.parquet"
    found = stream(folder, target="kind", rows_in_memory=100)
    assert net.predict_to_parquet(found, path) == 1000
    X = rows.X.astype(np.float32)
    table = parquet.read_table(path)
    assert table.column_names == ["predicted"]
    assert table["predicted"].to_pylist() == [net.class_names[label] for label in net.predict(X)]
    net.predict_to_parquet(found, path, proba=True)
    table = parquet.read_table(path)
    assert table.column_names == ["predicted", "ash", "birch", "cedar"]
    np.testing.assert_array_equal(np.stack([table[name] for name in net.class_names], axis=1), net.predict_proba(X))


def test_numbers_to_parquet(rows, folder, tmp_path):
    net = MLP([5, 2], output="identity")
    found = stream(folder, target=["a", "b"], columns=["c", "flag", "colour"], rows_in_memory=100)
    net.predict_to_parquet(found, tmp_path / "p.parquet")
    table = parquet.read_table(tmp_path / "p.parquet")
    expected = net.predict(rows.X[:, 2:].astype(np.float32))
    np.testing.assert_array_equal(np.stack([table["output 0"], table["output 1"]], axis=1), expected)


def test_indices_where_there_are_no_names(folder, net, tmp_path):
    net.class_names = None
    net.predict_to_parquet(stream(folder), tmp_path / "p.parquet", proba=True)
    table = parquet.read_table(tmp_path / "p.parquet")
    assert table.column_names == ["predicted", "0", "1", "2"]
    assert set(table["predicted"].to_pylist()) <= {0, 1, 2}


def test_an_error_leaves_the_earlier_file(rows, folder, net, tmp_path):
    path = tmp_path / "predicted.parquet"
    path.write_text("earlier")
    found = stream(folder, target="kind")
    parquet.write_table(rows.table.slice(0, 10), folder / "part-2.parquet")
    refused(lambda: net.predict_to_parquet(found, path), StreamError, ["part-2.parquet", "the file changed"])
    assert path.read_text() == "earlier"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["parts", "predicted.parquet"]


def test_arguments_that_are_wrong(rows, folder, net, tmp_path):
    refused(lambda: net.predict_to_parquet(rows.X, tmp_path / "p"), TypeError, ["stream must be a Stream"])
    found = stream(folder, columns=["a"])
    other = MLP([1, 1], output="identity")
    refused(lambda: other.predict_to_parquet(found, tmp_path / "p", proba=True), ValueError, ["proba needs"])
