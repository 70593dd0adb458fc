from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from isla_console.incident import commands
from isla_console.incident.record.events import Event
from isla_console.journal.local import JournalError, LocalJournal
from isla_console.journal.place import prepare
from isla_console.journal.schema import APPLICATION_ID, VERSION, create, set_up, version_of
from tests.incident.story import ANA, Story, at
from tests.support.pace import slowness

ROOT = Path(__file__).parents[2]


def _note(story: Story, text: str) -> Event:
    return commands.note(story.incident, text, author=ANA, now=at("14:05"))[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "isla-console" / "journal.sqlite3"


def test_events_come_back_as_they_were_written(path: Path) -> None:
    story = Story(impact="Umlaute äöü, ␛ and \x1b[31m and \x00")
    with LocalJournal.open(path) as journal:
        assert journal.append(story.events) == 1
        assert journal.append(story.events) == 0
        assert journal.events(story.incident.id) == story.events
        assert journal.incident_ids() == [story.incident.id]
        assert journal.since(0) == [(1, story.events[0])]
        assert journal.since(1) == []
        assert journal.find(story.events[0].id) == story.events[0]
        assert journal.find("nothing") is None
        assert journal.events("nothing") == []
    with LocalJournal.open(path) as journal:
        assert journal.events(story.incident.id) == story.events
        pragmas = ("journal_mode", "synchronous", "application_id", "user_version")
        found = [journal._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
        assert found == ["wal", 2, APPLICATION_ID, VERSION]


def test_nobody_else_can_read_it(path: Path) -> None:
    umask = os.umask(0)
    try:
        with LocalJournal.open(path) as journal:
            journal.append(Story().events)
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            for file in path.parent.iterdir():
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        path.chmod(0o644)
        LocalJournal.open(path).close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(umask)


def test_all_or_none_is_written(path: Path) -> None:
    story = Story()
    with LocalJournal.open(path) as journal:
        broken = _note(story, "x")
        object.__setattr__(broken, "host", None)
        with pytest.raises(JournalError):
            journal.append([*story.events, broken])
        assert journal.incident_ids() == []


def _refused(path: Path, words: str) -> None:
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(JournalError) as raised:
        LocalJournal.open(path)
    assert words in str(raised.value)
    assert str(raised.value).startswith(str(path))
    if before is not None:
        assert path.read_bytes() == before


def test_what_is_no_journal_is_refused_and_left_alone(path: Path, tmp_path: Path) -> None:
    _refused(tmp_path, "is a directory")
    path.parent.mkdir(parents=True)
    path.write_text("dear diary")
    _refused(path, "is not a journal")
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    _refused(path, "damaged")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    _refused(fifo, "is not a file")
    _refused(path / "below" / "journal", "Not a directory")


def test_another_programs_database_is_refused(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url)")
    other.close()
    _refused(path, "another program's database")


def test_a_newer_journal_is_refused(path: Path) -> None:
    LocalJournal.open(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 3")
    newer.close()
    _refused(path, "newer isla-console (format 3, this one knows 2)")


def test_a_damaged_journal_is_refused(path: Path) -> None:
    story = Story()
    with LocalJournal.open(path) as journal:
        journal.append([*story.events, *(_note(story, "x" * 500) for _ in range(100))])
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[4096:20480] = b"\x55" * 16384
    path.write_bytes(data)
    _refused(path, "the journal is damaged")


def test_a_cut_journal_is_refused(path: Path) -> None:
    story = Story()
    with LocalJournal.open(path) as journal:
        journal.append([*story.events, *(_note(story, "x" * 500) for _ in range(100))])
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(path.read_bytes()[:9000])
    _refused(path, "the journal is damaged")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_an_unwritable_place_is_said(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o500)
    _refused(path, "set ISLA_STATE_DIR")


def test_an_unwritable_place_is_said_to_root_as_well() -> None:
    _refused(Path("/proc/isla-console/journal.sqlite3"), "set ISLA_STATE_DIR")


def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()
    with LocalJournal.open(path) as journal:
        assert journal.append(Story().events) == 1


def test_another_console_is_noticed(path: Path) -> None:
    story = Story()
    with LocalJournal.open(path) as one, LocalJournal.open(path) as two:
        assert not one.changed()
        one.append(story.events)
        assert not one.changed()
        assert two.changed()
        assert not two.changed()
        assert [event for _, event in two.since(0)] == story.events


def test_a_held_journal_says_so_after_a_moment(path: Path) -> None:
    story = Story()
    with LocalJournal.open(path) as journal:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        journal._connection.execute("PRAGMA busy_timeout = 200")
        with pytest.raises(JournalError, match="another program holds the journal"):
            journal.append(story.events)
        assert time.monotonic() - began < 3 * slowness()
        holder.execute("ROLLBACK")
        holder.close()
        assert journal.append(story.events) == 1


def test_opening_waits_its_turn_while_another_console_makes_the_journal(path: Path) -> None:
    prepare(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    create(path, other)
    # Made, and on its way to the write-ahead log: SQLite refuses a second one at once.
    other.execute("BEGIN IMMEDIATE")
    opened = threading.Event()
    found: list[int] = []

    def open_and_write() -> None:
        with LocalJournal.open(path) as journal:
            found.append(journal.append(Story().events))
        opened.set()

    thread = threading.Thread(target=open_and_write)
    thread.start()
    assert not opened.wait(0.2)
    other.execute("COMMIT")
    other.close()
    thread.join()
    assert found == [1]


def test_a_journal_held_for_good_is_said_with_the_time_waited(path: Path) -> None:
    prepare(path)
    holder = sqlite3.connect(path, isolation_level=None)
    create(path, holder)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match=r"another program has held the journal for \d+ s"):
        LocalJournal.open(path, wait_s=0.1)
    holder.execute("ROLLBACK")
    holder.close()
    LocalJournal.open(path).close()


def test_threads_share_a_connection(path: Path) -> None:
    story = Story()
    with LocalJournal.open(path) as journal:
        journal.append(story.events)
        notes = [[_note(story, f"{n} {m}") for m in range(20)] for n in range(4)]
        threads = [
            threading.Thread(target=lambda own=own: [journal.append([e]) for e in own]) for own in notes
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(journal.events(story.incident.id)) == 81


_WRITER = """
import sys
from pathlib import Path
from isla_console.incident.record.events import parse
from isla_console.journal.local import LocalJournal

journal = LocalJournal.open(Path(sys.argv[1]))
for line in sys.stdin:
    event = parse(line)
    journal.append([event])
    sys.stdout.write(event.id + "\\n")
    sys.stdout.flush()
"""


def _writer(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_processes_writing_at_the_same_moment_lose_and_double_nothing(path: Path) -> None:
    story = Story()
    shared = [_note(story, f"both {n}") for n in range(40)]
    lines = [
        [*story.events, *shared, *(_note(story, f"{writer} {n}") for n in range(60))] for writer in range(3)
    ]
    writers = [_writer(path) for _ in lines]
    feeders = [
        threading.Thread(target=lambda w=w, own=own: w.communicate("".join(e.to_json() + "\n" for e in own)))
        for w, own in zip(writers, lines, strict=True)
    ]
    for feeder in feeders:
        feeder.start()
    for feeder in feeders:
        feeder.join()
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    with LocalJournal.open(path) as journal:
        found = journal.events(story.incident.id)
    assert len(found) == len({event.id for event in found}) == 1 + 40 + 3 * 60


def test_a_journal_that_is_made_while_it_is_looked_at_is_no_other_programs(tmp_path: Path) -> None:
    """What tells whose it is and of which version is read of one moment, not half before and half after."""
    path = tmp_path / "journal.sqlite3"
    other = sqlite3.connect(path, timeout=0, isolation_level=None)

    class Interrupted(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if sql == "PRAGMA user_version":
                with contextlib.suppress(sqlite3.OperationalError):  # it is held, as it should be
                    create(path, other)
            return super().execute(sql, *args)

    connection = sqlite3.connect(path, isolation_level=None, factory=Interrupted)
    assert version_of(path, connection) == 0
    set_up(path, connection)
    assert version_of(path, connection) == VERSION
    connection.close()
    other.close()
