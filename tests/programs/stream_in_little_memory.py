"""Train on a stream whose rows would take 80 MB; print how many MB the process grew, at its peak."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from fastmlp import MLP, train
from fastmlp.datasets import stream

ROWS, COLUMNS = 200_000, 100


def megabytes(what):
    """A line of the kernel's account of this process."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what)]
    return int(line.split()[1]) / 1024


def run(folder):
    """Train on one file, which compiles, and then on all."""
    net = MLP([COLUMNS, 8, 2])
    for source in (folder / "0.parquet", folder):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = megabytes("VmRSS")
        train(net, stream(source, target="y", rows_in_memory=8192), batch_size=100, epochs=2, progress=False)
    return megabytes("VmHWM") - before


place, rng = Path(sys.argv[1]), np.random.default_rng(0)
for part in range(10):
    X = rng.standard_normal((ROWS // 10, COLUMNS), np.float32)
    table = pa.table({f"x{i}": X[:, i] for i in range(COLUMNS)} | {"y": rng.integers(0, 2, len(X))})
    parquet.write_table(table, place / f"{part}.parquet", row_group_size=2000)
print(run(place))
