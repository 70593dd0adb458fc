"""The soak: what was bad has to stay normal for a while before resolving, and nothing may be unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from isla_console.incident.record.state import Incident
from isla_console.text.spans import span_text
from isla_console.text.times import clock_text, minutes

_BAD = frozenset({"alert", "elevated"})


@dataclass(frozen=True, slots=True)
class Soak:
    """How far the soak has come.

    Attributes:
        needed_s: Seconds for which everything has to stay normal.
        green_since: Since when it has been; None while something is not.
        remaining_s: Seconds left; None while something is not normal.
        ready_at: When it is complete if everything stays normal.
        blockers: What is not normal, or not known.
        watched: The metrics and probes that count, because they were bad.
        sentence: All of this in words.
    """

    needed_s: float
    green_since: datetime | None
    remaining_s: float | None
    ready_at: datetime | None
    blockers: tuple[str, ...]
    watched: tuple[str, ...]
    sentence: str

    @property
    def is_green(self) -> bool:
        """Whether the incident may be resolved without an override."""
        return not self.blockers and self.remaining_s == 0


def soak(incident: Incident, now: datetime, live: Mapping[str, str] | None = None) -> Soak:
    """Judge the soak from the journal's changes, and from the live states where given.

    Every metric and probe that was bad since the declaration counts, and has to be `ok`: stale, unknown or
    blind is not. Nor may anything else that is measured be anything but `ok` now: a soak that cannot see is
    not green. If nothing was ever bad, the time in `monitoring` counts, unless nothing is measured at all.

    Args:
        incident: The incident as it is.
        now: Aware UTC.
        live: Live states by name: a metric's id, or `probe <id>`; without what waits for a setting. Empty
            where nothing is measured, None where that is not known.
    """
    needed_s = incident.rule.soak_min * 60
    bad: dict[str, None] = {}
    state: dict[str, str] = {}
    ok_since: dict[str, datetime] = {}
    for change in incident.changes:
        if change.kind not in {"metric", "probe"}:
            continue
        name = change.name if change.kind == "metric" else f"probe {change.name}"
        # Bad since the declaration: also one that was bad when it was made.
        if change.after in _BAD or (change.before in _BAD and change.at >= incident.declared_at):
            bad.setdefault(name)
        state[name] = change.after
        if change.after != "ok":
            ok_since.pop(name, None)
        elif name not in ok_since:
            ok_since[name] = change.at
    unwell = {name: seen for name, seen in (live or {}).items() if seen != "ok"}
    state |= unwell
    blockers = tuple(
        f"{_named(incident, name)} is {state[name]}" for name in {**bad, **unwell} if state[name] != "ok"
    )
    green_since: datetime | None = None
    if bad and not blockers:
        green_since = max(ok_since[name] for name in bad)
    elif not bad:
        green_since = _monitoring_since(incident)
        if green_since is None and needed_s > 0:
            blockers = ("no metric was bad, so the time in monitoring counts: enter it",)
        elif green_since is not None and needed_s > 0 and live is not None and not live:
            blockers = ("nothing is measured here, and nothing ever was",)
    if blockers:
        return Soak(needed_s, None, None, None, blockers, tuple(bad), "; ".join(blockers))
    if green_since is None:
        return Soak(needed_s, None, 0.0, now, (), (), "no soak is asked for")
    ready_at = green_since + minutes(needed_s / 60)
    remaining = max(0.0, (ready_at - now).total_seconds())
    since = f"{'normal' if bad else 'nothing bad'} since {clock_text(green_since, now)}"
    if remaining:
        sentence = f"{since}, soaking {span_text(remaining)} more, to {clock_text(ready_at, now)}"
    else:
        sentence = f"{since}, the soak of {span_text(needed_s)} is green"
    return Soak(needed_s, green_since, remaining, ready_at, (), tuple(bad), sentence)


def _named(incident: Incident, name: str) -> str:
    """Return the name that people know a metric or a `probe <id>` by."""
    probe = name.removeprefix("probe ")
    return incident.name("metric", name) if probe == name else f"probe {incident.name('probe', probe)}"


def _monitoring_since(incident: Incident) -> datetime | None:
    last = incident.states[-1]
    return last.at if last.state == "monitoring" else None
