"""Reading a journal that is not ours to write: a journal's file or exported JSON lines, left unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from isla_console.incident.record.events import Event
from isla_console.journal.interchange import read_lines
from isla_console.journal.place import MAGIC, JournalError
from isla_console.journal.reading import reading


@dataclass(frozen=True, slots=True)
class Recorded:
    """The events of a file, in its order, and what of it was set aside, one sentence each."""

    events: tuple[Event, ...]
    problems: tuple[str, ...]


def read_recorded(path: Path) -> Recorded:
    """Read every event in a file; what is none is set aside.

    Raises:
        JournalError: The file cannot be read, or holds no event.
    """
    try:
        with path.open("rb") as file:
            is_database = file.read(len(MAGIC)) == MAGIC
        found = _read_database(path) if is_database else _read_json_lines(path)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from None
    if not found.events:
        why = found.problems[0] if found.problems else "holds no event"
        raise JournalError(f"{path}: {why}")
    return found


def _read_json_lines(path: Path) -> Recorded:
    with path.open("rb") as file:
        lines = list(read_lines(file, datetime.now(UTC)))
    return Recorded(
        tuple(found for _, found in lines if isinstance(found, Event)),
        tuple(f"line {number}: {found}" for number, found in lines if isinstance(found, str)),
    )


def _read_database(path: Path) -> Recorded:
    with reading(path) as journal:
        events = tuple(event for _, event in journal.since(0))
        return Recorded(events, tuple(str(one) for one in journal.damaged))
