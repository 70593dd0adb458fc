"""The runbook's templates, filled from the incident."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from isla_console.incident.cadence import promised_next
from isla_console.incident.state import Incident

_BRACKETS = re.compile(r"\[[^\[\]\n]{1,120}\]")
_NEXT_IN = re.compile(r"Next update in \d+ minutes\.?")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text ready to edit; ``left`` are the bracketed places nobody has filled."""

    text: str
    left: tuple[str, ...]


def fill(
    template: str,
    incident: Incident,
    now: datetime,
    *,
    service: str | None = None,
) -> Filled:
    """The template with what the incident knows; times absolute, in UTC.

    ``service`` names what is affected (an issue's title); the incident's title by default.
    What only a person can say stays in its brackets.
    """
    values = _values(incident, now, service or incident.title)

    def value(match: re.Match[str]) -> str:
        return values.get(match[0][1:-1].strip().casefold()) or match[0]

    text = _BRACKETS.sub(value, template)
    following = promised_next(incident, now)
    if following is not None:
        text = _NEXT_IN.sub(f"Next update by {_absolute(following)}.", text)
    elif incident.state in ("resolved", "closed"):
        text = _NEXT_IN.sub("This is the last update on this incident.", text)
    return Filled(text, unfilled(text, placeholders(template)))


def placeholders(template: str) -> tuple[str, ...]:
    """The bracketed places of a template, each once: ``("[service]", …)``."""
    return tuple(dict.fromkeys(_BRACKETS.findall(template)))


def unfilled(text: str, places: Sequence[str] | None = None) -> tuple[str, ...]:
    """The bracketed places still in a text: of those given, or any at all."""
    found = dict.fromkeys(_BRACKETS.findall(text))
    return tuple(place for place in found if places is None or place in places)


def final_update(incident: Incident, now: datetime, *, service: str | None = None) -> str:
    """The last word after a resolve, drafted for a person to finish."""
    start = _absolute(incident.impact_started_at)
    lines = [
        f"Resolved: the issue affecting {service or incident.title}.",
        f"Impact: {incident.impact or '[description of impact]'}",
        f"It lasted from {start} to {_absolute(now)}.",
    ]
    return "\n".join(lines)


def channel_name(now: datetime, taken: Sequence[str] = ()) -> str:
    """``#incident-2026-11-23``, and ``-2`` for the second of a day.

    ``taken`` are the ids, or the channels, of incidents declared on the same day.
    """
    base = f"#incident-{now.astimezone(UTC):%Y-%m-%d}"
    return base if not taken else f"{base}-{len(taken) + 1}"


def _values(incident: Incident, now: datetime, service: str) -> dict[str, str]:
    end = incident.ended_at
    return {
        "service": service,
        "feature": service,
        "date": f"{incident.impact_started_at.astimezone(UTC):%Y-%m-%d}",
        "description of impact": incident.impact,
        "what users experienced": incident.impact,
        "start": _absolute(incident.impact_started_at),
        "end": _absolute(end) if end is not None else "",
    }


def _absolute(when: datetime) -> str:
    return f"{when.astimezone(UTC):%H:%M} UTC on {when.astimezone(UTC):%Y-%m-%d}"
