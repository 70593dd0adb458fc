"""Entries of the drill's log survive JSON."""

from datetime import UTC, datetime

from isla_console.drill.scenario.entry import Entry


def test_entries_survive_json() -> None:
    entry = Entry(datetime.now(UTC), "message", "ETA?", "CTO")
    assert Entry.from_dict(entry.to_dict()) == entry


def test_an_entry_keeps_its_step() -> None:
    entry = Entry(datetime.now(UTC), "stopped", "Tried it", step="recovery-restore")
    assert Entry.from_dict(entry.to_dict()) == entry
    assert "step" not in Entry(datetime.now(UTC), "wrong", "x").to_dict()
