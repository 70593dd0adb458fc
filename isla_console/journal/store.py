"""The journal as a running console uses it: one thread reads and writes, failures are values.

Nothing is lost. What could not be written is kept in order and tried again; until it is on disk it is in no
incident, so that the screen never shows as saved what is not.
"""

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
    """How the journal stands: events waiting for the disk, and why they wait ("" when all is saved)."""

    pending: int = 0
    reason: str = ""


class JournalStore:
    """Holds every incident of one journal, folded, and keeps it up to date with all consoles on the host.

    All methods are for one event loop; the file is touched by one thread alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._journal: LocalJournal | None = None
        self._ledgers: dict[str, Ledger] = {}
        self._seen = 0
        self._waiting: list[Event] = []
        self._reason = ""
        self._turn = asyncio.Lock()

    @property
    def saved(self) -> Saved:
        return Saved(len(self._waiting), self._reason)

    @property
    def incidents(self) -> list[Incident]:
        """Every incident that can be folded, newest first."""
        folded = [ledger.incident for ledger in self._ledgers.values() if ledger.incident is not None]
        return sorted(folded, key=lambda incident: incident.declared_at, reverse=True)

    def incident(self, incident_id: str) -> Incident | None:
        ledger = self._ledgers.get(incident_id)
        return ledger.incident if ledger is not None else None

    async def open(self) -> None:
        """Open (or make) the journal and read it.

        Raises:
            JournalError: it cannot be used; the message says why and what to do. Nothing was overwritten.
        """
        self._journal = await self._run(lambda: LocalJournal.open(self.path))
        await self._pull()

    async def record(self, events: Sequence[Event]) -> bool:
        """Write events; true once they are on disk and folded. If not, they wait and are tried again."""
        async with self._turn:
            self._waiting.extend(events)
            return await self._flush()

    async def refresh(self) -> bool:
        """Write what waits, read what other consoles wrote; true if any incident changed. For a timer."""
        async with self._turn:
            if self._waiting:
                return await self._flush()
            try:
                if self._journal is not None and await self._run(self._journal.changed):
                    return await self._pull()
            except JournalError as error:
                self._reason = str(error)
            return False

    async def close(self) -> None:
        """Try once more to write what waits, then close the file."""
        async with self._turn:
            if self._waiting:
                await self._flush()
            if self._journal is not None:
                await self._run(self._journal.close)
                self._journal = None
        self._thread.shutdown(wait=False)

    async def _flush(self) -> bool:
        journal, batch = self._journal, list(self._waiting)
        if journal is None:
            return False
        try:
            await self._run(lambda: journal.append(batch))
        except JournalError as error:
            self._reason = str(error)
            return False
        self._waiting = self._waiting[len(batch) :]
        self._reason = ""
        await self._pull()
        return True

    async def _pull(self) -> bool:
        """Read what is new and fold it in."""
        journal, seen = self._journal, self._seen
        if journal is None:
            return False
        fresh = await self._run(lambda: journal.since(seen))
        news: dict[str, list[Event]] = {}
        for sequence, event in fresh:
            self._seen = max(self._seen, sequence)
            news.setdefault(event.incident, []).append(event)
        changed = False
        for incident_id, events in news.items():
            changed |= self._ledgers.setdefault(incident_id, Ledger()).add(events)
        return changed

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
