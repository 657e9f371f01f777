"""Train on a stream of files whose rows do not fit; print how many MB the process grew, at its peak."""

import sys
from pathlib import Path

from fastmlp import MLP, train
from fastmlp.datasets import stream


def megabytes(what):
    """A line of the kernel's account of this process."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what)]
    return int(line.split()[1]) / 1024


def run(folder):
    """Train on one file, which compiles, and then on all."""
    columns = len(stream(folder, target="y").feature_names)
    net = MLP([columns, 8, 2])
    for source in (folder / "0.parquet", folder):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = megabytes("VmRSS")
        train(net, stream(source, target="y", rows_in_memory=8192), batch_size=100, epochs=2, progress=False)
    return megabytes("VmHWM") - before


print(run(Path(sys.argv[1])))
