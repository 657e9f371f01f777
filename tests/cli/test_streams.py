"""``fastmlp train`` and ``predict`` on data larger than memory."""

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import fastmlp
from fastmlp.streaming.rows import StreamedRows

QUICK = ("--hidden", "8", "--epochs", "30", "--learning-rate", "0.2", "--stop", "none", "--rows-in-memory", "300")


@pytest.fixture
def folder(tmp_path):
    """Three Parquet files with numbers of very different spread, a category, a name and a class."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 3, 600)
    table = pa.table(
        {
            "height": y + 0.1 * rng.standard_normal(600),
            "weight": 900 + 10 * rng.standard_normal(600),
            "soil": np.array(["clay", "sand"])[rng.integers(0, 2, 600)],
            "name": [f"tree {i}" for i in range(600)],
            "tree": np.array(["ash", "birch", "cedar"])[y],
        }
    )
    (tmp_path / "trees").mkdir()
    for i in range(3):
        parquet.write_table(table.slice(200 * i, 200), tmp_path / "trees" / f"{i}.parquet", row_group_size=60)
    return tmp_path / "trees"


def test_a_glob_is_trained_on_and_predicted(run, folder):
    glob = f"{folder}/*.parquet"
    outcome = run("train", glob, "--target", "tree", "--ignore", "name", *QUICK, "--json", "--summary", "trees.json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert (found["rows"], found["classes"], found["widths"]) == (600, ["ash", "birch", "cedar"], [4, 8, 3])
    assert found["val_accuracy"] > 0.95
    net = fastmlp.load("model.safetensors")
    assert net.feature_names == ["height", "weight", "soil=clay", "soil=sand"]
    assert json.loads((folder.parent / "trees.json").read_text())["classes"][0][0] == "ash"

    outcome = run("predict", "model.safetensors", glob, "--target", "tree", "--out", "predicted.parquet")
    assert (outcome.code, outcome.err) == (0, "")
    first, second = outcome.out.splitlines()
    assert first == "wrote 600 predictions to predicted.parquet"
    assert second.startswith(("accuracy 0.9", "accuracy 1.0"))
    table = pa.concat_tables(parquet.read_table(path) for path in sorted(folder.iterdir()))
    right = np.array(parquet.read_table("predicted.parquet")["predicted"]) == np.array(table["tree"])
    assert second.endswith(f"({right.sum()} of 600 rows)")


def test_predictions_are_scored_in_the_pass_that_writes_them(run, refused, folder, monkeypatch):
    run("train", folder, "--target", "tree", "--ignore", "name", *QUICK, "--quiet")
    passes, in_order = [], StreamedRows.in_order
    monkeypatch.setattr(StreamedRows, "in_order", lambda self: passes.append(self) or in_order(self))
    command = ("predict", "model.safetensors", folder, "--target", "tree", "--out", "predicted.parquet")
    assert json.loads(run(*command, "--json").out)["rows"] == 600
    assert len(passes) == 1
    before = (folder.parent / "predicted.parquet").read_bytes()
    last = parquet.read_table(folder / "2.parquet")
    other = ["oak", *last["tree"].to_pylist()[1:]]
    parquet.write_table(last.set_column(4, "tree", pa.array(other)), folder / "2.parquet")
    assert "'oak'" in refused(*command)
    assert (folder.parent / "predicted.parquet").read_bytes() == before


def test_text_and_a_folder(run, folder):
    outcome = run("train", folder, "--target", "tree", "--ignore", "name", *QUICK)
    first, second, *_ = outcome.out.splitlines()
    assert first == f"{folder}: 600 rows, 4 columns, 3 classes (ash, birch, cedar)"
    assert second == "network 4-8-3, 67 parameters, inputs standardised"


def test_one_file_is_streamed_when_asked(run, folder):
    outcome = run("train", folder / "0.parquet", "--target", "tree", "--ignore", "name", *QUICK, "--json")
    assert json.loads(outcome.out)["rows"] == 200


def test_standardised_as_in_memory(run, folder):
    """The standardisation of a stream is folded into the network, which takes the columns as they are."""
    run("train", folder, "--target", "tree", "--ignore", "name", *QUICK, "--quiet")
    table = parquet.read_table(folder / "0.parquet")
    sand = np.array(table["soil"]) == "sand"
    X = np.column_stack([table["height"], table["weight"], ~sand, sand]).astype(np.float32)
    net = fastmlp.load("model.safetensors")
    predicted = np.array(net.class_names)[net.predict(X)]
    assert (predicted == np.array(table["tree"])).mean() > 0.95


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--ignore", "name"), "--target: expected the column"),
        (("--target", "none"), "no column 'none'"),
        (("--target", "tree", "--ignore", "nothing"), "--ignore: expected columns"),
        (("--target", "tree", "--rows-in-memory", "0"), "rows_in_memory must be"),
        (("--target", "tree", "--ignore", "name", "--batch-size", "500", "--rows-in-memory", "900"), "at least 1500"),
    ],
)
def test_bad_options(refused, folder, options, words):
    assert words in refused("train", folder, *options)


def test_predictions_of_a_stream_go_to_parquet(run, refused, folder):
    run("train", folder, "--target", "tree", "--ignore", "name", *QUICK, "--quiet")
    assert "--out: expected a name that ends in .parquet" in refused("predict", "model.safetensors", folder)
    error = refused("predict", "model.safetensors", folder, "--out", "p.parquet", "--target", "none")
    assert "no column 'none'" in error
