"""Saving and loading: a loaded network has the same bits, bad files give one clear error, no file is half written."""

import json
import os
import pickle
import struct

import numpy as np
import pytest
from networks import digest, perturb
from safetensors.numpy import load_file, save_file

import fastmlp
from fastmlp import MLP, SGD, BatchNorm, train
from fastmlp.mlp import ACTIVATIONS, OUTPUTS

MODEL = "model.safetensors"


@pytest.fixture
def saved(tmp_path):
    """A network with batch norm, γ and β, and its file."""
    net = MLP([5, 4, 3, 2], batch_norm=BatchNorm("before_relu", affine=True), input_scale=0.5, seed=3)
    path = tmp_path / MODEL
    net.save(path)
    return net, path


def _parts(path):
    """Arrays and metadata of a safetensors file, read as the format's description says."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    return load_file(path), header["__metadata__"]


@pytest.mark.parametrize("widths", [[1, 1], [5, 3], [5, 17, 3], [5, 4, 7, 16, 3]], ids=str)
def test_round_trip(widths, batch_norm, dtype, tmp_path):
    net = perturb(MLP(widths, batch_norm=batch_norm, input_scale=1 / 255, dtype=dtype.name, seed=8))
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, widths[0])), rng.integers(0, widths[-1], size=20)
    train(net, X, y, validation=None, optimizer=SGD(0.1), batch_size=7, epochs=2, progress=False)
    net.save(tmp_path / MODEL)
    loaded = fastmlp.load(tmp_path / MODEL)
    assert digest(loaded) == digest(net)
    assert (loaded.widths, loaded.dtype, loaded.input_scale) == (net.widths, net.dtype, net.input_scale)
    assert loaded.batch_norm == net.batch_norm
    assert loaded.predict_proba(X).tobytes() == net.predict_proba(X).tobytes()
    loaded.save(tmp_path / "again")
    assert digest(fastmlp.load(tmp_path / "again")) == digest(net)


def test_factors_of_the_inputs_come_back(tmp_path, dtype):
    net = perturb(MLP([5, 4, 3], input_factors=True, dtype=dtype.name))
    net.save(tmp_path / MODEL)
    loaded = fastmlp.load(tmp_path / MODEL)
    assert loaded.input_factors
    assert digest(loaded) == digest(net)
    assert (loaded.factors[0] == net.factors[0]).all()
    arrays, metadata = _parts(tmp_path / MODEL)
    assert arrays["factors.0"].shape == (5,)
    without = {key: json.dumps({**json.loads(text), "input_factors": False}) for key, text in metadata.items()}
    save_file(arrays, tmp_path / MODEL, without)
    with pytest.raises(ValueError, match="must hold the arrays"):
        fastmlp.load(tmp_path / MODEL)


def test_settings_of_the_batch_norm_come_back(tmp_path):
    batch_norm = BatchNorm(placement="before_relu", affine=True, eps=0.125, momentum=0.75)
    MLP([3, 2, 2], batch_norm=batch_norm).save(tmp_path / MODEL)
    assert fastmlp.load(tmp_path / MODEL).batch_norm == batch_norm


def test_loaded_networks_are_trained_on(saved):
    net, path = saved
    loaded = fastmlp.load(str(path))
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 5)), rng.integers(0, 2, size=20)
    for each in (net, loaded):
        train(each, X, y, validation=None, optimizer=SGD(0.1), batch_size=7, epochs=2, progress=False)
    assert digest(net) == digest(loaded)


def test_names_come_back(tmp_path):
    net = MLP([2, 2])
    net.class_names, net.feature_names = ["ja", "nein 🙂"], ["länge", "breite"]
    net.save(tmp_path / MODEL)
    loaded = fastmlp.load(tmp_path / MODEL)
    assert (loaded.class_names, loaded.feature_names) == (net.class_names, net.feature_names)


def test_file_is_plain_safetensors(saved):
    net, path = saved
    arrays, metadata = _parts(path)
    found = sorted(array.tobytes() for array in arrays.values())
    lists = net.weights, net.biases, net.gammas, net.betas, net.running_means, net.running_vars
    assert found == sorted(array.tobytes() for group in lists for array in group)
    assert all(isinstance(value, str) for value in metadata.values())


def test_truncated_anywhere(saved, tmp_path):
    _, path = saved
    content = path.read_bytes()
    for length in [0, 1, 7, 8, 9, 100, len(content) // 2, len(content) - 1]:
        (tmp_path / "cut").write_bytes(content[:length])
        with pytest.raises(ValueError, match="cut"):
            fastmlp.load(tmp_path / "cut")


def test_longer_than_it_says(saved, tmp_path):
    _, path = saved
    (tmp_path / "long").write_bytes(path.read_bytes() + b"more")
    with pytest.raises(ValueError, match="long"):
        fastmlp.load(tmp_path / "long")


@pytest.mark.parametrize(
    "content",
    [b"width,height\n1,2\n" * 100, bytes(1000), b"\xff" * 1000, b"PK\x03\x04" + bytes(200), b"\x89HDF\r\n\x1a\n" * 9],
    ids=["csv", "zeros", "ones", "zip", "hdf5"],
)
def test_not_safetensors(content, tmp_path):
    (tmp_path / "strange").write_bytes(content)
    with pytest.raises(ValueError, match="strange"):
        fastmlp.load(tmp_path / "strange")


class _Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_a_pickle_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bomb").write_bytes(pickle.dumps(_Bomb()))
    np.save(tmp_path / "bomb.npy", np.array([_Bomb()], dtype=object), allow_pickle=True)
    for name in ("bomb", "bomb.npy"):
        with pytest.raises(ValueError, match="bomb"):
            fastmlp.load(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_safetensors_of_another_program(tmp_path):
    save_file({"weight": np.ones((3, 2), np.float32)}, tmp_path / "other")
    with pytest.raises(ValueError, match=r"other.*fastmlp"):
        fastmlp.load(tmp_path / "other")


def test_bfloat16_of_another_program(tmp_path):
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "other").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(ValueError, match=r"other.*fastmlp"):
        fastmlp.load(tmp_path / "other")


# ---- activation, output and dropout


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_functions_come_back(activation, output, tmp_path):
    net = MLP([5, 4, 3, 2], activation=activation, output=output, dropout=(0.25, 0.1))
    net.save(tmp_path / MODEL)
    loaded = fastmlp.load(tmp_path / MODEL)
    assert (loaded.activation, loaded.output, loaded.dropout) == (activation, output, (0.25, 0.1))
    assert digest(loaded) == digest(net)
    X = np.random.default_rng(0).standard_normal((9, 5))
    assert loaded.outputs(X).tobytes() == net.outputs(X).tobytes()


@pytest.mark.parametrize(
    ("functions", "kind"),
    [
        ({}, "fastmlp-1"),
        ({"dropout": 0.5}, "fastmlp-1"),  # an earlier version without dropout predicts the same
        ({"activation": "tanh"}, "fastmlp-2"),
        ({"output": "identity"}, "fastmlp-2"),
        ({"activation": "gelu", "output": "exp"}, "fastmlp-2"),
    ],
    ids=str,
)
def test_an_earlier_reader_refuses_what_it_would_get_wrong(functions, kind, tmp_path):
    MLP([5, 4, 2], **functions).save(tmp_path / MODEL)
    assert list(_parts(tmp_path / MODEL)[1]) == [kind]


def test_an_earlier_file_is_of_relu_and_softmax(saved):
    net, path = saved
    _rewritten(path, lambda a, d: [d.pop(name) for name in ("activation", "output", "dropout")])
    loaded = fastmlp.load(path)
    assert digest(loaded) == digest(net)
    assert (loaded.activation, loaded.output, loaded.dropout) == ("relu", "softmax", (0.0, 0.0))


def _rewritten(path, change):
    """Write the file again after `change` of its arrays and of the architecture in its metadata."""
    arrays, metadata = _parts(path)
    ((kind, text),) = metadata.items()
    architecture = json.loads(text)
    change(arrays, architecture)
    save_file(arrays, path, {kind: json.dumps(architecture)})


def test_rewritten_without_a_change_loads(saved):
    net, path = saved
    _rewritten(path, lambda arrays, architecture: None)
    assert digest(fastmlp.load(path)) == digest(net)


CHANGES = {
    "array missing": (lambda a, d: a.pop("weights.1"), "weights.1"),
    "array too many": (lambda a, d: a.update(extra=np.zeros(1, np.float32)), "extra"),
    "wrong shape": (lambda a, d: a.update({"weights.0": np.zeros((4, 5), np.float32)}), "weights.0"),
    "too short": (lambda a, d: a.update({"biases.0": np.zeros(3, np.float32)}), "biases.0"),
    "more dimensions": (lambda a, d: a.update({"biases.0": np.zeros((1, 4), np.float32)}), "biases.0"),
    "wrong dtype": (lambda a, d: a.update({"weights.0": a["weights.0"].astype(np.float64)}), "weights.0"),
    "integers": (lambda a, d: a.update({"biases.1": np.zeros(3, np.int64)}), "biases.1"),
    "NaN": (lambda a, d: a.update({"weights.0": np.full((5, 4), np.nan, np.float32)}), "weights.0"),
    "infinity": (lambda a, d: a.update({"gammas.0": np.full(4, np.inf, np.float32)}), "gammas.0"),
    "a negative variance": (
        lambda a, d: a.update({"running_vars.1": np.array([1, -0.5, 1], np.float32)}),
        r"running_vars.1 must hold variances of at least 0, got -0.5",
    ),
    "other widths": (lambda a, d: d.update(widths=[5, 4, 4, 2]), "weights.1"),
    "widths of text": (lambda a, d: d.update(widths="5432"), "widths"),
    "widths of nothing": (lambda a, d: d.update(widths=None), "widths"),
    "negative widths": (lambda a, d: d.update(widths=[5, -4, 3, 2]), "widths"),
    "huge widths": (lambda a, d: d.update(widths=[10**9, 10**9, 10**9, 2]), "weights.0"),
    "widths missing": (lambda a, d: d.pop("widths"), "widths"),
    "unknown placement": (lambda a, d: d["batch_norm"].update(placement="sideways"), "placement"),
    "unknown setting": (lambda a, d: d["batch_norm"].update(strength=1), "strength"),
    "batch norm of text": (lambda a, d: d.update(batch_norm="yes"), MODEL),
    "unknown dtype": (lambda a, d: d.update(dtype="float16"), "dtype"),
    "factors of text": (lambda a, d: d.update(input_factors="no"), "factors.0"),
    "scale of nothing": (lambda a, d: d.update(input_scale=None), "input_scale"),
    "unknown activation": (lambda a, d: d.update(activation="swish"), "swish"),
    "activation of nothing": (lambda a, d: d.update(activation=None), "activation"),
    "unknown output": (lambda a, d: d.update(output="sigmoid"), "sigmoid"),
    "outputs": (lambda a, d: d.update(output=["softmax"]), "output"),
    "dropout of everything": (lambda a, d: d.update(dropout=1.0), "dropout"),
    "dropout of other layers": (lambda a, d: d.update(dropout=[0.5]), "dropout"),
    "dropout of nothing": (lambda a, d: d.update(dropout=None), "dropout"),
    "scale zero": (lambda a, d: d.update(input_scale=0.0), "input_scale"),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_arrays_and_metadata_must_fit(name, saved):
    _, path = saved
    change, word = CHANGES[name]
    _rewritten(path, change)
    with pytest.raises(ValueError, match=MODEL) as caught:
        fastmlp.load(path)
    assert word in str(caught.value)


@pytest.mark.parametrize("architecture", ["", "{", "[]", "null", "7", '"text"'])
def test_metadata_must_be_an_architecture(architecture, saved):
    _, path = saved
    arrays, _ = _parts(path)
    save_file(arrays, path, {"fastmlp-1": architecture})
    with pytest.raises(ValueError, match=MODEL):
        fastmlp.load(path)


def test_a_later_format_is_refused(saved):
    _, path = saved
    arrays, metadata = _parts(path)
    save_file(arrays, path, {"fastmlp-999": metadata["fastmlp-1"]})
    with pytest.raises(ValueError, match="fastmlp-999"):
        fastmlp.load(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        fastmlp.load(tmp_path / "absent")


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(OSError, match=tmp_path.name):
        fastmlp.load(tmp_path)


def test_save_into_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        MLP([2, 2]).save(tmp_path / "absent" / MODEL)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_keeps_the_earlier_file(saved, monkeypatch):
    net, path = saved
    before = path.read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    monkeypatch.setattr("pathlib.Path.replace", full)
    net.weights[0][:] = 0
    with pytest.raises(OSError, match="No space left"):
        net.save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_save_replaces_the_file(saved):
    net, path = saved
    net.weights[0][:] = 7
    net.save(path)
    assert digest(fastmlp.load(path)) == digest(net)
    assert list(path.parent.iterdir()) == [path]


def test_the_loaded_file_is_not_held(saved):
    _, path = saved
    loaded = fastmlp.load(path)
    weight = loaded.weights[0].copy()
    path.write_bytes(b"")
    np.testing.assert_array_equal(loaded.weights[0], weight)
    loaded.weights[0][:] = 1


def test_equal_networks_make_equal_files(tmp_path):
    for name in "ab":
        MLP([5, 4, 3], batch_norm=BatchNorm(affine=True), seed=2).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
