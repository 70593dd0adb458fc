"""The journal as a running console uses it: one thread reads and writes, failures are values.

Nothing is lost. What could not be written is kept in order and tried again; until it is on disk it is in no
incident, so that the screen never shows as saved what is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident, Ledger
from isla_console.journal.local import JournalError, LocalJournal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Saved:
    """Whether everything is saved: events waiting for the disk, and why they wait ("" if none do)."""

    pending: int = 0
    reason: str = ""


class JournalStore:
    """Holds every incident of one journal, folded, and keeps it up to date with all consoles on the host.

    All methods belong to one event loop; one thread alone touches the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._journal: LocalJournal | None = None
        self._ledgers: dict[str, Ledger] = {}
        self._last_position = 0
        self._waiting: list[Event] = []
        self._reason = ""
        self._lock = asyncio.Lock()

    @property
    def saved(self) -> Saved:
        """Whether everything is on disk."""
        return Saved(len(self._waiting), self._reason)

    @property
    def incidents(self) -> list[Incident]:
        """Every incident that can be folded, newest first."""
        folded = [ledger.incident for ledger in self._ledgers.values() if ledger.incident is not None]
        return sorted(folded, key=lambda incident: incident.declared_at, reverse=True)

    def incident(self, incident_id: str) -> Incident | None:
        """Return the incident with this id, if it can be folded."""
        ledger = self._ledgers.get(incident_id)
        return ledger.incident if ledger is not None else None

    async def open(self) -> None:
        """Open (or create) the journal and read it.

        Raises:
            JournalError: It cannot be used; the message says why and what to do. Nothing was overwritten.
        """
        self._journal = await self._in_thread(lambda: LocalJournal.open(self.path))
        await self._read_new()

    async def record(self, events: Sequence[Event]) -> bool:
        """Write events; true once they are on disk and folded, else they wait and are tried again."""
        # They wait from now on: who records may be cut off while another one has the lock.
        self._waiting.extend(events)
        async with self._lock:
            return await self._flush()

    async def refresh(self) -> bool:
        """Write what waits and read what other consoles wrote; true if any incident changed. For a timer."""
        async with self._lock:
            if self._waiting:
                return await self._flush()
            try:
                if self._journal is not None and await self._in_thread(self._journal.changed):
                    return await self._read_new()
            except JournalError as error:
                self._reason = str(error)
            return False

    async def close(self) -> None:
        """Try once more to write what waits, then close the file."""
        async with self._lock:
            if self._waiting:
                await self._flush()
            if self._journal is not None:
                await self._in_thread(self._journal.close)
                self._journal = None
        self._thread.shutdown(wait=False)

    async def _flush(self) -> bool:
        journal, batch = self._journal, list(self._waiting)
        if journal is None:
            return False
        try:
            await self._in_thread(lambda: journal.append(batch))
        except JournalError as error:
            self._reason = str(error)
            return False
        self._waiting = self._waiting[len(batch) :]
        self._reason = ""
        await self._read_new()
        return True

    async def _read_new(self) -> bool:
        """Read what is new and fold it in."""
        journal, position = self._journal, self._last_position
        if journal is None:
            return False
        fresh = await self._in_thread(lambda: journal.since(position))
        by_incident: dict[str, list[Event]] = {}
        for sequence, event in fresh:
            self._last_position = max(self._last_position, sequence)
            by_incident.setdefault(event.incident, []).append(event)
        changed = False
        for incident_id, events in by_incident.items():
            changed |= self._ledgers.setdefault(incident_id, Ledger()).add(events)
        return changed

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
