"""What the store has acknowledged stays, and nothing in it is ever run."""

import hashlib
import importlib
import json
import multiprocessing
import os
import pickle
import sqlite3
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from comparisons.core.serialization import key_of, pack, plain, unpack
from comparisons.running.store import Store
from comparisons.running.workers import run_all

HERE = Path(__file__).parent
ARRAYS = {
    "kind": np.array(["f", "g", "Hv"]),
    "f": np.array([1.5, np.nan, -np.inf]),
    "x": np.arange(6.0).reshape(2, 3).T,
    "accepted": np.array([True, False]),
    "iteration": np.arange(4),
    "none": np.zeros((0, 2)),
    "one": np.float64(-0.0),
}

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and limits")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.sqlite"


@pytest.fixture(scope="module")
def writers():
    """The writers, each of whom is a process; and those find the module where this one does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        multiprocessing.get_context("forkserver").set_forkserver_preload(["pytest", "comparisons.running.store"])
        yield importlib.import_module("appending")


def contents(path):
    """Everything in a store but the times."""
    with Store(path, read_only=True) as store:
        return {row.key: (row.identity, row.record, row.packed) for row in store.rows()}


def test_a_row_comes_back_as_it_was(path):
    identity = {"problem": "beale", "start": "standard", "options": {"memory": 20}}
    record = {"f": 0.1, "x": (1.0, np.float64(2.5)), "gap": float("inf"), "success": True, "message": "∇f ≈ 0 \ud800"}
    with Store(path) as store:
        assert store.append(identity, record, ARRAYS)
    with Store(path) as store:
        (row,) = store.rows()
        assert store.keys() == {row.key} == {key_of(identity)}
        assert len(store) == 1
    assert row.identity == identity
    assert row.record == record | {"x": [1.0, 2.5], "gap": "inf"}
    assert row.arrays.keys() == ARRAYS.keys()
    for name, array in row.arrays.items():
        np.testing.assert_array_equal(array, ARRAYS[name], strict=True)
        assert array.flags.writeable
    assert np.signbit(row.arrays["one"])


def test_rows_come_in_the_order_in_which_they_were_added(path):
    with Store(path) as store:
        for number in range(450):  # more than two batches
            store.append({"number": number}, {})
        assert [row.identity["number"] for row in store.rows()] == list(range(450))
        wanted = {key_of({"number": number}) for number in (3, 333)}
        assert [row.identity["number"] for row in store.rows(wanted)] == [3, 333]


def test_rows_may_be_added_while_they_are_read(path):
    with Store(path) as store:
        store.append({"number": 0}, {})
        for row in store.rows():
            if row.identity["number"] < 300:
                store.append({"number": row.identity["number"] + 1}, {})
        assert len(store) == 301


def test_the_first_row_of_a_key_stays(path):
    with Store(path) as store:
        assert store.append({"a": 1, "b": 2.0}, {"f": "first"})
        assert not store.append({"b": 2, "a": 1.0}, {"f": "second"})
        assert [row.record["f"] for row in store.rows()] == ["first"]


def test_keys_differ_exactly_if_identities_differ():
    base = {"problem": "beale", "options": {"memory": 5, "rate": 0.1}, "starts": (1.0, 2.0)}
    same = {"starts": [1, 2], "options": {"rate": np.float64(0.1), "memory": np.int64(5)}, "problem": "beale"}
    assert key_of(base) == key_of(same)
    others = [
        base | {"problem": "Beale"},
        base | {"options": {"memory": 5, "rate": np.nextafter(0.1, 1)}},
        base | {"options": {"memory": "5", "rate": 0.1}},
        base | {"options": {"memory": 5, "rate": None}},
        base | {"starts": [2, 1]},
        base | {"seed": 0},
    ]
    assert len({key_of(identity) for identity in [base, *others]}) == 7
    assert key_of({"x": True}) != key_of({"x": 1})
    # a key that changed with the version of this file would make everything run again
    assert key_of({"problem": "beale", "n": 2.0}) == hashlib.sha256(b'{"n":2,"problem":"beale"}').hexdigest()


@pytest.mark.parametrize("value", [object(), {1, 2}, {1: 2}, b"bytes", 1j, np.zeros(2), float])
def test_what_json_cannot_say_is_named(path, value):
    with Store(path) as store, pytest.raises(TypeError, match="numbers, text, None, lists and mappings"):
        store.append({"a": 1}, {"value": [value]})
    with pytest.raises(TypeError):
        plain(value)


@pytest.mark.parametrize(
    "array", [np.array([object()]), np.array([1j]), np.zeros(2, "f8,f8"), np.array(["now"], "M8[s]")]
)
def test_an_array_that_is_no_plain_bytes_is_named(array):
    with pytest.raises(TypeError, match="array 'x' must be of numbers, booleans or text"):
        pack({"x": array})


@posix
def test_a_killed_writer_loses_no_row_that_was_acknowledged(writers, path):
    acknowledged, at_work = writers.killed(path, kills=10, seed=1)
    assert at_work >= 5
    assert acknowledged <= contents(path).keys()
    # one row of each writer may have been written and not yet acknowledged
    assert len(contents(path)) <= len(acknowledged) + 10


@posix
def test_writers_at_once_keep_all_their_rows(writers, path):
    # they also make the file at once; the rows of "both" are everyone's
    work = [("first", range(60)), ("second", range(60)), ("both", range(30)), ("both", range(30))]
    processes = [writers.PROCESSES.Process(target=writers.append, args=(path, *args)) for args in work]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    expected = {key_of(writers.identity(name, number)) for name, numbers in work for number in numbers}
    assert contents(path).keys() == expected
    assert len(expected) == 150


@posix
def test_a_comparison_that_is_killed_and_resumed_ends_like_one_that_was_not(writers, tmp_path):
    numbers = range(30)
    whole, resumed = tmp_path / "whole.sqlite", tmp_path / "resumed.sqlite"
    writers.compare(whole, numbers)
    with Store(resumed) as store:
        for rows in (3, 12):
            process = writers.PROCESSES.Process(target=writers.compare, args=(resumed, numbers))
            process.start()
            while len(store) < rows:
                time.sleep(0.001)
            process.kill()
            process.join()
            assert rows <= len(store) < 30
    writers.compare(resumed, numbers)
    assert len(contents(whole)) == 30
    assert contents(resumed) == contents(whole)


@posix
def test_a_full_disk_is_a_sentence_and_the_rows_before_it_can_be_read(writers, path):
    (outcome,) = run_all([path], writers.fill)
    sentence = outcome.result.decode()
    assert sentence.startswith(f"{path} cannot be written to: ")
    assert "is the disk full? Earlier rows are safe" in sentence
    rows = contents(path)
    assert len(rows) == len(outcome.reports) > 5
    with Store(path) as store:  # with free space it continues
        assert store.append({"after": 1}, {})


def test_a_file_that_may_not_grow_is_a_sentence_too(path):
    with Store(path) as store:
        (pages,) = store._file.execute("PRAGMA page_count").fetchone()
        store._file.execute(f"PRAGMA max_page_count = {pages + 6}")
        noise = {"noise": np.random.default_rng(0).random(500)}
        store.append({"number": 0}, {}, noise)
        store.append({"number": 1}, {}, noise)
        with pytest.raises(OSError, match="cannot be written to: database or disk is full"):
            store.append({"number": 2}, {}, noise | {"more": np.random.default_rng(1).random(5000)})
        assert [row.identity["number"] for row in store.rows()] == [0, 1]


def test_a_writer_who_holds_the_file_too_long_is_a_sentence(path, monkeypatch):
    monkeypatch.setattr("comparisons.running.store._BUSY", 0.1)
    with Store(path) as store, Store(path) as other:
        other._file.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match="cannot be written to: database is locked"):
            store.append({"a": 1}, {})
        other._file.execute("ROLLBACK")
        assert store.append({"a": 1}, {})


def test_a_file_that_is_no_store_is_left_alone(path):
    path.write_bytes(pickle.dumps({"a": 1}) + bytes(1000))
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(ValueError, match=r"runs.sqlite is not a store of runs, or it is damaged"):
            Store(path, read_only=read_only)
    assert path.read_bytes() == before
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (a)")
    other.close()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(
            ValueError, match="is not a store of runs: it is empty, or a SQLite file of another program"
        ):
            Store(path, read_only=read_only)
    assert path.read_bytes() == before


def test_a_store_of_a_later_version_is_named(path):
    Store(path).close()
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version = 2")
    later.close()
    with pytest.raises(ValueError, match="was written by a later version: schema 2, this one knows 1"):
        Store(path)


def test_to_read_makes_no_file_and_to_write_no_folder(path):
    with pytest.raises(FileNotFoundError, match="there is no store"):
        Store(path, read_only=True)
    assert not path.exists()
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        Store(path.parent / "none" / "runs.sqlite")


def test_a_store_opened_to_read_cannot_be_written_to(path):
    Store(path).close()
    with Store(path, read_only=True) as store, pytest.raises(OSError, match="cannot be written to"):
        store.append({"a": 1}, {})


@pytest.mark.parametrize("writable", [True, False])
def test_to_read_leaves_the_folder_as_it_is(path, monkeypatch, writable):
    with Store(path) as store:
        store.append({"a": 1}, {})
    before = path.read_bytes()
    monkeypatch.setattr(os, "access", lambda *_: writable)
    assert len(contents(path)) == 1
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def altered(path, column, value):
    """The one row of the store, read after a column was overwritten."""
    with Store(path) as store:
        store.append({"a": 1}, {"f": 1.0}, ARRAYS)
        store._file.execute(f"UPDATE runs SET {column} = ?", (value,))
        (row,) = store.rows()
        return row.arrays


def header(entries, data=b""):
    return zlib.compress(json.dumps(entries).encode() + b"\n" + data)


def test_nothing_that_is_read_is_unpickled(path, tmp_path):
    mark = tmp_path / "mark"
    bomb = pickle.dumps(Bomb(mark))
    blobs = [bomb, zlib.compress(bomb), header({"x": ["|O", [1]]}, bomb), header({"x": ["|O8", [1]]}, bomb)]
    for number, blob in enumerate(blobs):
        with pytest.raises(ValueError, match=r"row [0-9a-f]{64}: the arrays are damaged"):
            altered(tmp_path / f"{number}.sqlite", "arrays", blob)
    for column in ("record", "identity"):
        with pytest.raises(ValueError, match=r"row .* is damaged"):
            altered(tmp_path / f"{column}.sqlite", column, bomb)
    assert not mark.exists()
    pickle.loads(bomb)
    assert mark.exists()


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        "text",
        header({"x": ["<f8", [2]]}, bytes(8)),
        header({"x": ["<f8", [1]]}, bytes(16)),
        header({"x": ["<f8", [-1]]}, bytes(8)),
        header({"x": ["<f8", [2**62, 2**62]]}, bytes(8)),
        header({"x": ["<f8", "12"]}, bytes(8)),
        header({"x": ["<f8,<f8", [1]]}, bytes(16)),
        header({"x": ["__import__('os')", [1]]}, bytes(16)),
        header({"x": ["<U999999999999", [1]]}),
        header({"x": 5}),
        header([1, 2]),
        zlib.compress(b"[" * 100_000),
        zlib.compress(b"\xff\n"),
        pack(ARRAYS)[:-1],
    ],
)
def test_arrays_that_are_none_are_a_sentence(blob):
    with pytest.raises(ValueError, match="the arrays are damaged"):
        unpack(blob)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("record", "{'f': 1}"),
        ("record", "[1, 2]"),
        ("record", "[" * 100_000),
        ("record", 5),
        ("record", b"\xff"),
        ("identity", '{"a": 2}'),
        ("key", "0" * 64),
    ],
)
def test_a_row_that_was_tampered_with_is_named(path, column, value):
    with pytest.raises(ValueError, match=r"row .{64} is damaged"):
        altered(path, column, value)
