"""The journal as a running console uses it, whose tasks may be cut off at any moment."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from isla_console.incident.record.events import Author, Event, event
from isla_console.journal.local import FILE_NAME, LocalJournal
from isla_console.journal.store import JournalStore

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def noted(text: str) -> Event:
    return event("noted", {"text": text}, incident="inc-1", author=Author("ana", "jump1"), now=NOW)


async def test_what_is_recorded_is_kept_though_its_task_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console that ends cancels what waits for a slow disk: the write under way, and those behind it."""
    free = threading.Event()
    append = LocalJournal.append

    def slow(journal: LocalJournal, events: Sequence[Event]) -> int:
        free.wait()
        return append(journal, events)

    monkeypatch.setattr(LocalJournal, "append", slow)
    store = JournalStore(tmp_path / FILE_NAME)
    await store.open()
    tasks = [asyncio.create_task(store.record([noted(text)])) for text in ("one", "two", "three")]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    free.set()
    await store.close()
    with LocalJournal.open(tmp_path / FILE_NAME) as journal:
        assert [found.data["text"] for _, found in journal.since(0)] == ["one", "two", "three"]
