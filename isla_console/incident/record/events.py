"""An incident is its events: facts in the past tense, never changed once written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from isla_console.incident.record.ids import derived_id, time_ordered_id
from isla_console.incident.record.kinds import KINDS, MACHINE_KINDS, problems
from isla_console.text.times import as_stored, parse_utc, utc_text

__all__ = ["KINDS", "MACHINE_KINDS", "Author", "Event", "EventError", "derived_id", "event", "parse"]

_TEXTS = ("id", "incident", "actor", "host", "kind")
_TEXT_LIMIT = 200


class EventError(ValueError):
    """The text or data is no event; the message says which field and what was expected."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts, and on which host."""

    actor: str
    host: str


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of one incident.

    ``occurred_at`` (when it was so) may lie before ``recorded_at`` (when it was written);
    both are aware UTC with milliseconds. ``data`` is JSON-ready and never mutated.
    """

    id: str
    incident: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    host: str
    kind: str
    data: Mapping[str, Any]

    @property
    def is_human(self) -> bool:
        """True for what a person did; kinds of a newer console count as that too."""
        return self.kind not in MACHINE_KINDS

    @property
    def order(self) -> tuple[datetime, str]:
        """The key that events are folded by, whatever order they arrived in."""
        return (self.occurred_at, self.id)

    def to_dict(self) -> dict[str, Any]:
        """The event as the journal exports it; times as ``2026-11-23T14:00:00.000Z``."""
        return {
            "id": self.id,
            "incident": self.incident,
            "occurred_at": utc_text(self.occurred_at),
            "recorded_at": utc_text(self.recorded_at),
            "actor": self.actor,
            "host": self.host,
            "kind": self.kind,
            "data": dict(self.data),
        }

    def to_json(self) -> str:
        """One line of ASCII JSON without its end; harmless when it is printed in a terminal."""
        return json.dumps(self.to_dict(), separators=(",", ":"))


def event(
    kind: str,
    data: Mapping[str, Any],
    *,
    incident: str,
    author: Author,
    now: datetime,
    occurred_at: datetime | None = None,
    id: str | None = None,
) -> Event:
    """A new event recorded at ``now``; its id sorts by that time unless one is given.

    Raises EventError when ``data`` does not fit the kind.
    """
    if kind not in KINDS:
        raise EventError(f"kind: {kind!r} is not known")
    kept = {name: _writable(value) for name, value in data.items() if value is not None}
    wrong = problems(kind, kept)
    if wrong:
        raise EventError("; ".join(wrong))
    return Event(
        id=id or time_ordered_id(now),
        incident=incident,
        occurred_at=as_stored(now if occurred_at is None else occurred_at),
        recorded_at=as_stored(now),
        actor=author.actor,
        host=author.host,
        kind=kind,
        data=kept,
    )


def parse(source: str | Mapping[str, Any]) -> Event:
    """One event from a line of JSON or an object.

    Raises EventError naming the field: ``occurred_at: naive time; write …Z``. An unknown
    kind is taken as it is.
    """
    if isinstance(source, str):
        try:
            source = json.loads(source, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise EventError(f"not JSON: {error}") from None
    if not isinstance(source, Mapping):
        raise EventError("expected an object")
    wrong = [f"{name}: {why}" for name in _TEXTS if (why := _wrong_text(source.get(name)))]
    times: dict[str, datetime] = {}
    for name in ("occurred_at", "recorded_at"):
        value = source.get(name)
        if not isinstance(value, str):
            wrong.append(f"{name}: {'missing' if value is None else 'expected a time'}")
            continue
        try:
            times[name] = as_stored(parse_utc(value))
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    data = source.get("data")
    if not isinstance(data, dict):
        wrong.append(f"data: {'missing' if data is None else 'expected an object'}")
    elif isinstance(source.get("kind"), str):
        wrong.extend(problems(source["kind"], data))
    if wrong:
        raise EventError("; ".join(wrong))
    return Event(
        id=source["id"],
        incident=source["incident"],
        occurred_at=times["occurred_at"],
        recorded_at=times["recorded_at"],
        actor=source["actor"],
        host=source["host"],
        kind=source["kind"],
        data=_writable(data),
    )


def _wrong_text(value: Any) -> str | None:
    """What is wrong with an id, a name or a kind, which stand on one line everywhere."""
    if value is None:
        return "missing"
    if not isinstance(value, str) or not value.strip():
        return "expected text that is not empty"
    if len(value) > _TEXT_LIMIT:
        return f"longer than {_TEXT_LIMIT} characters"
    return None if value.isprintable() else "expected text without control characters"


def _writable(value: Any) -> Any:
    """The value with lone surrogates (bytes that were no UTF-8) replaced, so that it can be
    encoded and stored."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_writable(name): _writable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(inner) for inner in value]
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
