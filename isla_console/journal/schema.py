"""The journal's table, its versions, and the way from an older one to this one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from isla_console.journal.backup import back_up
from isla_console.journal.place import DamagedJournal, JournalError
from isla_console.journal.rows import UNSEALED, checksum, read_rows

APPLICATION_ID = 0x15A1C0
"""`PRAGMA application_id`, by which a reader (and the program `file`) recognises a journal."""
VERSION = 2
"""`PRAGMA user_version`, the version of the schema below; raised together with a migration."""
_CHECK_UP_TO = 32 * 1024 * 1024
"""Files of at most this many bytes are checked whole when opened, which takes at most some 50 ms."""

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
    data TEXT NOT NULL,
    checksum BLOB NOT NULL DEFAULT x''
) STRICT
"""
# A console of version 1 that is still open writes rows without one: they are taken, after a closer look.
_SEAL = "ALTER TABLE events ADD COLUMN checksum BLOB NOT NULL DEFAULT x''"
_INDEX = "CREATE INDEX events_incident ON events (incident, seq)"
_BATCH = 1000


def set_up(path: Path, connection: sqlite3.Connection) -> None:
    """Check whose database it is and of which version; make its table, or bring an older one up to date.

    It may be done again: what is there is left as it is.

    Raises:
        JournalError: It cannot be used.
        sqlite3.Error: It is held, damaged or cannot be written.
    """
    if version_of(path, connection) == 0:
        create(path, connection)
    check_pages(path, connection)
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise JournalError(
            f"{path}: this file system has no write-ahead log; set ISLA_STATE_DIR to a local disk"
        )
    connection.execute("PRAGMA synchronous = FULL")
    if version_of(path, connection) < VERSION:
        _migrate(path, connection)


def version_of(path: Path, connection: sqlite3.Connection) -> int:
    """Return the version of a journal that this console can read; 0 for an empty file.

    Raises:
        JournalError: It is another program's, or of a newer console.
    """
    with _one_moment(connection):
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application == 0 and version == 0 and tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise JournalError(f"{path}: is another program's database; set ISLA_STATE_DIR")
    if version > VERSION:
        raise JournalError(
            f"{path}: was written by a newer isla-console (format {version}, this one knows "
            f"{VERSION}); update this one"
        )
    return max(version, 1)


@contextlib.contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """Read the same state of the file throughout: another console may be making it just now."""
    connection.execute("SAVEPOINT one_moment")
    try:
        yield
    finally:
        connection.execute("RELEASE one_moment")


def check_pages(path: Path, connection: sqlite3.Connection, *, whole: bool = False) -> None:
    """Look for pages that cannot be right; in a large file, only if `whole`.

    Raises:
        DamagedJournal: There are some.
    """
    if not whole and path.stat().st_size > _CHECK_UP_TO:
        return
    try:
        result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        result = str(error)
    if result != "ok":
        raise damage(path)


def damage(path: Path) -> DamagedJournal:
    """Return the error that says that the file is damaged, and what to do."""
    return DamagedJournal(
        f"{path}: the journal is damaged and was left as it is; "
        "`isla-console journal salvage` makes a good one of it"
    )


def is_damage(error: Exception) -> bool:
    """Return whether SQLite says that the file is not as it was written."""
    text = str(error)
    return any(word in text for word in ("malformed", "not a database", "corrupt"))


def create(path: Path, connection: sqlite3.Connection) -> None:
    """Make the table in an empty file."""
    with transaction(connection):
        # Another console may have made it between the look and the lock.
        if version_of(path, connection) == 0:
            connection.execute(_SCHEMA)
            connection.execute(_INDEX)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _migrate(path: Path, connection: sqlite3.Connection) -> None:
    """Give every event its checksum, once there is a copy of the journal as it was.

    Raises:
        JournalError: There is no room for the copy. Nothing was changed.
    """
    back_up(path, why="before-format-2")
    with transaction(connection):
        if version_of(path, connection) >= VERSION:
            return  # another console was quicker
        connection.execute(_SEAL)
        seq = 0
        while rows := connection.execute(
            f"SELECT {UNSEALED} FROM events WHERE seq > ? ORDER BY seq LIMIT {_BATCH}", (seq,)
        ).fetchall():
            seq = rows[-1][0]
            # What is no event stays without a checksum: whoever reads it finds that out again, and says so.
            found = read_rows(rows)
            connection.executemany(
                "UPDATE events SET checksum = ? WHERE seq = ?",
                [
                    (checksum(event), position)
                    for event, position in zip(found.events, found.positions, strict=True)
                ],
            )
        connection.execute(f"PRAGMA user_version = {VERSION}")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
