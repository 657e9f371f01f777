"""``fastmlp info MODEL``: what a file of a model holds."""

import json

import numpy as np

import fastmlp
from fastmlp.sklearn import TabularMLPClassifier, TabularMLPRegressor


def test_a_network(run, tmp_path):
    net = fastmlp.MLP([3, 4, 2], batch_norm=fastmlp.BatchNorm("before_relu", affine=True), dropout=0.1)
    net.class_names, net.feature_names = ["ash", "birch"], ["a", "b", "c"]
    net.save(tmp_path / "net.safetensors")
    outcome = run("info", "net.safetensors")
    assert (outcome.code, outcome.err) == (0, "")
    found = dict(line.split(maxsplit=1) for line in outcome.out.replace("batch norm", "batch_norm").splitlines())
    assert found["holds"] == "network"
    assert found["widths"] == "3-4-2"
    assert found["classes"] == "2: ash, birch"
    assert found["features"] == "3: a, b, c"
    assert found["batch_norm"] == "before_relu, affine"
    found = json.loads(run("info", "net.safetensors", "--json").out)
    assert (found["widths"], found["dtype"], found["output"]) == ([3, 4, 2], "float32", "softmax")


def test_a_network_without_names(run, tmp_path):
    fastmlp.MLP([3, 2]).save(tmp_path / "net.safetensors")
    assert "classes" not in run("info", "net.safetensors").out


def test_a_model_of_classes(run, tmp_path, rng):
    x = np.array([["u", "v", "w"][i % 3] for i in range(30)], object)
    X = np.column_stack([rng.standard_normal(30).astype(object), x])
    TabularMLPClassifier(max_epochs=1, random_state=0, n_ens=2).fit(X, [f"class {i % 14}" for i in range(30)]).save("m")
    lines = run("info", "m").out.splitlines()
    found = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in lines[:11] if line}
    assert (found["holds"], found["task"], found["networks"]) == ("TabularMLPClassifier", "classification", "2")
    assert found["classes"].startswith("14: class 0, class 1, class 10,")
    assert found["written by"] == f"fastmlp {fastmlp.__version__}"
    assert found["classes"].endswith(", …")
    assert lines[-1].split() == ["1", "text", "or", "categories", "0", "3", "3", "u,", "v,", "w"]


def test_a_model_of_numbers(run, rng):
    TabularMLPRegressor(max_epochs=1, random_state=0).fit(rng.standard_normal((30, 2)), np.arange(30)).save("m")
    assert "\nrange       0 to 29\n" in run("info", "m").out
    found = json.loads(run("info", "m", "--json").out)
    assert (found["task"], found["range"], found["classes"]) == ("regression", [0, 29], None)
    assert [column["kind"] for column in found["columns"]] == ["number", "number"]


def test_what_is_no_model(refused, tmp_path):
    assert "none: No such file" in refused("info", "none")
    (tmp_path / "text").write_text("no")
    assert "text is not a complete safetensors file" in refused("info", "text")
