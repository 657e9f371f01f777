"""What every test shares: two Numba threads at least, both dtypes, small problems with a known answer."""

import os
import signal

# set before Numba starts: thread counts of 1 and 2 are compared on machines with one core, too
os.environ.setdefault("NUMBA_NUM_THREADS", str(max(2, os.cpu_count() or 1)))

import hypothesis
import numpy as np
import pytest

import fastmlp

# a background job of a shell starts with SIGINT ignored, and so would every process that the tests start
signal.signal(signal.SIGINT, signal.default_int_handler)

# deadline: the first example compiles; derandomize: a failure is the same failure on every machine
hypothesis.settings.register_profile("fastmlp", deadline=None, derandomize=True, max_examples=25)
hypothesis.settings.load_profile("fastmlp")

# a failed assertion in a helper shows its values, as one in a test does
pytest.register_assert_rewrite("closeness", "estimator_checks", "kernel_calls", "processes", "refusals")


def pytest_addoption(parser):
    modes = ("usual", "end", "begin", "nan")
    parser.addoption("--buffers", choices=modes, default="usual", help="of the engine: see tests/guarded_buffers.py")


def pytest_configure(config):
    if config.getoption("buffers") != "usual":
        from guarded_buffers import use  # with the engine and Numba, for which other sessions need not wait

        use(config.getoption("buffers"))


def pytest_report_header(config):
    return f"buffers: {config.getoption('buffers')}"


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    """Both dtypes of the library."""
    return np.dtype(request.param)


@pytest.fixture
def rng():
    """A generator with a fixed seed."""
    return np.random.default_rng(20240607)


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


@pytest.fixture
def blobs():
    """Three well separated classes in five dimensions: X (150, 5) float64, y (150,)."""
    rng = np.random.default_rng(11)
    centres = np.array([[3.0, 0, 0, 0, 0], [0, 3.0, 0, 0, 0], [0, 0, 3.0, 0, 0]])
    y = rng.integers(0, 3, size=150)
    return centres[y] + 0.5 * rng.standard_normal((150, 5)), y
