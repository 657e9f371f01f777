"""``fastmlp train`` by the recipe plain: the networks that it trains and saves, its output, and its errors."""

import csv
import json
import signal
import sys
import time

import numpy as np
import pytest
from closeness import assert_close
from networks import digest

import fastmlp
from fastmlp.cli import data, train
from fastmlp.cli.standardize import Standardizer
from fastmlp.engine import Trainer

QUICK = ("--hidden", "8", "--epochs", "60", "--learning-rate", "0.2", "--stop", "none")


def test_a_table_of_named_classes(run, trees, rows):
    outcome = run("train", trees, "--target", "tree", *QUICK, "--out", "trees.safetensors")
    assert (outcome.code, outcome.err) == (0, "")
    first, second, third, fourth, fifth = outcome.out.splitlines()
    assert first == f"{trees}: 90 rows, 3 columns, 3 classes (ash, birch, cedar, red)"
    assert second == "network 3-8-3, 59 parameters, inputs standardised"
    assert third.startswith("trained 60 epochs, 180 steps in ")
    assert third.endswith("; ended after the last epoch")
    assert fourth.startswith("epoch 60: training cost 0.")
    assert "validation accuracy 1.0000" in fourth
    assert fifth == "saved trees.safetensors"
    net = fastmlp.load("trees.safetensors")
    assert net.class_names == ["ash", "birch", "cedar, red"]
    assert net.feature_names == ["height", "width", "weight"]
    X, labels = rows
    assert net.accuracy(X, labels) > 0.97  # on columns that are not standardised: the network contains that


def test_json(run, trees):
    outcome = run("train", trees, "--target", "tree", *QUICK, "--json", "--history", "history.jsonl")
    found = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert found["classes"] == ["ash", "birch", "cedar, red"]
    assert (found["epochs"], found["steps"], found["kept_epoch"]) == (60, 180, 60)
    assert found["stopped_because"] == "epochs"
    assert found["model"] == "model.safetensors"
    with open(found["history"], encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    assert [record["epoch"] for record in records] == list(range(1, 61))
    assert records[-1]["val_accuracy"] == found["val_accuracy"]


def test_quiet_prints_nothing(run, trees):
    outcome = run("train", trees, "--target", "tree", *QUICK, "--quiet", "--history", "history.csv")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    with open("history.csv", newline="", encoding="utf-8") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == [str(epoch) for epoch in range(1, 61)]


def test_the_same_as_the_library(run, rows):
    """The command trains as `fastmlp.train` does. It only adds the scaling of the inputs."""
    X, labels = rows
    np.save("X.npy", X.astype(np.float32))
    np.save("y.npy", labels)
    options = ("--hidden", "6,5", "--batch-norm", "before_relu", "--affine", "--init", "xavier_half", "--seed", "3")
    training = ("--epochs", "4", "--batch-size", "16", "--learning-rate", "0.03", "--weight-decay", "0.01")
    assert run("train", "X.npy", "y.npy", *options, *training, "--input-scale", "0.5", "--patience", "2").code == 0
    net = fastmlp.MLP(
        [3, 6, 5, 3], batch_norm=fastmlp.BatchNorm("before_relu", affine=True), init=fastmlp.init.xavier_half,
        input_scale=0.5, seed=3,
    )  # fmt: skip
    fastmlp.train(
        net, X.astype(np.float32), labels, validation=0.2, optimizer=fastmlp.SGD(0.03, 0.01), batch_size=16, epochs=4,
        stop=fastmlp.EarlyStopping("cost", patience=2), seed=3,
    )  # fmt: skip
    saved = fastmlp.load("model.safetensors")
    assert digest(saved) == digest(net)
    assert saved.input_scale == 0.5
    assert saved.class_names == ["0", "1", "2"]
    assert saved.feature_names is None


@pytest.mark.parametrize(
    ("options", "optimizer"),
    [
        (("--momentum", "0.9"), fastmlp.SGD(0.05, momentum=0.9)),
        (("--optimizer", "adam", "--weight-decay", "0.1"), fastmlp.Adam(0.001, 0.1)),
        (("--optimizer", "adamw", "--learning-rate", "0.01"), fastmlp.AdamW(0.01, 0.0)),
    ],
    ids=["momentum", "adam", "adamw"],
)
def test_optimizers_are_those_of_the_library(options, optimizer, run, rows):
    X, labels = rows
    np.save("X.npy", X.astype(np.float32))
    np.save("y.npy", labels)
    settings = ("--hidden", "6", "--epochs", "3", "--stop", "none", "--input-scale", "1")
    assert run("train", "X.npy", "y.npy", *settings, *options).code == 0
    net = fastmlp.MLP([3, 6, 3], init=fastmlp.init.kaiming())
    fastmlp.train(net, X.astype(np.float32), labels, optimizer=optimizer, batch_size=32, epochs=3)
    assert digest(fastmlp.load("model.safetensors")) == digest(net)


def test_stopping_keeps_the_best_network(run, trees):
    found = json.loads(
        run(
            "train", trees, "--target", "tree", "--json", "--stop", "accuracy", "--patience", "3", "--epochs", "500"
        ).out
    )
    assert found["stopped_because"] == "early stopping"
    assert found["kept_epoch"] <= found["epochs"] - 3
    net = fastmlp.load("model.safetensors")
    table = data.read([str(trees)], "tree", [])
    held_out = np.random.default_rng(0).permutation(90)[:18]
    assert net.accuracy(table.X[held_out], table.y[held_out]) == found["val_accuracy"]


def test_nothing_held_out(run, trees):
    found = json.loads(run("train", trees, "--target", "tree", *QUICK[:4], "--validation", "0", "--json").out)
    assert (found["val_accuracy"], found["val_cost"]) == (None, None)
    assert found["steps"] == 60 * 3
    assert (
        "no rows held out"
        in run("train", trees, "--target", "tree", *QUICK[:2], "--epochs", "1", "--validation", "0").out
    )


def test_bytes_are_scaled_to_one(run, rng):
    np.savez("pictures.npz", X=rng.integers(0, 256, (30, 2, 2), np.uint8), y=rng.integers(0, 2, 30))
    assert "inputs multiplied by 0.003922" in run("train", "pictures.npz", "--epochs", "1").out
    assert fastmlp.load("model.safetensors").input_scale == 1 / 255


def test_columns_to_ignore(run, rows, write_table):
    X, labels = rows
    path = write_table("more.csv", np.column_stack([np.arange(90), X]), [f"t{label}" for label in labels],
                       columns=["id", "height", "width", "weight"], target="tree")  # fmt: skip
    assert (
        run("train", path, "--target", "tree", "--ignore", "id,width", "--recipe", "plain", "--epochs", "1").code == 0
    )
    assert fastmlp.load("model.safetensors").feature_names == ["height", "weight"]


def test_a_linear_network(run, trees):
    assert "network 3-3," in run("train", trees, "--target", "tree", "--hidden", "none", "--epochs", "1").out


class TestStandardizer:
    def test_folding_changes_no_output(self, rng):
        X = rng.normal([5.0, 0.01, 1000.0], [0.1, 0.002, 10.0], (50, 3))
        X[:, 1] = 0.1  # a constant column gets weights of 0
        scaled = Standardizer(X, None, np.dtype("float64"))
        net = fastmlp.MLP([3, 4, 2], dtype="float64", batch_norm=fastmlp.BatchNorm("before_relu"))
        expected = net.predict_proba(scaled.apply(X))
        assert_close(scaled.apply(X)[:, [0, 2]].mean(axis=0), [0, 0])
        assert_close(scaled.apply(X)[:, [0, 2]].std(axis=0), [1, 1])
        assert not scaled.apply(X)[:, 1].any()
        scaled.fold_into(net)
        assert_close(net.predict_proba(X), expected, factor=100)  # the means are 100 standard deviations away
        assert not net.weights[0][1].any()

    def test_held_out_rows_do_not_count(self, trees):
        from fastmlp.cli import build_parser

        args = build_parser().parse_args(["train", str(trees), "--target", "tree", "--seed", "7"])
        table = data.read([str(trees)], "tree", [])
        _, scaled = train.build(args, table)
        training = np.random.default_rng(7).permutation(90)[18:]
        np.testing.assert_array_equal(scaled.mean, table.X[training].mean(axis=0))

    def test_refuses_what_float32_cannot_hold(self, rng):
        X = 1e6 + rng.standard_normal((20, 2))
        with pytest.raises(ValueError, match=r"column 'time' has mean 1e\+06 .* too close for float32"):
            Standardizer(X, ["time", "other"], np.dtype("float32"))
        Standardizer(X, ["time", "other"], np.dtype("float64"))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "--target: expected the column of trees.csv with what is to be predicted"),
        (("--target", "bush"), "no column 'bush' in trees.csv, expected one of 'height'"),
        (("--target", "height"), "column 'tree' holds"),
        (("--target", "tree", "--ignore", "age"), "--ignore: no column 'age'"),
        (("--target", "tree", "--learning-rate", "0"), "learning_rate must be"),
        (("--target", "tree", "--learning-rate", "nan"), "learning_rate must be"),
        (("--target", "tree", "--momentum", "1.1"), "momentum must be above 0 and at most 1, got 1.1"),
        (("--target", "tree", "--momentum", "0.5", "--optimizer", "adam"), "--momentum: expected together with"),
        (("--target", "tree", "--weight-decay", "-1"), "weight_decay must be"),
        (("--target", "tree", "--batch-size", "0"), "--batch-size must be"),
        (("--target", "tree", "--batch-size", "-3"), "--batch-size must be"),
        (("--target", "tree", "--epochs", "0"), "--epochs must be"),
        (("--target", "tree", "--threads", "0"), "threads must be"),
        (("--target", "tree", "--seed", "-1"), "--seed must be"),
        (("--target", "tree", "--patience", "0"), "patience must be"),
        (("--target", "tree", "--min-delta", "-1"), "min_delta must be"),
        (("--target", "tree", "--validation", "1"), "--validation: expected a fraction"),
        (("--target", "tree", "--validation", "nan"), "--validation: expected a fraction"),
        (("--target", "tree", "--validation", "0.001"), "validation=0.001 of 90 rows leaves"),
        (("--target", "tree", "--validation", "0", "--stop", "cost"), "--stop: cost is measured on held-out rows"),
        (("--target", "tree", "--affine"), "--affine: expected together with --batch-norm"),
        (("--target", "tree", "--input-scale", "-1"), "input_scale must be"),
        (("--target", "tree", "--out", "missing/model"), "--out: the folder missing does not exist"),
        (("--target", "tree", "--out", "."), "--out: expected a file, got the folder"),
        (("--target", "tree", "--out", "trees.csv"), "--out: trees.csv is an input too"),
        (("--target", "tree", "--out", "/dev/null"), "--out: expected a regular file"),
        (("--target", "tree", "--history", "history.txt"), "--history: expected a name that ends in .csv or .jsonl"),
        (("--target", "tree", "--history", "missing/h.csv"), "--history: the folder missing does not exist"),
        (("--target", "tree", "--out", "h.csv", "--history", "h.csv"), "--history: h.csv is the file of --out too"),
    ],
)
def test_bad_options(refused, trees, tmp_path, options, complaint):
    before = trees.read_bytes()
    assert complaint in refused("train", "trees.csv", *options, "--recipe", "plain")
    assert [path.name for path in tmp_path.iterdir()] == ["trees.csv"]
    assert trees.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", "height,tree\n1,ash\n,birch\n", "column 'height' has no value in row 1"),
        ("a.csv", "height,tree\n1,ash\ntall,birch\n", "column 'height' holds"),
        ("a.csv", "height,tree\n", "empty"),
        ("a.csv", "", "empty"),
        ("a.csv", "tree\nash\n", "no column is left"),
        ("a.csv", "height,tree\n1,0.5\n", "expected class labels"),
        ("a.txt", "height,tree\n1,ash\n", "unknown file format"),
        ("a.csv", "h\xf6he,tree\n1,ash\n", "a.csv cannot be read as a table"),
        ("a.csv", "height,height,tree\n1,2,ash\n", "several columns are named 'height'"),
        ("a.csv.gz", "height,tree\n1,ash\n", "a.csv.gz: truncated or damaged"),
        ("a.parquet", "PAR1 and no more", "a.parquet cannot be read as a table"),
    ],
)
def test_bad_files(refused, tmp_path, name, content, complaint):
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    assert complaint in refused("train", name, "--target", "tree", "--recipe", "plain")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_bad_arrays(refused, tmp_path):
    np.save(tmp_path / "X.npy", np.array([[1, 2], [np.nan, 4], [5, 6]]))
    np.save(tmp_path / "y.npy", np.array([0, 1, 0]))
    np.save(tmp_path / "two.npy", np.array([0, 1]))
    assert "got nan at row 1, column 0" in refused("train", "X.npy", "y.npy")
    assert "got 2 labels for 3 rows" in refused("train", "X.npy", "two.npy")
    assert "DATA: expected labels too" in refused("train", "X.npy")
    assert "DATA: expected one file, or two" in refused("train", "X.npy", "y.npy", "two.npy")
    assert "--target: expected with a table only" in refused("train", "mnist", "--target", "digit")
    assert "--ignore: expected with a table only" in refused("train", "X.npy", "y.npy", "--ignore", "id")
    assert "two.npy holds the labels" in refused("train", "X.npy", "two.npy", "--target", "y")
    assert "there is no file none.npy" in refused("train", "none.npy", "y.npy")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of folders are those of POSIX")
def test_an_output_folder_that_cannot_be_written(refused, trees, monkeypatch):
    def refuse(**options):
        raise PermissionError(13, "Permission denied")  # raised here, because root can write everywhere

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    complaint = refused("train", trees, "--target", "tree", "--recipe", "plain")
    assert "--out: cannot write in the folder . (Permission denied)" in complaint


def test_a_missing_extra(refused, trees, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert "pip install 'fastmlp[tables]'" in refused("train", trees, "--target", "tree", "--recipe", "plain")


def test_divergence_at_once_saves_nothing(run, trees, tmp_path):
    outcome = run("train", trees, "--target", "tree", "--learning-rate", "1e30")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "the cost became NaN or infinite in epoch 1: nothing saved" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["trees.csv"]


def test_divergence_later_saves_the_last_finite_network(run, trees):
    outcome = run("train", trees, "--target", "tree", "--learning-rate", "1e4", "--weight-decay", "0.001", "--json",
                  "--stop", "none", "--validation", "0", "--hidden", "none", "--epochs", "1000",
                  "--input-scale", "1")  # fmt: skip
    found = json.loads(outcome.out)
    assert outcome.code == 0
    assert found["stopped_because"] == "cost not finite"
    assert outcome.err.count("\n") == 1
    assert f"saved the network of epoch {found['epochs']}" in outcome.err
    assert all(np.isfinite(array).all() for array in fastmlp.load("model.safetensors").named_arrays().values())


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
class TestCtrlC:
    def test_a_process(self, process, trees):
        endless = ("--epochs", "1000000000", "--stop", "none", "--learning-rate", "0.001")
        running = process("train", trees, "--target", "tree", *endless)
        assert running.stdout.readline().startswith(f"{trees}: 90 rows")  # everything is imported, and training begins
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=120)
        assert running.returncode == 130
        assert err.count("\n") == 1
        assert err.startswith("fastmlp: interrupted")  # the rest of the line says whether an epoch had ended

    def test_keeps_the_network_so_far(self, run, trees, monkeypatch):
        one_epoch = Trainer.run_epoch
        done = []

        def interrupted_in_the_third(*args, **options):
            if len(done) == 2:
                signal.raise_signal(signal.SIGINT)
            done.append(one_epoch(*args, **options))
            return done[-1]

        monkeypatch.setattr(Trainer, "run_epoch", interrupted_in_the_third)
        outcome = run("train", trees, "--target", "tree", "--recipe", "plain", "--json", "--history", "history.csv")
        assert outcome.code == 130
        assert outcome.err == "fastmlp: interrupted in epoch 3: the network so far is in model.safetensors\n"
        found = json.loads(outcome.out)
        assert (found["epochs"], found["stopped_because"]) == (2, "interrupted")
        with open("history.csv", encoding="utf-8") as file:
            assert len(file.readlines()) == 3
        assert fastmlp.load("model.safetensors").class_names == ["ash", "birch", "cedar, red"]

    def test_before_the_first_epoch_saves_nothing(self, run, trees, tmp_path, monkeypatch):
        monkeypatch.setattr(Trainer, "run_epoch", lambda *_, **__: signal.raise_signal(signal.SIGINT))
        outcome = run("train", trees, "--target", "tree", "--recipe", "plain", "--quiet")
        assert (outcome.code, outcome.out) == (130, "")
        assert outcome.err == "fastmlp: interrupted before the first epoch was over: nothing saved\n"
        assert [path.name for path in tmp_path.iterdir()] == ["trees.csv"]


def test_a_checkpoint_goes_on(run, trees):
    """The epochs of two commands are those of one."""
    kept = ("--checkpoint", "run.safetensors")
    quick = ("--hidden", "8", "--learning-rate", "0.2", "--stop", "none", "--json")
    run("train", trees, "--target", "tree", *quick, "--epochs", "9", "--out", "whole.safetensors")
    run("train", trees, "--target", "tree", *quick, "--epochs", "4", *kept, "--checkpoint-epochs", "3")
    outcome = run("train", trees, "--target", "tree", *quick, "--epochs", "9", *kept)
    assert (outcome.code, json.loads(outcome.out)["epochs"]) == (0, 9)
    assert digest(fastmlp.load("model.safetensors")) == digest(fastmlp.load("whole.safetensors"))


def test_a_checkpoint_of_another_command_is_refused(run, refused, trees):
    train = ("train", trees, "--target", "tree", *QUICK, "--quiet", "--checkpoint", "run.safetensors")
    run(*train)
    assert "batch_size is 32 there, 7 here" in refused(*train, "--batch-size", "7")
