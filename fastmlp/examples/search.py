"""A search on a cluster: scikit-learn's `GridSearchCV` hands its fits to the workers of Dask.

``python -m fastmlp.examples.search``

Distribute fits before gradients: each fit of a search is alone, so a search needs no `fastmlp.dask`. Joblib's backend
"dask" sends each fit to a worker, where it takes one thread. The cluster here is this machine: workers × threads are no
more than its cores. `distributed.Client("address")` in place of the `LocalCluster` searches on another cluster.
"""

import argparse
from collections.abc import Sequence

from fastmlp.sklearn import MLPClassifier
from fastmlp.system.cores import usable_cores
from fastmlp.system.extras import require

# isort: split
# behind fastmlp.sklearn, whose error names the extra where scikit-learn is missing
import joblib
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main(arguments: Sequence[str] | None = None) -> None:
    """Start a cluster, search, and print what is best."""
    parser = argparse.ArgumentParser(prog="python -m fastmlp.examples.search", description=__doc__)
    parser.add_argument("--workers", type=int, default=min(2, usable_cores()), help="processes of the cluster")
    options = parser.parse_args(arguments)
    distributed = require("distributed", extra="dask")

    X, X_test, y, y_test = train_test_split(*load_wine(return_X_y=True), random_state=0)
    network = MLPClassifier((16,), batch_size=32, max_iter=1000, tol=0.001, n_iter_no_change=5, random_state=0)
    model = make_pipeline(StandardScaler(), network)
    grid = {"mlpclassifier__learning_rate_init": [0.001, 0.01], "mlpclassifier__alpha": [0.0001, 0.1]}
    search = GridSearchCV(model, grid, cv=3, error_score="raise")

    threads = max(1, usable_cores() // options.workers)
    print(f"{options.workers} workers of {threads} threads, on {usable_cores()} cores")
    with (
        distributed.LocalCluster(
            n_workers=options.workers, threads_per_worker=threads, dashboard_address="127.0.0.1:0"
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        search.fit(X, y)
    print(f"best of {len(search.cv_results_['params'])}: {search.best_params_}, score {search.best_score_:.3f}")
    print(f"test accuracy: {search.score(X_test, y_test):.3f}")


if __name__ == "__main__":
    main()
