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

_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
_in_order = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

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
    """What was read: the events, the position of each, and the rows that were set aside."""

    events: list[Event]
    positions: list[int]
    damaged: list[Damaged]


def to_row(event: Event) -> tuple[str | bytes, ...]:
    """Return the values of `COLUMNS` and the checksum."""
    is_ordered = event.kind in _ORDERED
    occurred_at = utc_text(event.occurred_at)
    row = (
        event.id,
        event.incident,
        occurred_at,
        occurred_at if event.recorded_at == event.occurred_at else utc_text(event.recorded_at),
        event.actor,
        event.host,
        event.kind,
        (_in_order if is_ordered else _canonical)(event.data),
    )
    return (*row, checksum(event) if is_ordered else _seal(*row))


def checksum(event: Event) -> bytes:
    """Return the SHA-256 of the event's canonical JSON: names sorted, no spaces, UTF-8."""
    return hashlib.sha256(_canonical(event.to_dict()).encode()).digest()


def _seal(
    id: str, incident: str, occurred_at: str, recorded_at: str, actor: str, host: str, kind: str, data: str
) -> bytes:
    """Return the same for a row whose data is canonical, without writing the data again."""
    text = (
        f'{{"actor":{quoted(actor)},"data":{data},"host":{quoted(host)},"id":{quoted(id)},'
        f'"incident":{quoted(incident)},"kind":{quoted(kind)},'
        f'"occurred_at":"{occurred_at}","recorded_at":"{recorded_at}"}}'
    )
    return hashlib.sha256(text.encode()).digest()


def read_rows(rows: Sequence[Row]) -> Rows:
    """Make events of rows of `SEALED` or `UNSEALED`, in their order. Nothing in a row raises."""
    sealed = [row for row in rows if _is_sealed(row)]
    found = Rows(_read_sealed(sealed), [row[0] for row in sealed], [])
    if len(sealed) == len(rows):
        return found
    events = dict(zip(found.positions, found.events, strict=True))
    for row in rows:
        if row[0] not in events:
            one = _read_one(row)
            if isinstance(one, Damaged):
                found.damaged.append(one)
            else:
                events[row[0]] = one
    positions = sorted(events)
    return Rows([events[position] for position in positions], positions, found.damaged)


def _is_sealed(row: Row) -> bool:
    try:
        return bool(_seal(*row[1:-1]) == row[-1])
    except (TypeError, ValueError):
        return False  # not even text


def _read_sealed(rows: Sequence[Row]) -> list[Event]:
    """Make events of rows that are as a console wrote them, and so were checked before they were written."""
    # All data at once, in half the time of parsing each.
    found = json.loads(f"[{','.join([row[_DATA] for row in rows])}]")
    when = datetime.fromisoformat
    return [
        Event(row[1], row[2], when(row[3]), when(row[4]), row[5], row[6], row[7], data)
        for row, data in zip(rows, found, strict=True)
    ]


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
        return bool(hashlib.sha256(_canonical(body).encode()).digest() == seal)
    except (ValueError, TypeError, RecursionError):
        return False


def _name(value: Any) -> str:
    """Return an id as it may be shown, whatever became of it."""
    return plain(str(value))[:80]
