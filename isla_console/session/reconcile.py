"""Reconciling what the journal last said of a metric with what is measured now.

A console journals the transitions that it sees. One that is cut off leaves its last entry standing: the
metric that it called bad may be well by the time another console starts, which then sees no transition.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from isla_console.incident.record.state import Incident
from isla_console.monitor.monitor import Snapshot, Transition

PATIENCE = timedelta(seconds=5)
"""How long the journal may differ, because two consoles see the same transition at different moments."""


class Reconciler:
    """Remembers since when each metric has been well that the journal calls bad."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], datetime] = {}

    def changes(self, incident: Incident, live: Snapshot, now: datetime) -> list[Transition]:
        """Return the transitions that the journal lacks, of metrics that have been well for long enough."""
        journalled = {change.name: change.after for change in incident.changes if change.kind == "metric"}
        well = {
            (metric.id, journalled[metric.id]): metric.text
            for metric in live.metrics
            if metric.state == "ok" and journalled.get(metric.id, "ok") != "ok"
        }
        self._since = {key: self._since.get(key, now) for key in well}
        return [
            Transition(id, "metric", before, "ok", text, now)
            for (id, before), text in well.items()
            if now - self._since[id, before] >= PATIENCE
        ]
