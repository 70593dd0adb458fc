"""The platform looks over the engineer's shoulder: steps that the drill's journal tells of are deeds too.

What a rehearsal cannot stand in for, such as a setting in a provider's dashboard, is done by doing the
runbook's step; that is journalled, and read here.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from isla_console.incident.record.events import Event
from isla_console.journal.local import JournalError, LocalJournal

_LOOK_S = 0.5


def deeds_of(event: Event) -> tuple[str, ...]:
    """The deeds an event tells of: `step:<id>` for a step that was done, or ran and succeeded; `done:<id>`
    too for one that a person says is done."""
    step = event.data.get("step")
    if not isinstance(step, str) or not step:
        return ()
    if event.kind == "step_done":
        return f"done:{step}", f"step:{step}"
    ran = event.kind == "ran" and event.data.get("exit_code") == 0 and event.data.get("met", True)
    queried = event.kind == "queried" and event.data.get("outcome") in {"ok", "committed"}
    return (f"step:{step}",) if ran or queried else ()


async def watch(path: Path, began: datetime, did: Callable[[str], None]) -> None:
    """Tell the deeds of events written after `began`, until cancelled."""
    journal: LocalJournal | None = None
    seen = 0
    try:
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                # The console makes it; until then there is nothing to read.
                if journal is None and await asyncio.to_thread(path.exists):
                    journal = await asyncio.to_thread(LocalJournal.open, path)
                news = await asyncio.to_thread(journal.since, seen) if journal is not None else []
            except JournalError:
                continue  # busy, or not whole yet: the next look sees it
            for sequence, event in news:
                seen = sequence
                if event.recorded_at >= began:
                    for deed in deeds_of(event):
                        did(deed)
    finally:
        if journal is not None:
            journal.close()
