"""Who holds which partition: persisted ones are trained on where they lie, others are dealt."""

import dask.dataframe as dd
import distributed
import numpy as np
import pandas as pd
import pytest
from clusters import SMALL, cut, persisted

from fastmlp.dask import MLPClassifier
from fastmlp.dask.homes import deal, held, sources

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def homes(client):
    a, b, c = sorted(client.nthreads())
    return [c, a, c, b, c, a]


@pytest.fixture
def nobody_steals(client):
    """No worker takes tasks, and the partitions that they need, from one that has more to do: on a busy machine any."""

    async def let(verb, dask_scheduler):
        await getattr(dask_scheduler.extensions["stealing"], verb)()

    client.run_on_scheduler(let, "stop")
    yield
    client.run_on_scheduler(let, "start")


def received(client):
    """The keys that workers have fetched from each other."""
    logs = client.run(lambda dask_worker: [key for entry in dask_worker.transfer_incoming_log for key in entry["keys"]])
    return {key for keys in logs.values() for key in keys}


def test_partitions_that_nobody_holds_are_dealt_in_runs():
    assert deal(7, ["a", "b", "c"], None) == {"a": [0, 1, 2], "b": [3, 4], "c": [5, 6]}
    assert deal(2, ["a", "b", "c"], None) == {"a": [0], "b": [1]}


def test_partitions_stay_with_a_holder_that_is_there():
    holders = [["b"], ["a", "b"], ["a", "b"], ["gone"], [], ["b", "gone"]]
    # 1 to a, which has fewer than b; 2 to a, as the two are even; 3 to c and 4 to b, which have the fewest of all
    assert deal(6, ["a", "b", "c"], holders) == {"a": [1, 2], "b": [0, 4, 5], "c": [3]}


def test_persisted_partitions_are_trained_on_where_they_lie(client, table, homes):
    X, y, _ = table
    dX, dy = cut(X, y)
    pX, py = persisted(client, dX, homes), persisted(client, dy, homes)
    assert held(client, pX) == [[home] for home in homes]
    keys = {future.key for future in distributed.futures_of([pX, py])}
    before = client.who_has(list(keys))
    model = MLPClassifier(**SMALL).fit(pX, py)
    assert model.partitions_ == [[0, 2, 4], [1, 5], [3]]
    assert keys & received(client) == set()
    assert client.who_has(list(keys)) == before
    again = MLPClassifier(**SMALL).fit(pX, py)
    np.testing.assert_array_equal(again.network_.snapshot(), model.network_.snapshot())
    # the same rows together, on other workers
    following = dict(zip("abc", "bca", strict=True))
    names = dict(zip(sorted(set(homes)), "abc", strict=True))
    addresses = {name: address for address, name in names.items()}
    elsewhere = [addresses[following[names[home]]] for home in homes]
    moved = MLPClassifier(**SMALL).fit(persisted(client, dX, elsewhere), persisted(client, dy, elsewhere))
    assert moved.partitions_ == model.partitions_
    np.testing.assert_array_equal(moved.network_.snapshot(), model.network_.snapshot())


@pytest.mark.usefixtures("nobody_steals")
def test_what_is_made_of_persisted_partitions_stays_too(client, table, homes):
    X, y, _ = table
    both = persisted(client, cut(np.column_stack([X, y == "ant"]))[0], homes)
    model = MLPClassifier(**SMALL).fit(both[:, :5], both[:, 5].astype(int))
    assert model.partitions_ == [[0, 2, 4], [1, 5], [3]]
    assert {future.key for future in distributed.futures_of(both)} & received(client) == set()


@pytest.mark.usefixtures("nobody_steals")
def test_persisted_frames(client, table):
    X, y, _ = table
    frame = client.persist(dd.from_pandas(pd.DataFrame(X, columns=list("abcde")).assign(kind=y), npartitions=6))
    distributed.wait(frame)
    found = held(client, frame[list("abcde")])
    where = client.who_has(distributed.futures_of(frame))
    assert sorted(found) == sorted(map(list, where.values()))
    model = MLPClassifier(**SMALL).fit(frame[list("abcde")], frame["kind"])
    groups = {}
    for number, (home,) in enumerate(found):
        groups.setdefault(home, []).append(number)
    assert model.partitions_ == sorted(groups.values())
    assert set(where) & received(client) == set()


def test_a_collection_that_is_not_computed_has_no_holders(client, table):
    dX, dy = cut(*table[:2])
    assert sources(dX) == 6 * [frozenset()]
    assert held(client, dX) is None
    assert MLPClassifier(**SMALL).fit(dX, dy).partitions_ == [[0, 1], [2, 3], [4, 5]]


def test_fewer_partitions_than_workers(client, table):
    dX, dy = cut(*table[:2], n=2)
    model = MLPClassifier(**SMALL).fit(dX, dy)
    assert model.partitions_ == [[0], [1]]
    assert model.n_threads_ == 4
