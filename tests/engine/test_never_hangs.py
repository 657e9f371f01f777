"""Whatever happens to a team, training ends, and the result is right. No assertion is about speed.

Every test runs in a process of its own that a watchdog ends. A hang, a crash and a warning all fail.
"""

import os

import pytest

PRELUDE = """
import hashlib, json, os, random, signal, subprocess, sys, threading, time
import numpy as np
from fastmlp import MLP, SGD, Adam, BatchNorm, train
from fastmlp.engine import Trainer, epoch, plan, team
from fastmlp.simd.atomics import CONTROL_CELLS

plan.PARALLEL_FLOP = plan.EPOCH_FLOP = 0  # threads for networks and data of any size
team.IDLE_SECONDS = 0.005
rng = np.random.default_rng(0)
X, y = rng.integers(0, 256, (400, 40), np.uint8), rng.integers(0, 10, 400)
NORMS = [None, BatchNorm(affine=True), BatchNorm("before_relu")]
QUIET = {"validation": 0.1, "optimizer": SGD(0.1), "batch_size": 32, "progress": False}

def make(norm=None):
    return MLP([40, 64, 33, 10], batch_norm=norm, input_scale=1 / 255)

def digest(net):
    return hashlib.sha256(net.snapshot().tobytes()).hexdigest()

def trained(norm=None, threads=1, epochs=3, seed=0):
    net = make(norm)
    train(net, X, y, epochs=epochs, seed=seed, threads=threads, **QUIET)
    return digest(net)

def is_clean():
    deadline = time.monotonic() + 2  # threads that have nothing more to do may still be on their way out
    while any(thread.name.startswith("fastmlp-") for thread in threading.enumerate()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return (team._pinned is None or team._pinned.is_set()) and cores == CORES

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None

def unraisable(what, original=sys.unraisablehook):
    # Python drops a KeyboardInterrupt that comes inside a weak reference's callback; Thread objects have some
    if what.exc_type is not KeyboardInterrupt:
        original(what)

sys.unraisablehook = unraisable
"""


@pytest.fixture
def run(in_process):
    return lambda script, *arguments: in_process(PRELUDE + script, *arguments)


def test_more_threads_than_cores(run):
    results = run("""
threads = 4 * (os.cpu_count() or 2)
print(json.dumps([[trained(norm, 1), trained(norm, threads), is_clean()] for norm in NORMS]))
""")
    for one, many, clean in results:
        assert one == many
        assert clean


def test_a_core_kept_busy(run):
    results = run("""
lone = [trained(norm) for norm in NORMS]
busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
try:
    if CORES:
        os.sched_setaffinity(busy.pid, {min(CORES)})
    # as many threads as cores are pinned, one of them to the busy core
    beside = [trained(norm, threads) for norm in NORMS for threads in (2, len(CORES or [1, 2]), 5)]
finally:
    busy.kill()
    busy.wait()
print(json.dumps([lone, beside, is_clean()]))
""")
    lone, beside, clean = results
    assert beside == [digest for digest in lone for _ in range(3)]
    assert clean


def test_eight_trainings_at_once(run):
    results = run("""
tasks = [(NORMS[i % 3], 1 + i % 4, 2 + i % 3, i) for i in range(8)]
alone = [trained(*task) for task in tasks]
together = [None] * 8

def work(i):
    together[i] = trained(*tasks[i])

members = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for member in members:
    member.start()
for member in members:
    member.join()
print(json.dumps([alone, together, is_clean()]))
""")
    alone, together, clean = results
    assert together == alone
    assert clean


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("moment", ["after", "during"])
def test_a_forked_process(moment, run):
    results = run(
        """
import warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
expected = [trained(norm, 2) for norm in NORMS]
stop = threading.Event()

def keep_training():
    while not stop.is_set():
        trained(None, len(CORES or [1, 2]))

beside = threading.Thread(target=keep_training)
if sys.argv[1] == "during":
    beside.start()
found = []
for _ in range(5):
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        os.write(there, json.dumps([trained(norm, 2) for norm in NORMS] + [is_clean()]).encode())
        os._exit(0)
    os.close(there)
    with os.fdopen(here) as answer:
        found.append(json.loads(answer.read()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
stop.set()
if sys.argv[1] == "during":
    beside.join()
print(json.dumps([expected, found, is_clean(), trained(None, 2)]))
""",
        moment,
    )
    expected, found, clean, after = results
    assert found == [[*expected, True]] * 5
    assert clean
    assert after == expected[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_pool_of_forked_processes(run):
    results = run("""
import multiprocessing
expected = [trained(norm, 2, seed=seed) for seed in range(2) for norm in NORMS]
with multiprocessing.get_context("fork").Pool(2) as pool:
    jobs = [pool.apply_async(trained, (norm, 2), {"seed": seed}) for seed in range(2) for norm in NORMS]
    found = [job.get() for job in jobs]
print(json.dumps([expected, found]))
""")
    assert results[0] == results[1]


# ---- Ctrl-C

INTERRUPTED = """
widths, norm, batch_size = json.loads(sys.argv[1])
norm = norm and BatchNorm(norm)
X, y = rng.integers(0, 256, (2000, widths[0]), np.uint8), rng.integers(0, widths[-1], 2000)
train(MLP(widths, batch_norm=norm, input_scale=1 / 255), X, y, epochs=1, progress=False)
net, results, moments = MLP(widths, batch_norm=norm, input_scale=1 / 255), [], random.Random(5)
for attempt in range(20):
    seconds = moments.uniform(0.005, 0.15)

    def press(seconds=seconds):
        time.sleep(seconds)
        while not returned.is_set():  # more than once only where Python dropped it, or it came before training began
            pressed.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
            returned.wait(5)

    pressed, returned, timer = [], threading.Event(), threading.Thread(target=press)
    timer.start()
    try:
        history = train(net, X, y, optimizer=SGD(0.001), batch_size=batch_size, epochs=10**6, progress=False)
        took = time.monotonic() - pressed[-1]
    except KeyboardInterrupt:  # came before training began
        history = None
    returned.set()
    timer.join()
    if history is None:
        continue
    usable = net.is_finite() and np.isfinite(net.cost(X[:50], y[:50]))
    results.append([history.stopped_because, bool(usable), took, is_clean()])
again = train(net, X, y, epochs=1, progress=False)
print(json.dumps([results, again.stopped_because]))
"""


@pytest.mark.parametrize(
    "network",
    [
        "[[40, 8, 10], null, 16]",
        "[[784, 512, 512, 10], null, 1000]",
        '[[784, 512, 512, 10], "after_relu", 1000]',
        '[[784, 512, 512, 10], "before_relu", 128]',
    ],
)
def test_ctrl_c_at_any_moment(network, run):
    results, again = run(INTERRUPTED, network)
    assert len(results) >= 10
    for stopped_because, usable, seconds, clean in results:
        assert stopped_because == "interrupted"
        assert usable
        assert clean
        assert seconds < 20
    assert again == "epochs"


WHOLE_STEPS = """
optimizer = {"plain": SGD(0.05), "clipped": Adam(0.01, clip_norm=0.5)}[sys.argv[1]]
net_of, order = (lambda: make(BatchNorm(affine=True))), np.resize(np.random.default_rng(1).permutation(400), 400 * 60)
labels = y.astype(np.int64)
whole = []
net = net_of()
trainer = Trainer(net.network, X, labels, 32, optimizer, 1)
whole.append(digest(net))
for start in range(0, len(order), 32):
    trainer.run_epoch(order[start : start + 32])
    whole.append(digest(net))
found = []
for threads in (1, 2, 3) * 15:
    net, moment = net_of(), random.uniform(0, 0.02)
    trainer = Trainer(net.network, X, labels, 32, optimizer, threads)
    timer = threading.Timer(moment, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        trainer.run_epoch(order)
        time.sleep(1)
    except KeyboardInterrupt:
        pass
    timer.join()
    found.append([trainer.steps_done, digest(net)])
print(json.dumps([whole, found]))
"""


@pytest.mark.parametrize("optimizer", ["plain", "clipped"])
def test_ctrl_c_leaves_a_whole_step(optimizer, run):
    # the parameters after each step are known: what is left must be those of the steps that were done
    whole, found = run(WHOLE_STEPS, optimizer)
    assert len(set(whole)) == len(whole) > 700
    assert [whole[steps] for steps, _ in found] == [digest for _, digest in found]
    assert len({steps for steps, _ in found}) > 5


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_while_the_threads_start(threads, run):
    # pressed inside Thread.start, when the thread is running already
    whole, found, done, steps, clean = run(
        """
threads, original, labels = int(sys.argv[1]), threading.Thread.start, y.astype(np.int64)
order = np.resize(np.arange(400), 400 * 4000)

def start(self):
    original(self)
    if self.name == f"fastmlp-{threads - 1}":
        raise KeyboardInterrupt

found, done = [], []
for attempt in range(20):
    net = make()
    trainer = Trainer(net.network, X, labels, 32, SGD(0.001), threads)
    is_clean()  # waits until no idle thread is left to be taken
    threading.Thread.start = start
    try:
        trainer.run_epoch(order)
    except KeyboardInterrupt:
        found.append(digest(net))
    finally:
        threading.Thread.start = original
    done.append(int(trainer.workspace.control[epoch.STEPS_DONE]))
net = make()
trainer = Trainer(net.network, X, labels, 32, SGD(0.001), 1)
whole = [digest(net)]
for start in range(0, 32 * (max(min(done[-1], 3000), *(d for d in done if d < 3000), 0) + 1), 32):
    trainer.run_epoch(order[start : start + 32])
    whole.append(digest(net))
print(json.dumps([whole, found, done, len(order) // 32, is_clean()]))
""",
        threads,
    )
    assert len(found) == 20
    assert max(done) < steps, "an interrupted team trained on to the end of the epoch"
    assert set(found) <= set(whole)
    assert clean


@pytest.mark.parametrize("threads", ["new", "idle"])
def test_ctrl_c_at_every_line(threads, run):
    # not at random: KeyboardInterrupt is raised at the first line of train and the engine that the caller's thread
    # runs, then at the second, and so on to the last. Python looks for signals after calls: lines without one are left
    # out, and so is the end of a with block, which no signal can come between
    whole, results = run(
        """
import linecache
if sys.argv[1] == "idle":
    team.IDLE_SECONDS = 0.05
files = (os.path.dirname(plan.__file__), sys.modules["fastmlp.train"].__file__)
settings = QUIET | {"batch_size": 400, "epochs": 1, "threads": len(CORES or [1, 2])}  # one step

def interrupted(line):
    net, count, where, outcome = make(BatchNorm(affine=True)), 0, None, "raised"

    def trace(frame, event, _):
        nonlocal count, where
        if not frame.f_code.co_filename.startswith(files):
            return None
        text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if event == "line" and "(" in text and not text.startswith(("with ", "def ")):
            count += 1
            if count == line:
                where = f"{os.path.basename(frame.f_code.co_filename)}: {text}"
                raise KeyboardInterrupt
        return trace

    if sys.argv[1] == "idle":
        team.run_team(lambda _: None, settings["threads"], np.zeros(CONTROL_CELLS, np.int64))
    sys.settrace(trace)
    try:
        outcome = train(net, X, y, **settings).stopped_because
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    return count, [where, outcome, digest(net), is_clean()]

whole = [digest(make(BatchNorm(affine=True))), interrupted(0)[1][2]]
results, line, count = [], 0, 0
while count >= line:
    line += 1
    count, result = interrupted(line)
    results.append(result)
    if not result[-1]:  # the next one starts from a clean team
        deadline = time.monotonic() + 2
        while not is_clean() and time.monotonic() < deadline:
            time.sleep(0.001)
        if not is_clean():
            break
print(json.dumps([whole, results]))
""",
        threads,
    )
    assert whole[0] != whole[1]
    assert len(results) > 100
    mixtures = {(place, outcome) for place, outcome, digest, _ in results if digest not in whole}
    assert not mixtures, "neither before nor after the step"
    left_behind = {(place, outcome) for place, outcome, _, clean in results if not clean}
    assert not left_behind, "threads or cores"
    assert {outcome for _, outcome, _, _ in results} <= {"interrupted", "raised", "epochs"}


# ---- errors

FAILING = """
norm, worker = NORMS[int(sys.argv[1])], epoch.train_steps
expected, results = trained(norm), []
for threads, failing, after in [(2, 0, 0), (2, 1, 3), (5, 4, 0), (5, 2, 7), (1, 0, 2)] * 3:
    def broken(thread, layout, memory, run):
        if thread != failing:
            return worker(thread, layout, memory, run)
        # leaves after so many steps, without a word to the others
        worker(thread, layout, memory, run._replace(costs=run.costs[:after]))
        raise ZeroDivisionError("in a worker")

    net, message = make(norm), None
    before = digest(net)
    epoch.train_steps = broken
    try:
        train(net, X, y, epochs=3, threads=threads, **QUIET)
    except ZeroDivisionError as error:
        message = str(error)
    epoch.train_steps = worker
    results.append([message, digest(net) == before, is_clean()])
    train(net, X, y, epochs=3, threads=threads, **QUIET)
    results[-1].append(digest(net) == expected)
print(json.dumps(results))
"""

NOT_STARTED = """
norm, original = NORMS[int(sys.argv[1])], threading.Thread.start
expected, results = trained(norm), []
for threads, failing in [(1, 0), (2, 0), (2, 1), (5, 3)] * 3:
    def start(self):
        if self.name == f"fastmlp-{failing}":
            raise RuntimeError("can't start new thread")
        original(self)

    net, message = make(norm), None
    before = digest(net)
    is_clean()  # waits until no idle thread is left to be taken
    threading.Thread.start = start
    try:
        train(net, X, y, epochs=3, threads=threads, **QUIET)
    except RuntimeError as error:
        message = str(error)
    threading.Thread.start = original
    results.append([message, digest(net) == before, is_clean()])
    train(net, X, y, epochs=3, threads=threads, **QUIET)
    results[-1].append(digest(net) == expected)
print(json.dumps(results))
"""


@pytest.mark.parametrize("norm", [0, 1, 2])
def test_an_exception_in_a_worker(norm, run):
    assert run(FAILING, norm) == [["in a worker", True, True, True]] * 15


@pytest.mark.parametrize("norm", [0, 1, 2])
def test_a_thread_that_cannot_be_started(norm, run):
    assert run(NOT_STARTED, norm) == [["can't start new thread", True, True, True]] * 12


def test_a_cost_that_is_not_finite_ends_all_threads(run):
    results = run("""
import warnings
warnings.simplefilter("ignore", RuntimeWarning)
results = []
for norm in NORMS:
    for threads in (1, 2, 5):
        net = make(norm)
        net.weights[-1][:] = 1e38
        settings = QUIET | {"optimizer": SGD(1e30)}
        history = train(net, X, y, epochs=3, threads=threads, **settings)
        results.append([history.stopped_because, is_clean()])
print(json.dumps(results))
""")
    assert results == [["cost not finite", True]] * 9
