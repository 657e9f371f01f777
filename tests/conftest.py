"""Settings and fixtures of all tests: at least two Numba threads, both dtypes, a small problem with a known answer."""

import os
import signal

# set before Numba starts: tests compare 1 and 2 threads also on machines with one core
os.environ.setdefault("NUMBA_NUM_THREADS", str(max(2, os.cpu_count() or 1)))
# other libraries' threads spin for milliseconds behind each call, while another worker of the tests wants the core
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import hypothesis
import numpy as np
import pytest

import fastmlp

# a shell starts a background job with SIGINT ignored, and all processes that the tests start would inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)

# no deadline, since the first example compiles; derandomize, so that failures are the same on every machine
hypothesis.settings.register_profile("fastmlp", deadline=None, derandomize=True, max_examples=25)
hypothesis.settings.load_profile("fastmlp")

# a failed assertion in these helpers shows its values, as in a test
pytest.register_assert_rewrite("closeness", "estimator_checks", "kernel_calls", "processes", "refusals")


def pytest_addoption(parser):
    modes = ("usual", "end", "begin", "nan")
    parser.addoption("--buffers", choices=modes, default="usual", help="of the engine: see tests/guarded_buffers.py")


def pytest_configure(config):
    if config.getoption("buffers") != "usual":
        from guarded_buffers import use  # here, because it imports the engine and Numba, which other sessions need not

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
    """Every kind of batch norm: none, after and before the ReLU, without and with γ and β."""
    settings = BATCH_NORMS[request.param]
    return None if settings is None else fastmlp.BatchNorm(**settings)


@pytest.fixture
def blobs():
    """Three well separated classes in five dimensions: X (150, 5) float64, y (150,)."""
    rng = np.random.default_rng(11)
    centres = np.array([[3.0, 0, 0, 0, 0], [0, 3.0, 0, 0, 0], [0, 0, 3.0, 0, 0]])
    y = rng.integers(0, 3, size=150)
    return centres[y] + 0.5 * rng.standard_normal((150, 5)), y
