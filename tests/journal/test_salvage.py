"""Verifying, salvaging and backing up: from the command line, and what becomes of the console beside it."""

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from isla_console import cli
from isla_console.incident.record.events import Event
from isla_console.journal import backup
from isla_console.journal.backup import back_up, backups
from isla_console.journal.local import LocalJournal
from isla_console.journal.place import JournalError
from isla_console.journal.reading import reading
from isla_console.journal.salvage import salvage, verify
from tests.incident.story import Story
from tests.journal.support import filled, note, notes, overwrite, sql


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISLA_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "state" / "journal.sqlite3"


def change(path: Path, event: Event) -> None:
    with sql(path) as other:
        other.execute("UPDATE events SET actor = 'eve' WHERE id = ?", (event.id,))


def ids(path: Path) -> set[str]:
    with reading(path) as journal:
        return {event.id for _, event in journal.since(0)}


def test_a_good_journal_is_well(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(path)
    assert cli.main(["journal", "verify"]) == 0
    assert capsys.readouterr().out == "4 entries of 1 incident are as written\nall well\n"
    before = path.read_bytes()
    assert cli.main(["journal", "salvage"]) == 0
    assert "nothing is damaged" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("act", ["verify", "salvage", "backup"])
def test_without_a_journal(path: Path, act: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["journal", act]) == (0 if act == "verify" else 1)
    said = capsys.readouterr()
    assert said.out == ""
    assert "no journal" in said.err
    assert not path.parent.exists()


def test_a_changed_entry_is_found_named_and_counted(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = filled(path)
    change(path, events[2])
    assert cli.main(["journal", "verify"]) == 1
    said = capsys.readouterr().out
    assert f"damaged: entry 3 (id {events[2].id}" in said
    assert "3 entries of 1 incident are as written" in said
    assert cli.main(["journal", "verify", "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert (shown["well"], shown["entries"]) == (False, 3)
    assert [one["position"] for one in shown["damaged"]] == [3]


def test_what_no_backup_has_is_lost_and_said(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = filled(path)
    change(path, events[2])
    assert cli.main(["journal", "salvage"]) == 1
    said = capsys.readouterr().out
    assert f"lost: entry 3 (id {events[2].id}" in said
    (kept,) = path.parent.glob("*.damaged")
    assert str(kept) in said
    assert ids(path) == {event.id for event in events} - {events[2].id}
    assert verify(path).is_well
    with sql(kept) as old:
        assert old.execute("SELECT count(*) FROM events").fetchone()[0] == 4


def test_what_a_backup_has_comes_back(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = filled(path, 100, size=500)
    back_up(path, why="asked")
    with LocalJournal.open(path) as journal:
        journal.append(late := notes(Story(), 2))
    overwrite(path, 20480, 40000)
    with pytest.raises(JournalError, match="isla-console journal salvage"):
        LocalJournal.open(path)
    assert cli.main(["journal", "salvage", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["from_backups"] > 0
    assert shown["lost"] == []
    with LocalJournal.open(path) as journal:
        found = {event.id: event for _, event in journal.since(0)}
    assert {event.id for event in events} <= set(found)
    assert all(found[event.id] == event for event in [*events, *late] if event.id in found)


def test_even_of_nothing_but_a_backup(path: Path) -> None:
    events = filled(path)
    back_up(path, why="asked")
    overwrite(path, 0, 100_000)
    overwrite(path, 0, 16)
    path.write_bytes(b"SQLite format 3\x00" + path.read_bytes()[16:])
    done = salvage(path)
    assert done.from_backups == len(events)
    assert ids(path) == {event.id for event in events}


def test_salvaging_elsewhere_leaves_the_journal_and_writes_over_nothing(path: Path, tmp_path: Path) -> None:
    events = filled(path)
    change(path, events[1])
    before = path.read_bytes()
    salvage(path, tmp_path / "good.sqlite3")
    assert path.read_bytes() == before
    assert len(ids(tmp_path / "good.sqlite3")) == 3
    with pytest.raises(JournalError, match="is there already"):
        salvage(path, tmp_path / "good.sqlite3")
    assert not list(path.parent.glob(".*"))


@pytest.mark.parametrize("content", ["another's", "newer"])
def test_what_is_not_ours_is_not_moved_away(path: Path, content: str) -> None:
    filled(path)
    with sql(path) as other:
        other.execute("PRAGMA application_id = 7" if content == "another's" else "PRAGMA user_version = 99")
    with pytest.raises(JournalError):
        salvage(path)
    assert path.exists()
    assert not list(path.parent.glob("*.damaged"))


def test_an_incident_that_cannot_be_shown_is_said(path: Path) -> None:
    story = Story()
    with LocalJournal.open(path) as journal:
        journal.append([note(story, "x")])
    found = verify(path)
    assert found.set_aside == ((story.incident.id, 1, "it has none that declares it"),)
    assert not found.is_well


def test_backups_are_whole_private_and_few(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = filled(path)
    monkeypatch.setattr(backup, "KEPT", 3)
    moments = [Story().events[0].recorded_at.replace(second=second) for second in range(6)]
    copies = [back_up(path, why="closed", now=moment) for moment in moments]
    other = back_up(path, why="asked")
    assert set(backups(path)) == {*copies[3:], other}
    for copy in backups(path):
        assert copy.stat().st_mode & 0o777 == 0o600
        assert sqlite3.connect(copy).execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        with reading(copy) as journal:
            assert [event for _, event in journal.since(0)] == events
    assert {file.name for file in other.parent.iterdir()} == {copy.name for copy in backups(path)}
    assert other.parent.stat().st_mode & 0o777 == 0o700


def test_a_backup_does_not_stop_who_writes(path: Path) -> None:
    filled(path, 2000, size=200)
    written: list[int] = []
    with LocalJournal.open(path) as journal:
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                written.append(journal.append(notes(Story(), 1)))

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for number in range(5):
                back_up(path, why=f"asked{number}")
        finally:
            stop.set()
            thread.join()
    assert set(written) == {1}
    for copy in backups(path):
        assert verify(copy).entries >= 2001


def test_a_backup_that_cannot_be_made_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_copy", full)
    with pytest.raises(JournalError, match="No space left on device"):
        back_up(path, why="asked")
    assert list((path.parent / "backups").iterdir()) == []
