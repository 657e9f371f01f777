"""The comparison with other libraries: all do the same work, the figures are right, missing libraries are named."""

import dataclasses
import itertools
import json
import re

import numpy as np
import pytest
from peer_commands import REQUIRED, broken, load, run_command

TINY = [
    "--nets",
    "16-8-3",
    "--batches",
    "32",
    "--samples",
    "100",
    "--rounds",
    "2",
    "--budget",
    "0.01",
    "--threads",
    "1",
]

LIBRARIES, COMPARED = load("peers").LIBRARIES, load("peers").COMPARED
# largest differences from the weights of NumPy's loop. In bfloat16 the limit of Adam is larger: the length of its steps
# does not depend on the size of the gradient, so rounding errors of small gradients count more.
LIMITS = {"float32": {"sgd": 1e-4, "adam": 1e-4}, "bfloat16": {"sgd": 1e-3, "adam": 0.1}}
BFLOAT16 = ("fastmlp_bfloat16", "torch_autocast")


def run(*arguments, path=None):
    """Run the script."""
    return run_command("compare.py", *arguments, path=path)


def test_table_of_a_run(tmp_path):
    path = broken(tmp_path, "sklearn", "ModuleNotFoundError(\"No module named 'sklearn'\")")
    out = tmp_path / "times.json"
    done = run(*TINY, "--rule", "adam", "--libraries", "fastmlp", "numpy", "sklearn", "--json", out, path=path)
    assert done.returncode == 0, done.stderr
    title, _, head, _, row, *notes = done.stdout.splitlines()
    assert title == "**Microseconds for each step of Adam, 1 thread**"
    assert head == "| network | batch | fastmlp | NumPy | best peer ÷ fastmlp |"
    assert re.fullmatch(r"\| 16-8-3 \| 32 \| \*\*[\d.,]+\*\* \| [\d.,]+ \| [\d.]+ \(NumPy\) \|", row)
    assert "- **not installed, left out: scikit-learn** (No module named 'sklearn')" in notes
    text = "\n".join(notes)
    for part in ("GFLOP/s", f"numpy {np.__version__}", "geometric mean"):
        assert part in text
    (times,) = json.loads(out.read_text(encoding="utf-8"))
    assert {name: len(seconds) for name, seconds in times["seconds"].items()} == {"fastmlp": 2, "numpy": 2}
    assert (times["steps"], times["rule"]) == (4, "adam")
    assert list(times["missing"]) == ["sklearn"]


def test_plain_sgd_in_float32_is_the_default():
    args = load("compare").parse([])
    assert (args.rule, args.matmul_precision) == ("sgd", "float32")
    assert args.libraries == ["fastmlp", "numpy", "sklearn", "torch", "jax", "jax_uint8"]


def test_bfloat16_has_more_to_compare_with():
    args = load("compare").parse(["--matmul-precision", "bfloat16"])
    assert set(args.libraries) == {*COMPARED["float32"], "fastmlp_float32", "torch_autocast", "torch_bfloat16"}
    assert load("compare").parse(["--matmul-precision", "bfloat16", "--libraries", "numpy"]).libraries == ["numpy"]


def test_table_of_a_run_in_bfloat16(tmp_path):
    path, out = broken(tmp_path, "torch", "ModuleNotFoundError('not here')"), tmp_path / "times.json"
    names = ["fastmlp", "fastmlp_float32", "torch_autocast", "torch_bfloat16"]
    done = run(*TINY, "--matmul-precision", "bfloat16", "--libraries", *names, "--json", out, path=path)
    assert done.returncode == 0, done.stderr
    title, _, head, _, _, *notes = done.stdout.splitlines()
    assert title.endswith(", 1 thread, products of fastmlp in bfloat16**")
    assert head == "| network | batch | fastmlp | fastmlp float32 |"  # without a peer there is no column of ratios
    missing = [f"- **not installed, left out: PyTorch {name}** (not here)" for name in ("autocast", "bfloat16")]
    assert notes[-2:] == missing
    assert re.fullmatch(r"- fastmlp float32 ÷ fastmlp: [\d.]+, least [\d.]+", notes[-3])
    (times,) = json.loads(out.read_text(encoding="utf-8"))
    assert times["matmul_precision"] == "bfloat16"
    assert list(times["seconds"]) == names[:2]


def test_crash_of_a_library_fails_the_run(tmp_path):
    path = broken(tmp_path, "sklearn", "RuntimeError('it is broken')")
    done = run(*TINY, "--libraries", "numpy", "sklearn", path=path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == ["compare.py: scikit-learn ended with 1: RuntimeError: it is broken"]


def test_nothing_to_compare_is_an_error(tmp_path):
    path = broken(tmp_path, "sklearn", "ModuleNotFoundError('not here')")
    done = run(*TINY, "--libraries", "sklearn", path=path)
    assert done.returncode == 1
    assert "left out: scikit-learn** (not here)" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["--nets", "784"], ["--nets", "784-0-10"], ["--threads", "0"], ["--batches", "101", "--samples", "100"],
     ["--libraries", "theano"], ["--rule", "adagrad"], ["--matmul-precision", "float16"]],
)  # fmt: skip
def test_wrong_options(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        load("compare").parse(arguments)
    assert arguments[0] in capsys.readouterr().err


def training_of(name, task):
    """Return the training of a library; skip the test if the library is not installed."""
    if name in REQUIRED:
        pytest.importorskip(REQUIRED[name])
    return load(f"peers.{LIBRARIES[name].module}").make(task)


def rule_of(name):
    """Return the rule, with a learning rate at which 20 epochs are enough."""
    task = load("peers.task")
    # PyTorch adds ε after the correction for moments that begin at 0, the others before it; a small ε hardly matters
    return dataclasses.replace(task.RULES[name], rate={"sgd": task.SGD.rate, "adam": 0.005}[name], epsilon=1e-12)


@pytest.mark.parametrize("rule", ["sgd", "adam"])
@pytest.mark.parametrize("name", LIBRARIES)
def test_library_learns(name, rule):
    task = load("peers.task").Task((16, 32, 3), 8, 1, 640, rule_of(rule))
    training = training_of(name, task)
    x, labels = task.rows() if name.startswith("fastmlp") or name == "jax_uint8" else task.floats()
    for seed in range(20):
        training.epoch(seed, task.rates(seed))
    assert training.predict(x).shape == labels.shape
    assert (training.predict(x) == labels).mean() > 0.97
    training.begin(2)
    assert (training.predict(x) == labels).mean() < 0.9  # the training begins again from the initial weights


def weights_of(name, training):
    """Return the weights ``(n_in, n_out)`` of each layer."""
    if name.startswith("torch"):
        return [parameter.detach().float().numpy().T for parameter in training.net.parameters() if parameter.ndim == 2]
    if name.startswith("jax"):
        return [np.asarray(weight) for weight, _ in training.parameters]
    if name.startswith("fastmlp"):
        return training.net.weights
    return training.weights if name == "numpy" else training.net.coefs_


@pytest.mark.parametrize("rule", ["sgd", "adam"])
@pytest.mark.parametrize("name", [name for name in LIBRARIES if name not in ("numpy", "torch_bfloat16")])
def test_all_take_the_steps_of_numpy(name, rule):  # not PyTorch's bfloat16, whose weights lose most of such small steps
    limit = LIMITS["bfloat16" if name in BFLOAT16 else "float32"][rule]
    rule = rule_of(rule)
    task = load("peers.task").Task(
        (16, 12, 7, 3), 100, 1, 100, rule
    )  # one batch an epoch: the order of rows does not matter
    theirs, numpys = training_of(name, task), training_of("numpy", task)
    for training in (theirs, numpys):
        training.begin(3)
        for seed in range(30):
            training.epoch(seed, np.full(1, rule.rate * (1 + seed % 3)))
    found = weights_of(name, theirs)
    for mine, their, first in zip(found, numpys.weights, task.weights(3), strict=True):
        np.testing.assert_allclose(mine, their, rtol=0, atol=limit)
        assert np.abs(mine - first).max() > 1e-2


def test_sklearn_draws_a_new_order_for_every_epoch():
    task = load("peers.task").Task((4, 3), 10, 1, 100)
    training = training_of("sklearn", task)
    before = training.net._random_state.get_state()[2]
    training.epoch(0, task.rates(0))
    assert training.net._random_state is training.net.random_state
    assert training.net._random_state.get_state()[2] != before


def test_data_is_the_same_for_all():
    task = load("peers.task").Task((16, 3), 10, 1, 50)
    pixels, labels = task.rows()
    floats, again = task.floats()
    assert (pixels.dtype, floats.dtype, labels.dtype) == (np.uint8, np.float32, np.int64)
    np.testing.assert_allclose(floats * 255, pixels, rtol=1e-6)
    np.testing.assert_array_equal(labels, again)
    assert set(labels) == {0, 1, 2}
    assert task.steps == 5
    assert load("peers.task").Task((16, 3), 15, 1, 50).steps == 4


def worked_example():
    comparison, task = load("peers.comparison"), load("peers.task").Task((4, 3), 10, 2, 100)
    first = comparison.Comparison(task)
    first.seconds = {"fastmlp": [1e-3, 3e-3, 2e-3], "numpy": [4e-3, 4e-3, 9e-3], "torch": [8e-3, 8e-3, 1.0]}
    first.versions = {"fastmlp": "1.0", "numpy": "2.0", "torch": "3.0"}
    first.missing = {"jax": "No module named 'jax'", "jax_uint8": "No module named 'jax'"}
    second = comparison.Comparison(load("peers.task").Task((4, 3), 50, 2, 100))
    second.seconds = {"fastmlp": [1e-3], "numpy": [8e-3], "torch": [2e-3]}
    return first, second


def test_figures_by_hand():
    first, second = worked_example()
    assert first.microseconds("fastmlp") == pytest.approx(200)  # the median of three, divided by ten steps
    assert first.ratio("numpy") == pytest.approx(2)
    assert (first.best_peer(), second.best_peer()) == ("numpy", "torch")
    assert load("peers.comparison").geometric_mean([2.0, 8.0]) == pytest.approx(4)


def test_table_by_hand():
    assert load("peers.table").markdown("Of a title", list(worked_example()), ["a machine"]).splitlines() == [
        "**Of a title**",
        "",
        "| network | batch | fastmlp | NumPy | PyTorch | best peer ÷ fastmlp |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| 4-3 | 10 | **200** | 400 | 800 | 2.00 (NumPy) |",
        "| 4-3 | 50 | **500** | 4,000 | 1,000 | 2.00 (PyTorch) |",
        "",
        "- a machine",
        "- versions: fastmlp 1.0, numpy 2.0, torch 3.0",
        "- best peer of each row ÷ fastmlp: 2.00 in the geometric mean, 2.00 where it comes closest",
        "- NumPy ÷ fastmlp: 4.00, least 2.00",
        "- PyTorch ÷ fastmlp: 2.83, least 2.00",
        "- **not installed, left out: JAX float32** (No module named 'jax')",
        "- **not installed, left out: JAX uint8** (No module named 'jax')",
    ]


def test_table_in_bfloat16_by_hand():
    comparison, task = (
        load("peers.comparison"),
        load("peers.task").Task((4, 3), 10, 2, 100, matmul_precision="bfloat16"),
    )
    ours = {"fastmlp": [1e-3], "fastmlp_float32": [1.5e-3]}
    first = comparison.Comparison(task, ours | {"torch": [9e-3], "torch_autocast": [8e-3], "torch_bfloat16": [2e-3]})
    second = comparison.Comparison(task, ours | {"torch": [3e-3], "torch_autocast": [4e-3], "torch_bfloat16": [8e-3]})
    head, _, *rows, _, best, bfloat16, float32, torch, autocast, half = (
        load("peers.table").markdown("Of a title", [first, second], []).splitlines()[2:]
    )
    labels = "fastmlp | fastmlp float32 | PyTorch | PyTorch autocast | PyTorch bfloat16"
    assert head == f"| network | batch | {labels} | best peer ÷ fastmlp | best PyTorch in bfloat16 ÷ fastmlp |"
    assert rows == [
        "| 4-3 | 10 | **100** | 150 | 900 | 800 | 200 | 2.00 (PyTorch bfloat16) | 2.00 (PyTorch bfloat16) |",
        "| 4-3 | 10 | **100** | 150 | 300 | 400 | 800 | 3.00 (PyTorch) | 4.00 (PyTorch autocast) |",
    ]
    assert best == "- best peer of each row ÷ fastmlp: 2.45 in the geometric mean, 2.00 where it comes closest"
    assert bfloat16.startswith(
        "- best PyTorch in bfloat16 of each row ÷ fastmlp: 2.83 in the geometric mean, 2.00 where"
    )
    assert float32 == "- fastmlp float32 ÷ fastmlp: 1.50, least 1.50"
    assert torch == "- PyTorch ÷ fastmlp: 5.20, least 3.00"
    assert autocast == "- PyTorch autocast ÷ fastmlp: 5.66, least 4.00"
    assert half == "- PyTorch bfloat16 ÷ fastmlp: 4.00, least 2.00"


def test_fastmlp_trains_in_the_precision_of_the_task_or_in_its_own():
    task = load("peers.task").Task((16, 12, 3), 50, 1, 100)
    tasks = {precision: dataclasses.replace(task, matmul_precision=precision) for precision in ("float32", "bfloat16")}
    weights = {}
    for name, precision in itertools.product(("fastmlp", "fastmlp_float32", "fastmlp_bfloat16"), tasks):
        training = training_of(name, tasks[precision])
        training.epoch(0, task.rates(0))
        weights[name, precision] = training.net.weights[0]
    for precision in tasks:
        for name in ("fastmlp_float32", "fastmlp_bfloat16"):
            np.testing.assert_array_equal(weights[name, precision], weights["fastmlp", name.removeprefix("fastmlp_")])
    assert (weights["fastmlp", "float32"] != weights["fastmlp", "bfloat16"]).any()


def test_every_pool_gets_the_threads(monkeypatch):
    process = load("peers.process")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    one, two = process.environment(1), process.environment(2)
    assert {name: two[name] for name in process.POOLS} == dict.fromkeys(process.POOLS, "2")
    assert one["OMP_NUM_THREADS"] == "1"
    assert "intra_op_parallelism_threads=1" in one["XLA_FLAGS"]
    assert "OPENBLAS_CORETYPE" not in one


def test_leaving_ends_the_process():
    task = load("peers.task").Task((16, 3), 10, 1, 50)
    with load("peers.process").Worker("numpy", task) as worker:
        assert worker.best_epoch(0.0) > 0
    assert worker.process.returncode is not None
