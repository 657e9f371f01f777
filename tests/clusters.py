"""Clusters of processes on this machine, and small problems in partitions."""

import contextlib
import functools
import os

import dask
import dask.array as da
import distributed
from distributed.utils import get_mp_context

N_PARTITIONS = 6
SMALL = {
    "hidden_layer_sizes": (8,),
    "max_iter": 3,
    "batch_size": 16,
    "learning_rate_init": 0.01,
    "n_iter_no_change": 100,
    "random_state": 3,
}


FORKSERVER = {"distributed.worker.multiprocessing-method": "forkserver"}


@functools.cache
def preload():
    """Let workers be forked from a process that has imported what they need, which it would take each of them 2 s."""
    with dask.config.set(FORKSERVER):
        get_mp_context().set_forkserver_preload(["distributed.nanny", "dask.array", "fastmlp.dask", "fastmlp.train"])


@contextlib.contextmanager
def cluster_of(n_workers, folder):
    """Start a cluster of processes with 2 threads each; yield its client."""
    preload()
    # a port of its own for each: Dask warns where 8787 is taken
    options = {"threads_per_worker": 2, "processes": True, "dashboard_address": "127.0.0.1:0"}
    options["local_directory"] = str(folder)
    with (
        dask.config.set(FORKSERVER),
        distributed.LocalCluster(n_workers=n_workers, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def cut(*arrays, n=N_PARTITIONS):
    """The arrays as dask arrays of `n` partitions."""
    # names of their own: the scheduler would take equal arrays of two tests for one, with the restrictions of the first
    return [da.from_array(array, chunks=(len(array) // n, *array.shape[1:]), name=False) for array in arrays]


def persisted(client, collection, homes, **options):
    """Persist a collection, each partition on the worker of its place in `homes`."""
    pairs = zip(collection.partitions, homes, strict=True)
    parts = [client.persist(part, workers=[home], **options) for part, home in pairs]
    distributed.wait(parts)
    return da.concatenate(parts)


def deadly(block):
    """End the worker that computes a block. It stands here, as workers import it by its name."""
    os._exit(1)
