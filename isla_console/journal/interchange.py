"""Exporting and importing events, one JSON object per line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from isla_console.incident.record.events import Event, EventError, parse
from isla_console.journal.local import LocalJournal
from isla_console.text.times import utc_text

MAX_LINE = 1024 * 1024
"""The most bytes an event's line may have; recorded output is bounded far below that."""
AHEAD = timedelta(minutes=5)
"""How far another host's clock may be ahead of ours."""
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """A line that was refused, and why. Lines count from 1."""

    line: int
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import: events new here, events that were here already, lines refused."""

    taken: int
    known: int
    findings: tuple[Finding, ...]


def export_lines(events: Iterable[Event]) -> Iterator[str]:
    """Yield one line for each event, each id once, in fold order, line ends included."""
    unique = {event.id: event for event in events}
    for event in sorted(unique.values(), key=lambda event: (event.incident, event.order)):
        yield event.to_json() + "\n"


def read_lines(source: BinaryIO, now: datetime | None) -> Iterator[tuple[int, Event | str]]:
    """Yield each line's number and its event, or what is wrong with it; blank lines are skipped.

    With `now`, what lies after it is refused. One line is held at a time, and never more than `MAX_LINE`
    bytes of it.
    """
    number = 0
    while line := source.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            length = len(line)
            while line and not line.endswith(b"\n"):
                line = source.readline(MAX_LINE)
                length += len(line)
            yield number, f"{length} bytes long; an event has at most {MAX_LINE}"
        elif line.strip():
            yield number, _parse_line(line, now)


def import_lines(source: BinaryIO, journal: LocalJournal, *, now: datetime, strict: bool = False) -> Imported:
    """Take the good lines of `source` into the journal; with `strict`, all or none.

    An id that is here already counts as known when it says the same, and is refused when it
    says something else.

    Raises:
        JournalError: The journal failed. What was taken before stays, and importing again takes the rest.
    """
    findings: list[Finding] = []
    pending: dict[str, Event] = {}
    taken = known = 0
    for number, found in read_lines(source, now):
        if isinstance(found, str):
            findings.append(Finding(number, found))
            continue
        same_id = pending.get(found.id) or journal.find(found.id)
        if same_id is None:
            pending[found.id] = found
        elif same_id == found:
            known += 1
        else:
            findings.append(Finding(number, f"id {found.id} is taken by another event"))
        if len(pending) >= _BATCH and not strict:
            taken += journal.append(tuple(pending.values()))
            pending.clear()
    if strict and findings:
        return Imported(0, 0, tuple(findings))
    taken += journal.append(tuple(pending.values()))
    return Imported(taken, known, tuple(findings))


def _parse_line(line: bytes, now: datetime | None) -> Event | str:
    try:
        event = parse(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return f"not UTF-8 at byte {error.start + 1}"
    except EventError as error:
        return str(error)
    if now is None:
        return event
    for name, when in (("occurred_at", event.occurred_at), ("recorded_at", event.recorded_at)):
        if when > now + AHEAD:
            return f"{name}: {utc_text(when)} is in the future; now it is {utc_text(now)}"
    return event
