"""What a session is made of, as it sees them: its journal and its clock. Its monitor is `monitor.Monitor`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.journal.store import Saved
from isla_console.monitor.monitor import Monitor
from isla_console.runbook.model import Runbook

MakeMonitor = Callable[[Runbook], Monitor]
"""Makes what watches the platform that a runbook describes."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Aware UTC."""

    def jump(self) -> timedelta | None:
        """How far the wall clock was moved since it was last told; None when it was not."""


class Journal(Protocol):
    """Keeps every incident's events, and tells what they come to."""

    @property
    def saved(self) -> Saved:
        """How many events wait for the disk, and why."""

    @property
    def incidents(self) -> Sequence[Incident]:
        """Every incident, newest first."""

    def incident(self, incident_id: str) -> Incident | None:
        """One incident as it is now, if there is one of that id."""

    async def open(self) -> None:
        """Read what there is.

        Raises:
            JournalError: it cannot be used; why, and what to do.
        """

    async def record(self, events: Sequence[Event]) -> bool:
        """Write events; true once they last. What cannot be written now waits."""

    async def refresh(self) -> bool:
        """Write what waits and read what others wrote; true if any incident changed."""

    async def close(self) -> None:
        """Write what waits, and let go."""
