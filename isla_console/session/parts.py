"""The parts that a session is made with, as protocols: journal and clock. The third is `monitor.Monitor`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.journal.store import Saved, Unsaved
from isla_console.monitor.monitor import Monitor
from isla_console.runbook.model import Runbook

MakeMonitor = Callable[[Runbook], Monitor]
"""Makes the monitor of the platform that a runbook describes."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the time now, aware UTC."""

    def jump(self) -> timedelta | None:
        """Return how far the wall clock was moved since the last call; None when it was not."""


class Journal(Protocol):
    """Keeps every incident's events, and folds them into incidents."""

    @property
    def problem(self) -> str:
        """Why nothing can be written, since it could not be opened yet; "" once it was."""

    @property
    def saved(self) -> Saved:
        """How many events are not on disk yet, and why; and what befell the journal."""

    @property
    def unsaved(self) -> Sequence[Event]:
        """The events that are not on disk yet, oldest first."""

    @property
    def incidents(self) -> Sequence[Incident]:
        """Every incident, newest first."""

    def incident(self, incident_id: str) -> Incident | None:
        """Return the incident with an id as it is now; None if there is none."""

    async def open(self) -> None:
        """Read the journal; after a failure, `refresh` tries again.

        Raises:
            JournalError: It cannot be used; the message says why and what to do.
        """

    async def record(self, events: Sequence[Event]) -> bool:
        """Write events; return True once they are on disk. What cannot be written now waits."""

    async def refresh(self) -> bool:
        """Write what waits and read what others wrote; return whether any incident changed."""

    async def close(self, *, in_hurry: bool = False) -> Unsaved:
        """Write what waits, and close the journal; return what could not be saved, and where it is."""
