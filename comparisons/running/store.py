"""The store of a comparison: a SQLite file to which rows are only ever added, one for each run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from comparisons.core.serialization import Arrays, Row, json_text, key_of, pack, plain, row_from

_APPLICATION = 0x6E6B6974  # "nkit": tells a store from other SQLite files; sqlite.org/pragma.html#pragma_application_id
_SCHEMA = 1
_BUSY = 60.0  # seconds to wait for other writers, each of whom needs milliseconds
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
        Made if there is none.
    read_only : bool, default False
        Then the file must exist, and is not touched.

    Raises
    ------
    ValueError
        If the file is no store, or a later version's.
    FileNotFoundError
        If there is none to read.

    Notes
    -----
    What `append` has acknowledged survives the death of the process, and with ``synchronous=FULL`` that of the machine:
    in WAL mode NORMAL is consistent, but a commit may be rolled back by a loss of power [1]_. FULL costs one fsync a
    row, less than any run. Nothing is deleted or changed; nothing read is unpickled or evaluated.

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
            # autocommit: transactions are begun and ended here by name
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
            if not self._number("application_id"):  # nor has another process made it meanwhile
                self._file.execute(_CREATE)
                self._file.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._file.execute(f"PRAGMA user_version = {_SCHEMA}")

    def _check(self) -> None:
        if self._number("application_id") != _APPLICATION:
            raise ValueError(f"{self.path} is no store of runs: it is empty, or a SQLite file of another program")
        if (found := self._number("user_version")) > _SCHEMA:
            raise ValueError(f"{self.path} was written by a later version: schema {found}, this one knows {_SCHEMA}")

    def _number(self, pragma: str) -> int:
        return int(self._file.execute(f"PRAGMA {pragma}").fetchone()[0])

    def append(self, identity: Mapping[str, Any], record: Mapping[str, Any], arrays: Arrays | None = None) -> bool:
        """Add a run; it is on the disk when this returns.

        Parameters
        ----------
        identity : mapping
            What determines the run, see `key_of`.
        record : mapping
            What became of it, see `plain`.
        arrays : mapping of str to ndarray, optional
            Its trace: numbers, booleans and text.

        Returns
        -------
        bool
            False if there was a row of this key: it stays as it is.

        Raises
        ------
        OSError
            If it could not be written; earlier rows are as they were.
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
        # at once a writer: a reader that becomes one is refused, not made to wait, if another has written meanwhile
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
                raise ValueError(f"{self.path} is no store of runs, or a damaged one: {error}") from error
            if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise OSError(
                    f"{self.path} cannot be {doing}: {error}; is the disk full? The rows written before are safe and "
                    "can be read, and a comparison that is resumed goes on from there."
                ) from error
            raise OSError(f"{self.path} cannot be {doing}: {error}") from error

    def __len__(self) -> int:
        with self._sentences("read"):
            return int(self._file.execute("SELECT count(*) FROM runs").fetchone()[0])

    def keys(self) -> set[str]:
        """The keys of all rows: what need not be run again."""
        with self._sentences("read"):
            return {key for (key,) in self._file.execute("SELECT key FROM runs")}

    def rows(self, keys: Collection[str] | None = None) -> Iterator[Row]:
        """Rows in the order in which they were added.

        Parameters
        ----------
        keys : collection of str, optional
            Only those of these keys; all if not given.

        Raises
        ------
        ValueError
            Naming a row that is damaged.
        """
        last = 0
        batch = (
            "SELECT number, key, identity, record, arrays, created FROM runs WHERE number > ? ORDER BY number LIMIT ?"
        )
        while True:
            with self._sentences("read"):  # in batches: a reader who takes his time holds up no writer's checkpoint
                found = self._file.execute(batch, (last, _BATCH)).fetchall()
            if not found:
                return
            for _, key, identity, record, packed, created in found:
                if keys is None or key in keys:
                    yield row_from(key, identity, record, packed, created)
            last = found[-1][0]

    def close(self) -> None:
        """Give the file back; a store that is closed leaves one file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _reading(path: Path) -> str:
    """How SQLite has to open a file that is only read: it needs some shared memory beside it while others write."""
    if os.access(path.parent, os.W_OK) and os.access(path, os.W_OK):
        return "mode=rw"  # which clears the shared memory away at the end, as mode=ro does not
    return "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
