"""Let one of the threads fail to start, with every kind of batch norm."""

import json
import threading

from team_setup import NORMS, QUIET, X, digest, is_clean, make, trained, y

from fastmlp import train

original, results = threading.Thread.start, []
for norm in NORMS:
    expected, found = trained(norm), []
    for threads, failing in [(1, 0), (2, 0), (2, 1), (5, 3)] * 3:

        def start(self, failing=failing):
            if self.name == f"fastmlp-{failing}":
                raise RuntimeError("can't start new thread")
            original(self)

        net, message = make(norm), None
        before = digest(net)
        is_clean()  # waits until no idle thread is left that the team could use
        threading.Thread.start = start
        try:
            train(net, X, y, epochs=3, threads=threads, **QUIET)
        except RuntimeError as error:
            message = str(error)
        threading.Thread.start = original
        found.append([message, digest(net) == before, is_clean()])
        train(net, X, y, epochs=3, threads=threads, **QUIET)
        found[-1].append(digest(net) == expected)
    results.append(found)
print(json.dumps(results))
