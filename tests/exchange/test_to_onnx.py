"""ONNX files: onnxruntime predicts the same as the network, and no file is left half written."""

import json
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from exchanged import inputs, network
from networks import digest

from fastmlp import BatchNorm

FILE = "net.onnx"


def _predict(path, X):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [value.name for value in session.get_inputs()] == ["X"]
    (outputs,) = session.run(["outputs"], {"X": X})
    return outputs


def _assert_agree(net, path, X, rtol):
    net.to_onnx(path)
    outputs = _predict(path, X)
    assert outputs.dtype == net.dtype
    np.testing.assert_allclose(outputs, net.outputs(X), rtol=rtol, atol=rtol)


def _tolerance(dtype, activation):
    # onnxruntime has no error function for float64, so GELU's is computed in float32
    if dtype == np.float64:
        return 1e-6 if activation == "gelu" else 1e-12
    return 1e-5


def test_onnxruntime_agrees(activation, output, batch_norm, dtype, tmp_path):
    net = network(activation=activation, output=output, batch_norm=batch_norm, dtype=dtype.name, dropout=0.4)
    _assert_agree(net, tmp_path / FILE, inputs(net), _tolerance(dtype, activation))


@pytest.mark.parametrize("widths", [[1, 1], [4, 3], [1, 1, 1], [3, 5, 4, 3, 2, 1]], ids=str)
def test_any_depth_and_width(widths, dtype, tmp_path):
    net = network(widths, batch_norm=BatchNorm(), dtype=dtype.name)
    _assert_agree(net, tmp_path / FILE, inputs(net), _tolerance(dtype, net.activation))


def test_inputs_are_scaled_in_the_file(dtype, tmp_path):
    net = network(input_scale=1 / 255, dtype=dtype.name)
    X = inputs(net)
    assert np.abs(X).max() > 100
    _assert_agree(net, tmp_path / FILE, X, _tolerance(dtype, net.activation))


def test_the_factors_of_the_inputs_are_in_the_first_weights(dtype, tmp_path):
    net = network(input_factors=True, input_scale=1 / 255, dtype=dtype.name)
    _assert_agree(net, tmp_path / FILE, inputs(net), _tolerance(dtype, net.activation))


@pytest.mark.parametrize("n", [0, 1, 7])
def test_any_number_of_rows(n, tmp_path):
    net = network(batch_norm=BatchNorm(affine=True))
    net.to_onnx(tmp_path / FILE)
    assert _predict(tmp_path / FILE, np.ones((n, 5), np.float32)).shape == (n, 3)


def test_eps_is_not_rounded(tmp_path):
    net = network(batch_norm=BatchNorm(eps=0.1), dtype="float64")  # 0.1 rounded to float32 has an error of 1.5e-8
    for var in net.running_vars:
        var[:] = 1e-6
    _assert_agree(net, tmp_path / FILE, inputs(net), 1e-12)


def test_extreme_logits_stay_finite(tmp_path, dtype):
    net = network([2, 2], dtype=dtype.name)
    net.weights[0][:] = [1e4, -1e4]
    net.to_onnx(tmp_path / FILE)
    outputs = _predict(tmp_path / FILE, np.full((1, 2), 1e3, dtype))
    # old versions of onnxruntime give the smallest positive number instead of 0
    np.testing.assert_allclose(outputs, [[1, 0]], rtol=0, atol=1e-30)


def test_the_file_says_what_it_is(tmp_path):
    net = network()
    net.class_names, net.feature_names = ["chat", "Löwe", ""], list("abcde")
    net.to_onnx(tmp_path / FILE)
    model = onnx.load(tmp_path / FILE)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 9)]
    assert (model.ir_version, model.producer_name) == (4, "fastmlp")
    properties = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert properties == {"class_names": ["chat", "Löwe", ""], "feature_names": list("abcde")}
    (described,) = model.graph.input
    shape = described.type.tensor_type.shape.dim
    assert (shape[0].dim_param, shape[1].dim_value) == ("N", 5)


def test_without_names_there_is_no_metadata(tmp_path):
    network().to_onnx(tmp_path / FILE)
    assert len(onnx.load(tmp_path / FILE).metadata_props) == 0


def test_the_parameters_lie_in_the_file_by_their_names(tmp_path):
    net = network(batch_norm=BatchNorm(affine=True))
    net.to_onnx(tmp_path / FILE)
    constants = {
        array.name: onnx.numpy_helper.to_array(array) for array in onnx.load(tmp_path / FILE).graph.initializer
    }
    assert constants.keys() == net.named_arrays().keys()
    for name, array in net.named_arrays().items():
        np.testing.assert_array_equal(constants[name], array)


def test_equal_networks_make_equal_files(tmp_path):
    for name in "ab":
        network(batch_norm=BatchNorm()).to_onnx(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_network_is_left_as_it_was(tmp_path):
    net = network(batch_norm=BatchNorm(affine=True), input_scale=0.5)
    before = digest(net)
    net.to_onnx(tmp_path / FILE)
    assert digest(net) == before


def test_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        network().to_onnx(tmp_path / "absent" / FILE)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_bytes(b"earlier")
    with pytest.raises(OSError, match="file"):
        network().to_onnx(tmp_path / "file" / FILE)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"earlier"]


def test_a_failed_write_keeps_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / FILE
    network().to_onnx(path)
    before = path.read_bytes()

    def full(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        network(activation="tanh").to_onnx(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_the_checker_refuses_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / FILE
    path.write_bytes(b"earlier")
    monkeypatch.setattr("fastmlp.exchange.to_onnx.OPSET", 8)  # opset 8 has no Erf
    with pytest.raises(onnx.checker.ValidationError, match="Erf"):
        network(activation="gelu").to_onnx(path)
    assert path.read_bytes() == b"earlier"


def test_writing_warns_of_nothing(tmp_path):
    code = f"import onnx, onnxruntime, fastmlp; fastmlp.MLP([2, 3, 2]).to_onnx({str(tmp_path / FILE)!r})"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
