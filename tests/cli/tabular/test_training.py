"""``fastmlp train`` by the recipe for tables: what it says, saves and refuses."""

import csv
import json
import re
import signal
import sys

import numpy as np
import pytest

import fastmlp
from fastmlp.cli.tabular import reading
from fastmlp.cli.tabular.columns import described, lines
from fastmlp.datasets import raw
from fastmlp.engine import Trainer
from fastmlp.sklearn import TabularMLPRegressor, load

PRICE = ("--target", "price", "--ignore", "code,kind")
KIND = ("--target", "kind", "--ignore", "code,price")


def test_numbers(train, houses):
    outcome = train(houses, *PRICE)
    assert (outcome.code, outcome.err) == (0, "")
    first, second, _, heading, *rest = outcome.out.splitlines()
    assert first == f"{houses}: 120 rows, 24 of them kept for the test; 4 columns"
    assert second == "target price: 120 different values, regression (--task classification decides otherwise)"
    assert heading.split() == ["column", "kind", "gaps", "different", "inputs"]
    size, city, built, garden, _, trained, _, tested, metrics, ours, ridge, mean, _, saved = rest
    assert size.split()[:3] == ["size", "numbers", "7"]
    assert city.split() == ["city", "text", "or", "categories", "6", "3", "4", "Bern,", "Nice,", "Ulm"]
    assert built.split()[:3] == ["built", "dates", "0"]
    assert garden.split()[:2] == ["garden", "booleans"]
    assert trained.startswith("trained network 11-256-256-256-1 for 4 epochs in ")
    assert "kept epoch" in trained
    assert tested == "on the 24 rows kept for the test:"
    assert metrics.split() == ["MAE", "RMSE", "R²"]
    assert [line[:16].rstrip() for line in (ours, ridge, mean)] == ["this model", "ridge regression", "mean"]
    assert saved == "saved model.safetensors"
    model = load("model.safetensors")
    assert isinstance(model, TabularMLPRegressor)
    assert model.target_name_ == "price"


def test_classes(train, houses):
    outcome = train(houses, *KIND)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[1] == "target kind: 2 different values, classification (--task regression decides otherwise)"
    metrics = lines.index("on the 24 rows kept for the test:") + 1
    assert lines[metrics].split() == ["accuracy", "balanced", "accuracy", "ROC", "AUC"]
    assert lines[metrics + 2].startswith("logistic regression ")
    assert lines[metrics + 3].split()[:3] == ["most", "frequent", "class"]
    assert lines[metrics + 5].split() == ["class", "precision", "recall", "rows"]
    assert [line.split()[0] for line in lines[metrics + 6 : metrics + 8]] == ["cheap", "dear"]
    assert load("model.safetensors").classes_.tolist() == ["cheap", "dear"]


def test_json(train, houses):
    outcome = train(houses, *KIND, "--json", "--history", "history.csv", "--networks", "2")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert (found["recipe"], found["task"], found["classes"]) == ("tabular", "classification", ["cheap", "dear"])
    assert (found["rows"], found["rows_tested"], found["networks"], found["epochs"]) == (120, 24, 2, 4)
    assert [column["name"] for column in found["columns"]] == ["size", "city", "built", "garden"]
    assert set(found["scores"]) == {"this model", "logistic regression", "most frequent class"}
    assert sum(one["rows"] for one in found["per_class"]) == 24
    with open("history.csv", newline="", encoding="utf-8") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]
    assert len(load(found["model"]).networks_) == 2


def test_quiet_prints_nothing(train, houses):
    outcome = train(houses, *PRICE, "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_the_same_as_the_estimator(train, houses):
    """The command fits the estimator, on the rows that it does not test on."""
    assert train(houses, *PRICE, "--seed", "5", "--validation", "0.3", "--test", "0.25").code == 0
    frame = raw.read_frame(houses)
    X, y = frame[["size", "city", "built", "garden"]], frame["price"].to_numpy()
    trained, tested = reading.split(reading.target_of(reading.frames.read(frame[["price"]]).columns[0], None), 0.25, 5)
    assert len(tested) == 30
    model = TabularMLPRegressor(max_epochs=4, random_state=5, validation_fraction=0.3, threads=1)
    model.fit(X.iloc[trained], y[trained])
    np.testing.assert_array_equal(load("model.safetensors").predict(X), model.predict(X))


def test_no_rows_for_a_test(train, houses):
    outcome = train(houses, *PRICE, "--test", "0", "--report", "page.html")
    assert outcome.code == 0
    assert "120 rows, 0 of them kept for the test" in outcome.out
    assert "ridge" not in outcome.out
    assert outcome.out.endswith("\nsaved model.safetensors, page.html\n")
    with open("page.html", encoding="utf-8") as file:
        assert "no rows were kept for a test" in file.read()


def test_the_page(train, houses):
    found = json.loads(train(houses, *KIND, "--report", "page.html", "--json").out)
    assert found["importances"][0]["column"] == "size"
    with open("page.html", encoding="utf-8") as file:
        page = file.read()
    for heading in ("Scores", "Confusion matrix", "Importance of the columns", "Learning curves", "Columns"):
        assert f"<h2>{heading}" in page


def test_classes_by_whole_numbers_and_the_task(train, houses, tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("a,b,y\n" + "".join(f"{i % 7},{i % 3},{i % 4}\n" for i in range(60)))
    train(path, "--target", "y", "--quiet")
    assert load("model.safetensors").classes_.tolist() == [0, 1, 2, 3]
    outcome = train(path, "--target", "y", "--task", "regression")
    assert "4 different values, regression (--task classification" in outcome.out
    assert isinstance(load("model.safetensors"), TabularMLPRegressor)


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".arrow"])
def test_other_formats(train, houses, suffix):
    frame = raw.read_frame(houses)
    path = f"houses{suffix}"
    (frame.to_parquet if suffix == ".parquet" else frame.to_feather)(path)
    train(houses, *KIND, "--quiet", "--out", "csv.safetensors")
    assert train(path, *KIND, "--quiet").code == 0
    X = frame[["size", "city", "built", "garden"]]
    np.testing.assert_array_equal(load("model.safetensors").predict_proba(X), load("csv.safetensors").predict_proba(X))


@pytest.mark.filterwarnings("default")
def test_an_identifier_is_named(train, houses):
    outcome = train(houses, "--target", "kind", "--ignore", "price")
    assert outcome.err.startswith("fastmlp: warning: column 'code' has ")
    assert outcome.err.count("\n") == 1
    assert re.search("\ncode .* left out: ", outcome.out)


def test_the_first_dozen_of_columns(train, tmp_path):
    rows = np.random.default_rng(0).integers(0, 9, (60, 15))
    path = tmp_path / "wide.csv"
    names = [f"column {i}" for i in range(14)]
    np.savetxt(path, rows, delimiter=",", fmt="%d", header=",".join([*names, "y"]), comments="")
    out = train(path, "--target", "y").out
    assert "\ncolumn 11 " in out
    assert "\ncolumn 12 " not in out
    assert "\n… and 2 more (--columns prints all)\n" in out
    assert "\ncolumn 13 " in train(path, "--target", "y", "--columns").out


def test_long_names_are_shortened(rng):
    column = {"name": "a\n" + 40 * "b", "kind": "category", "gaps": 1234, "different": 9, "inputs": 9,
              "levels": [*"pqrstuvw", 30 * "x"], "left_out": ""}  # fmt: skip
    text = lines([column], every=False)[1]
    assert text == f"a {21 * 'b'}…  text or categories  1,234          9       9  p, q, r, s, …"
    assert callable(described)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "--target: expected the column of houses.csv with what is to be predicted, one of 'code'"),
        (("--target", "bush"), "no column 'bush' in houses.csv"),
        (("--target", "price", "--ignore", "age"), "--ignore: no column 'age'"),
        (("--target", "size"), "column 'size' has no value in row"),
        (("--target", "built"), "column 'built' holds dates"),
        (("--target", "kind", "--task", "regression"), "regression expects a target of numbers, column 'kind'"),
        ((*PRICE, "--class-weight", "balanced"), "--class-weight: expected with classes only"),
        ((*PRICE, "--epochs", "0"), "--epochs must be"),
        ((*PRICE, "--networks", "0"), "--networks must be"),
        ((*PRICE, "--threads", "0"), "threads must be"),
        ((*PRICE, "--seed", "-1"), "--seed must be"),
        ((*PRICE, "--validation", "1"), "--validation: expected a fraction"),
        ((*PRICE, "--test", "nan"), "--test: expected a fraction"),
        ((*PRICE, "--test", "0.999"), "--test: 0.999 of 120 rows leaves 0 to train on"),
        ((*PRICE, "--report", "page.txt"), "--report: expected a name that ends in .html"),
        ((*PRICE, "--report", "none/page.html"), "--report: the folder none does not exist"),
        ((*PRICE, "--report", "houses.csv"), "--report: houses.csv is an input too"),
        ((*PRICE, "--history", "history.txt"), "--history: expected a name that ends in .csv or .jsonl"),
        ((*PRICE, "--recipe", "tabular", "--hidden", "9"), "--hidden: expected with the plain network only"),
    ],
)
def test_bad_options(refused, houses, tmp_path, options, complaint):
    before = houses.read_bytes()
    assert complaint in refused("train", "houses.csv", *options)
    assert [path.name for path in tmp_path.iterdir()] == ["houses.csv"]
    assert houses.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a,y\n1,x\n", "column 'y' has the same value in every row"),
        ("a,y\n1,x\n2,y\n", "leaves 1 to train on, expected at least 2"),
        ("a,y\n1,y\n2,y\n3,x\n", "--test: the 2 rows that are left to train on are all of the class"),
        ("y\nx\nz\n", "no column is left to learn from"),
        ("a,y\n1,2\ninf,3\n3,4\n4,5\n", "column 'a' holds infinity in row 1 (counted from 0"),
        ("a,y\n1,2\n1,3\n1,4\n1,5\n", "no column of X has anything to learn from"),
        ("a,y\n", "has columns but no rows"),
        ("a,a,y\n1,2,3\n", "several columns are named 'a'"),
        ("", "empty"),
    ],
)
def test_bad_tables(refused, tmp_path, content, complaint):
    (tmp_path / "a.csv").write_text(content)
    assert complaint in refused("train", "a.csv", "--target", "y")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("module", "words"),
    [("sklearn", "pip install 'fastmlp[sklearn]'; or --recipe plain"), ("pandas", "pip install 'fastmlp[tables]'"),
     ("jinja2", "pip install 'fastmlp[experiments]'")],
)  # fmt: skip
def test_a_missing_extra(refused, houses, monkeypatch, module, words):
    monkeypatch.setitem(sys.modules, module, None)
    assert words in refused("train", houses, *PRICE, "--report", "page.html")


def test_divergence(run, houses, monkeypatch):
    """Later it keeps the best epoch; at once it saves nothing."""
    costs = [np.ones(1), np.ones(1), np.full(1, np.nan)]
    monkeypatch.setattr(Trainer, "run_epoch", lambda *_, **__: costs.pop(0))
    outcome = run("train", houses, *KIND, "--quiet")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "fastmlp: warning: the cost became NaN or infinite in epoch 3: saved the network of epoch 2\n"
    costs.append(np.full(1, np.nan))
    outcome = run("train", houses, *KIND, "--out", "other.safetensors")
    assert outcome.code == 2
    assert outcome.err == "fastmlp: error: the cost became NaN or infinite in epoch 1: nothing saved\n"


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
class TestCtrlC:
    @pytest.fixture
    def interrupted(self, monkeypatch):
        """Ctrl-C at the beginning of an epoch."""
        one_epoch = Trainer.run_epoch
        done = []

        def until(epochs):
            def run_epoch(self, *arguments, **options):
                if len(done) == epochs:
                    signal.raise_signal(signal.SIGINT)
                done.append(1)
                return one_epoch(self, *arguments, **options)

            monkeypatch.setattr(Trainer, "run_epoch", run_epoch)

        return until

    def test_keeps_the_best_network(self, train, houses, interrupted):
        interrupted(2)
        outcome = train(houses, *KIND)
        assert outcome.code == 130
        assert outcome.err == ("fastmlp: interrupted: the best parameters so far are in model.safetensors\n")
        assert "for 2 epochs" in outcome.out
        assert "on the 24 rows kept for the test" in outcome.out
        assert load("model.safetensors").classes_.tolist() == ["cheap", "dear"]

    def test_of_a_later_network_keeps_the_first(self, train, houses, interrupted):
        interrupted(4)
        outcome = train(houses, *KIND, "--networks", "2", "--quiet")
        assert (outcome.code, outcome.out) == (130, "")
        assert len(load("model.safetensors").networks_) == 1

    def test_before_the_first_epoch_saves_nothing(self, train, houses, interrupted, tmp_path):
        interrupted(0)
        outcome = train(houses, *KIND, "--quiet")
        assert (outcome.code, outcome.out) == (130, "")
        assert outcome.err == "fastmlp: interrupted before the first epoch was over: nothing saved\n"
        assert [path.name for path in tmp_path.iterdir()] == ["houses.csv"]


def test_the_plain_network_stays_reachable(run, houses):
    numbers = ("--ignore", "code,size,city,built,garden", "--target", "kind", "--epochs", "2", "--quiet")
    assert run("train", houses, *numbers, "--recipe", "plain").code == 0
    assert fastmlp.load("model.safetensors").class_names == ["cheap", "dear"]
    assert run("train", houses, *numbers, "--hidden", "5", "--out", "narrow.safetensors").code == 0
    assert fastmlp.load("narrow.safetensors").widths == (1, 5, 2)
