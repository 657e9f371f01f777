"""The public kernels refuse wrong shapes, dtypes and orders, indices out of range, and outputs that overlap inputs."""

import numba
import numpy as np
import pytest
from kernel_calls import MARGIN

from fastmlp import kernels

N, WIDE, NARROW = 10, 20, 6  # rows, inputs, outputs
FLOAT32 = np.dtype(np.float32)


def _numbers(*shape):
    return np.linspace(0.1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def _labels():
    return np.arange(N) % NARROW


# the arguments of every kernel by name, arrays and numbers; the arguments after "outputs" are the outputs
MATRIX, VECTOR = (N, NARROW), (NARROW,)
CASES = {
    "linear_forward": ({"x": (N, WIDE), "weight": (WIDE, NARROW), "bias": VECTOR}, {"out": MATRIX}),
    "linear_backward": (
        {"x": (N, WIDE), "weight": (WIDE, NARROW), "dout": MATRIX},
        {"dx": (N, WIDE), "dweight": (WIDE, NARROW), "dbias": VECTOR},
    ),
    "relu_forward": ({"z": MATRIX}, {"out": MATRIX}),
    "relu_backward": ({"z": MATRIX, "dout": MATRIX}, {"dz": MATRIX}),
    "relu_batchnorm_forward": ({"z": MATRIX, "eps": 1e-5}, {"out": MATRIX, "mean": VECTOR, "inv_std": VECTOR}),
    "relu_batchnorm_backward": ({"z": MATRIX, "mean": VECTOR, "inv_std": VECTOR, "dout": MATRIX}, {"dz": MATRIX}),
    "batchnorm_relu_forward": (
        {"z": MATRIX, "gamma": VECTOR, "beta": VECTOR, "eps": 1e-5},
        {"out": MATRIX, "mean": VECTOR, "inv_std": VECTOR},
    ),
    "batchnorm_relu_backward": (
        {"z": MATRIX, "gamma": VECTOR, "beta": VECTOR, "mean": VECTOR, "inv_std": VECTOR, "dout": MATRIX},
        {"dz": MATRIX, "dgamma": VECTOR, "dbeta": VECTOR},
    ),
    "softmax": ({"z": MATRIX}, {"out": MATRIX}),
    "softmax_cross_entropy": ({"z": MATRIX, "y": _labels()}, {"proba": MATRIX, "dz": MATRIX}),
    "dropout": ({"x": MATRIX, "key": 1, "step": 2, "layer": 3, "threshold": 1 << 30}, {"out": MATRIX}),
    "gather": ({"data": (N + 3, NARROW), "index": np.arange(N), "scale": 2.0}, {"out": MATRIX}),
    "activate": ({"function": kernels.activation("tanh", FLOAT32), "z": MATRIX}, {"out": MATRIX, "slope": MATRIX}),
    "loss_gradient": (
        {
            "function": kernels.loss("squared_error", FLOAT32), "z": MATRIX, "targets": MATRIX, "weights": np.ones(N),
            "parameter": 0.0,
        },
        {"dz": MATRIX},
    ),
    "sgd_update": ({"weight": MATRIX, "dweight": MATRIX, "learning_rate": 0.1, "weight_decay": 0.0}, {}),
}  # fmt: skip
SHAPE = r"must have the shape .*, got \(\d+,( \d+)?\)$"
IN_PLACE = [
    ("relu_forward", "out", "z"), ("relu_backward", "dz", "dout"), ("relu_backward", "dz", "z"),
    ("softmax", "out", "z"), ("relu_batchnorm_forward", "out", "z"),
    ("relu_batchnorm_backward", "dz", "dout"), ("dropout", "out", "x"),
    ("batchnorm_relu_forward", "out", "z"), ("batchnorm_relu_backward", "dz", "z"), ("activate", "out", "z"),
]  # fmt: skip
NOT_IN_PLACE = [
    ("softmax_cross_entropy", "proba", "z"), ("softmax_cross_entropy", "dz", "z"), ("loss_gradient", "dz", "z"),
    ("sgd_update", "weight", "dweight"), ("activate", "slope", "out"),
]  # fmt: skip


class Call:
    """A call of a kernel whose arrays are inside larger buffers of NaN."""

    def __init__(self, kernel):
        self.kernel = kernel
        inputs, outputs = CASES[kernel]
        self.outputs, self.arguments, self.buffers = list(outputs), {}, {}
        for name, value in (inputs | outputs).items():
            self.set(name, _numbers(*value) if isinstance(value, tuple) else value)

    def set(self, name, value):
        """Set an argument to a value, or to a copy of an array."""
        if isinstance(value, np.ndarray):
            self.buffers[name] = np.full(value.size + 2 * MARGIN, -9, value.dtype)
            inside = self.buffers[name][MARGIN:-MARGIN].reshape(value.shape)
            inside[...] = value
            value = inside
        self.arguments[name] = value

    @property
    def arrays(self):
        return {name: value for name, value in self.arguments.items() if isinstance(value, np.ndarray)}

    def __call__(self):
        return getattr(kernels, self.kernel)(*self.arguments.values())

    def refuses(self, error, match, call=None):
        """Check that the call raises an error and writes nothing."""
        before = {name: buffer.copy() for name, buffer in self.buffers.items()}
        with pytest.raises(error, match=match):
            (call or self)()
        for name, buffer in self.buffers.items():
            np.testing.assert_array_equal(buffer, before[name])


def _arrays():
    for kernel in CASES:
        yield from ((kernel, name) for name in Call(kernel).arrays)


def _other_shapes():
    for kernel, name in _arrays():
        shape = Call(kernel).arguments[name].shape
        for axis in range(len(shape)):
            for more in (-1, 1):
                if (kernel, name, axis) != ("gather", "data", 0):  # any number of rows above the largest index
                    yield kernel, name, axis, more


def _of_shape(array, axis, more):
    shape = [size + more * (i == axis) for i, size in enumerate(array.shape)]
    return np.resize(array, shape)


def test_every_kernel_is_here():
    assert set(CASES) == set(kernels.__all__) - {"activation", "loss"}


@pytest.mark.parametrize("kernel", CASES)
def test_what_fits_is_taken(kernel):
    Call(kernel)()


@pytest.mark.parametrize(("kernel", "name", "axis", "more"), list(_other_shapes()))
def test_other_shapes(kernel, name, axis, more):
    call = Call(kernel)
    call.set(name, _of_shape(call.arguments[name], axis, more))
    call.refuses(ValueError, f"{SHAPE}|y must hold indices from 0 to below 5, got 5$")


@pytest.mark.parametrize("name", ["bias", "out"])
def test_the_error_names_the_array(name):
    call = Call("linear_forward")
    array = call.arguments[name]
    call.set(name, _of_shape(array, 0, 1))
    expected, got = (
        str(shape).replace("(", r"\(").replace(")", r"\)") for shape in (array.shape, call.arguments[name].shape)
    )
    call.refuses(ValueError, f"^{name} must have the shape {expected}, got {got}$")


def test_from_compiled_code():
    kernel = kernels.linear_forward

    @numba.njit
    def caller(x, weight, bias, out):
        kernel(x, weight, bias, out)

    call = Call("linear_forward")
    caller(*call.arguments.values())
    call.set("out", _numbers(N - 1, NARROW))
    call.refuses(
        ValueError, r"^out must have the shape \(10, 6\), got \(9, 6\)$", lambda: caller(*call.arguments.values())
    )


@pytest.mark.parametrize(
    ("kernel", "name", "value"),
    [
        ("softmax_cross_entropy", "y", NARROW),
        ("softmax_cross_entropy", "y", -1),
        ("gather", "index", N + 3),
        ("gather", "index", -1),
    ],
)
def test_indices_outside(kernel, name, value):
    call = Call(kernel)
    call.arguments[name][3] = value
    call.refuses(
        ValueError, f"^{name} must hold indices from 0 to below {N + 3 if kernel == 'gather' else NARROW}, got {value}$"
    )


def test_class_indices_of_a_loss():
    call = Call("loss_gradient")
    call.set("function", kernels.loss("cross_entropy", FLOAT32))
    call.set("targets", _labels())
    call()
    call.arguments["targets"][-1] = NARROW
    call.refuses(ValueError, "^targets must hold indices from 0 to below 6, got 6$")


@pytest.mark.parametrize("threshold", [-1, 1 << 32])
def test_a_threshold_outside(threshold):
    call = Call("dropout")
    call.set("threshold", threshold)
    call.refuses(ValueError, f"^threshold must be from 0 to below 4294967296, got {threshold}$")


@pytest.mark.parametrize(("kernel", "name"), list(_arrays()))
def test_other_orders_and_dtypes(kernel, name):
    """Compilation refuses wrong orders and dtypes. For each kernel, one unsuitable array is tested."""
    call = Call(kernel)
    array = call.arguments[name]
    strided = np.repeat(array, 2, axis=-1)[..., ::2]
    call.arguments[name] = strided
    call.refuses(TypeError, f"{name} must be a C-ordered")
    call.arguments[name] = array[..., None]
    if kernel not in ("relu_forward", "relu_backward", "sgd_update") and (kernel, name) != ("loss_gradient", "targets"):
        call.refuses(TypeError, f"{name} must be a C-ordered")
    call.arguments[name] = array.astype(np.complex64)
    call.refuses(TypeError, f"{name} must hold|must hold float32 or float64 as the other arrays do")
    if array.dtype == np.float32 and (kernel, name) not in (
        ("gather", "data"),
        ("gather", "out"),
        ("loss_gradient", "targets"),
    ):
        call.arguments[name] = array.astype(np.float64)
        call.refuses(TypeError, "must hold float32 or float64 as the other arrays do")


@pytest.mark.parametrize("kernel", [kernel for kernel in CASES if CASES[kernel][1]])
def test_read_only_outputs(kernel):
    call = Call(kernel)
    name = call.outputs[-1]
    call.arguments[name] = call.arguments[name].copy()
    call.arguments[name].flags.writeable = False
    call.refuses(TypeError, f"{name} is written to and must not be read-only")


def test_read_only_inputs(dtype):
    call = Call("relu_forward")
    expected = np.maximum(call.arguments["z"], 0)
    call.arguments["z"].flags.writeable = False
    call()
    np.testing.assert_array_equal(call.arguments["out"], expected)


@pytest.mark.parametrize(("kernel", "output", "source"), IN_PLACE)
def test_in_place(kernel, output, source):
    apart, within = Call(kernel), Call(kernel)
    within.arguments[output] = within.arguments[source]
    apart()
    within()
    np.testing.assert_array_equal(within.arguments[output], apart.arguments[output])


@pytest.mark.parametrize(("kernel", "output", "source"), NOT_IN_PLACE)
def test_not_in_place(kernel, output, source):
    call = Call(kernel)
    call.arguments[output] = call.arguments[source]
    call.refuses(ValueError, "^an output overlaps another array$")


@pytest.mark.parametrize(("kernel", "output", "source"), IN_PLACE)
def test_partly_in_place(kernel, output, source):
    call = Call(kernel)
    room = np.zeros(N * NARROW + 1, np.float32)
    call.arguments[source], call.arguments[output] = (room[i : i + N * NARROW].reshape(N, NARROW) for i in (0, 1))
    call.refuses(ValueError, "^an output overlaps another array$")
