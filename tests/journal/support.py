"""Journals for tests: notes, rows changed behind the console's back, pages overwritten."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from isla_console.incident import commands
from isla_console.incident.record.events import Event
from isla_console.journal.local import LocalJournal
from tests.incident.story import ANA, Story, at

V1 = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, incident TEXT NOT NULL,
    occurred_at TEXT NOT NULL, recorded_at TEXT NOT NULL, actor TEXT NOT NULL, host TEXT NOT NULL,
    kind TEXT NOT NULL, data TEXT NOT NULL
) STRICT
"""
"""The table of version 1, as it was released."""


def note(story: Story, text: str) -> Event:
    return commands.note(story.incident, text, author=ANA, now=at("14:05"))[0]


def notes(story: Story, count: int, size: int = 0) -> list[Event]:
    return [note(story, f"{number} {'x' * size}") for number in range(count)]


def filled(path: Path, count: int = 3, size: int = 0) -> list[Event]:
    """A journal with an incident and some notes, closed; its events."""
    story = Story()
    events = [*story.events, *notes(story, count, size)]
    with LocalJournal.open(path) as journal:
        journal.append(events)
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return events


def filled_v1(path: Path, events: list[Event]) -> None:
    """A journal as version 1 wrote it."""
    from isla_console.journal.rows import to_row
    from isla_console.journal.schema import APPLICATION_ID

    path.parent.mkdir(parents=True, exist_ok=True)
    with sql(path) as connection:
        connection.execute(V1)
        connection.execute("CREATE INDEX events_incident ON events (incident, seq)")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("PRAGMA journal_mode = WAL")
        add_v1(connection, [to_row(event)[:8] for event in events])


def add_v1(connection: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    connection.executemany(
        "INSERT INTO events (id, incident, occurred_at, recorded_at, actor, host, kind, data) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


@contextlib.contextmanager
def sql(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def overwrite(path: Path, begin: int, end: int) -> None:
    """Damage a stretch of the file."""
    data = bytearray(path.read_bytes())
    data[begin:end] = b"\x55" * (min(end, len(data)) - begin)
    path.write_bytes(data)
