"""Reading a journal that is not ours to write: a journal's file or exported JSON lines, left unchanged."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from isla_console.incident.record.events import Event, EventError, parse
from isla_console.journal.interchange import read_lines
from isla_console.journal.local import APPLICATION_ID, JournalError

_MAGIC = b"SQLite format 3\x00"
_COLUMNS = ("id", "incident", "occurred_at", "recorded_at", "actor", "host", "kind", "data")


def read_recorded(path: Path) -> list[Event]:
    """Read every event in a file, in its order.

    Raises:
        JournalError: The file cannot be read, holds nothing, or has a line that is not an event.
    """
    try:
        with path.open("rb") as file:
            events = _read_database(path) if file.read(len(_MAGIC)) == _MAGIC else _read_json_lines(path)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from None
    if not events:
        raise JournalError(f"{path}: holds no event")
    return events


def _read_json_lines(path: Path) -> list[Event]:
    events = []
    with path.open("rb") as file:
        for number, found in read_lines(file, datetime.now(UTC)):
            if isinstance(found, str):
                raise JournalError(f"{path}:{number}: {found}")
            events.append(found)
    return events


def _read_database(path: Path) -> list[Event]:
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=4)
        try:
            if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise JournalError(f"{path}: is another program's database, no journal")
            rows = connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM events ORDER BY seq").fetchall()
        finally:
            connection.close()
        return [parse({**dict(zip(_COLUMNS, row, strict=True)), "data": json.loads(row[-1])}) for row in rows]
    except (sqlite3.Error, EventError, ValueError) as error:
        raise JournalError(f"{path}: cannot be read ({error})") from None
