"""Prove that a wheel with compiled kernels starts at once: build it, install it, fit, and count what is compiled.

    python .ci/check_wheel.py                 # builds the wheel, some minutes
    python .ci/check_wheel.py --wheel FILE    # takes one that is there

In a new virtual environment with an empty cache folder, programs train and predict in the usual ways. It prints the
sizes, the seconds of each program and what it compiled, and ends with 1 where one compiled anything.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAMS = {
    "README's ten lines": """
X, y, X_test, y_test = fastmlp.datasets.mnist()
net = fastmlp.MLP([784, 128, 10], input_scale=1 / 255)
fastmlp.train(net, X, y, validation=0.1, optimizer=fastmlp.SGD(0.1), batch_size=64, epochs=1, progress=False)
net.accuracy(X_test, y_test)
net.save("digits.safetensors")
fastmlp.load("digits.safetensors").predict(X_test[:10])
""",
    "MLPClassifier on digits": """
from sklearn.datasets import load_digits
from fastmlp.sklearn import MLPClassifier
X, y = load_digits(return_X_y=True)
MLPClassifier(early_stopping=True, random_state=0, dropout=0.2, max_iter=400).fit(X, y).score(X, y)
""",
    "MLPRegressor": """
from fastmlp.sklearn import MLPRegressor
X = np.random.default_rng(0).standard_normal((500, 8))
for loss in ("squared_error", "huber", "absolute_error"):
    MLPRegressor(loss=loss, random_state=0, max_iter=400).fit(X, X[:, 0]).predict(X)
    MLPRegressor(loss=loss, random_state=0, max_iter=400).fit(X.astype("f4"), X[:, 0]).predict(X.astype("f4"))
""",
    "tables": """
from fastmlp.sklearn import TabularMLPClassifier, TabularMLPRegressor, load
for n in (30, 300):
    X = np.array([[i % 7, "abc"[i % 3]] for i in range(n)], object)
    TabularMLPClassifier(max_epochs=2).fit(X, np.arange(n) % 2).predict(X)
    TabularMLPRegressor(max_epochs=2, n_ens=2).fit(X, np.arange(n) % 5).save("table.safetensors")
    load("table.safetensors").predict(X)
""",
    "optimizers, activations, batch norm": """
X = np.random.default_rng(0).standard_normal((500, 8)).astype("f4")
y = (X[:, 0] > 0).astype(int)
for optimizer in (fastmlp.SGD(0.1), fastmlp.SGD(0.1, momentum=0.9), fastmlp.Adam(), fastmlp.AdamW()):
    for activation in ("relu", "tanh", "gelu", "silu", "selu", "mish", "logistic", "leaky_relu"):
        net = fastmlp.MLP([8, 16, 2], activation=activation, dropout=0.1, batch_norm=fastmlp.BatchNorm(affine=True))
        fastmlp.train(net, X, y, optimizer=optimizer, batch_size=50, epochs=2, progress=False)
fastmlp.train(net, X, y, matmul_precision="bfloat16", epochs=1, progress=False)
""",
    "public kernels": """
for dtype in ("f4", "f8"):
    x, w, b, out = (np.ones(shape, dtype) for shape in ((8, 5), (5, 3), 3, (8, 3)))
    fastmlp.kernels.linear_forward(x, w, b, out)
    fastmlp.kernels.softmax(out, np.empty_like(out))
""",
}
BEGIN = """
import time
started = time.perf_counter()
import warnings
warnings.simplefilter("ignore")
import numpy as np
import fastmlp
"""
END = """
from fastmlp.compilation.store import MISSED
print(f"{time.perf_counter() - started:.2f}", len(MISSED), *MISSED)
"""


def build(folder: Path) -> Path:
    """Return a wheel with compiled kernels of the checkout."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--quiet", "-w", str(folder)]
    root = Path(__file__).parent.parent
    subprocess.run(command, cwd=root, env=os.environ | {"FASTMLP_BUILD_KERNELS": "1"}, check=True)
    (wheel,) = folder.glob("*.whl")
    print(f"built in {time.perf_counter() - started:.0f} s")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Return the Python of a new environment with the wheel."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", f"{wheel}[sklearn]"], check=True)
    return python


def check(python: Path, folder: Path) -> int:
    """Run the programs, each in a process of its own; return how many functions they compiled."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "PYTHON"))}
    environment |= {"XDG_CACHE_HOME": str(folder), "HOME": str(folder), "LOCALAPPDATA": str(folder)}
    total = 0
    for name, program in PROGRAMS.items():
        result = subprocess.run(
            [str(python), "-c", BEGIN + program + END], cwd=folder, env=environment, capture_output=True, text=True
        )
        if result.returncode:
            print(f"{name}: failed\n{result.stderr}")
            return 1
        seconds, count, *missed = result.stdout.split()
        print(f"{name}: {seconds} s, compiled {count} {' '.join(missed)}")
        total += int(count)
    return total


def main() -> int:
    """Build, install, run; 1 where anything was compiled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path)
    given = parser.parse_args().wheel
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        wheel = build(place) if given is None else given
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
        python = install(wheel, place / "environment")
        (place / "home").mkdir()
        return 1 if check(python, place / "home") else 0


if __name__ == "__main__":
    sys.exit(main())
