"""Looking a journal over, and making a good one of a damaged one.

Salvaging never deletes: the damaged file is kept under another name. What its pages no longer give may be in
a backup, which is read as well; and each console that is open notices the new file and writes into it what it
knows.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Ledger
from isla_console.journal.backup import backups
from isla_console.journal.local import LocalJournal
from isla_console.journal.place import DamagedJournal, JournalError, beside, exists, identity, locked
from isla_console.journal.reading import reading
from isla_console.journal.rows import Damaged
from isla_console.text.times import stamp_text

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look over the journal found."""

    path: Path
    entries: int
    """Entries that are as they were written."""
    incidents: int
    unsealed: int
    """Of the entries, those without a checksum: an older console wrote them."""
    problem: str
    """What is wrong with the file as a whole; "" for nothing."""
    damaged: tuple[Damaged, ...]
    set_aside: tuple[tuple[str, int, str], ...]
    """Incidents that cannot be shown: id, number of entries, why."""

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.problem or self.damaged or self.set_aside)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of a damaged journal."""

    path: Path
    """The good journal."""
    kept: Path | None
    """Where the damaged one is; None where it was left in its place."""
    entries: int
    from_backups: int
    """Of the entries, those that only a backup still had."""
    lost: tuple[Damaged, ...]
    """Damaged entries that no backup has either."""


def verify(path: Path) -> Verified:
    """Read everything, and check each page and each checksum.

    Raises:
        JournalError: It cannot be read at all, is no journal, or is a newer console's.
    """
    with reading(path) as journal:
        problem = journal.check()
        events = [event for _, event in journal.since(0)]
        return Verified(
            path=path,
            entries=len(events),
            incidents=len({event.incident for event in events}),
            unsealed=journal.count_unsealed(),
            problem=problem,
            damaged=journal.damaged,
            set_aside=_set_aside(events),
        )


def salvage(path: Path, output: Path | None = None) -> Salvaged:
    """Write what can be read of the journal, and what backups have, into a good one.

    Args:
        path: The journal.
        output: Where the good one goes; by default it takes the journal's place.

    Raises:
        JournalError: Nothing can be read, or the good one cannot be written. The journal is as it was.
    """
    _check_output(path, output)
    events, damaged = _all_of(path) if exists(path) else ([], ())
    known = {event.id for event in events}
    added = [(seq, event) for seq, event in _of_backups(path) if event.id not in known]
    positions = {seq for seq, _ in added}
    found = {event.id for _, event in added} | known
    # A row that cannot be read at all has only its position, which is the same in a backup.
    lost = tuple(one for one in damaged if (one.id not in found if one.id else one.seq not in positions))
    if not found:
        raise JournalError(f"{path}: no entry can be read, and no backup has any")
    part = (output or path).with_name(f".{(output or path).name}.{os.getpid()}.part")
    try:
        _write(part, [*events, *(event for _, event in added)])
        kept = None
        if output is not None:
            part.replace(output)
        else:
            kept = _put_in_place(part, path)
    except OSError as error:
        raise JournalError(f"{output or path}: {error.strerror or error}") from None
    finally:
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                beside(part, ending).unlink(missing_ok=True)
    return Salvaged(output or path, kept, len(found), len(added), lost)


def _check_output(path: Path, output: Path | None) -> None:
    """Refuse to write over a file that is there.

    Raises:
        JournalError: There is one.
    """
    if output is not None and output.exists():
        raise JournalError(f"{output}: is there already; nothing was written")
    if not exists(path) and not backups(path):
        raise JournalError(f"{path}: there is no journal, and no backup of one")


def _all_of(path: Path) -> tuple[list[Event], tuple[Damaged, ...]]:
    """Return what can be read; nothing, where not even the file's first page can."""
    try:
        with reading(path) as journal:
            return [event for _, event in journal.since(0)], journal.damaged
    except DamagedJournal:
        return [], ()


def _of_backups(path: Path) -> list[tuple[int, Event]]:
    """Return every event of every backup once, with its position in the newest that has it."""
    found: dict[str, tuple[int, Event]] = {}
    for copy in backups(path):
        with contextlib.suppress(JournalError), reading(copy) as journal:
            for seq, event in journal.since(0):
                found.setdefault(event.id, (seq, event))
    return list(found.values())


def _write(part: Path, events: list[Event]) -> None:
    with LocalJournal.open(part) as journal:
        for begin in range(0, len(events), _BATCH):
            journal.append(events[begin : begin + _BATCH])
    with contextlib.closing(sqlite3.connect(part)) as connection:
        # One file, without a log beside it, so that it can be moved.
        connection.execute("PRAGMA journal_mode = DELETE")


def _put_in_place(part: Path, path: Path) -> Path:
    """Give the good journal its name, and keep the damaged one with its log under another."""
    kept = path.with_name(f"{path.name}.{stamp_text(datetime.now(UTC))}-{os.getpid()}.damaged")
    with locked(path.parent):
        log = beside(path, "-wal")
        if identity(path) is not None:
            path.rename(kept)
        if identity(log) is not None:
            log.rename(beside(kept, "-wal"))
        beside(path, "-shm").unlink(missing_ok=True)
        part.replace(path)
    return kept


def _set_aside(events: list[Event]) -> tuple[tuple[str, int, str], ...]:
    ledgers: dict[str, list[Event]] = {}
    for event in events:
        ledgers.setdefault(event.incident, []).append(event)
    found = []
    for id, own in sorted(ledgers.items()):
        ledger = Ledger()
        ledger.add(own)
        if ledger.problem:
            found.append((id, len(own), ledger.problem))
        elif ledger.incident is not None:
            for event_id, problem in ledger.incident.unusable.items():
                found.append((id, 1, f"entry {event_id}: {problem}"))
    return tuple(found)
