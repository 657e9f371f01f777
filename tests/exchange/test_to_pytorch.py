"""Networks as PyTorch modules: they predict the same, and the conversion back gives the same network."""

import dataclasses
import pickle

import numpy as np
import pytest
from exchanged import inputs, network, settings_of
from networks import digest

from fastmlp import MLP, BatchNorm

torch = pytest.importorskip("torch")
nn = torch.nn


def _predict(sequential, X):
    with torch.no_grad():
        return sequential(torch.from_numpy(X)).numpy()


def _assert_agree(actual, expected, dtype):
    assert actual.dtype == dtype
    limit = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(actual, expected, rtol=limit, atol=limit)


def _names(sequential):
    return [type(module).__name__ for module in sequential]


def test_pytorch_agrees_and_the_same_network_comes_back(activation, output, batch_norm, dtype):
    net = network(activation=activation, output=output, batch_norm=batch_norm, dtype=dtype.name, dropout=[0.25, 0.0])
    X = inputs(net)
    sequential = net.to_torch()
    _assert_agree(_predict(sequential, X), net.outputs(X), dtype)
    back = MLP.from_torch(sequential)
    assert digest(back) == digest(net)
    assert settings_of(back) == settings_of(net)


@pytest.mark.parametrize("widths", [[1, 1], [4, 3], [1, 1, 1], [3, 5, 4, 3, 2, 1]], ids=str)
def test_any_depth_and_width(widths):
    net = network(widths, batch_norm=BatchNorm("before_relu", affine=True))
    X = inputs(net)
    _assert_agree(_predict(net.to_torch(), X), net.outputs(X), net.dtype)
    assert digest(MLP.from_torch(net.to_torch())) == digest(net)


def test_logits_are_what_the_losses_of_pytorch_take(output, dtype):
    net = network(output=output, dtype=dtype.name)
    X = inputs(net)
    logits = net.to_torch(logits=True)
    assert isinstance(logits[-1], nn.Linear)
    net.architecture = dataclasses.replace(net.architecture, output="identity")
    _assert_agree(_predict(logits, X), net.outputs(X), dtype)


def test_logits_and_their_output_function_come_back(output):
    net = network(output=output)
    back = MLP.from_torch(net.to_torch(logits=True), output=output)
    assert digest(back) == digest(net)
    assert settings_of(back) == settings_of(net)


def test_the_factors_of_the_inputs_are_multiplied_into_the_first_weights(dtype):
    net = network(input_factors=True, input_scale=1 / 255, dtype=dtype.name)
    back = MLP.from_torch(net.to_torch())
    assert not back.input_factors
    np.testing.assert_allclose(back.weights[0], net.factors[0][:, None] * net.weights[0] / 255, rtol=1e-6)
    _assert_agree(_predict(net.to_torch(), inputs(net)), net.outputs(inputs(net)), dtype)


def test_the_inputs_scale_is_multiplied_into_the_first_weights(dtype):
    net = network(input_scale=1 / 255, dtype=dtype.name)
    X = inputs(net)
    back = MLP.from_torch(net.to_torch())
    assert back.input_scale == 1
    np.testing.assert_allclose(back.weights[0], net.weights[0] / 255, rtol=1e-6)
    _assert_agree(_predict(net.to_torch(), X), net.outputs(X), dtype)
    _assert_agree(back.outputs(X), net.outputs(X), dtype)


def test_the_modules_in_their_order():
    net = network(activation="tanh", batch_norm=BatchNorm("before_relu"), dropout=[0.25, 0.0], output="logistic")
    hidden = ["Linear", "BatchNorm1d", "Tanh"]
    assert _names(net.to_torch()) == [*hidden, "Dropout", *hidden, "Linear", "Sigmoid"]
    net = network(activation="gelu", batch_norm=BatchNorm("after_relu"))
    hidden = ["Linear", "GELU", "BatchNorm1d"]
    assert _names(net.to_torch()) == [*hidden, *hidden, "Linear", "Softmax"]


def test_settings_of_the_batch_norm_go_there_and_back():
    batch_norm = BatchNorm("before_relu", affine=True, eps=0.125, momentum=0.75)
    sequential = network(batch_norm=batch_norm).to_torch()
    assert (sequential[1].eps, sequential[1].momentum, sequential[1].affine) == (0.125, 0.75, True)
    assert MLP.from_torch(sequential).batch_norm == batch_norm


def test_the_module_is_in_evaluation_mode_and_can_be_trained():
    net = network(batch_norm=BatchNorm(affine=True), dropout=0.5)
    sequential = net.to_torch(logits=True)
    assert not any(module.training for module in sequential.modules())
    assert all(parameter.requires_grad for parameter in sequential.parameters())
    nn.functional.cross_entropy(sequential(torch.from_numpy(inputs(net))), torch.zeros(50, dtype=torch.long)).backward()
    assert all(parameter.grad is not None for parameter in sequential.parameters())


def test_neither_shares_memory_with_the_other():
    net = network(batch_norm=BatchNorm(affine=True))
    before = digest(net)
    sequential = net.to_torch()
    back = MLP.from_torch(sequential)
    for tensor in sequential.state_dict().values():
        tensor.zero_()
    assert digest(net) == before == digest(back)


def test_pytorchs_random_generator_is_left_alone():
    state = torch.get_rng_state()
    MLP.from_torch(network(batch_norm=BatchNorm()).to_torch())
    assert torch.equal(torch.get_rng_state(), state)


def test_the_module_can_be_pickled(output):
    net = network(output=output)
    sequential = net.to_torch()
    X = inputs(net)
    np.testing.assert_array_equal(_predict(pickle.loads(pickle.dumps(sequential)), X), _predict(sequential, X))


def test_logits_must_be_true_or_false():
    with pytest.raises(TypeError, match="logits must be True or False, got 'yes'"):
        network().to_torch(logits="yes")
