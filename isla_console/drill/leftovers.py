"""Incidents that an earlier drill left open: they are ended before the next one begins."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.record.events import Author, event
from isla_console.incident.record.state import fold
from isla_console.journal.local import JournalError, LocalJournal

_REASON = "its drill is over"
_DRILL = Author("drill", "drill")


@contextlib.contextmanager
def cancelled(journal: Path) -> Iterator[None]:
    """Cancel incidents left open in the drill's journal, unless another drill is working on them now.

    The context is this drill's own work: while it lasts, other drills leave the journal's incidents alone.
    """
    lock = os.open(journal.with_name("drill.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fcntl.flock(lock, fcntl.LOCK_SH)
        else:
            _cancel_open(journal)
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)


def _cancel_open(path: Path) -> None:
    if not path.exists():
        return
    # The console reports an unusable journal; an incident that cannot be cancelled stays open.
    with contextlib.suppress(JournalError, Refused), LocalJournal.open(path) as journal:
        for id in journal.incident_ids():
            incident = fold(journal.events(id))
            if incident is None or not incident.is_open:
                continue
            now = datetime.now(UTC)
            if incident.state == "resolved":  # it was one, whatever was still to be written about it
                over = {"state": "closed", "reason": _REASON}
                journal.append([event("state_changed", over, incident=id, author=_DRILL, now=now)])
            else:
                journal.append(commands.cancel(incident, _REASON, author=_DRILL, now=now))
