"""Reconciling what the journal last said of a metric or probe with what is measured now.

A console journals the transitions that it sees. One that is cut off leaves its last entry standing: what it
called bad may be well by the time another console starts, which then sees no transition.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from isla_console.incident.record.state import Incident
from isla_console.monitor.metrics.sample import State
from isla_console.monitor.monitor import Snapshot, Transition, TransitionKind

_Gap = tuple[TransitionKind, str, str]
"""Kind and id of what is well, and what the journal last said of it."""

PATIENCE = timedelta(seconds=5)
"""How long the journal may differ, because two consoles see the same transition at different moments."""


class Reconciler:
    """Remembers since when each metric and probe has been well that the journal calls bad."""

    def __init__(self) -> None:
        self._since: dict[_Gap, datetime] = {}

    def changes(self, incident: Incident, live: Snapshot, now: datetime) -> list[Transition]:
        """Return the transitions that the journal lacks, of what has been well for long enough.

        One is of when the measure became well, where this console saw that; else of now.
        """
        last = {(change.kind, change.name): change for change in incident.changes}
        measured: list[tuple[TransitionKind, str, State, str, datetime | None]] = [
            *(("metric", one.id, one.state, one.text, one.since) for one in live.metrics),
            *(("probe", one.id, one.state, one.reason, one.since) for one in live.probes),
        ]
        well: dict[_Gap, tuple[str, datetime]] = {}
        for kind, id, state, text, since in measured:
            known = last.get((kind, id))
            if state == "ok" and known is not None and known.after != "ok":
                at = since if since is not None and known.at < since <= now else now
                well[kind, id, known.after] = (text, at)
        self._since = {gap: self._since.get(gap, now) for gap in well}
        return [
            Transition(id, kind, before, "ok", text, at)
            for (kind, id, before), (text, at) in well.items()
            if now - self._since[kind, id, before] >= PATIENCE
        ]
