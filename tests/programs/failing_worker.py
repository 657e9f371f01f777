"""Raise an error in one of the threads, with every kind of batch norm."""

import json

from team_setup import NORMS, QUIET, X, digest, is_clean, make, trained, y

from fastmlp import train
from fastmlp.engine import epoch

worker, results = epoch.train_steps, []
for norm in NORMS:
    expected, found = trained(norm), []
    for threads, failing, after in [(2, 0, 0), (2, 1, 3), (5, 4, 0), (5, 2, 7), (1, 0, 2)] * 3:

        def broken(thread, layout, memory, run, failing=failing, after=after):
            if thread != failing:
                return worker(thread, layout, memory, run)
            # the thread ends after `after` steps and does not tell the others
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
        found.append([message, digest(net) == before, is_clean()])
        train(net, X, y, epochs=3, threads=threads, **QUIET)
        found[-1].append(digest(net) == expected)
    results.append(found)
print(json.dumps(results))
