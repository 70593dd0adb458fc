"""The journal as a running console uses it: one thread reads and writes, failures are values.

Nothing is lost. What could not be written is kept in order and tried again; until it is on disk it is in no
incident, so that the screen never shows as saved what is not. A journal that could not be opened is tried
again; one that was moved away, or replaced, is noticed, and what this console knows is written into the file
that has its name now.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident, Ledger
from isla_console.journal.local import OPEN_S, LocalJournal
from isla_console.journal.place import DamagedJournal, JournalError, MovedJournal
from isla_console.journal.rows import Damaged

T = TypeVar("T")

RETRY_S = 2.0
"""Seconds between two attempts to open a journal that could not be opened."""
NOTE_S = 600.0
"""How long what befell the journal is shown."""
BACKUP_S = 5.0
"""How long leaving waits for a backup that was begun."""
_ENDS = frozenset({"closed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Saved:
    """Whether everything is saved.

    `pending` events wait for the disk, and `reason` says why ("" if none do); `notes` say what befell the
    journal, and what of it was set aside.
    """

    pending: int = 0
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What a console that ends could not save: the events, where they are now ("" for nowhere), and why."""

    events: tuple[Event, ...] = ()
    place: str = ""
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
        self._damaged: tuple[Damaged, ...] = ()
        self._last_position = 0
        self._waiting: list[Event] = []
        self._reason = ""
        self._problem = "the journal is not open yet: another program may hold it"
        self._try_at = 0.0
        self._is_behind = False
        self._notes: dict[str, float] = {}
        self._backups: set[asyncio.Task[None]] = set()
        self._kept: Path | None = None
        """Where what waits is kept, in case this console is killed."""
        self._kept_events: tuple[Event, ...] = ()
        self._lock = asyncio.Lock()

    @property
    def problem(self) -> str:
        """Why nothing can be written, since the journal could not be opened yet; "" once it was."""
        return self._problem

    @property
    def unsaved(self) -> tuple[Event, ...]:
        """The events that wait for the disk, oldest first."""
        return tuple(self._waiting)

    @property
    def saved(self) -> Saved:
        """Whether everything is on disk, and what befell the journal."""
        now = time.monotonic()
        notes = [text for text, until in self._notes.items() if now < until]
        return Saved(len(self._waiting), self._reason, (*self._set_aside(), *notes))

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
        """Open (or create) the journal and read it; after a failure, `refresh` tries again.

        Raises:
            JournalError: It cannot be used now; the message says why and what to do. Nothing was overwritten.
        """
        async with self._lock:
            await self._open(OPEN_S)

    async def record(self, events: Sequence[Event]) -> bool:
        """Write events; true once they are on disk and folded, else they wait and are tried again."""
        # They wait from now on: who records may be cut off while another one has the lock.
        self._waiting.extend(events)
        async with self._lock:
            done = await self._flush()
        if done and any(_is_end(event) for event in events):
            task = asyncio.create_task(self._back_up())
            self._backups.add(task)
            task.add_done_callback(self._backups.discard)
        return done

    async def refresh(self) -> bool:
        """Write what waits and read what other consoles wrote; true if any incident changed. For a timer."""
        async with self._lock:
            opened = False
            if self._journal is None:
                opened = await self._try_again()
            journal = self._journal
            if journal is None:
                return False
            if self._waiting:
                return await self._flush() or opened
            try:
                if await self._in_thread(journal.changed) or self._is_behind:
                    return await self._read_new() or opened
            except MovedJournal as moved:
                await self._follow(moved)
                return True
            except JournalError as error:
                self._reason = str(error)
            else:
                self._reason = ""
            return opened

    async def close(self, *, in_hurry: bool = False) -> Unsaved:
        """Try once more to write what waits, and close the file; what is still not saved goes elsewhere.

        Args:
            in_hurry: Whether there is no time to try, as the process is being ended: the thread may wait for
                whoever holds the journal.
        """
        if in_hurry and self._waiting:
            return await asyncio.to_thread(self._unsaved, tuple(self._waiting))
        if self._backups and not in_hurry:
            await asyncio.wait(self._backups, timeout=BACKUP_S)
        async with self._lock:
            if self._waiting:
                if self._journal is None:
                    self._try_at = 0.0
                    await self._try_again()
                await self._flush()
            if self._journal is not None:
                await self._in_thread(self._journal.close)
                self._journal = None
            unsaved = await self._in_thread(lambda: self._unsaved(tuple(self._waiting)))
            self._waiting.clear()
        self._thread.shutdown(wait=False)
        return unsaved

    async def _open(self, wait_s: float) -> None:
        """Open the file that has the journal's name now, and write into it what this console knows."""
        known = [event for ledger in self._ledgers.values() for event in ledger.events]
        try:
            journal = await self._in_thread(lambda: _open_with(self.path, known, wait_s))
        except JournalError as error:
            if self._problem:
                self._problem = _tried_again(error)
            if isinstance(error, DamagedJournal):
                await self._read_what_is_left()
            raise
        self._journal = journal
        self._problem = self._reason = ""
        self._last_position = 0
        await self._take_in(journal)
        await self._read_new()

    async def _try_again(self) -> bool:
        """Open the journal that could not be opened, unless that was tried just now."""
        now = time.monotonic()
        if now < self._try_at:
            return False
        self._try_at = now + RETRY_S
        try:
            await self._open(RETRY_S / 2)
        except JournalError as error:
            if not self._problem:
                self._reason = _tried_again(error)
            return False
        return True

    async def _follow(self, moved: MovedJournal) -> None:
        """Go on in the file that has the journal's name now: a new one, or another one that was put there."""
        if self._journal is not None:
            await self._in_thread(self._journal.leave)
            self._journal = None
        self._try_at = 0.0
        count = sum(len(ledger.events) for ledger in self._ledgers.values())
        if await self._try_again():
            what = "all entries that it knows" if count else "whatever comes"
            self._note(f"{moved}; {what} {'are' if count else 'goes'} in the file that is there now")
        elif not self._reason:
            self._reason = str(moved)

    async def _take_in(self, journal: LocalJournal) -> None:
        """Take in what earlier consoles could not save."""
        from isla_console.journal.spool import take_in

        try:
            taken = await self._in_thread(lambda: take_in(journal))
        except (JournalError, OSError) as error:
            self._note(f"what an earlier console could not save was not taken in: {error}")
            return
        for said in taken.said:
            self._note(said)

    async def _flush(self) -> bool:
        for _ in range(2):
            journal, batch = self._journal, list(self._waiting)
            if journal is None:
                await self._in_thread(lambda: self._keep(tuple(self._waiting)))
                return False
            try:
                await self._in_thread(lambda: journal.append(batch))  # noqa: B023 - awaited here
            except MovedJournal as moved:
                await self._follow(moved)
                continue
            except JournalError as error:
                self._reason = _tried_again(error)
                await self._in_thread(lambda: self._keep(tuple(self._waiting)))
                return False
            self._waiting = self._waiting[len(batch) :]
            self._reason = ""
            if self._kept is not None:
                await self._in_thread(self._forget_kept)
            try:
                await self._read_new()
            except JournalError as error:
                self._reason = str(error)
            return True
        return False

    async def _read_new(self) -> bool:
        """Read what is new and fold it in."""
        journal, position = self._journal, self._last_position
        if journal is None:
            return False
        self._is_behind = True
        fresh = await self._in_thread(lambda: journal.since(position))
        self._is_behind = False
        self._damaged = journal.damaged
        if fresh:
            self._last_position = max(self._last_position, fresh[-1][0])
        return self._fold([event for _, event in fresh])

    async def _read_what_is_left(self) -> None:
        """Show what can be read of a damaged journal, in which nothing can be written."""
        from isla_console.journal.reading import reading

        def work() -> tuple[list[Event], tuple[Damaged, ...]]:
            with reading(self.path) as journal:
                return [event for _, event in journal.since(0)], journal.damaged

        try:
            events, self._damaged = await self._in_thread(work)
        except JournalError:
            return  # why it cannot be opened is on the screen already
        self._fold(events)

    def _fold(self, events: Sequence[Event]) -> bool:
        by_incident: dict[str, list[Event]] = {}
        for event in events:
            by_incident.setdefault(event.incident, []).append(event)
        changed = False
        for incident_id, found in by_incident.items():
            changed |= self._ledgers.setdefault(incident_id, Ledger()).add(found)
        return changed

    async def _back_up(self) -> None:
        from isla_console.journal.backup import back_up

        try:
            await asyncio.to_thread(back_up, self.path, why="closed")
        except JournalError as error:
            self._note(str(error))

    def _keep(self, events: tuple[Event, ...]) -> str:
        """Keep in a file what waits, for a console that is killed; return why that is not possible, or ""."""
        from isla_console.journal.spool import spool

        if not events or (events == self._kept_events and self._kept is not None and self._kept.exists()):
            return ""
        old = self._kept
        try:
            self._kept = spool(self.path, events)
        except JournalError as error:
            return str(error)
        self._kept_events = events
        if old is not None:
            old.unlink(missing_ok=True)
        return ""

    def _forget_kept(self) -> None:
        """Remove the file of what is saved by now; another console may have taken it in."""
        if self._kept is not None:
            with contextlib.suppress(OSError):
                self._kept.unlink(missing_ok=True)
            self._kept, self._kept_events = None, ()

    def _unsaved(self, events: tuple[Event, ...]) -> Unsaved:
        """Say what is not saved, and where it is."""
        if not events:
            return Unsaved()
        if problem := self._keep(events):
            return Unsaved(events, "", f"{self._why()}; nor elsewhere: {problem}")
        return Unsaved(events, str(self._kept), self._why())

    def _why(self) -> str:
        """Say why what waits is not saved."""
        return self._reason or self._problem or "the console was ended while it saved"

    def _set_aside(self) -> list[str]:
        """Say what of the journal is not shown, and why."""
        said = []
        if self._damaged:
            more = f" and {len(self._damaged) - 1} more" if len(self._damaged) > 1 else ""
            said.append(f"set aside: {self._damaged[0]}{more}. isla-console journal verify lists all")
        for id, ledger in self._ledgers.items():
            if problem := ledger.problem:
                said.append(f"set aside: {id}, {len(ledger.events)} entries: {problem}")
        return said[:2] + ([f"and {len(said) - 2} more incidents set aside"] if len(said) > 2 else [])

    def _note(self, text: str) -> None:
        self._notes[text] = time.monotonic() + NOTE_S

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _open_with(path: Path, known: Sequence[Event], wait_s: float) -> LocalJournal:
    """Open the journal, and write into it what it may lack."""
    journal = LocalJournal.open(path, wait_s=wait_s)
    try:
        if known:
            journal.append(known)
    except BaseException:
        journal.close()
        raise
    return journal


def _is_end(event: Event) -> bool:
    return event.kind == "merged" or (event.kind == "state_changed" and event.data.get("state") in _ENDS)


def _tried_again(error: JournalError) -> str:
    return f"{error}; it is tried again"
