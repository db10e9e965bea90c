"""Finite sums on a dask cluster: the bits of the serial executor, whoever dies."""

import os
import pickle
import signal
import threading
import time

import autograd.numpy as np
import pytest

import newtonkit
from newtonkit.objectives.executors.dask_parts import Computed
from newtonkit.objectives.executors.terms import PartitionError, Request

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")

N, ROWS = 6, 203
X0 = np.linspace(-1.0, 1.0, N)


def data(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((ROWS, N))
    return X, np.where(X @ rng.standard_normal(N) + 0.5 * rng.standard_normal(ROWS) > 0, 1.0, -1.0)


def logistic():
    """A local function, so that it can be sent to workers that cannot import this file."""

    def loss(w, part):
        X, y = part.values() if isinstance(part, dict) else part
        return np.sum(np.logaddexp(0.0, -y * (X @ w)))

    return loss


def make(executor="serial", partitions=None, **options):
    partitions = newtonkit.as_partitions(data(), chunk=17) if partitions is None else partitions
    return newtonkit.FiniteSum(logistic(), partitions, regularizer=lambda w: np.sum(w**2), executor=executor, **options)


def requests(objective, x=X0):
    lin = objective.linearize(x)
    V = np.cos(np.arange(3.0 * N)).reshape(3, N)
    f, g = objective.value_and_gradient(x)
    return [objective.value(x), f, g, lin.f, lin.g, lin.product(V[0]), lin.products(V), lin.hessian()]


def same_bits(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def test_values_and_derivatives_have_the_bits_of_the_serial_executor(client):
    for x in (X0, -2.0 * X0):
        assert same_bits(requests(make(client), x), requests(make(), x))


@pytest.mark.parametrize("method", ["newton", "newton-cg", "lbfgs"])
def test_runs_have_the_same_bits(client, method):
    serial = newtonkit.minimize(make(), np.zeros(N), method=method)
    parallel = newtonkit.minimize(make(client), np.zeros(N), method=method)
    assert serial.success
    assert (serial.x == parallel.x).all()
    assert (serial.history.f == parallel.history.f).all()
    assert parallel.rounds.total.count == serial.rounds.total.count
    assert parallel.rounds.total.bytes_received > 0


def test_long_requests_and_sums_on_the_workers_have_the_same_bits(client, monkeypatch):
    from newtonkit.objectives.executors import dask_cluster

    monkeypatch.setattr(dask_cluster, "INLINE_BYTES", 0)
    monkeypatch.setattr(dask_cluster, "GATHERED_BYTES", 100)
    assert same_bits(requests(make(client)), requests(make()))


@pytest.mark.parametrize("kind", ["gradient", "linearization", "product", "hessian"])
def test_a_killed_worker_is_replaced_and_the_bits_stay(client, kind):
    def slow(w, part):
        time.sleep(0.02)
        return logistic()(w, part)

    parts = [data(seed) for seed in range(16)]
    objective = newtonkit.FiniteSum(slow, parts, executor=client, source="autograd", memory=0.0)
    source = objective.bind(objective.value, newtonkit.core.domain.Unbounded())
    source.value(X0)
    victims = client.run(os.getpid)
    timer = threading.Timer(0.05, os.kill, (min(victims.values()), signal.SIGKILL))
    timer.start()
    V = X0 if kind == "product" else None
    found = source.total(kind, X0, V)
    timer.join()
    client.wait_for_workers(2)
    source.value(X0)
    assert source.rounds.replaced_workers == 1
    serial = newtonkit.FiniteSum(logistic(), parts, source="autograd")
    assert same_bits(found, serial.executor.total(serial._definition, Request(kind, X0, V), source.rounds))


def test_a_partition_that_fails_is_named_with_the_partial_result(client):
    def missing():
        raise OSError("no such disk")

    objective = make(client, [data, data, missing, data, missing])
    with pytest.raises(PartitionError, match="partition 2 could not be loaded: OSError: no such disk") as caught:
        newtonkit.minimize(objective, np.zeros(N))
    assert caught.value.partition == 2
    assert isinstance(caught.value.__cause__, OSError)
    assert "partial_result" in vars(caught.value)


def test_arrays_of_dask_are_partitions(client):
    da = pytest.importorskip("dask.array")
    X, y = data()
    expected = requests(make())
    dX, dy = da.from_array(X, chunks=(17, 4)), da.from_array(y, chunks=50)
    for executor in ("serial", client):
        for partitions in ((dX, dy), {"X": dX, "y": dy}):
            assert same_bits(requests(make(executor, partitions)), expected)
    assert len(newtonkit.as_partitions(dX, chunk=100)) == 3
    with pytest.raises(ValueError, match="equally many rows"):
        newtonkit.as_partitions((dX, dy[:100]))
    with pytest.raises(TypeError, match="make all dask arrays"):
        newtonkit.as_partitions((dX, y))


def test_delayed_values_are_partitions(client):
    dask = pytest.importorskip("dask")
    X, y = data()
    parts = [dask.delayed(lambda a: (X[a : a + 17], y[a : a + 17]))(a) for a in range(0, ROWS, 17)]
    assert all(isinstance(recipe, Computed) for recipe in newtonkit.as_partitions(parts).recipes)
    for executor in ("serial", client):
        assert same_bits(requests(make(executor, parts)), requests(make()))


def test_data_frames_and_parquet_files_are_partitions(client, tmp_path):
    pandas, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    pytest.importorskip("pyarrow")
    X, y = data()
    frame = pandas.DataFrame({"a": X[:, 0], "y": y})

    def loss(w, part):
        return np.sum(np.logaddexp(0.0, -part["y"] * (w[0] * part["a"] + w[1])))

    rows = [{"a": X[a : a + 51, 0], "y": y[a : a + 51]} for a in range(0, ROWS, 51)]
    expected = newtonkit.FiniteSum(loss, rows).value_and_gradient(np.ones(2))
    frame.to_parquet(tmp_path / "data.parquet", row_group_size=51)
    for executor in ("serial", client):
        for partitions in (dd.from_pandas(frame, chunksize=51), str(tmp_path / "*.parquet")):
            objective = newtonkit.FiniteSum(loss, partitions, executor=executor)
            assert len(objective.partitions) == 4
            assert same_bits(objective.value_and_gradient(np.ones(2)), expected)
    with pytest.raises(FileNotFoundError, match="no file matches"):
        newtonkit.as_partitions(str(tmp_path / "none-*.parquet"))


def test_an_address_names_the_cluster_and_an_executor_is_pickled(client):
    address = client.scheduler.address
    executor = newtonkit.Dask(address)
    assert make(executor).value(X0) == make().value(X0)
    assert repr(pickle.loads(pickle.dumps(executor))) == f"Dask('{address}')"
    executor.close()
    assert make(executor).value(X0) == make().value(X0)
    executor.close()
    assert client.status == "running"


def test_the_local_cluster_of_the_name_dask_ends_with_close():
    objective = make(newtonkit.Dask(1))
    assert objective.value(X0) == make().value(X0)
    objective.close()
    assert objective.executor._client is None
