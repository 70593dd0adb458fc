"""The runbook's templates, filled from the incident."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from isla_console.incident.record.state import Incident
from isla_console.incident.rules.cadence import promised_next
from isla_console.text.times import day_text, formal_text, iso_moment

SERVICE_PLACE = "[service]"
IMPACT_PLACE = "[description of impact]"
"""What the console's own texts have where nobody has said what is affected, or how."""
_PROMISE = re.compile(r"by (?P<time>\d\d:\d\d) UTC on (?P<day>\d{4}-\d\d-\d\d)")
_BRACKETS = re.compile(r"\[[^\[\]\n]{1,120}\]")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text ready to edit; `left` are the placeholders that are still in it."""

    text: str
    left: tuple[str, ...]


def fill(
    template: str,
    placeholders: Mapping[str, str],
    incident: Incident,
    now: datetime,
    *,
    service: str | None = None,
) -> Filled:
    """Fill a template with what the incident knows; times are absolute, in UTC.

    Args:
        template: The runbook's text.
        placeholders: Maps a piece of that text to the name of the value that replaces it.
        incident: The incident as it is.
        now: Aware UTC.
        service: What is affected, in customers' words; None or "" where nobody has any, which leaves the
            place to a person. The incident's own title is ours and goes into no text.

    Returns:
        The text, and the placeholders left in it, which only a person can fill.
    """
    values = _known_values(incident, now, service or "")
    known = {place: values[name] for place, name in placeholders.items() if values.get(name)}
    text = template
    if known:
        # In one pass, so that a value that looks like a placeholder is left alone.
        pieces = re.compile("|".join(re.escape(place) for place in sorted(known, key=len)[::-1]))
        text = pieces.sub(lambda found: known[found[0]], template)
    return Filled(text, tuple(place for place in placeholders if place not in known))


def unfilled(text: str, placeholders: Iterable[str] | None = None) -> tuple[str, ...]:
    """List what is still to be filled: those of `placeholders` in the text, or whatever is in brackets.

    The places of the console's own texts count everywhere.
    """
    if placeholders is None:
        return tuple(dict.fromkeys(_BRACKETS.findall(text)))
    places = dict.fromkeys((*placeholders, SERVICE_PLACE, IMPACT_PLACE))
    return tuple(place for place in places if place in text)


def passed_promises(text: str, now: datetime) -> tuple[str, ...]:
    """Return the times by which a text promises the next word, as it writes them, that have passed."""
    found = []
    for promise in _PROMISE.finditer(text):
        with contextlib.suppress(ValueError):
            if iso_moment(f"{promise['day']}T{promise['time']}Z") <= now:
                found.append(promise[0].removeprefix("by "))
    return tuple(dict.fromkeys(found))


def final_update(incident: Incident, now: datetime, *, service: str | None = None) -> str:
    """Draft the last update after a resolve, for a person to finish."""
    start = formal_text(incident.impact_started_at)
    lines = [
        f"Resolved: the issue affecting {service or SERVICE_PLACE}.",
        f"Impact: {incident.impact or IMPACT_PLACE}",
        f"It lasted from {start} to {formal_text(now)}.",
    ]
    return "\n".join(lines)


def internal_update(incident: Incident, now: datetime) -> str:
    """Draft an update to colleagues: the state, the commander, and when the next update comes."""
    following = promised_next(incident, now)
    since = formal_text(incident.states[-1].at)
    lines = [
        f"{incident.severity} {incident.title}: {incident.state} since {since}.",
        f"Impact: {incident.impact or IMPACT_PLACE}",
        f"Commander: {incident.commander or 'nobody yet'}.",
    ]
    if following is not None:
        lines.append(f"Next word by {formal_text(following)}.")
    return "\n".join(lines)


def channel_of(incident: Incident, others: Iterable[Incident]) -> str:
    """Return the name of an incident's channel, by its place among those declared on the same day."""
    day = incident.declared_at.astimezone(UTC).date()
    same_day = {
        other.id: other.declared_at
        for other in (*others, incident)
        if other.declared_at.astimezone(UTC).date() == day
    }
    order = sorted(same_day, key=lambda id: (same_day[id], id))
    place = order.index(incident.id) + 1
    base = f"#incident-{day_text(incident.declared_at)}"
    return base if place == 1 else f"{base}-{place}"


def _known_values(incident: Incident, now: datetime, service: str) -> dict[str, str]:
    end = incident.ended_at
    following = promised_next(incident, now)
    return {
        "service": service,
        "feature": service,
        "date": day_text(incident.impact_started_at),
        "impact": incident.impact,
        "start": formal_text(incident.impact_started_at),
        "end": formal_text(end) if end is not None else "",
        "next_update": f"by {formal_text(following)}" if following else "when there is news",
    }
