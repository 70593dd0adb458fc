"""Events as rows of the journal, each sealed with a checksum, and rows as events again.

A row that was changed, or is no event, is never taken for one: it comes back as `Damaged`, and every other
row is an event.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring as quoted
from typing import Any

from isla_console.incident.record.events import Event, EventError, parse
from isla_console.text.plain import plain
from isla_console.text.times import utc_text

COLUMNS = ("id", "incident", "occurred_at", "recorded_at", "actor", "host", "kind", "data")
"""What an event says. In the table these follow `seq`, and `checksum` follows them."""
SEALED = f"seq, {', '.join(COLUMNS)}, checksum"
"""What `read_rows` wants of each row, for a SELECT."""
UNSEALED = f"seq, {', '.join(COLUMNS)}, x''"
"""The same of a journal that has no checksums yet."""
CHANGED = "its checksum says that it was changed after it was written"

_ORDERED = frozenset({"declared"})
"""Kinds in whose data the order of names means something: the severities of a policy, gravest first."""
_DATA = 8
"""Where in a row of `SEALED` the data is."""

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A row that is set aside: its position, what it says of itself, and why it is no event."""

    seq: int
    id: str
    incident: str
    problem: str

    def __str__(self) -> str:
        name = f" (id {self.id}, of {self.incident})" if self.id else ""
        return f"entry {self.seq}{name}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Rows:
    """What was read: each event with its position, and the rows that were set aside."""

    events: list[tuple[int, Event]]
    damaged: list[Damaged]


def to_row(event: Event) -> tuple[str | bytes, ...]:
    """Return the values of `COLUMNS` and the checksum."""
    data = json.dumps(
        event.data, ensure_ascii=False, separators=(",", ":"), sort_keys=event.kind not in _ORDERED
    )
    row = (
        event.id,
        event.incident,
        utc_text(event.occurred_at),
        utc_text(event.recorded_at),
        event.actor,
        event.host,
        event.kind,
        data,
    )
    return (*row, checksum(event))


def checksum(event: Event) -> bytes:
    """Return the SHA-256 of the event's canonical JSON: names sorted, no spaces, UTF-8."""
    text = json.dumps(event.to_dict(), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def read_rows(rows: Sequence[Row]) -> Rows:
    """Make events of rows of `SEALED` or `UNSEALED`, in their order. Nothing in a row raises."""
    sealed: list[Row] = []
    others: list[tuple[int, Event]] = []
    damaged: list[Damaged] = []
    sha256 = hashlib.sha256
    for row in rows:
        try:
            _, id, incident, occurred_at, recorded_at, actor, host, kind, data, seal = row
            # Canonical JSON without writing the data again: it is stored in that form.
            canonical = (
                f'{{"actor":{quoted(actor)},"data":{data},"host":{quoted(host)},"id":{quoted(id)},'
                f'"incident":{quoted(incident)},"kind":{quoted(kind)},'
                f'"occurred_at":"{occurred_at}","recorded_at":"{recorded_at}"}}'
            )
            if sha256(canonical.encode()).digest() == seal:
                sealed.append(row)
                continue
        except (TypeError, ValueError):
            pass  # not even text: looked at closely below
        found = _read_one(row)
        if isinstance(found, Damaged):
            damaged.append(found)
        else:
            others.append((row[0], found))
    events = _read_sealed(sealed)
    if others:
        events = sorted([*events, *others], key=lambda entry: entry[0])
    return Rows(events, damaged)


def _read_sealed(rows: Sequence[Row]) -> list[tuple[int, Event]]:
    """Make events of rows that are as a console wrote them, and so were checked before they were written."""
    # All data at once, in half the time of parsing each.
    found = json.loads(f"[{','.join([row[_DATA] for row in rows])}]")
    events: list[tuple[int, Event]] = []
    when = datetime.fromisoformat
    for row, data in zip(rows, found, strict=True):
        seq, id, incident, occurred_at, recorded_at, actor, host, kind, _, _ = row
        happened = when(occurred_at)
        written = happened if recorded_at == occurred_at else when(recorded_at)
        events.append((seq, Event(id, incident, happened, written, actor, host, kind, data)))
    return events


def _read_one(row: Row) -> Event | Damaged:
    """Read one row with every check that an import has."""
    seq, *fields, seal = row
    said = dict(zip(COLUMNS, fields, strict=True))
    try:
        event = parse({**said, "data": json.loads(said["data"])})
    except EventError as error:
        problem = str(error)
    except (ValueError, TypeError, RecursionError):
        problem = "data: not JSON"
    else:
        if seal in (b"", checksum(event)):
            return event
        problem = CHANGED
    # A row that is as it was written, and still no event, is not the disk's fault.
    if seal != b"" and not _was_sealed_so(said, seal):
        problem = CHANGED
    return Damaged(int(seq), _name(said["id"]), _name(said["incident"]), problem)


def _was_sealed_so(said: dict[str, Any], seal: Any) -> bool:
    """Return whether a row is as it was written, whatever it says."""
    try:
        body = {**said, "data": json.loads(said["data"])}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return bool(hashlib.sha256(text.encode()).digest() == seal)
    except (ValueError, TypeError, RecursionError):
        return False


def _name(value: Any) -> str:
    """Return an id as it may be shown, whatever became of it."""
    return plain(str(value))[:80]
