"""The soak: every metric that was bad has to stay normal for a while before resolving."""

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
        watched: The metrics that count, because they were bad.
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


def soak(incident: Incident, now: datetime, metrics: Mapping[str, str] | None = None) -> Soak:
    """Judge the soak from the journal's metric changes, and from the live states where given.

    Every metric that was in alert or elevated since the declaration counts, and has to be `ok`:
    stale, unknown or blind is not. If none was ever bad, the time in `monitoring` counts.

    Args:
        incident: The incident as it is.
        now: Aware UTC.
        metrics: Maps names of metrics to their live states.
    """
    needed_s = incident.rule.soak_min * 60
    bad: dict[str, None] = {}
    state: dict[str, str] = {}
    ok_since: dict[str, datetime] = {}
    for change in incident.changes:
        if change.kind != "metric":
            continue
        # Bad since the declaration: also one that was bad when it was made.
        if change.after in _BAD or (change.before in _BAD and change.at >= incident.declared_at):
            bad.setdefault(change.name)
        state[change.name] = change.after
        if change.after != "ok":
            ok_since.pop(change.name, None)
        elif change.name not in ok_since:
            ok_since[change.name] = change.at
    for name, live in (metrics or {}).items():
        if name in bad and live != "ok":
            state[name] = live
    blockers = tuple(f"{name} is {state[name]}" for name in bad if state[name] != "ok")
    green_since: datetime | None = None
    if bad and not blockers:
        green_since = max(ok_since[name] for name in bad)
    elif not bad:
        green_since = _monitoring_since(incident)
        if green_since is None and needed_s > 0:
            blockers = ("no metric was bad, so the time in monitoring counts: enter it",)
    if blockers:
        return Soak(needed_s, None, None, None, blockers, tuple(bad), "; ".join(blockers))
    if green_since is None:
        return Soak(needed_s, None, 0.0, now, (), (), "no soak is asked for")
    ready_at = green_since + minutes(needed_s / 60)
    remaining = max(0.0, (ready_at - now).total_seconds())
    since = f"normal since {clock_text(green_since, now)}"
    if remaining:
        sentence = f"{since}, soaking {span_text(remaining)} more, to {clock_text(ready_at, now)}"
    else:
        sentence = f"{since}, the soak of {span_text(needed_s)} is green"
    return Soak(needed_s, green_since, remaining, ready_at, (), tuple(bad), sentence)


def _monitoring_since(incident: Incident) -> datetime | None:
    last = incident.states[-1]
    return last.at if last.state == "monitoring" else None
