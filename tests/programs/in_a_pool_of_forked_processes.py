"""Train in the forked processes of a pool of `multiprocessing`."""

import json
import multiprocessing

from team_setup import NORMS, trained

expected = [trained(norm, 2, seed=seed) for seed in range(2) for norm in NORMS]
with multiprocessing.get_context("fork").Pool(2) as pool:
    jobs = [pool.apply_async(trained, (norm, 2), {"seed": seed}) for seed in range(2) for norm in NORMS]
    found = [job.get() for job in jobs]
print(json.dumps([expected, found]))
