"""An incident is its events: facts in the past tense, never changed once written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from isla_console.incident.record.bounds import time_problem, value_problem
from isla_console.incident.record.ids import derived_id, time_ordered_id
from isla_console.incident.record.kinds import KINDS, MACHINE_KINDS, NOT_PEOPLE, problems
from isla_console.text.times import as_stored, parse_utc, utc_text

__all__ = ["KINDS", "MACHINE_KINDS", "Author", "Event", "EventError", "derived_id", "event", "parse"]

_TEXT_FIELDS = ("id", "incident", "actor", "host", "kind")
_TEXT_LIMIT = 200


class EventError(ValueError):
    """The text or data is not an event; the message names the field and what was expected."""


@dataclass(frozen=True, slots=True)
class Author:
    """The person who acts, and the host they act on."""

    actor: str
    host: str


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of one incident.

    Attributes:
        id: A UUID; sorts by `recorded_at` unless it was derived from what the event says.
        incident: The incident's id.
        occurred_at: When it happened, aware UTC with milliseconds; may lie before `recorded_at`.
        recorded_at: When it was written down, aware UTC with milliseconds.
        actor: The person who did it, or whose console found it.
        host: The host of that console.
        kind: A key of `kinds.KINDS`, or a kind that only a newer console knows.
        data: JSON-ready, and never mutated.
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
        """Whether a person did this; a kind that only a newer console knows counts as human."""
        return self.kind not in MACHINE_KINDS and self.data.get("by") not in NOT_PEOPLE

    @property
    def who(self) -> str:
        """The person who did it, or `console`: its person did not write what it wrote by itself."""
        return self.actor if self.is_human else "console"

    @property
    def order(self) -> tuple[datetime, str]:
        """The sort key by which events are folded, whatever order they arrived in."""
        return (self.occurred_at, self.id)

    def to_dict(self) -> dict[str, Any]:
        """Return the event as the journal exports it, with times such as `2026-11-23T14:00:00.000Z`."""
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
        """Return one line of ASCII JSON without a line end, harmless when it is printed in a terminal."""
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
    """Make an event recorded at `now`.

    Args:
        kind: A key of `kinds.KINDS`.
        data: What the kind carries; fields that are None are left out.
        incident: The incident's id.
        author: The person who acts, and the host.
        now: Aware UTC.
        occurred_at: When it happened; `now` unless given.
        id: A derived id; otherwise the id sorts by `now`.

    Raises:
        EventError: The kind is unknown, or `data` does not fit it.
    """
    if kind not in KINDS:
        raise EventError(f"kind: {kind!r} is not known")
    wrong = [f"data.{name}: {why}" for name, value in data.items() if (why := value_problem(value))]
    if wrong:
        raise EventError("; ".join(wrong))
    fields = {name: _without_surrogates(value) for name, value in data.items() if value is not None}
    wrong = problems(kind, fields)
    happened = as_stored(now if occurred_at is None else occurred_at)
    if problem := time_problem(happened):
        wrong.append(f"occurred_at: {problem}")
    if wrong:
        raise EventError("; ".join(wrong))
    return Event(
        id=id or time_ordered_id(now),
        incident=incident,
        occurred_at=happened,
        recorded_at=as_stored(now),
        actor=author.actor,
        host=author.host,
        kind=kind,
        data=fields,
    )


def parse(source: str | Mapping[str, Any]) -> Event:
    """Read one event from a line of JSON or from an object; an unknown kind is taken as it is.

    Raises:
        EventError: The message names each field that does not fit, such as
            `occurred_at: naive time; write …Z`.
    """
    if isinstance(source, str):
        try:
            source = json.loads(source, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise EventError(f"not JSON: {error}") from None
    if not isinstance(source, Mapping):
        raise EventError("expected an object")
    wrong = [f"{name}: {why}" for name in _TEXT_FIELDS if (why := _text_problem(source.get(name)))]
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
        else:
            wrong += [f"{name}: {why}" for why in [time_problem(times[name])] if why]
    data = source.get("data")
    if not isinstance(data, dict):
        wrong.append(f"data: {'missing' if data is None else 'expected an object'}")
    elif bad := [f"data.{name}: {why}" for name, value in data.items() if (why := value_problem(value))]:
        wrong.extend(bad)
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
        data=_without_surrogates(data),
    )


def _text_problem(value: Any) -> str | None:
    """Say what is wrong with an id, a name or a kind, each of which is shown on one line."""
    if value is None:
        return "missing"
    if not isinstance(value, str) or not value.strip():
        return "expected text that is not empty"
    if len(value) > _TEXT_LIMIT:
        return f"longer than {_TEXT_LIMIT} characters"
    return None if value.isprintable() else "expected text without control characters"


def _without_surrogates(value: Any) -> Any:
    """Replace lone surrogates (bytes that were not UTF-8), so that the value can be encoded and stored."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_without_surrogates(name): _without_surrogates(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(inner) for inner in value]
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
