"""What cannot be saved is said, kept and taken in later: a full disk, a held journal, one that is gone."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.journeys.conftest import Launch
from tests.journeys.test_lasting import RESTORED, declare
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

STATE = ".local/state/isla-console"


def note(terminal: Terminal, text: str) -> None:
    terminal.send("n")
    terminal.wait_for("f2: done")
    terminal.send(text)
    terminal.wait_for(text)
    terminal.send("f2")
    terminal.wait_for(lambda shown: "f2: done" not in shown)


@contextlib.contextmanager
def held(journal: Path) -> Iterator[None]:
    """Another program holds the journal."""
    with contextlib.closing(sqlite3.connect(journal, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


def texts(journal: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        rows = connection.execute("SELECT json_extract(data, '$.text') FROM events WHERE kind = 'noted'")
        return [row[0] for row in rows]


def after_the_screen(terminal: Terminal) -> str:
    """What was printed once the terminal was itself again."""
    return bytes(terminal.received).rpartition(RESTORED[0])[2].decode()


def test_leaving_with_what_is_not_saved(launch: Launch, tmp_path: Path) -> None:
    journal = tmp_path / STATE / "journal.sqlite3"
    with launch() as terminal:
        declare(terminal)
        with held(journal):
            note(terminal, "keep me Übung")
            terminal.wait_for("1 NOT SAVED")
            terminal.send("q")
            shown = terminal.wait_for("Leave isla-console?")
            assert "1 entry is NOT SAVED" in shown
            assert "noted: keep me Übung" in shown
            terminal.send("enter")  # to stay is the default
            terminal.wait_for(lambda text: "Leave isla-console?" not in text)
            terminal.send("q")
            terminal.wait_for("Leave isla-console?")
            terminal.send("home", "enter")
            assert terminal.wait() == 1
        said = after_the_screen(terminal)
        assert "NOT SAVED" in said
        assert "noted: keep me Übung" in said
        (spooled,) = (tmp_path / STATE).glob("*.unsaved.jsonl")
        assert str(spooled) in said
        assert spooled.stat().st_mode & 0o777 == 0o600
    assert texts(journal) == []
    for times in range(2):
        with launch() as terminal:
            terminal.wait_for("DECLARED")
            if times == 0:
                terminal.wait_for("taken in")
            terminal.send("q")
            terminal.wait_for("goes on")
            terminal.send("enter")
            assert terminal.wait() == 0
        assert texts(journal) == ["keep me Übung"]
        assert not spooled.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_from_outside_with_what_is_not_saved(
    launch: Launch, tmp_path: Path, number: signal.Signals
) -> None:
    journal = tmp_path / STATE / "journal.sqlite3"
    with launch() as terminal:
        declare(terminal)
        with held(journal):
            note(terminal, "keep me")
            terminal.wait_for("1 NOT SAVED")
            terminal.kill(number)
            assert terminal.wait() == 128 + number
        assert "noted: keep me" in after_the_screen(terminal)
        (spooled,) = (tmp_path / STATE).glob("*.unsaved.jsonl")
        assert str(spooled) in after_the_screen(terminal)
    with launch() as terminal:
        terminal.wait_for("taken in")
    assert texts(journal) == ["keep me"]


def test_a_journal_that_is_deleted_under_two_consoles(launch: Launch, tmp_path: Path) -> None:
    """Both say so, both go on in one new file, and it has everything."""
    journal = tmp_path / STATE / "journal.sqlite3"
    with launch() as first, launch() as second:
        declare(first)
        second.wait_for("DECLARED")
        note(first, "n1")
        second.wait_for("n1")
        journal.unlink()
        for terminal in (first, second):
            # For one of them, by then, the other one's new file has the name.
            terminal.wait_for(lambda text: "while this console had it open" in " ".join(text.split()))
        note(second, "n2")
        first.wait_for("n2")
        wait_until(lambda: sorted(texts(journal)) == ["n1", "n2"])
        with launch() as third:
            third.wait_for("DECLARED")


def _can_mount() -> bool:
    if os.geteuid() or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


needs_mount = pytest.mark.skipif(not _can_mount(), reason="only root may mount")


def on_small_disk(state: Path, *, is_full: bool) -> object:
    """Start the console with its state on a disk of its own, of 256 KiB."""
    fill = f"dd if=/dev/zero of={state}/filler bs=1024 2>/dev/null;" if is_full else ""
    mount = f"mount -t tmpfs -o size=256k tmpfs {state}; {fill} exec "

    def through(command: Sequence[str]) -> list[str]:
        return ["unshare", "-m", "sh", "-c", mount + " ".join(command)]

    return through


@needs_mount
def test_a_disk_that_fills_up(launch: Launch, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    start = on_small_disk(state, is_full=False)
    with launch(through=start, ISLA_STATE_DIR=str(state)) as terminal:
        declare(terminal)
        disk = Path(f"/proc/{terminal.pid}/root{state}")
        with contextlib.suppress(OSError), (disk / "filler").open("wb") as filler:
            while True:
                filler.write(bytes(512))
                filler.flush()
        note(terminal, "a long note " + "x" * 60)
        terminal.wait_for("the disk is full; make room")
        terminal.send("q")
        terminal.wait_for("NOT SAVED")
        terminal.wait_for("Leave isla-console?")
        terminal.send("home", "enter")
        assert terminal.wait() == 1
        said = after_the_screen(terminal)
        assert "noted: a long note" in said
        # Where that is depends on what closing the journal freed.
        assert ".unsaved.jsonl: the next start of isla-console takes them in" in said


@needs_mount
def test_a_first_start_on_a_full_disk_that_is_emptied(launch: Launch, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    start = on_small_disk(state, is_full=True)
    with launch(through=start, ISLA_STATE_DIR=str(state)) as terminal:
        terminal.wait_for("it is tried again")
        terminal.wait_for("declare an incident")
        terminal.send("d")
        terminal.wait_for("cannot be journalled")
        Path(f"/proc/{terminal.pid}/root{state}/filler").unlink()
        terminal.wait_for(lambda text: "make room" not in text and "cannot be journalled" not in text)
        declare(terminal)
