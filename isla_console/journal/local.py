"""The journal on this host: one SQLite file that several consoles share.

WAL with `synchronous=FULL`: when `append` returns, the events are on disk, in the file that has the journal's
name. Nothing is ever updated or deleted. `ReadJournal` only reads, and needs no right to write.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from isla_console.incident.record.events import Event
from isla_console.journal.place import (
    FILE_NAME,
    Identity,
    JournalError,
    MovedJournal,
    beside,
    identity,
    locked,
    prepare,
    set_aside_log,
)
from isla_console.journal.rows import COLUMNS, SEALED, UNSEALED, Damaged, Row, Rows, read_rows, to_row
from isla_console.journal.schema import damage, is_damage, set_up, transaction, version_of

__all__ = ["FILE_NAME", "JournalError", "LocalJournal", "ReadJournal"]

T = TypeVar("T")

_BUSY_MS = 4000
OPEN_S = 8.0
"""How long opening waits for its turn while other consoles make the same journal."""
_LOOK_AGAIN_S = 0.02
_ROOM = 64 * 1024
"""How many free bytes are too few to open a journal: its index in memory begins with 32 KiB."""
_CHUNK = 256
"""How many rows are read at once around damaged pages."""
_MOST_POSITIONS = 1_000_000
"""How far a damaged journal is searched that does not say how many rows it has."""

# Not OR IGNORE, which would skip a row that is wrong as well as one that is known.
_INSERT = (
    f"INSERT INTO events ({', '.join(COLUMNS)}, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO NOTHING"
)


class ReadJournal:
    """A connection that reads. Safe to use from several threads.

    A row that is no event, or on a page that cannot be read, is set aside in `damaged`; all others are read.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.Lock()
        version = version_of(path, connection)
        self._is_empty = version == 0
        self._columns = SEALED if version > 1 else UNSEALED
        self._damaged: dict[int, Damaged] = {}

    @property
    def damaged(self) -> tuple[Damaged, ...]:
        """The rows that were set aside so far, in their order."""
        return tuple(self._damaged[seq] for seq in sorted(self._damaged))

    def events(self, incident: str) -> list[Event]:
        """Return every event of one incident, in the order they were written here."""
        return self._read("incident = ?", incident).events

    def since(self, seq: int) -> list[tuple[int, Event]]:
        """Return what was written after position `seq` (0: everything), each event with its position."""
        found = self._read("seq > ?", seq)
        return list(zip(found.positions, found.events, strict=True))

    def find(self, id: str) -> Event | None:
        """Return the event with this id, if it is here."""
        return next(iter(self._read("id = ?", id).events), None)

    def incident_ids(self) -> list[str]:
        """Return the id of every incident, in the order they first appeared here."""
        if self._is_empty:
            return []
        query = "SELECT incident FROM events GROUP BY incident ORDER BY min(seq)"
        with self._locked() as connection:
            try:
                found = [row[0] for row in connection.execute(query)]
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                found = list(dict.fromkeys(row[2] for row in self._around_damage(0)))
        return [id for id in found if isinstance(id, str)]

    def count_unsealed(self) -> int:
        """Return how many rows have no checksum: a console of an older version wrote them."""
        if self._is_empty:
            return 0
        what = "count(*)" if self._columns == UNSEALED else "coalesce(sum(checksum = x''), 0)"
        with contextlib.suppress(JournalError), self._locked() as connection:
            return int(connection.execute(f"SELECT {what} FROM events").fetchone()[0])
        return 0

    def check(self) -> str:
        """Check every page and index; return what is wrong, "" for nothing."""
        try:
            with self._locked() as connection:
                found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        except JournalError as error:
            return str(error)
        return "" if found == ["ok"] else "; ".join(str(line) for line in found)

    def close(self) -> None:
        """Close the connection; what is in the write-ahead log stays there, and counts."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _read(self, where: str, value: str | int) -> Rows:
        if self._is_empty:
            return Rows([], [], [])
        query = f"SELECT {self._columns} FROM events WHERE {where} ORDER BY seq"
        with self._locked() as connection:
            try:
                rows = connection.execute(query, (value,)).fetchall()
            except (sqlite3.DatabaseError, ValueError) as error:
                if not (is_damage(error) or isinstance(error, ValueError) or "decode" in str(error)):
                    raise
                rows = self._matching(where, value)
        found = read_rows(rows)
        self._damaged.update((one.seq, one) for one in found.damaged)
        return found

    def _matching(self, where: str, value: str | int) -> list[Row]:
        """Return what fits of the rows that can be read; indexes are not asked."""
        if where.startswith("seq"):
            return list(self._around_damage(int(value)))
        place = {"id = ?": 1, "incident = ?": 2}[where]
        return [row for row in self._around_damage(0) if row[place] == value]

    def _around_damage(self, after: int) -> Iterator[Row]:
        """Yield every row that can be read, and set the others aside."""
        pending = [
            (begin, min(begin + _CHUNK, last))
            for last in [self._last_position()]
            for begin in range(after, last, _CHUNK)
        ]
        pending.reverse()
        while pending:
            begin, end = pending.pop()
            try:
                yield from self._connection.execute(
                    f"SELECT {self._columns} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq",
                    (begin, end),
                ).fetchall()
            except (sqlite3.DatabaseError, ValueError) as error:
                if end - begin > 1:
                    middle = (begin + end) // 2
                    pending += [(middle, end), (begin, middle)]
                else:
                    self._damaged[end] = Damaged(end, "", "", f"it cannot be read ({error})")

    def _last_position(self) -> int:
        """Return the last position that was ever given out, as far as that can be told."""
        for query in (
            "SELECT seq FROM sqlite_sequence WHERE name = 'events'",
            "SELECT seq FROM events ORDER BY seq DESC LIMIT 1",
            "SELECT count(*) FROM events",
        ):
            with contextlib.suppress(sqlite3.DatabaseError):
                if (row := self._connection.execute(query).fetchone()) is not None:
                    return min(int(row[0]), _MOST_POSITIONS)
        return 0

    def __enter__(self: T) -> T:
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
            except (sqlite3.Error, ValueError, TypeError, OSError) as error:
                raise explain(self.path, error) from None


class LocalJournal(ReadJournal):
    """One connection that reads and writes. Safe to use from several threads."""

    def __init__(self, path: Path, connection: sqlite3.Connection, file: Identity | None) -> None:
        super().__init__(path, connection)
        self.file = file
        """Which file it is: its name may come to belong to another one."""
        self._log: Identity | None = None
        self._data_version = self._pragma("data_version")

    @classmethod
    def open(cls, path: Path, *, wait_s: float = OPEN_S) -> LocalJournal:
        """Open the journal at `path`; it and its directory are created if they are missing.

        The file can be read by its owner alone (0600), and so can a directory made for it (0700). One of an
        older version is copied, then brought up to date.

        Raises:
            JournalError: The file is not a journal, is newer or damaged, cannot be written, or another
                program still holds it after `wait_s` seconds.
        """
        prepare(path)
        file = identity(path)
        try:
            connection = sqlite3.connect(
                path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise explain(path, error) from None
        try:
            _in_turn(path, wait_s, lambda: set_up(path, connection))
            journal = cls(path, connection, file)
        except sqlite3.Error as error:
            connection.close()
            raise explain(path, error) from None
        except JournalError:
            connection.close()
            raise
        if identity(path) != file:
            # It was replaced at this very moment: SQLite may have opened either.
            journal.close()
            raise MovedJournal(f"{path}: was moved or replaced while it was opened")
        return journal

    def append(self, events: Sequence[Event]) -> int:
        """Write the events, all or none, and return how many were new.

        They are on disk when it returns. An id that is there already is left as it is.

        Raises:
            MovedJournal: They were written, but into a file that no longer has the journal's name.
            JournalError: The disk is full or fails. Nothing was written, and the same call may be repeated.
        """
        with self._locked() as connection, transaction(connection):
            rows = [to_row(event) for event in events]
            before = connection.total_changes
            connection.executemany(_INSERT, rows)
            written = connection.total_changes - before
        self.check_place()
        return written

    def changed(self) -> bool:
        """Return whether another console wrote since the last call. Cheap: it reads one counter.

        Raises:
            MovedJournal: The journal's name belongs to no file any more, or to another one.
        """
        self.check_place()
        with self._locked():
            version = self._pragma("data_version")
        moved = version != self._data_version
        self._data_version = version
        return moved

    def check_place(self) -> None:
        """Look whether the journal's name still belongs to this file.

        Raises:
            MovedJournal: It does not: what is written here, nobody else reads.
        """
        found = identity(self.path)
        if found != self.file:
            what = "was moved or deleted" if found is None else "was replaced by another file"
            raise MovedJournal(f"{self.path}: {what} while this console had it open")
        if self._log is None:
            self._log = identity(beside(self.path, "-wal"))

    def leave(self) -> None:
        """Close a journal that was moved, and move away the log that it left beside the other file."""
        self.close()
        if self._log is not None and identity(self.path) not in {None, self.file}:
            with contextlib.suppress(OSError), locked(self.path.parent):
                set_aside_log(self.path, self._log)


def _in_turn(path: Path, wait_s: float, work: Callable[[], None]) -> None:
    """Do something to the file after whoever is at it now. It may be done again.

    SQLite's own wait does not help everywhere: where two switch to the write-ahead log, one is refused at
    once, for waiting might never end.
    """
    began = time.monotonic()
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if not _is_held(error):
                raise
            waited = time.monotonic() - began
            if waited > wait_s:
                raise JournalError(
                    f"{path}: another program has held the journal for {waited:.0f} s"
                ) from None
        time.sleep(_LOOK_AGAIN_S)


def explain(path: Path, error: Exception) -> JournalError:
    """Say what an error of SQLite means here, and what to do."""
    text = str(error)
    if "full" in text or ("I/O" in text and _is_full(path.parent)):
        return JournalError(f"{path}: the disk is full; make room")
    if _is_held(error):
        return JournalError(f"{path}: another program holds the journal")
    if is_damage(error):
        return damage(path)
    if "readonly" in text or "unable to open" in text:
        return JournalError(f"{path}: cannot be written; set ISLA_STATE_DIR to a writable place")
    return JournalError(f"{path}: {text}")


def _is_full(directory: Path) -> bool:
    """Whether there is no room, which SQLite calls an error of the disk where it wants room for its index."""
    try:
        return shutil.disk_usage(directory).free < _ROOM
    except OSError:
        return False


def _is_held(error: Exception) -> bool:
    """Whether another connection has what this one needs."""
    return "locked" in str(error) or "busy" in str(error)
