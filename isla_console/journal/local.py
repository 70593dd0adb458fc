"""The journal on this host: one SQLite file that several consoles share.

WAL with `synchronous=FULL`: when `append` returns, the events are on disk. Nothing is
ever updated or deleted.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from isla_console.incident.record.events import Event
from isla_console.text.times import utc_text

FILE_NAME = "journal.sqlite3"
"""The journal's name in the state directory."""
APPLICATION_ID = 0x15A1C0
"""`PRAGMA application_id`, by which a reader (and the program `file`) recognises a journal."""
VERSION = 1
"""`PRAGMA user_version`, the version of the schema below; raised together with a migration."""

_SCHEMA = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    incident TEXT NOT NULL,
    occurred_at TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT
"""
_INDEX = "CREATE INDEX events_incident ON events (incident, seq)"
_COLUMNS = "id, incident, occurred_at, recorded_at, actor, host, kind, data"
_BUSY_MS = 4000
OPEN_S = 8.0
"""How long opening waits for its turn while other consoles make the same journal."""
_LOOK_AGAIN_S = 0.02
_CHECK_UP_TO = 32 * 1024 * 1024
"""Files of at most this many bytes are checked whole when opened, which takes at most some 50 ms."""
_MAGIC = b"SQLite format 3\x00"


class JournalError(Exception):
    """The journal cannot be used, or did not take the events; the message says what to do.

    Nothing that was there is overwritten.
    """


class LocalJournal:
    """One connection to the journal. Safe to use from several threads."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.Lock()
        self._data_version = self._pragma("data_version")

    @classmethod
    def open(cls, path: Path, *, wait_s: float = OPEN_S) -> LocalJournal:
        """Open the journal at `path`; it and its directory are created if they are missing.

        The file can be read by its owner alone (0600), and so can a directory made for it (0700).

        Raises:
            JournalError: The file is not a journal, is newer or damaged, cannot be written, or another
                program still holds it after `wait_s` seconds.
        """
        _prepare(path)
        try:
            connection = sqlite3.connect(
                path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise JournalError(f"{path}: cannot be opened ({error})") from None
        try:
            _set_up_in_turn(path, connection, wait_s)
            return cls(path, connection)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise JournalError(_explain(path, error)) from None
        except JournalError:
            connection.close()
            raise

    def append(self, events: Sequence[Event]) -> int:
        """Write the events, all or none, and return how many were new.

        They are on disk when it returns. An id that is there already is left as it is.

        Raises:
            JournalError: The disk is full or fails. Nothing was written, and the same call may be repeated.
        """
        rows = [_to_row(event) for event in events]
        # Not OR IGNORE, which would skip a row that is wrong as well as one that is known.
        statement = (
            f"INSERT INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
        )
        with self._locked() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                before = connection.total_changes
                connection.executemany(statement, rows)
                written = connection.total_changes - before
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
        return written

    def events(self, incident: str) -> list[Event]:
        """Return every event of one incident, in the order they were written here."""
        query = f"SELECT {_COLUMNS} FROM events WHERE incident = ? ORDER BY seq"
        with self._locked() as connection:
            return _from_rows(connection.execute(query, (incident,)).fetchall())

    def incident_ids(self) -> list[str]:
        """Return the id of every incident, in the order they first appeared here."""
        query = "SELECT incident FROM events GROUP BY incident ORDER BY min(seq)"
        with self._locked() as connection:
            return [row[0] for row in connection.execute(query)]

    def since(self, seq: int) -> list[tuple[int, Event]]:
        """Return what was written after position `seq` (0: everything), each event with its position."""
        query = f"SELECT {_COLUMNS}, seq FROM events WHERE seq > ? ORDER BY seq"
        with self._locked() as connection:
            rows = connection.execute(query, (seq,)).fetchall()
            return [(row[8], event) for row, event in zip(rows, _from_rows(rows), strict=True)]

    def find(self, id: str) -> Event | None:
        """Return the event with this id, if it is here."""
        query = f"SELECT {_COLUMNS} FROM events WHERE id = ?"
        with self._locked() as connection:
            row = connection.execute(query, (id,)).fetchone()
            return _from_rows([row])[0] if row else None

    def changed(self) -> bool:
        """Return whether another console wrote since the last call. Cheap: it reads one counter."""
        with self._locked():
            version = self._pragma("data_version")
        moved = version != self._data_version
        self._data_version = version
        return moved

    def close(self) -> None:
        """Close the connection; what is in the write-ahead log stays there, and counts."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def __enter__(self) -> LocalJournal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextlib.contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except (sqlite3.Error, ValueError, OSError) as error:
                raise JournalError(_explain(self.path, error)) from None


def _prepare(path: Path) -> None:
    """Make directory and file with their modes, and refuse what is not a journal, before SQLite opens it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat() if path.exists() else None
        if found is None:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            return
        if stat.S_ISDIR(found.st_mode):
            raise JournalError(f"{path}: is a directory, not a journal")
        if not stat.S_ISREG(found.st_mode):
            raise JournalError(f"{path}: is not a file")
        if found.st_mode & 0o077 and found.st_uid == os.geteuid():
            path.chmod(0o600)
        if not os.access(path, os.W_OK):
            raise JournalError(f"{path}: cannot be written; set ISLA_STATE_DIR to a place that can")
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as error:
        reason = error.strerror or str(error)
        raise JournalError(f"{path}: {reason}; set ISLA_STATE_DIR to a writable place") from None
    if head and head != _MAGIC:
        raise JournalError(f"{path}: is not a journal; move it away, or set ISLA_STATE_DIR")


def _set_up_in_turn(path: Path, connection: sqlite3.Connection, wait_s: float) -> None:
    """Set up, after whoever is at it now. It may be done again: what is made is left as it is."""
    began = time.monotonic()
    while True:
        try:
            return _set_up(path, connection)
        except sqlite3.OperationalError as error:
            # SQLite's own wait does not help here: where two switch to the write-ahead log, one is refused
            # at once, for waiting might never end.
            if not _is_held(error):
                raise
            waited = time.monotonic() - began
            if waited > wait_s:
                raise JournalError(
                    f"{path}: another program has held the journal for {waited:.0f} s; start again "
                    "when it is done"
                ) from None
        time.sleep(_LOOK_AGAIN_S)


def _set_up(path: Path, connection: sqlite3.Connection) -> None:
    """Check whose database it is and of which version; create the table in an empty one."""
    if not _is_ours(path, connection):
        _create(path, connection)
    if path.stat().st_size <= _CHECK_UP_TO:
        result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if result != "ok":
            raise sqlite3.DatabaseError("malformed")
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise JournalError(
            f"{path}: this file system has no write-ahead log; set ISLA_STATE_DIR to a local disk"
        )
    connection.execute("PRAGMA synchronous = FULL")


def _is_ours(path: Path, connection: sqlite3.Connection) -> bool:
    """Return True for a journal this version can use, False for an empty file."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application == 0 and version == 0 and tables == 0:
        return False
    if application != APPLICATION_ID:
        raise JournalError(f"{path}: is another program's database; set ISLA_STATE_DIR")
    if version > VERSION:
        raise JournalError(
            f"{path}: was written by a newer isla-console (format {version}, this one knows "
            f"{VERSION}); update this one"
        )
    return True


def _create(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another console may have made it between the look and the lock.
        if not _is_ours(path, connection):
            connection.execute(_SCHEMA)
            connection.execute(_INDEX)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _explain(path: Path, error: Exception) -> str:
    """Say what an error of SQLite means here, and what to do."""
    text = str(error)
    if "full" in text:
        return f"{path}: the disk is full; make room, it is tried again"
    if _is_held(error):
        return f"{path}: another program holds the journal; it is tried again"
    if "malformed" in text or "not a database" in text or "corrupt" in text:
        return (
            f"{path}: the journal is damaged and was left as it is; move it away and keep it, "
            "or restore a copy"
        )
    if "readonly" in text or "unable to open" in text:
        return f"{path}: cannot be written; set ISLA_STATE_DIR to a writable place"
    return f"{path}: {text}"


def _is_held(error: Exception) -> bool:
    """Whether another connection has what this one needs."""
    return "locked" in str(error) or "busy" in str(error)


def _to_row(event: Event) -> tuple[str, ...]:
    return (
        event.id,
        event.incident,
        utc_text(event.occurred_at),
        utc_text(event.recorded_at),
        event.actor,
        event.host,
        event.kind,
        json.dumps(event.data, ensure_ascii=False, separators=(",", ":")),
    )


def _from_rows(rows: Sequence[Sequence[str]]) -> list[Event]:
    """Make events of rows. All data is parsed at once, in half the time of parsing each."""
    found = json.loads(f"[{','.join(row[7] for row in rows)}]")
    when = datetime.fromisoformat
    return [
        Event(row[0], row[1], when(row[2]), when(row[3]), row[4], row[5], row[6], data)
        for row, data in zip(rows, found, strict=True)
    ]
