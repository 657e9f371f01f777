"""Prints the events of an audit hook: those of the network from the first import on, and all events of loading files.

Every file is loaded once before, because libraries import modules at their first use. At the end an object is
unpickled, to show that the hook sees such an event.
"""

import json
import sys

seen = []
sys.addaudithook(lambda event, arguments: seen.append(event))

import gzip  # noqa: E402
import pickle  # noqa: E402
import struct  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import fastmlp  # noqa: E402

folder = Path(sys.argv[1])
rng = np.random.default_rng(0)
X, y = rng.standard_normal((40, 3)).astype(np.float32), rng.integers(0, 2, 40)
net = fastmlp.MLP([3, 4, 2])
fastmlp.train(net, X, y, batch_size=10, epochs=2, progress=False)
net.predict(X)
fastmlp.datasets.mnist()

net.save(folder / "model.safetensors")
np.save(folder / "x.npy", X)
np.savez(folder / "set.npz", X=X, y=y)
frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(label=y)
frame.to_csv(folder / "set.csv", index=False)
frame.to_parquet(folder / "set.parquet")
with gzip.open(folder / "x.idx.gz", "wb") as stream:
    stream.write(bytes([0, 0, 8, 2]) + struct.pack(">2I", 40, 3) + bytes(120))


def load_all():
    """Load each of the files."""
    fastmlp.load(folder / "model.safetensors")
    for name in ("x.npy", "set.npz", "x.idx.gz"):
        fastmlp.datasets.load(folder / name)
    for name in ("set.csv", "set.parquet"):
        fastmlp.datasets.load(folder / name, target="label")


def events_of(function):
    """Call a function; return the names of the events during the call."""
    begin = len(seen)
    function()
    return sorted(set(seen[begin:]))


load_all()
loading = events_of(load_all)
network = sorted({event for event in seen if event.startswith(("socket.", "urllib.", "http."))})
control = events_of(lambda: pickle.loads(pickle.dumps(Path)))
print(json.dumps({"loading": loading, "network": network, "control": control}))
