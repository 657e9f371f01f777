"""Train until the cost is not finite."""

import json
import warnings

from team_setup import NORMS, QUIET, X, is_clean, make, y

from fastmlp import SGD, train

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
