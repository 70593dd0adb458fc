"""What is measured, as the incident's journal has it: each change once, and what is known of before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from isla_console.incident.record.events import Author, Event, EventError, event
from isla_console.incident.record.facts import MeasuredChange, is_known_change
from isla_console.incident.record.state import Incident
from isla_console.monitor.monitor import Snapshot, Transition
from isla_console.session.first_seen import FirstSightings
from isla_console.session.reconcile import Reconciler


class MeasureLog:
    """Keeps the transitions between two ticks, and says which of them the journal lacks."""

    def __init__(self, author: Author, complain: Callable[[EventError], None]) -> None:
        """Journal as `author`; `complain` is told of a value that cannot be journalled."""
        self._author = author
        self._complain = complain
        self._waiting: list[Transition] = []
        self._told: dict[tuple[str, str], str] = {}
        """The state that a declaration told of each measure, until its next transition."""
        self.sightings = FirstSightings()
        """What was seen of each measure, also while no incident is open."""
        self._reconciler = Reconciler()

    def take(self, change: Transition) -> None:
        """Keep a transition until the next tick, and what it tells of the time before an incident."""
        self._waiting.append(change)
        self.sightings.take(change)

    def told(self, changes: Iterable[MeasuredChange]) -> None:
        """Note what a declaration tells of the measures, so that no transition is told a second time."""
        self._waiting.clear()
        self._told = {(change.kind, change.name): change.after for change in changes}

    def drop(self) -> None:
        """Forget the transitions that wait: there is no incident that they belong to."""
        self._waiting.clear()

    def events(self, incident: Incident, live: Snapshot | None, now: datetime) -> Iterator[Event]:
        """Yield the changes that this console saw and that the journal of the incident does not have.

        `live` is what is measured now, for those that a console which has ended could not journal.
        """
        changes, self._waiting = self._waiting, []
        for change in changes:
            if change.old == "unknown" and change.new == "ok":
                continue  # the console has only just begun to measure: nothing changed in production
            if self._told.pop((change.kind, change.name), None) == change.new:
                continue  # the declaration told it
            yield from self._lacking(change, incident, now, now)
        if live is not None:
            for change in self._reconciler.changes(incident, live, now):
                yield from self._lacking(change, incident, now, change.at)

    def _is_known(self, change: Transition, incident: Incident) -> bool:
        """Return whether the journal has this change already, from another console."""
        who = f"{self._author.actor}@{self._author.host}"
        measured = MeasuredChange(
            change.kind, change.name, change.old, change.new, change.value, change.at, who
        )
        return is_known_change(measured, incident.changes)

    def _lacking(
        self, change: Transition, incident: Incident, now: datetime, at: datetime
    ) -> Iterator[Event]:
        if self._is_known(change, incident):
            return
        data = {"name": change.name, "from": change.old, "to": change.new, "value": change.value or None}
        kind, author = f"{change.kind}_changed", self._author
        try:
            yield event(kind, data, incident=incident.id, author=author, now=now, occurred_at=at)
        except EventError as error:
            self._complain(error)
