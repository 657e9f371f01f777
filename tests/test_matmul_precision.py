"""The argument ``matmul_precision`` of `train`, predictions, estimators and the command line."""

import json

import numpy as np
import pytest
from closeness import assert_close

import fastmlp
from fastmlp import MLP, SGD, train
from fastmlp.cli import main
from fastmlp.sklearn import MLPClassifier, MLPRegressor

FIT = {"hidden_layer_sizes": (20,), "max_iter": 30, "random_state": 0, "learning_rate_init": 0.01}
few_epochs = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def _same(a, b):
    return all(np.array_equal(left, right) for left, right in zip(a, b, strict=True))


def test_training(blobs):
    X, y = blobs
    nets = []
    for precision in ("float32", "bfloat16", "bfloat16"):
        nets.append(MLP([5, 20, 3]))
        history = train(
            nets[-1], X, y, optimizer=SGD(0.1), batch_size=16, epochs=20, matmul_precision=precision, progress=False
        )
        assert history.records[-1]["val_accuracy"] > 0.9
    assert _same(nets[1].weights, nets[2].weights)
    assert not _same(nets[0].weights, nets[1].weights)
    assert all(weight.dtype == np.float32 for weight in nets[1].weights)


def test_files_are_the_same_kind(tmp_path, blobs):
    X, y = blobs
    net = MLP([5, 20, 3])
    train(net, X, y, optimizer=SGD(0.1), epochs=2, matmul_precision="bfloat16", progress=False)
    net.save(tmp_path / "net.safetensors")
    again = fastmlp.load(tmp_path / "net.safetensors")
    assert _same(net.weights, again.weights)
    np.testing.assert_array_equal(net.predict_proba(X), again.predict_proba(X))


def test_predictions(blobs):
    X, _ = blobs
    net = MLP([5, 20, 3], seed=3)
    rounded, exact = net.predict_proba(X, matmul_precision="bfloat16"), net.predict_proba(X)
    assert not np.array_equal(rounded, exact)
    assert np.abs(rounded - exact).max() < 0.02
    assert_close(rounded.sum(axis=1), np.ones(len(X)), np.float32)
    np.testing.assert_array_equal(net.predict(X, matmul_precision="bfloat16"), rounded.argmax(axis=1))
    np.testing.assert_array_equal(net.outputs(X, matmul_precision="bfloat16"), rounded)
    np.testing.assert_array_equal(net.predict_proba(X), exact)  # as before the outputs in bfloat16
    net.weights[0][0, 0] += 1
    assert not np.array_equal(net.outputs(X, matmul_precision="bfloat16"), rounded)


@pytest.mark.parametrize(
    ("dtype", "precision", "words"),
    [
        ("float32", "float16", ["matmul_precision", "'float32'", "'bfloat16'", "'float16'"]),
        ("float32", None, ["matmul_precision", "'float32'", "'bfloat16'", "None"]),
        ("float64", "bfloat16", ["matmul_precision", "float32", "float64"]),
    ],
)
def test_what_is_refused(dtype, precision, words, blobs):
    X, y = blobs
    net = MLP([5, 3], dtype=dtype)
    before = net.snapshot()
    calls = [
        lambda: train(net, X, y, matmul_precision=precision),
        lambda: net.predict(X, matmul_precision=precision),
        lambda: net.predict_proba(X, matmul_precision=precision),
        lambda: net.outputs(X, matmul_precision=precision),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="matmul_precision") as caught:
            call()
        assert [word for word in words if word not in str(caught.value)] == []
    np.testing.assert_array_equal(net.snapshot(), before)


@few_epochs
def test_estimators(blobs):
    X, y = blobs
    for dtype in (np.float64, np.float32):
        model = MLPClassifier(matmul_precision="bfloat16", **FIT).fit(X.astype(dtype), y)
        assert model.network_.dtype == np.float32
        assert model.score(X.astype(dtype), y) > 0.95
        assert not _same(model.coefs_, MLPClassifier(**FIT).fit(X.astype(np.float32), y).coefs_)
    regressor = MLPRegressor(matmul_precision="bfloat16", early_stopping=True, **FIT).fit(X, X[:, 0] + X[:, 1])
    assert regressor.score(X, X[:, 0] + X[:, 1]) > 0.5
    model.partial_fit(X.astype(np.float32), y)
    assert model.get_params()["matmul_precision"] == "bfloat16"


def test_estimators_refuse(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="matmul_precision='bfloat16' needs solver='sgd' or 'adam', got 'lbfgs'"):
        MLPClassifier(matmul_precision="bfloat16", solver="lbfgs").fit(X, y)
    with pytest.raises(ValueError, match="matmul_precision"):
        MLPClassifier(matmul_precision="float16").fit(X, y)


@pytest.fixture
def table(tmp_path, blobs):
    """A CSV file of the blobs."""
    X, y = blobs
    lines = [",".join(map(str, [*row, f"class {label}"])) for row, label in zip(X, y, strict=True)]
    path = tmp_path / "blobs.csv"
    path.write_text("\n".join(["a,b,c,d,e,label", *lines]) + "\n", encoding="utf-8")
    return path


def test_command_line(table, tmp_path, capsys):
    command = ["train", str(table), "--target", "label", "--hidden", "8", "--epochs", "5", "--quiet"]
    nets = []
    for precision in ("float32", "bfloat16"):
        out = str(tmp_path / f"{precision}.safetensors")
        assert main([*command, "--matmul-precision", precision, "--out", out]) == 0
        nets.append(fastmlp.load(out))
    assert not _same(nets[0].weights, nets[1].weights)
    capsys.readouterr()
    assert main([*command, "--matmul-precision", "bfloat16", "--dtype", "float64"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "float64" in err


def test_info_says_how_the_products_are_computed(capsys):
    assert main(["info", "--json"]) == 0
    assert "multiply-adds of float32" in json.loads(capsys.readouterr().out)["bfloat16_products"]
