"""Sums over partitions: the same bits from every executor, errors that name the partition, no data left out."""

import os
import pickle
import signal
import threading
import time
import tracemalloc

import autograd.numpy as np
import pytest

import newtonkit
from newtonkit.objectives.executors.partitions import FileRows, as_partitions
from newtonkit.objectives.executors.terms import PartitionError, Request, packed, unpacked
from newtonkit.objectives.executors.tree_sum import TreeSum

N, ROWS = 6, 203
METHODS = ["newton", "newton-cg", "bfgs", "lbfgs", "cubic", "cg"]


def data(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((ROWS, N))
    return X, np.where(X @ rng.standard_normal(N) + 0.5 * rng.standard_normal(ROWS) > 0, 1.0, -1.0)


def logistic():
    """A local function, so that it can be sent to processes that cannot import this file."""

    def loss(w, part):
        X, y = part
        return np.sum(np.logaddexp(0.0, -y * (X @ w)))

    return loss


def ridge():
    return lambda w: 0.05 * np.sum(w**2)


def whole(w):
    return logistic()(w, data()) + ridge()(w)


def make(executor="serial", **options):
    return newtonkit.FiniteSum(logistic(), data(), chunk=17, regularizer=ridge(), executor=executor, **options)


@pytest.fixture(scope="module", params=[1, 2])
def processes(request):
    pool = newtonkit.Processes(request.param)
    yield pool
    pool.close()


X0 = np.linspace(-1.0, 1.0, N)


def requests(objective, x):
    """Everything that a run may request."""
    lin = objective.linearize(x)
    V = np.cos(np.arange(3.0 * N)).reshape(3, N)
    f, g = objective.value_and_gradient(x)
    return [objective.value(x), f, g, lin.f, lin.g, lin.product(V[0]), lin.products(V), lin.hessian()]


# --- the tree -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7, 8, 13])
def test_the_tree_has_the_same_bits_in_every_order_and_from_partial_sums(size):
    rng = np.random.default_rng(size)
    terms = 10.0 ** rng.uniform(-8, 8, size) * rng.choice([-1, 1], size)

    def by_levels(values):
        while len(values) > 1:
            pairs = [a + b for a, b in zip(values[::2], values[1::2], strict=False)]
            values = pairs + ([values[-1]] if len(values) % 2 else [])
        return values[0]

    expected = by_levels(list(terms))
    for _ in range(5):
        tree = TreeSum(size)
        for i in rng.permutation(size):
            tree.add(0, int(i), (terms[i],))
        assert tree.total == (expected,)
    for level in range(4):
        tree = TreeSum(size)
        for node in range(-(-size // 2**level)):
            tree.add(level, node, (by_levels(list(terms[node << level : (node + 1) << level])),))
        assert tree.total == (expected,)


def test_an_incomplete_sum_is_refused():
    tree = TreeSum(3)
    tree.add(0, 0, (1.0,))
    tree.add(0, 2, (1.0,))
    with pytest.raises(RuntimeError, match="incomplete"):
        _ = tree.total


def test_a_symmetric_matrix_is_packed_and_unpacked():
    A = np.random.default_rng(0).standard_normal((5, 5))
    H = A + A.T
    assert packed(H).size == 15
    assert (unpacked(packed(H), 5) == H).all()


# --- values and derivatives ---------------------------------------------------------------------------------


def test_f_and_derivatives_are_those_of_the_unsplit_sum():
    for found, expected in zip(requests(make(), X0), requests(newtonkit.Objective(whole), X0), strict=True):
        assert np.abs(found - expected).max() <= 1e-13 * np.abs(expected).max()


def test_weights_multiply_the_terms():
    parts = [data(0), data(1), data(2)]
    objective = newtonkit.FiniteSum(logistic(), parts, weights=[1.0, 0.0, -2.5])
    expected = logistic()(X0, parts[0]) - 2.5 * logistic()(X0, parts[2])
    assert objective.value(X0) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("source", ["tape", "autograd"])
def test_bits_do_not_depend_on_the_executor(processes, source):
    serial, parallel = make(source=source), make(processes, source=source)
    for x in (X0, -2.0 * X0, 0.5 * X0, X0):
        for a, b in zip(requests(serial, x), requests(parallel, x), strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("method", METHODS)
def test_runs_have_the_same_bits_in_processes(processes, method):
    serial = newtonkit.minimize(make(), np.zeros(N), method=method)
    parallel = newtonkit.minimize(make(processes), np.zeros(N), method=method)
    assert serial.success
    assert serial.verdict.kind == "minimum"
    assert (serial.x == parallel.x).all()
    assert serial.fun == parallel.fun
    assert (serial.history.f == parallel.history.f).all()
    expected = newtonkit.minimize(whole, np.zeros(N), method="newton", tol=1e-10)
    assert np.abs(serial.x - expected.x).max() < 1e-5


def test_memory_for_parts_does_not_change_the_bits():
    for a, b in zip(requests(make(), X0), requests(make(memory=0.0), X0), strict=True):
        assert np.array_equal(a, b)


def test_derivatives_agree_with_f_in_the_taylor_test():
    assert newtonkit.check_derivatives(make(), X0).ok


def test_a_verdict_of_a_sum(processes):
    result = newtonkit.minimize(make(processes), np.zeros(N), tol=1e-9)
    assert newtonkit.classify(make(processes), result.x).kind == "minimum"
    assert newtonkit.classify(make(), result.x + 0.1).kind == "not critical"


def test_differences_are_taken_of_the_sum():
    result = newtonkit.minimize(make(source="differences"), np.zeros(N))
    assert result.success
    assert result.nfev > 2 * N
    assert np.abs(result.x - newtonkit.minimize(whole, np.zeros(N)).x).max() < 1e-4


def test_structured_parameters(processes):
    def loss(p, part):
        return np.sum((part["X"] @ p["w"] + p["b"] - part["y"]) ** 2)

    X, _ = data()
    rows = {"X": X, "y": X @ np.arange(N) + 3.0}
    for executor in ("serial", processes):
        objective = newtonkit.FiniteSum(loss, rows, chunk=50, executor=executor, regularizer=lambda p: 0.0 * p["b"])
        result = newtonkit.minimize(objective, {"w": np.zeros(N), "b": 0.0})
        assert result.success
        assert np.abs(result.x["w"] - np.arange(N)).max() < 1e-8
        assert abs(float(result.x["b"]) - 3.0) < 1e-8


def test_a_loss_that_train_uses_too():
    X, y = data()

    def loss(w, batch):
        X, y = batch
        assert isinstance(batch, tuple)
        return np.mean(np.logaddexp(0.0, -y * (X @ w))) + 0.01 * np.sum(w**2)

    sizes = np.array([50, 50, 50, 53])
    objective = newtonkit.FiniteSum(
        loss,
        [(X[:50], y[:50]), (X[50:100], y[50:100]), (X[100:150], y[100:150]), (X[150:], y[150:])],
        weights=sizes / ROWS,
    )
    exact = newtonkit.minimize(objective, np.zeros(N))
    trained = newtonkit.train(loss, np.zeros(N), (X, y), batch_size=None, epochs=500, options={"rate": 0.05})
    assert exact.success
    assert trained.fun == pytest.approx(exact.fun, abs=1e-9)


# --- rounds -------------------------------------------------------------------------------------------------


def test_rounds_are_counted_by_kind(processes):
    result = newtonkit.minimize(make(processes), np.zeros(N), method="newton")
    kinds = result.rounds.kinds
    assert kinds["hessian"].count == result.nhev + result.checks.H
    assert result.rounds.total.bytes_received > 8 * N * result.njev
    assert "hessian" in str(result.rounds)


def test_a_trial_point_that_is_accepted_takes_one_round_for_f_and_the_gradient():
    newton = newtonkit.minimize(make(), np.zeros(N), method="newton", options={"verdict": False})
    assert newton.nfev == newton.njev
    assert newton.rounds.of("linearization").count + newton.rounds.of("gradient").count <= newton.nfev + 1
    lbfgs = newtonkit.minimize(make(), np.zeros(N), method="lbfgs", options={"verdict": False})
    assert lbfgs.rounds.of("gradient").count <= lbfgs.nfev + 1


def test_a_second_request_at_a_point_evaluates_again():
    objective = make()
    source = objective.bind(objective.value, newtonkit.core.domain.Unbounded())
    source.value(X0)
    for rounds in (1, 2, 3):
        source.value_and_gradient(X0)
        assert source.rounds.of("gradient").count == rounds


def test_disp_prints_the_rounds(capsys):
    newtonkit.minimize(make(), np.zeros(N), options={"disp": True})
    assert "MB sent" in capsys.readouterr().out


def test_other_objectives_have_no_rounds():
    assert "rounds" not in newtonkit.minimize(whole, np.zeros(N))


def test_the_hessian_from_a_sample_leaves_f_and_the_gradient_exact():
    sampled = make(curvature_sample=0.5, seed=1)
    lin, exact = sampled.linearize(X0), make().linearize(X0)
    assert lin.f == exact.f
    assert np.abs(lin.g - exact.g).max() <= 1e-13 * np.abs(exact.g).max()
    H, whole_H = lin.hessian(), exact.hessian()
    assert 1e-3 < np.abs(H - whole_H).max() / np.abs(whole_H).max() < 0.5
    assert np.abs(lin.product(X0) - H @ X0).max() < 1e-11
    result = newtonkit.minimize(sampled, np.zeros(N), method="newton", tol=1e-6)
    assert np.abs(result.x - newtonkit.minimize(whole, np.zeros(N), tol=1e-8).x).max() < 1e-6
    assert "hessian" not in result.rounds.kinds


# --- partitions ---------------------------------------------------------------------------------------------


def test_arrays_are_cut_into_chunks_of_rows():
    X, y = data()
    recipes = as_partitions({"X": X, "y": y}, chunk=100).recipes
    assert [len(recipe.load()["y"]) for recipe in recipes] == [100, 100, 3]
    assert np.array_equal(np.concatenate([recipe.load()["X"] for recipe in recipes]), X)
    assert len(as_partitions((X, y))) == 1
    assert len(as_partitions(np.zeros((3, 1 << 16)))) == 2  # 512 KiB a row, 1 MiB a chunk


def test_functions_load_parts(processes):
    X, y = data()
    edges = list(range(0, ROWS, 17))
    loaders = [lambda a=a: (X[a : a + 17], y[a : a + 17]) for a in edges]
    for executor in ("serial", processes):
        objective = newtonkit.FiniteSum(logistic(), loaders, regularizer=ridge(), executor=executor)
        assert all(np.array_equal(a, b) for a, b in zip(requests(objective, X0), requests(make(), X0), strict=True))


def test_memory_mapped_files_are_read_in_chunks(tmp_path, processes):
    X, y = data()
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", y)
    files = tuple(np.load(tmp_path / name, mmap_mode="r") for name in ("X.npy", "y.npy"))
    partitions = as_partitions(files, chunk=17)
    assert all(isinstance(entry, FileRows) for recipe in partitions.recipes for entry in recipe.part)
    for executor in ("serial", processes):
        objective = newtonkit.FiniteSum(logistic(), files, chunk=17, regularizer=ridge(), executor=executor)
        assert all(np.array_equal(a, b) for a, b in zip(requests(objective, X0), requests(make(), X0), strict=True))


def test_memory_holds_a_few_chunks_of_a_file(tmp_path):
    rows, columns, chunk = 100_000, 50, 2_500  # 40 MB in chunks of 1 MB
    np.save(tmp_path / "X.npy", np.random.default_rng(0).standard_normal((rows, columns)))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    objective = newtonkit.FiniteSum(lambda w, X: np.sum(np.logaddexp(0.0, X @ w)), X, chunk=chunk, memory=0.0)
    tracemalloc.start()
    try:
        result = newtonkit.minimize(objective, np.zeros(columns), method="lbfgs", options={"maxiter": 3})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.nit == 3
    assert peak < 10e6


def test_a_view_of_a_memory_mapped_file_is_not_read_at_the_wrong_offset(tmp_path):
    X, y = data()
    np.save(tmp_path / "X.npy", X)
    view = np.load(tmp_path / "X.npy", mmap_mode="r")[17:]
    loaded = [recipe.load()[0] for recipe in as_partitions((view, y[17:]), chunk=40).recipes]
    assert np.array_equal(np.concatenate(loaded), X[17:])


@pytest.mark.parametrize(
    ("partitions", "options", "sentence"),
    [
        ([], {}, "at least one part"),
        ((np.zeros(3), np.zeros(4)), {}, "equally many rows"),
        (np.zeros((0, 2)), {}, "at least one"),
        ("file", {}, "partitions must be"),
        ([np.zeros(2)], {"chunk": 2}, "chunk is for arrays"),
        ([np.zeros(2)], {"weights": [1.0, 2.0]}, "weights must have one entry"),
        ([np.zeros(2)], {"weights": [np.nan]}, "finite"),
        ([np.zeros(2)], {"executor": "threads"}, "executor must be"),
        ([np.zeros(2)], {"curvature_sample": 0.0}, "curvature_sample"),
    ],
)
def test_wrong_arguments_are_named(partitions, options, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        newtonkit.FiniteSum(logistic(), partitions, **options)


# --- failures -----------------------------------------------------------------------------------------------


def test_a_partition_that_cannot_be_loaded_is_named(processes):
    def missing():
        raise OSError("no such disk")

    for executor in ("serial", processes):
        objective = newtonkit.FiniteSum(logistic(), [data, data, missing, data, missing], executor=executor)
        with pytest.raises(PartitionError, match="partition 2 could not be loaded: OSError: no such disk") as caught:
            newtonkit.minimize(objective, np.zeros(N))
        assert caught.value.partition == 2
        assert isinstance(caught.value.__cause__, OSError)


def test_an_exception_of_the_loss_carries_the_partial_result(processes):
    X, y = data()

    def loss(w, part):
        X, y = part
        if y.size == 3 and np.abs(getattr(w, "_value", w)).max() > 1e-3:  # the last chunk, after the start
            raise ZeroDivisionError("by design")
        return np.sum(np.logaddexp(0.0, -y * (X @ w)))

    for executor in ("serial", processes):
        objective = newtonkit.FiniteSum(loss, (X, y), chunk=100, executor=executor, source="autograd")
        with pytest.raises(PartitionError, match="the loss of partition 2 failed: ZeroDivisionError") as caught:
            newtonkit.minimize(objective, np.zeros(N), method="lbfgs")
        assert np.isfinite(caught.value.partial_result.fun)
        assert (caught.value.partial_result.x == 0.0).all()
    healthy = make(processes)
    assert healthy.value(X0) == make().value(X0)  # the pool serves other sums afterwards


@pytest.mark.parametrize("kind", ["gradient", "linearization", "product", "hessian"])
def test_a_killed_worker_is_replaced_and_the_bits_stay(processes, kind):
    def slow(w, part):
        time.sleep(0.01)
        return logistic()(w, part)

    parts = [data(seed) for seed in range(16)]
    V = X0 if kind == "product" else None
    objective = newtonkit.FiniteSum(slow, parts, executor=processes, source="autograd", memory=0.0)
    source = objective.bind(objective.value, newtonkit.core.domain.Unbounded())
    source.value(X0)
    victim = processes._pool[0].process.pid
    timer = threading.Timer(0.05, os.kill, (victim, signal.SIGKILL))
    timer.start()
    found = source.total(kind, X0, V)
    timer.join()
    source.value(X0)
    assert source.rounds.replaced_workers == 1
    assert processes._pool[0].process.pid != victim
    serial = newtonkit.FiniteSum(logistic(), parts, source="autograd")
    expected = serial.executor.total(serial._definition, Request(kind, X0, V), source.rounds)
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_a_loss_that_ends_its_process_is_reported():
    def loss(w, part):
        os._exit(7)

    pool = newtonkit.Processes(1)
    try:
        objective = newtonkit.FiniteSum(loss, [data(), data()], executor=pool)
        with pytest.raises(PartitionError, match="3 worker processes died, the last with exit code 7"):
            objective.value(X0)
    finally:
        pool.close()


def test_closing_ends_the_processes_and_a_later_request_starts_them_again():
    objective = make(newtonkit.Processes(1))
    f = objective.value(X0)
    process = objective.executor._pool[0].process
    objective.close()
    assert process.returncode is not None
    assert objective.value(X0) == f
    objective.close()
    objective.close()


def test_an_executor_is_pickled_without_its_processes(processes):
    assert repr(pickle.loads(pickle.dumps(processes))) == repr(processes)


def test_sparsity_is_refused_with_a_reason():
    pattern, reason = make().pattern(X0)
    assert pattern is None
    assert "parts" in reason
