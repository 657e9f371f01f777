"""Networks from PyTorch modules: they predict the same, or an error names the module that does not fit."""

import numpy as np
import pytest

from fastmlp import MLP, SGD, BatchNorm, train

torch = pytest.importorskip("torch")
nn = torch.nn


def _moved(sequential):
    """Set statistics, γ and β to other values than 0 and 1; return the module in evaluation mode."""
    torch.manual_seed(0)
    for module in sequential.modules():
        if isinstance(module, nn.BatchNorm1d):
            for tensor in (module.running_mean, module.running_var, module.weight, module.bias):
                if tensor is not None:
                    nn.init.uniform_(tensor, 0.5, 2.0)
    return sequential.eval()


def _assert_agree(sequential, output=None, function=None, shape=(20, 4)):
    X = torch.from_numpy(np.random.default_rng(1).standard_normal(shape)).to(next(sequential.parameters()).dtype)
    net = MLP.from_torch(_moved(sequential), output=output)
    with torch.no_grad():
        expected = sequential(X) if function is None else function(sequential(X))
    limit = 1e-5 if expected.dtype == torch.float32 else 1e-12
    outputs = net.outputs(X.flatten(1).numpy())
    assert outputs.dtype == net.dtype
    np.testing.assert_allclose(outputs, expected.numpy(), rtol=limit, atol=limit)
    return net


def test_a_plain_classifier():
    net = _assert_agree(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3), nn.Softmax(dim=-1)))
    assert (net.widths, net.activation, net.output, net.dropout) == ((4, 5, 3), "relu", "softmax", (0.0,))
    assert net.batch_norm is None


def test_without_an_output_function_the_outputs_are_the_same_numbers():
    assert _assert_agree(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))).output == "identity"


def test_the_output_function_of_logits_can_be_said(output):
    functions = {"softmax": nn.Softmax(1), "logistic": nn.Sigmoid(), "identity": nn.Identity(), "exp": torch.exp}
    net = _assert_agree(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)), output, functions[output])
    assert net.output == output


def test_log_softmax_is_softmax():
    net = _assert_agree(nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(dim=1)), function=torch.exp)
    assert net.output == "softmax"


@pytest.mark.parametrize("module", [nn.Softmax(1), nn.LogSoftmax(-1)], ids=str)
def test_output_may_repeat_what_the_last_module_says(module):
    assert MLP.from_torch(nn.Sequential(nn.Linear(4, 3), module), output="softmax").output == "softmax"


def test_sequentials_within_and_a_flatten_before():
    block = nn.Sequential(nn.Linear(4, 5), nn.Sequential(nn.BatchNorm1d(5), nn.SiLU()), nn.Dropout(0.25))
    head = nn.Sequential(nn.Linear(5, 2), nn.Identity(), nn.Sigmoid())
    net = _assert_agree(nn.Sequential(nn.Flatten(), block, head), shape=(20, 2, 2))
    assert net.batch_norm == BatchNorm("before_relu", affine=True)
    assert (net.activation, net.output, net.dropout) == ("silu", "logistic", (0.25,))


def test_one_module_in_several_places():
    tanh, square = nn.Tanh(), nn.Linear(4, 4)
    net = _assert_agree(nn.Sequential(square, tanh, square, tanh, nn.Linear(4, 2)))
    assert net.widths == (4, 4, 4, 2)


def test_linears_without_a_bias_have_zeros():
    net = _assert_agree(nn.Sequential(nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 3, bias=False)))
    assert not any(bias.any() for bias in net.biases)


def test_float64_and_pytorchs_own_order_in_memory():
    net = _assert_agree(nn.Sequential(nn.Linear(4, 5), nn.GELU(), nn.Linear(5, 3)).double())
    assert net.dtype == np.float64


def test_linears_alone_are_an_identity_activation():
    net = _assert_agree(nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.5), nn.Linear(5, 3)))
    assert (net.activation, net.dropout) == ("identity", (0.5,))
    net = _assert_agree(nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5, affine=False), nn.Linear(5, 3)))
    assert (net.activation, net.batch_norm) == ("identity", BatchNorm("before_relu"))


def test_identities_beside_an_activation_mean_nothing():
    hidden = [nn.Identity(), nn.ReLU(), nn.Identity(), nn.BatchNorm1d(5), nn.Identity()]
    net = _assert_agree(nn.Sequential(nn.Linear(4, 5), *hidden, nn.Linear(5, 3), nn.Identity()))
    assert (net.activation, net.batch_norm) == ("relu", BatchNorm("after_relu", affine=True))


def test_a_module_that_pytorch_trained(blobs):
    X, y = torch.from_numpy(blobs[0]).float(), torch.from_numpy(blobs[1])
    torch.manual_seed(0)
    sequential = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(sequential.parameters(), 0.1)
    for _ in range(20):
        optimizer.zero_grad()
        nn.functional.cross_entropy(sequential(X), y).backward()
        optimizer.step()
    net = MLP.from_torch(sequential.eval(), output="softmax")
    with torch.no_grad():
        expected = sequential(X).softmax(1).numpy()
    X, y = X.numpy(), y.numpy()
    np.testing.assert_allclose(net.predict_proba(X), expected, rtol=1e-5, atol=1e-5)
    assert net.accuracy(X, y) > 0.9
    cost = net.cost(X, y)
    train(net, X, y, validation=None, optimizer=SGD(0.01), epochs=3, progress=False)
    assert net.cost(X, y) < cost


def test_a_subclass_makes_one_of_its_own():
    class Own(MLP):
        pass

    assert type(Own.from_torch(nn.Sequential(nn.Linear(2, 2)))) is Own


class _Doubled(nn.Sequential):
    def forward(self, x):
        return 2 * super().forward(x)


def _hidden(*modules, width=5):
    return nn.Sequential(nn.Linear(4, 5), *modules, nn.Linear(width, 3))


def _last(*modules):
    return nn.Sequential(nn.Linear(4, 3), *modules)


def _two(one, other):
    return nn.Sequential(nn.Linear(4, 5), *one, nn.Linear(5, 5), *other, nn.Linear(5, 3))


def _not_finite():
    sequential = _last()
    nn.init.constant_(sequential[0].weight, torch.nan)
    return sequential


REFUSED = {
    "nothing": (nn.Sequential(), "at least one Linear"),
    "only flatten": (nn.Sequential(nn.Flatten()), "at least one Linear"),
    "no linear first": (nn.Sequential(nn.ReLU(), nn.Linear(4, 3)), r"sequential\[0\], ReLU\(\).*first module"),
    "flatten of images": (nn.Sequential(nn.Flatten(2), nn.Linear(4, 3)), r"sequential\[0\], Flatten.*start_dim=1"),
    "convolution": (nn.Sequential(nn.Conv2d(1, 1, 3), nn.Linear(4, 3)), r"sequential\[0\], Conv2d"),
    "unknown": (_hidden(nn.ReLU(), nn.LayerNorm(5)), r"sequential\[2\], LayerNorm.*between two Linears"),
    "within": (nn.Sequential(_last(nn.Sequential(nn.ELU())), nn.Linear(3, 3)), r"sequential\[0\]\[1\]\[0\], ELU"),
    "subclass": (nn.Sequential(_Doubled(nn.Linear(4, 3))), r"sequential\[0\], _Doubled"),
    "not yet made": (nn.Sequential(nn.LazyLinear(3)), r"sequential\[0\], LazyLinear"),
    "two activations": (_hidden(nn.ReLU(), nn.Tanh()), r"sequential\[2\], Tanh"),
    "two batch norms": (_hidden(nn.BatchNorm1d(5), nn.ReLU(), nn.BatchNorm1d(5)), r"sequential\[3\], BatchNorm1d"),
    "dropout first": (_hidden(nn.Dropout(0.5), nn.ReLU()), r"sequential\[2\], ReLU"),
    "mixed activations": (_two([nn.ReLU()], [nn.Tanh()]), r"sequential\[2\], Linear.*same activation.*'relu'.*'tanh'"),
    "activation missing": (_two([nn.ReLU()], []), r"sequential\[2\], Linear.*same activation.*'identity'"),
    "batch norm missing": (_two([nn.BatchNorm1d(5), nn.ReLU()], [nn.ReLU()]), r"sequential\[3\].*same batch_norm"),
    "placements": (
        _two([nn.BatchNorm1d(5), nn.ReLU()], [nn.ReLU(), nn.BatchNorm1d(5)]),
        r"sequential\[3\].*same batch_norm.*before_relu.*after_relu",
    ),
    "eps": (_two([nn.ReLU(), nn.BatchNorm1d(5)], [nn.ReLU(), nn.BatchNorm1d(5, eps=0.5)]), r"same batch_norm.*0\.5"),
    "affine": (_two([nn.BatchNorm1d(5)], [nn.BatchNorm1d(5, affine=False)]), "same batch_norm"),
    "no statistics": (_hidden(nn.BatchNorm1d(5, track_running_stats=False)), r"sequential\[1\].*track_running_stats"),
    "cumulative": (_hidden(nn.BatchNorm1d(5, momentum=None)), r"sequential\[1\].*momentum must be a number"),
    "momentum of zero": (_hidden(nn.BatchNorm1d(5, momentum=0.0)), r"sequential\[1\].*momentum must be above 0"),
    "narrow batch norm": (_hidden(nn.BatchNorm1d(4)), r"sequential\[1\].*5 features"),
    "narrow linear": (_hidden(nn.ReLU(), width=4), r"sequential\[2\], Linear.*5 inputs.*got 4"),
    "tanh GELU": (_hidden(nn.GELU(approximate="tanh")), r"sequential\[1\], GELU.*exact"),
    "slope": (_hidden(nn.LeakyReLU(0.2)), r"sequential\[1\], LeakyReLU.*slope 0\.01"),
    "certain dropout": (_hidden(nn.ReLU(), nn.Dropout(1.0)), r"sequential\[2\], Dropout\(p=1\.0.*p must be below 1"),
    "activation last": (_last(nn.ReLU()), r"sequential\[1\], ReLU.*behind the last Linear"),
    "two output functions": (_last(nn.Softmax(1), nn.Sigmoid()), r"sequential\[2\], Sigmoid.*behind the last"),
    "softmax of columns": (_last(nn.Softmax(0)), r"sequential\[1\], Softmax\(dim=0\).*dim must be 1 or -1"),
    "half": (_last().half(), r"sequential\[0\], Linear.*float32 or all float64, got torch\.float16"),
    "mixed": (nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3).double()), r"sequential\[1\], Linear.*torch\.float64"),
    "NaN": (_not_finite(), r"weights\[0\] must be finite"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_not_supported_is_named(name):
    sequential, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        MLP.from_torch(sequential)


@pytest.mark.parametrize("value", [nn.Linear(2, 2), nn.ModuleList([nn.Linear(2, 2)]), nn.Sequential, None, [1, 2]])
def test_it_must_be_a_sequential(value):
    with pytest.raises(TypeError, match="sequential must be a Sequential, got"):
        MLP.from_torch(value)


def test_output_must_be_known_and_fit():
    with pytest.raises(ValueError, match=r"output must be one of 'softmax', .* got 'probit'"):
        MLP.from_torch(_last(), output="probit")
    with pytest.raises(ValueError, match=r"output must be 'softmax' or None .* Softmax\(dim=1\), got 'identity'"):
        MLP.from_torch(_last(nn.Softmax(1)), output="identity")
