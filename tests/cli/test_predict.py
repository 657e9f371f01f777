"""``fastmlp predict``: it matches columns and classes to a saved network by names, and prints or writes predictions."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

import fastmlp

CLASSES = ["ash", "birch", "cedar, red"]


@pytest.fixture
def model(run, trees):
    """A network trained on ``trees.csv``."""
    training = ("--hidden", "8", "--epochs", "60", "--learning-rate", "0.2", "--stop", "none", "--quiet")
    assert run("train", trees, "--target", "tree", *training).code == 0
    return "model.safetensors"


@pytest.fixture
def plain_model(tmp_path):
    """A saved network with four inputs, without names of columns and classes."""
    net = fastmlp.MLP([4, 3, 2], seed=1)
    net.save(tmp_path / "plain.safetensors")
    return net


def test_round_trip(run, model, trees, rows):
    """The table has a column of classes; it is used only with ``--target``."""
    X, labels = rows
    outcome = run("predict", model, trees)
    predicted = fastmlp.load(model).predict(X)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [CLASSES[label] for label in predicted]
    right = int((predicted == labels).sum())
    assert right >= 88
    last = run("predict", model, trees, "--target", "tree").out.splitlines()[-1]
    assert last == f"accuracy {right / 90:.4f} ({right} of 90 rows)"


def test_columns_are_found_by_name(run, model, rows, write_table):
    X, _ = rows
    expected = run("predict", model, write_table("plain.csv", X, None)).out
    shuffled = np.column_stack([X[:, 2], np.zeros(90), X[:, 0], X[:, 1]])
    path = write_table("shuffled.csv", shuffled, None, columns=["weight", "id", "height", "width"])
    assert run("predict", model, path).out == expected
    path = write_table("reordered.csv", X[:, ::-1], None, columns=["weight", "width", "height"])
    assert run("predict", model, path).out == expected


def test_parquet(run, model, trees):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(trees)
    frame.to_parquet("trees.parquet")
    expected = run("predict", model, trees, "--target", "tree").out
    assert run("predict", model, "trees.parquet", "--target", "tree").out == expected
    frame.drop(columns="tree").to_parquet("plain.parquet")
    assert run("predict", model, "plain.parquet").out == "".join(expected.splitlines(keepends=True)[:-1])


def test_fewer_classes_keep_their_indices(run, model, rows, write_table):
    X, labels = rows
    some = labels == 2
    path = write_table("cedars.csv", X[some], [CLASSES[2]] * int(some.sum()))
    assert json.loads(run("predict", model, path, "--target", "tree", "--json").out)["accuracy"] > 0.9


def test_probabilities(run, model, trees, rows):
    header, *lines = csv.reader(run("predict", model, trees, "--proba").out.splitlines())
    assert header == ["predicted", *CLASSES]
    expected = fastmlp.load(model).predict_proba(rows[0])
    np.testing.assert_allclose([[float(value) for value in line[1:]] for line in lines], expected, rtol=1e-5)
    assert [line[0] for line in lines] == [CLASSES[label] for label in expected.argmax(axis=1)]


def test_json(run, model, trees):
    found = json.loads(run("predict", model, trees, "--proba", "--target", "tree", "--json").out)
    assert found["rows"] == len(found["predicted"]) == len(found["probabilities"]) == 90
    assert found["classes"] == CLASSES
    assert found["correct"] == round(90 * found["accuracy"])
    assert "probabilities" not in json.loads(run("predict", model, trees, "--json").out)


def test_out(run, model, trees):
    outcome = run("predict", model, trees, "--out", "predicted.csv", "--proba", "--target", "tree")
    assert outcome.out.splitlines()[0] == "wrote 90 predictions to predicted.csv"
    assert outcome.out.splitlines()[1].startswith("accuracy ")
    with open("predicted.csv", newline="", encoding="utf-8") as file:
        table = list(csv.reader(file))
    assert table == list(csv.reader(run("predict", model, trees, "--proba").out.splitlines()))
    found = json.loads(run("predict", model, trees, "--out", "predicted.csv", "--json").out)
    assert (found["out"], "predicted" in found) == ("predicted.csv", False)
    with open("predicted.csv", newline="", encoding="utf-8") as file:
        assert next(csv.reader(file)) == ["predicted"]


def test_quiet_prints_nothing(run, refused, model, trees):
    outcome = run("predict", model, trees, "--target", "tree", "--quiet", "--out", "predicted.csv")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    with open("predicted.csv", newline="", encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 91
    assert json.loads(run("predict", model, trees, "--quiet", "--json").out)["rows"] == 90
    assert "--quiet: expected with --out" in refused("predict", model, trees, "--quiet")


def test_a_network_without_names(run, plain_model, rng, write_table):
    X = rng.standard_normal((5, 4))
    np.save("X.npy", X)
    np.save("y.npy", np.array([0, 1, 1, 1, 1]))
    expected = [str(label) for label in plain_model.predict(X)]
    assert run("predict", "plain.safetensors", "X.npy").out.split() == expected
    assert run("predict", "plain.safetensors", "X.npy", "y.npy").out.split()[:5] == expected
    path = write_table("x.csv", X, [0, 1, 1, 1, 1], columns=list("abcd"), target="y")
    found = json.loads(run("predict", "plain.safetensors", path, "--target", "y", "--json").out)
    assert found["predicted"] == expected
    assert found["accuracy"] == plain_model.accuracy(X, [0, 1, 1, 1, 1])


def test_the_embedded_test_images(run, tmp_path):
    fastmlp.MLP([784, 10]).save(tmp_path / "digits.safetensors")
    found = json.loads(run("predict", "digits.safetensors", "mnist", "--json").out)
    assert found["rows"] == 10_000
    assert 0 < found["accuracy"] < 0.5


def test_the_output_of_a_process_can_be_cut_off(process, plain_model, tmp_path):
    np.save(tmp_path / "X.npy", np.zeros((100_000, 4), np.float32))
    running = process("predict", "plain.safetensors", "X.npy")
    subprocess.run(["head", "-n", "1"], stdin=running.stdout, capture_output=True, check=True)
    running.stdout.close()
    assert running.stderr.read() == ""
    assert running.wait(timeout=60) == 0


def test_bad_tables(refused, model, rows, write_table):
    X, labels = rows
    write_table("few.csv", X[:, :2], None, columns=["height", "age"])
    assert "few.csv lacks 'width', 'weight', which the network was trained with" in refused("predict", model, "few.csv")
    assert "no column 'species' in trees.csv" in refused("predict", model, "trees.csv", "--target", "species")
    write_table("new.csv", X, ["oak", *(CLASSES[label] for label in labels[1:])])
    complaint = refused("predict", model, "new.csv", "--target", "tree")
    assert "new.csv has the class 'oak', the network knows 'ash', 'birch', 'cedar, red'" in complaint
    assert "the network takes 3 columns, got 784 in mnist" in refused("predict", model, "mnist")


def test_bad_arrays(refused, plain_model, tmp_path):
    np.save(tmp_path / "narrow.npy", np.zeros((2, 3)))
    np.save(tmp_path / "nan.npy", np.full((2, 4), np.nan))
    np.save(tmp_path / "X.npy", np.zeros((2, 4)))
    np.save(tmp_path / "y.npy", np.array([0, 7]))
    model = "plain.safetensors"
    assert "the network takes 4 columns, got 3 in narrow.npy" in refused("predict", model, "narrow.npy")
    assert "got nan at row 0, column 0" in refused("predict", model, "nan.npy")
    assert "has the class '7', the network knows '0', '1'" in refused("predict", model, "X.npy", "y.npy")
    assert "there is no file none.csv" in refused("predict", model, "none.csv")
    assert "threads must be" in refused("predict", model, "X.npy", "--threads", "0")


def test_bad_models(refused, plain_model, tmp_path):
    np.save(tmp_path / "X.npy", np.zeros((2, 4)))
    assert refused("predict", "none", "X.npy") == "fastmlp: error: none: No such file or directory\n"
    assert "X.npy is not" in refused("predict", "X.npy", "X.npy")
    whole = (tmp_path / "plain.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-5])
    assert "cut.safetensors is not" in refused("predict", "cut.safetensors", "X.npy")


@pytest.mark.parametrize(
    ("out", "complaint"),
    [
        ("missing/p.csv", "--out: the folder missing does not exist"),
        (".", "--out: expected a file, got the folder"),
        ("X.npy", "--out: X.npy is an input too"),
        ("plain.safetensors", "--out: plain.safetensors is an input too"),
    ],
)
def test_bad_outputs(refused, plain_model, tmp_path, out, complaint):
    np.save(tmp_path / "X.npy", np.zeros((2, 4)))
    before = sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir())
    assert complaint in refused("predict", "plain.safetensors", "X.npy", "--out", out)
    assert sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir()) == before


def test_a_missing_extra(refused, model, trees, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert "pip install 'fastmlp[tables]'" in refused("predict", model, trees)
