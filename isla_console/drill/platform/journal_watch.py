"""Watching the drill's journal, because what the engineer does through the runbook's steps is an action too.

A drill has no stand-in for some things, such as a setting in a provider's dashboard. The engineer does the
runbook's step instead; the console journals it, and the platform reads that here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from isla_console.drill.scenario.actions import actions_of
from isla_console.incident.record.events import Event
from isla_console.journal.local import JournalError, LocalJournal
from isla_console.journal.place import MovedJournal

_POLL_S = 0.5


async def watch_journal(path: Path, began: datetime, observe: Callable[[str], None]) -> None:
    """Call `observe` with each action of events recorded since `began`, until cancelled."""
    journal: LocalJournal | None = None
    position = 0
    seen: set[str] = set()
    try:
        while True:
            await asyncio.sleep(_POLL_S)
            try:
                # The console creates the journal; until then there is nothing to read.
                if journal is None and await asyncio.to_thread(path.exists):
                    journal = await asyncio.to_thread(LocalJournal.open, path)
                news = await asyncio.to_thread(_news, journal, position) if journal is not None else []
            except MovedJournal:
                # The console goes on in a new file, which has all that the old one had.
                if journal is not None:
                    journal.close()
                journal, position = None, 0
                continue
            except JournalError:
                continue  # busy or incomplete: the next poll reads it
            for sequence, event in news:
                position = sequence
                if event.id in seen:
                    continue
                seen.add(event.id)
                if event.recorded_at >= began:
                    for action in actions_of(event):
                        observe(action)
    finally:
        if journal is not None:
            journal.close()


def _news(journal: LocalJournal, position: int) -> list[tuple[int, Event]]:
    journal.check_place()
    return journal.since(position)
