"""What every test shares: tolerances per dtype, two Numba threads at least, small problems with a known answer."""

import contextlib
import hashlib
import math
import os
import signal

# set before Numba starts: thread counts of 1 and 2 are compared on machines with one core, too
os.environ.setdefault("NUMBA_NUM_THREADS", str(max(2, os.cpu_count() or 1)))

import hypothesis
import numba
import numpy as np
import pytest

import fastmlp

# a background job of a shell starts with SIGINT ignored, and so would every process that the tests start
signal.signal(signal.SIGINT, signal.default_int_handler)

# deadline: the first example compiles; derandomize: a failure is the same failure on every machine
hypothesis.settings.register_profile("fastmlp", deadline=None, derandomize=True, max_examples=25)
hypothesis.settings.load_profile("fastmlp")

# relative to the largest magnitude of the expected array: room for sums of about 1000 terms in another order
TOLERANCE = {np.dtype("float32"): 2e-5, np.dtype("float64"): 1e-12}


@pytest.fixture(scope="session")
def tolerance():
    """Tolerance of a dtype."""
    return lambda dtype: TOLERANCE[np.dtype(dtype)]


@pytest.fixture(scope="session")
def assert_close():
    """Check arrays or numbers, to the tolerance of a dtype times `factor`; NaN and infinity never pass."""

    def check(actual, expected, dtype=None, factor=1.0):
        actual, expected = np.asarray(actual), np.asarray(expected)
        limit = factor * TOLERANCE[np.dtype(actual.dtype if dtype is None else dtype)]
        assert actual.shape == expected.shape
        assert np.all(np.isfinite(actual)), "not finite"
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        np.testing.assert_allclose(actual, expected, rtol=limit, atol=limit * scale)

    return check


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    """Both dtypes of the library."""
    return np.dtype(request.param)


@pytest.fixture
def rng():
    """A generator with a fixed seed."""
    return np.random.default_rng(20240607)


@pytest.fixture(scope="session")
def at_threads():
    """A block in which Numba's own parallel kernels use `count` threads."""

    @contextlib.contextmanager
    def block(count):
        earlier = numba.get_num_threads()
        numba.set_num_threads(count)
        try:
            yield
        finally:
            numba.set_num_threads(earlier)

    return block


MARGIN = 61  # elements before and after an output: more than a vector, and no multiple of one


@pytest.fixture(scope="session")
def guarded():
    """Make outputs of NaN inside larger buffers; afterwards, check that nothing was written beside them."""

    @contextlib.contextmanager
    def block(shapes, dtype):
        buffers = [np.full(math.prod(np.atleast_1d(shape)) + 2 * MARGIN, np.nan, dtype=dtype) for shape in shapes]
        yield [buffer[MARGIN:-MARGIN].reshape(shape) for buffer, shape in zip(buffers, shapes, strict=True)]
        for buffer in buffers:
            assert np.isnan(buffer[:MARGIN]).all(), "written before the output"
            assert np.isnan(buffer[-MARGIN:]).all(), "written behind the output"

    return block


@pytest.fixture(scope="session")
def call_kernel(guarded):
    """Call a kernel whose outputs hold NaN before; check that it returns nothing and leaves its inputs."""

    def call(kernel, inputs, shapes, dtype):
        before = [np.copy(value) for value in inputs]
        with guarded(shapes, dtype) as outputs:
            assert kernel(*inputs, *outputs) is None
        for value, copy in zip(inputs, before, strict=True):
            np.testing.assert_array_equal(value, copy)
        return outputs

    return call


def _arrays(net):
    lists = (net.weights, net.biases, net.gammas, net.betas, net.running_means, net.running_vars)
    return [array for arrays in lists for array in arrays]


@pytest.fixture(scope="session")
def all_arrays():
    """Every array of a network, running statistics included."""
    return _arrays


@pytest.fixture(scope="session")
def digest():
    """SHA-256 of every array of a network: equal digests are equal bits."""

    def of(net):
        sha = hashlib.sha256()
        for array in _arrays(net):
            sha.update(f"{array.dtype}{array.shape}".encode())
            sha.update(np.ascontiguousarray(array).tobytes())
        return sha.hexdigest()

    return of


@pytest.fixture(scope="session")
def refused():
    """Check that a call is refused: by which error, in one line that has which words."""

    def check(call, error, words):
        with pytest.raises(error) as caught:
            call()
        message = str(caught.value)
        assert [word for word in words if word not in message] == [], message
        assert "\n" not in message

    return check


BATCH_NORMS = {
    "none": None,
    "after": {"placement": "after_relu"},
    "after_affine": {"placement": "after_relu", "affine": True},
    "before": {"placement": "before_relu"},
    "before_affine": {"placement": "before_relu", "affine": True},
}


@pytest.fixture(params=list(BATCH_NORMS))
def batch_norm(request):
    """Every way to normalise: not at all, after and before the ReLU, without and with γ and β."""
    settings = BATCH_NORMS[request.param]
    return None if settings is None else fastmlp.BatchNorm(**settings)


@pytest.fixture(scope="session")
def perturb():
    """Move every trained parameter off its starting value, so that biases, γ and β take part in what is checked."""

    def move(net, seed=1):
        rng = np.random.default_rng(seed)
        for array in [*net.biases, *net.gammas, *net.betas]:
            array += 0.3 * rng.standard_normal(array.shape)
        return net

    return move


@pytest.fixture
def blobs():
    """Three well separated classes in five dimensions: X (150, 5) float64, y (150,)."""
    rng = np.random.default_rng(11)
    centres = np.array([[3.0, 0, 0, 0, 0], [0, 3.0, 0, 0, 0], [0, 0, 3.0, 0, 0]])
    y = rng.integers(0, 3, size=150)
    return centres[y] + 0.5 * rng.standard_normal((150, 5)), y


@pytest.fixture
def broken(tmp_path):
    """Return a function that makes a folder in which a package raises an error."""

    def make(package, error):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(f"raise {error}", encoding="utf-8")
        return tmp_path

    return make
