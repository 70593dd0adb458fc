"""Reading needs no right to write: on a read-only mount, with and without a log that was left behind."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from isla_console.journal.local import LocalJournal
from isla_console.journal.place import JournalError
from isla_console.journal.reading import reading
from tests.incident.story import Story
from tests.journal.support import filled, filled_v1, notes, overwrite, sql

ROOT = Path(__file__).parents[2]


def listed(folder: Path) -> set[tuple[str, int, int]]:
    return {(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_a_journal_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    events = filled(path)
    before = listed(tmp_path)
    with reading(path) as journal:
        assert journal.events(events[0].incident) == events
        assert journal.incident_ids() == [events[0].incident]
        assert not hasattr(journal, "append")
    assert listed(tmp_path) == before


def test_it_is_read_while_a_console_writes(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    events = filled(path)
    more = notes(Story(), 1)
    with LocalJournal.open(path) as console:
        console.append(more)
        with reading(path) as journal:
            assert [event for _, event in journal.since(0)] == [*events, *more]
        console.append(notes(Story(), 1))


def test_an_older_journal_is_read_without_being_changed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    events = [*Story().events, *notes(Story(), 2)]
    filled_v1(path, events)
    with reading(path) as journal:
        assert [event for _, event in journal.since(0)] == events
        assert journal.count_unsealed() == 3
    with sql(path) as other:
        assert other.execute("PRAGMA user_version").fetchone()[0] == 1


def test_an_empty_file_has_no_events(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.touch()
    with reading(path) as journal:
        assert (journal.since(0), journal.incident_ids(), journal.count_unsealed()) == ([], [], 0)


@pytest.mark.parametrize("content", [b"dear diary", b"SQLite format 3\x00" + b"\xff" * 600])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(content)
    with pytest.raises(JournalError), reading(path):
        pass
    with pytest.raises(JournalError), reading(tmp_path):
        pass
    with pytest.raises(JournalError), reading(tmp_path / "nothing"):
        pass


@pytest.mark.parametrize("where", [(8192, 12288), (12288, 16384), (20480, 30000)])
def test_around_damaged_pages_everything_else_is_read(tmp_path: Path, where: tuple[int, int]) -> None:
    path = tmp_path / "journal.sqlite3"
    events = filled(path, 100, size=500)
    overwrite(path, *where)
    with reading(path) as journal:
        found = [event for _, event in journal.since(0)]
        lost = len(journal.damaged)
        assert journal.check()
        assert set(journal.incident_ids()) <= {events[0].incident}
    known = {event.id: event for event in events}
    assert all(known[event.id] == event for event in found)
    assert len(found) + lost == len(events)
    assert found


def test_of_a_journal_that_was_cut_the_beginning_is_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    events = filled(path, 100, size=500)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with reading(path) as journal:
        found = [event for _, event in journal.since(0)]
        assert 0 < len(found) < len(events)
        assert len(found) + len(journal.damaged) == len(events)


_CRASH = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from isla_console.journal.local import LocalJournal
from tests.incident.story import Story
from tests.journal.support import notes
story = Story()
LocalJournal.open(Path(sys.argv[1])).append([*story.events, *notes(story, 4)])
os.kill(os.getpid(), signal.SIGKILL)
"""
_READ = """
set -e
mount -o bind "$1" "$1"
mount -o remount,ro,bind "$1"
! touch "$1/x" 2>/dev/null
export ISLA_STATE_DIR="$1" XDG_CONFIG_HOME=/nonexistent
"$2" -m isla_console incident list
"$2" -m isla_console incident show >/dev/null
"$2" -m isla_console report >/dev/null
"$2" -m isla_console journal verify
"$2" -m isla_console incident export | wc -l
"""


def _can_mount() -> bool:
    if os.geteuid() or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _can_mount(), reason="only root may mount")
@pytest.mark.parametrize("left", ["nothing", "log", "log without index"])
def test_a_read_only_mount(tmp_path: Path, left: str) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    if left == "nothing":
        filled(path, 4)
    else:
        crash = [sys.executable, "-c", _CRASH.format(root=str(ROOT)), str(path)]
        assert subprocess.run(crash, check=False, cwd=ROOT).returncode == -signal.SIGKILL
        assert path.with_name("journal.sqlite3-wal").stat().st_size
        if left == "log without index":
            path.with_name("journal.sqlite3-shm").unlink()
    before = listed(path.parent)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", _READ, "sh", str(path.parent), sys.executable],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Redirects down" in done.stdout
    assert "all well" in done.stdout
    assert done.stdout.endswith("5\n")
    assert {name for name, *_ in listed(path.parent)} == {name for name, *_ in before}
