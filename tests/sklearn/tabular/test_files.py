"""Estimators in files: the same predictions on raw rows, and files that are damaged."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.exceptions import NotFittedError

import fastmlp
from fastmlp import storage
from fastmlp.sklearn import TabularMLPClassifier, TabularMLPRegressor, load

from .conftest import SMALL


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def saved(table, grade, path):
    """A classifier of two networks, and its file."""
    model = TabularMLPClassifier(n_ens=2, class_weight={"high": 2.0}, **SMALL).fit(table, grade)
    model.save(path)
    return model


def test_a_classifier_predicts_the_same(table, saved, path):
    found = load(path)
    assert type(found) is TabularMLPClassifier
    np.testing.assert_array_equal(found.predict_proba(table), saved.predict_proba(table))
    np.testing.assert_array_equal(found.predict(table), saved.predict(table))
    assert found.get_params() == saved.get_params() | {"hidden_layer_sizes": list(saved.hidden_layer_sizes)}
    assert found.feature_names_in_.tolist() == saved.feature_names_in_.tolist()
    assert found.n_features_in_ == saved.n_features_in_
    assert found.target_name_ == saved.target_name_


@pytest.mark.parametrize("columns", [1, 2])
def test_a_regressor_predicts_the_same(table, price, path, columns):
    y = price if columns == 1 else np.stack([price, -price], axis=1)
    model = TabularMLPRegressor(random_state=np.random.RandomState(0), max_epochs=3).fit(table, y)
    model.save(path)
    found = load(path)
    np.testing.assert_array_equal(found.predict(table), model.predict(table))
    assert found.random_state is None


@pytest.mark.parametrize(
    "classes", [[3, 1], [True, False], [1.0, 2.0], ["ä", "b"], np.array(["x", "y"], object), np.array([1, 2], np.uint8)]
)
def test_classes_keep_their_type(table, path, classes):
    y = np.resize(np.array(classes), len(table))
    model = TabularMLPClassifier(max_epochs=1).fit(table, y)
    model.save(path)
    found = load(path)
    assert found.classes_.dtype == model.classes_.dtype
    np.testing.assert_array_equal(found.predict(table), model.predict(table))


def test_arrays_without_names(path, rng):
    X = rng.normal(size=(60, 2))
    model = TabularMLPRegressor(max_epochs=2, random_state=0).fit(X, X[:, 0])
    model.save(path)
    assert not hasattr(load(path), "feature_names_in_")
    np.testing.assert_array_equal(load(path).predict(X), model.predict(X))


def test_equal_estimators_make_equal_files(saved, path, tmp_path):
    saved.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_it_can_be_fitted_again(table, grade, saved, path):
    np.testing.assert_array_equal(load(path).fit(table, grade).predict_proba(table), saved.predict_proba(table))


def test_errors_of_prediction_are_those_of_the_estimator(table, saved, path):
    with pytest.raises(ValueError, match="names seen at fit time, yet now missing"):
        load(path).predict(table.drop(columns="new"))


def test_before_fit(path):
    with pytest.raises(NotFittedError):
        TabularMLPClassifier().save(path)
    assert not path.exists()


def test_classes_that_cannot_be_stored(table, path):
    y = np.resize(np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"), len(table)).astype(object)
    with pytest.raises((TypeError, ValueError)):
        TabularMLPClassifier(max_epochs=1).fit(table, y).save(path)
    assert not path.exists()


def test_other_files(saved, path, tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")
    net = tmp_path / "net"
    fastmlp.MLP([2, 3]).save(net)
    with pytest.raises(ValueError, match=r"must hold 'fastmlp-tables-1', got .'fastmlp-1'"):
        load(net)
    with pytest.raises(ValueError, match=r"got \['fastmlp-tables-1'\]; fastmlp.sklearn.load reads it"):
        fastmlp.load(path)


@pytest.mark.parametrize("size", [0, 7, 100, -1])
def test_truncated_files(saved, path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="not a complete safetensors file"):
        load(path)


def _described(path):
    with storage.opened(path, storage.TABLES) as (_, text):
        return json.loads(text)


@pytest.mark.parametrize(
    "damage",
    [
        lambda d, a: d.update(estimator="Pipeline"),
        lambda d, a: d.update(estimator="TabularMLPRegressor"),
        lambda d, a: d["parameters"].update(other=1),
        lambda d, a: d["parameters"].update(max_epochs=-1),
        lambda d, a: d.pop("columns"),
        lambda d, a: d["columns"].pop(),
        lambda d, a: d["columns"][0].update(kind="sound"),
        lambda d, a: d.update(feature_names=["a"]),
        lambda d, a: d["target"]["classes"].update(values=["b", "a", "c"]),
        lambda d, a: d["target"]["classes"].update(values=["a", "b"]),
        lambda d, a: d["target"]["classes"].update(values=[None, {}, 1]),
        lambda d, a: d["target"]["classes"].update(dtype="V8"),
        lambda d, a: d["target"]["classes"].update(values=[0, 1e308], dtype="int64"),
        lambda d, a: d["target"].pop("classes"),
        lambda d, a: d.update(networks=[]),
        lambda d, a: d["networks"].append({}),
        lambda d, a: d["networks"].append(d["networks"][0]),
        lambda d, a: d["networks"][0].update(widths=[1, 2]),
        lambda d, a: d["networks"][0].update(activation="none"),
        lambda d, a: d["networks"].pop(),
        lambda d, a: a.pop("1.biases.0"),
        lambda d, a: a["0.weights.0"].fill(np.nan),
    ],
)
def test_damaged_descriptions(saved, path, damage):
    described, arrays = _described(path), {name: array.copy() for name, array in load_file(path).items()}
    damage(described, arrays)
    save_file(arrays, path, {storage.TABLES: json.dumps(described)})
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        load(path)


def test_text_that_is_no_json(saved, path):
    save_file(load_file(path), path, {storage.TABLES: "{"})
    with pytest.raises(ValueError, match="describes no estimator that fastmlp knows"):
        load(path)
