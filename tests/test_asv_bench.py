"""Every benchmark runs once with each of its parameter sets, on small sizes, and does the work that it should time."""

import functools
import importlib
import importlib.util
import inspect
import itertools
import math
import re
import subprocess

import numba
import numpy as np
import pytest
from asv.config import Config
from asv_suite import FOLDER, ROOT, load, ready

from fastmlp.simd.target import HAS_BFLOAT16

MODULES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
PREFIXES = ("time_", "track_", "peakmem_")
# smaller values for the sizes of benchmarks, which are globals of their files
SHRUNK = {"SAMPLES": 1100, "STEPS": 2, "ROUNDS": 500, "REPEATS": 1, "BATCH": 4, "TARGET": 0.3, "SEEDS": 1,
          "SECONDS": 0.01, "TURNS": 1, "BUDGET": 0.0}  # fmt: skip
# values of parameters, and the modules without which asv skips these benchmarks
OPTIONAL = {"sklearn": "sklearn", "torch": "torch", "jax": "jax", "jax_uint8": "jax", "csv": "pandas"}
TOGETHER = {"Library"}  # two processes are started to set it up, of which its methods change nothing
RETURN_NOTHING = ("time_process", "time_save")  # they start a process, and write a file
# a program in place of one that compiles for many seconds: it prints two figures, the first 1.5 if the cache is empty
COLD = "import json, os; print(json.dumps([1.5 + len(os.listdir(os.environ['NUMBA_CACHE_DIR'])), 1.0]))"
POISON = 7
MORE_IS_BETTER = {"GFLOP/s", "of the FMA peak", "times as long as fastmlp"}


def benchmarks(stem):
    """Yield each class and the names of its methods that asv runs."""
    module = load(stem)
    for _, scenario in inspect.getmembers(module, inspect.isclass):
        methods = [name for name in dir(scenario) if name.startswith(PREFIXES)]
        if scenario.__module__ == module.__name__ and methods and not scenario.__name__.startswith("_"):
            yield scenario, methods


def parameter_sets(scenario):
    return itertools.product(*getattr(scenario, "params", ()))


def cases():
    for stem in MODULES:
        for scenario, methods in benchmarks(stem):
            groups = [methods] if scenario.__name__ in TOGETHER else [[method] for method in methods]
            for group, values in itertools.product(groups, parameter_sets(scenario)):
                name = "-".join([stem, scenario.__name__, *group, *map(str, values)])
                yield pytest.param(scenario, group, values, id=name)


@pytest.fixture(autouse=True)
def numba_threads():
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


@pytest.fixture(autouse=True)
def shrunk(monkeypatch):
    for stem in [*MODULES, "_scenarios"]:
        for name in SHRUNK.keys() & vars(load(stem)).keys():
            monkeypatch.setattr(load(stem), name, SHRUNK[name])


@pytest.fixture(autouse=True)
def peers_of_this_python(monkeypatch):
    monkeypatch.delenv("FASTMLP_PEERS_PYTHON", raising=False)


@pytest.fixture(scope="module", autouse=True)
def quick_peak():
    """Measure the FMA peak for a very short time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load("_machine"), "PEAK_SECONDS", 1e-4)
        yield


@pytest.mark.parametrize(("scenario", "group", "values"), list(cases()))
def test_benchmark_runs(scenario, group, values, monkeypatch):
    if scenario.__name__ == "ColdStart":
        monkeypatch.setattr(load("startup"), "TRAINING", COLD)
    if "packed" in values and not HAS_BFLOAT16:
        pytest.skip("the CPU has no VDPBF16PS; asv skips it, too")
    absent = [OPTIONAL[v] for v in values if v in OPTIONAL and importlib.util.find_spec(OPTIONAL[v]) is None]
    if absent:
        pytest.skip(f"{absent[0]} is not installed; asv skips it too: test_asv_bench_results.py")
    with ready(scenario, *values) as benchmark:
        for method in group:
            check_result(method, functools.partial(getattr(benchmark, method), *values), values)


def check_result(method, call, values):
    result = call()
    if method.startswith("track_"):
        assert math.isfinite(result)
        assert result > 0 or method == "track_first_training_beyond_second"  # a difference of two noisy times
    elif method in RETURN_NOTHING:
        assert result is None
    else:
        check_arrays_are_filled(result, call)
        dtype = {"float32", "float64"}.intersection(values)
        assert not dtype or {array.dtype.name for array in result} == dtype


def check_arrays_are_filled(arrays, again):
    for array in arrays:
        array.fill(POISON)
    filled = again()
    assert filled
    for array in filled:
        assert np.isfinite(array).all()
        assert array.size == 1 or (array != POISON).any()


def test_epoch_visits_every_sample():
    benchmark = load("training").Epoch()
    benchmark.setup("784-20-7-5-10", "none", 32, 1)
    (batch_costs,) = benchmark.time_epoch("784-20-7-5-10", "none", 32, 1)
    assert batch_costs.shape == (35,)


@pytest.mark.parametrize(("norm", "placement"), [("none", None), ("after_relu", "after_relu")])
def test_step_runs_whole_steps_of_the_network_that_it_names(norm, placement):
    benchmark = load("training").Step()
    benchmark.setup("784-20-7-5-10", norm, 128, 1)
    before = benchmark.trainer.network.parameters.views["weights"][0].copy()
    (costs,) = benchmark.time_steps()
    assert costs.shape == (SHRUNK["STEPS"],)
    assert not np.array_equal(before, benchmark.trainer.network.parameters.views["weights"][0])
    assert getattr(benchmark.trainer.network.architecture.batch_norm, "placement", None) == placement


def test_steps_in_bfloat16_are_in_bfloat16():
    benchmark, other = load("training").StepInBfloat16(), load("training").Step()
    benchmark.setup("784-20-7-5-10", 32, 1)
    other.setup("784-20-7-5-10", "none", 32, 1)
    (rounded,), (plain,) = benchmark.time_steps(), other.time_steps()
    assert rounded == pytest.approx(plain, rel=0.01)
    assert (rounded != plain).all()


@pytest.mark.parametrize("shape", [(5, 17, 33), (32, 784, 20)])
@pytest.mark.parametrize("operands", ["rounded", "packed"])
def test_products_in_bfloat16_are_products(operands, shape):
    if operands == "packed" and not HAS_BFLOAT16:
        pytest.skip("the CPU has no VDPBF16PS")
    module, (batch, n_in, n_out) = load("_bfloat16"), shape
    layer = module.Layer(operands, *shape)
    x, dout = module.to_matrix(layer.x, batch, n_in), module.to_matrix(layer.dout, batch, n_out)
    weight = module.to_matrix(layer.weight, n_in, n_out).copy()
    close = functools.partial(np.testing.assert_allclose, rtol=0, atol=0.01 * math.sqrt(n_in))
    close(module.to_matrix(layer.forward(), batch, n_out), x @ weight)
    close(module.to_matrix(layer.backward(), batch, n_in), dout @ weight.T * (x > 0))
    kept = 1 - module.RATE * module.DECAY
    np.testing.assert_allclose(
        module.to_matrix(layer.update(), n_in, n_out), kept * weight - module.RATE * x.T @ dout, atol=1e-4
    )


def test_commits_before_bfloat16_are_skipped(monkeypatch):
    training = load("training")
    monkeypatch.setattr(load("bfloat16"), "_bfloat16", None)
    monkeypatch.setattr(training, "Trainer", lambda network, x: None)
    for scenario, values in (
        (load("bfloat16").Products, ("rounded", "784x20", 32)),
        (training.StepInBfloat16, ("784-128-10", 32, 1)),
    ):
        with pytest.raises(NotImplementedError, match="no products in bfloat16"), ready(scenario, *values):
            pass


def test_commits_are_asked_for_bfloat16_by_their_own_argument(monkeypatch):
    training = load("training")
    assert training._bfloat16()["options"].matmul_precision == "bfloat16"
    monkeypatch.setattr(training, "Trainer", lambda network, x, matmul_precision="float32": None)
    assert training._bfloat16() == {"matmul_precision": "bfloat16"}


def test_operations_of_training_by_hand():
    # 2-3-4: forward 2·(6 + 12), the same for the weights' gradients, and 2·12 for the gradient of the hidden layer
    assert load("throughput").flop_of_a_sample([2, 3, 4]) == 36 + 36 + 24


def test_peak_is_measured_on_a_whole_product():
    machine = load("_machine")
    for calls in (1, 3):
        out = machine.compute_tile(calls)
        assert out.shape == (machine.ROWS * machine.COLUMNS,)
        assert (out == machine.TERMS).all()


def test_throughput_is_a_share_of_the_peak(monkeypatch):
    throughput = load("throughput")
    monkeypatch.setattr(throughput, "fma_peak", lambda threads, repeats: 200.0)
    benchmark = throughput.Throughput()
    benchmark.setup("784-20-7-5-10", 128, 1)
    monkeypatch.setattr(benchmark, "track_gflops", lambda *_: 50.0)
    assert benchmark.track_share_of_peak("784-20-7-5-10", 128, 1) == 0.25


def test_allocated_memory_counts_what_training_holds():
    benchmark = load("memory").TrainingMemory()
    values = ("784-512-512-10", 1000, 2)
    benchmark.setup(*values)
    parameters = sum(weight.nbytes for weight in benchmark.net.weights)
    activations = 4 * 1000 * (784 + 512 + 512 + 10)
    allocated = benchmark.track_allocated(*values)
    assert parameters + activations < allocated < 5 * parameters + 5 * activations
    assert benchmark.track_allocated_in_batches(*values) == pytest.approx(allocated / activations, rel=0.1)


def test_memory_is_measured_after_compilation():
    # asv would pass any other result than None to the benchmarks
    assert load("memory").ProcessMemory().setup_cache() is None


def test_cold_start_uses_an_empty_cache(monkeypatch):
    startup = load("startup")
    monkeypatch.setattr(startup, "TRAINING", COLD)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(ROOT))
    assert startup.ColdStart().track_first_training() == 1.5


def test_startup_figures_are_differences(monkeypatch):
    startup = load("startup")
    monkeypatch.setattr(startup, "REPEATS", 3)
    pairs = iter([(1.0, 0.25), (5.0, 0.5), (1.0, 0.5)])
    monkeypatch.setattr(startup, "intervals", lambda code: next(pairs))
    assert startup.WarmStart().track_first_training_beyond_second() == 0.75
    pairs = iter([(1.0, 0.25), (5.0, 0.5), (1.0, 0.75)])
    assert startup.WarmStart().track_import_beyond_numba() == 0.5


def test_startup_failure_is_seen(monkeypatch):
    startup = load("startup")
    monkeypatch.setitem(startup.CODE, "nothing", "raise SystemExit(3)")
    with pytest.raises(subprocess.CalledProcessError):
        startup.Startup().time_process("nothing")


def test_one_file_per_kernel_family():
    kernels = importlib.import_module("fastmlp.kernels")
    public = {getattr(kernels, name) for name in kernels.__all__}
    families = {kernel.py_func.__module__.rpartition(".")[2] for kernel in public if hasattr(kernel, "py_func")}
    assert len(families) >= 8
    assert families - {"relu"} <= set(MODULES)  # the file of the ReLU with batch norm times the ReLU, too


def test_every_kernel_is_timed():
    sources = "".join((FOLDER / f"{stem}.py").read_text(encoding="utf-8") for stem in MODULES)
    kernels = importlib.import_module("fastmlp.kernels")
    assert [name for name in kernels.__all__ if f"kernels.{name}(" not in sources] == []


@pytest.mark.parametrize("stem", MODULES)
def test_parameters_and_units_are_named(stem):
    found = list(benchmarks(stem))
    assert found
    for scenario, methods in found:
        assert len(getattr(scenario, "params", ())) == len(getattr(scenario, "param_names", ()))
        prefixes = {method.partition("_")[0] for method in methods}
        assert "peakmem" not in prefixes or prefixes == {"peakmem"}
        assert [m for m in methods if m.startswith("track_") and not getattr(getattr(scenario, m), "unit", "")] == []


def test_where_more_is_better_asv_looks_for_no_regression():
    conf = Config.load(str(FOLDER.parent / "asv.conf.json"))
    exempt = [pattern for pattern, commit in conf.regressions_first_commits.items() if commit is None]
    for stem in MODULES:
        for scenario, methods in benchmarks(stem):
            for method in methods:
                name = f"{stem}.{scenario.__name__}.{method}"
                unit = getattr(getattr(scenario, method), "unit", "")
                assert any(re.match(pattern, name) for pattern in exempt) == (unit in MORE_IS_BETTER), name


def test_titles_of_graphs_are_distinct_and_fit():
    found = [getattr(scenario, m) for stem in MODULES for scenario, methods in benchmarks(stem) for m in methods]
    titles = [method.pretty_name for method in found if hasattr(method, "pretty_name")]
    assert len(titles) > 20
    assert len(set(titles)) == len(titles)
    assert [title for title in titles if len(title) > 46] == []  # asv's grid cuts longer titles
