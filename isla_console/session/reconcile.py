"""What the journal last said of a metric, held against what is measured now.

A console journals the changes that it sees. One that is cut off cannot take its last word back: the metric
that it called bad may be well by the time another console begins to look, which then sees no change.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from isla_console.incident.record.state import Incident
from isla_console.monitor.monitor import Snapshot, Transition

PATIENCE = timedelta(seconds=5)
"""Two consoles see the same change a moment apart: for so long the journal may differ."""


class Reconciler:
    """Remembers since when a metric is well that the journal does not call so."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], datetime] = {}

    def changes(self, incident: Incident, live: Snapshot, now: datetime) -> list[Transition]:
        """The metrics that have been so for too long, as changes from what was journalled."""
        told = {change.name: change.after for change in incident.changes if change.kind == "metric"}
        well = {
            (metric.id, told[metric.id]): metric.text
            for metric in live.metrics
            if metric.state == "ok" and told.get(metric.id, "ok") != "ok"
        }
        self._since = {key: self._since.get(key, now) for key in well}
        return [
            Transition(id, "metric", before, "ok", text, now)
            for (id, before), text in well.items()
            if now - self._since[id, before] >= PATIENCE
        ]
