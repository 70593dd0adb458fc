"""A journal of version 1 is copied, then each of its events gets its checksum."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from isla_console.journal import schema
from isla_console.journal.backup import backups
from isla_console.journal.local import LocalJournal
from isla_console.journal.place import JournalError
from isla_console.journal.reading import reading
from isla_console.journal.rows import checksum, to_row
from tests.incident.record.test_bounds import changed
from tests.incident.story import Story
from tests.journal.support import add_v1, filled_v1, note, notes, sql


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite3"


def test_every_event_is_sealed_and_the_old_one_is_kept(path: Path) -> None:
    events = [*Story().events, *notes(Story(), 2500)]
    filled_v1(path, events)
    with LocalJournal.open(path) as journal:
        assert [event for _, event in journal.since(0)] == events
        assert journal.count_unsealed() == 0
    with sql(path) as other:
        assert other.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION
        found = other.execute("SELECT checksum FROM events ORDER BY seq").fetchall()
        assert [row[0] for row in found] == [checksum(event) for event in events]
    (copy,) = backups(path)
    assert copy.name.endswith("-before-format-2.sqlite3")
    assert copy.stat().st_mode & 0o777 == 0o600
    with sql(copy) as old:
        assert old.execute("PRAGMA user_version").fetchone()[0] == 1
    with reading(copy) as journal:
        assert [event for _, event in journal.since(0)] == events
    LocalJournal.open(path).close()
    assert len(backups(path)) == 1


def test_what_was_no_event_before_is_named_and_not_sealed(path: Path) -> None:
    story = Story()
    bad = Story(policy=changed("severities.P0.cadence_min", 60)).events[0]
    rows = [to_row(event)[:8] for event in (*story.events, bad, note(story, "x"))]
    rows[1] = (*rows[1][:7], str(rows[1][7]).replace('"cadence_min":60', '"cadence_min":1e12'))
    rows[2] = (*rows[2][:7], "{")
    filled_v1(path, [])
    with sql(path) as other:
        add_v1(other, rows)
    with LocalJournal.open(path) as journal:
        assert [event for _, event in journal.since(0)] == story.events
        assert [one.seq for one in journal.damaged] == [2, 3]
        assert "cadence_min: 1e+12 is out of bounds" in journal.damaged[0].problem


def test_without_room_for_the_copy_nothing_is_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = notes(Story(), 2)
    filled_v1(path, events)

    def full(*_: object, **__: object) -> Path:
        raise JournalError("no backup could be made (No space left on device)")

    monkeypatch.setattr(schema, "back_up", full)
    with pytest.raises(JournalError, match="no backup could be made"):
        LocalJournal.open(path)
    with sql(path) as other:
        assert other.execute("PRAGMA user_version").fetchone()[0] == 1
    with reading(path) as journal:
        assert [event for _, event in journal.since(0)] == events


def test_a_console_of_the_old_version_goes_on_writing(path: Path) -> None:
    events = notes(Story(), 2)
    filled_v1(path, events)
    with sql(path) as old:
        old.execute("SELECT count(*) FROM events").fetchone()
        with LocalJournal.open(path) as journal:
            late = note(Story(), "of the old console")
            add_v1(old, [to_row(late)[:8]])
            assert [event for _, event in journal.since(0)] == [*events, late]
            assert journal.count_unsealed() == 1


def test_several_consoles_migrate_at_the_same_moment(path: Path) -> None:
    events = notes(Story(), 300)
    filled_v1(path, events)
    code = (
        "import sys; from pathlib import Path; from isla_console.journal.local import LocalJournal\n"
        "with LocalJournal.open(Path(sys.argv[1])) as j: print(len(j.since(0)), j.count_unsealed())"
    )
    found: list[str] = []

    def opened() -> None:
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
        )
        found.append(done.stdout + done.stderr)

    threads = [threading.Thread(target=opened) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["300 0\n"] * 3
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()[0] == "ok"
