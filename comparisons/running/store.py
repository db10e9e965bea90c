"""The store of a comparison: a SQLite file with a row for each run; rows are only added."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from comparisons.core.serialization import Arrays, StoredRow, json_text, key_of, pack, plain, row_from

_APPLICATION = (
    0x6E6B6974  # "nkit": distinguishes a store from other SQLite files; sqlite.org/pragma.html#pragma_application_id
)
_SCHEMA = 1
_BUSY = 60.0  # seconds to wait for other writers; each write takes milliseconds
_BATCH = 200  # rows read at a time

_CREATE = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    identity TEXT NOT NULL,
    record TEXT NOT NULL,
    arrays BLOB NOT NULL,
    created TEXT NOT NULL
)
"""


class Store:
    """A file of runs.

    Parameters
    ----------
    path : path
        Created if it does not exist.
    read_only : bool, default False
        If True, the file must exist and is not changed.

    Raises
    ------
    ValueError
        If the file is not a store, or was written by a later version.
    FileNotFoundError
        If ``read_only`` and the file does not exist.

    Notes
    -----
    After `append` returns, the row survives a crash of the process and, with ``synchronous=FULL``, of the machine: in
    WAL mode NORMAL is consistent, but a commit may be rolled back after a loss of power [1]_. FULL costs one fsync for
    each row, less than any run. Nothing is deleted or changed; nothing read is unpickled or evaluated.

    References
    ----------
    .. [1] https://www.sqlite.org/pragma.html#pragma_synchronous
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        if read_only and not self.path.exists():
            raise FileNotFoundError(f"there is no store {self.path}")
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"there is no folder {self.path.parent} for the store {self.path.name}")
        mode = _reading(self.path) if read_only else "mode=rwc"
        with self._sentences("opened"):
            # autocommit: transactions begin and end explicitly
            self._file = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?{mode}", uri=True, timeout=_BUSY, isolation_level=None
            )
        try:
            with self._sentences("opened"):
                if read_only:
                    self._file.execute("PRAGMA query_only = ON")
                else:
                    self._prepare()
                self._check()
        except BaseException:
            self._file.close()
            raise

    def _prepare(self) -> None:
        if self._number("application_id") or self._file.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._check()
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            if not self._number("application_id"):  # another process may have created it meanwhile
                self._file.execute(_CREATE)
                self._file.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._file.execute(f"PRAGMA user_version = {_SCHEMA}")

    def _check(self) -> None:
        if self._number("application_id") != _APPLICATION:
            raise ValueError(f"{self.path} is not a store of runs: it is empty, or a SQLite file of another program")
        if (found := self._number("user_version")) > _SCHEMA:
            raise ValueError(f"{self.path} was written by a later version: schema {found}, this one knows {_SCHEMA}")

    def _number(self, pragma: str) -> int:
        return int(self._file.execute(f"PRAGMA {pragma}").fetchone()[0])

    def append(self, identity: Mapping[str, Any], record: Mapping[str, Any], arrays: Arrays | None = None) -> bool:
        """Add a run; it is on the disk when this method returns.

        Parameters
        ----------
        identity : mapping
            Everything that determines the run, see `key_of`.
        record : mapping
            The record of the run, see `plain`.
        arrays : mapping of str to ndarray, optional
            Its trace: numbers, booleans and text.

        Returns
        -------
        bool
            False if the store already has a row with this key, which is kept.

        Raises
        ------
        OSError
            If it could not be written; earlier rows are unchanged.
        """
        row = (
            key_of(identity),
            json_text(plain(identity)),
            json_text(plain(record)),
            pack(arrays or {}),
            datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        insert = (
            "INSERT INTO runs (key, identity, record, arrays, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        )
        with self._sentences("written to"), self._transaction():
            return self._file.execute(insert, row).rowcount == 1

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # a writer from the start: SQLite does not turn a reader into a writer if another process has written
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._file.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself after most errors
                self._file.execute("ROLLBACK")
            raise

    @contextmanager
    def _sentences(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF
            if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
                raise ValueError(f"{self.path} is not a store of runs, or it is damaged: {error}") from error
            if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise OSError(
                    f"{self.path} cannot be {doing}: {error}; is the disk full? Earlier rows are safe and can be "
                    "read; a comparison that is run again continues after them."
                ) from error
            raise OSError(f"{self.path} cannot be {doing}: {error}") from error

    def __len__(self) -> int:
        with self._sentences("read"):
            return int(self._file.execute("SELECT count(*) FROM runs").fetchone()[0])

    def keys(self) -> set[str]:
        """The keys of all rows: these runs need not be repeated."""
        with self._sentences("read"):
            return {key for (key,) in self._file.execute("SELECT key FROM runs")}

    def rows(self, keys: Collection[str] | None = None) -> Iterator[StoredRow]:
        """Rows in the order in which they were added.

        Parameters
        ----------
        keys : collection of str, optional
            Default all rows.

        Raises
        ------
        ValueError
            With the key of a row that is damaged.
        """
        last = 0
        batch = (
            "SELECT number, key, identity, record, arrays, created FROM runs WHERE number > ? ORDER BY number LIMIT ?"
        )
        while True:
            with self._sentences("read"):  # in batches, so that a slow reader does not block checkpoints
                found = self._file.execute(batch, (last, _BATCH)).fetchall()
            if not found:
                return
            for _, key, identity, record, packed, created in found:
                if keys is None or key in keys:
                    yield row_from(key, identity, record, packed, created)
            last = found[-1][0]

    def close(self) -> None:
        """Close the file; a closed store is a single file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _reading(path: Path) -> str:
    """The mode in which SQLite opens a file for reading; it needs a shared-memory file if other processes write."""
    if os.access(path.parent, os.W_OK) and os.access(path, os.W_OK):
        return "mode=rw"  # removes the shared-memory file at the end; mode=ro does not
    return "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
