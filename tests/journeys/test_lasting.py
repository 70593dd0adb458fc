"""Nothing is lost: quit, kill -9, a dropped terminal; and what cannot be kept is said."""

import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.journeys.conftest import Launch
from tests.support.ignoring import below_ignoring, ignoring
from tests.support.platform import assert_gone, descendants
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

RESTORED = (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?25h")
"""Alternate screen left, mouse let go, cursor shown."""


def declare(terminal: Terminal) -> None:
    """Declare P1 for issue 1."""
    terminal.wait_for("declare an incident")
    terminal.send("d")
    terminal.wait_for("What is it?")
    terminal.send("enter", "enter", "home", "enter")
    terminal.wait_for("Proposed P1")
    terminal.send("f2")
    terminal.wait_for("DECLARED")


def clock(terminal: Terminal) -> int:
    """The incident clock on the bar, in seconds."""
    found = re.search(r"T\+(\d+):(\d\d):(\d\d)", terminal.text)
    assert found, terminal.text
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def test_kill_and_return(launch: Launch) -> None:
    """Declare, tick 5 of 7, kill -9, relaunch: same incident, 5 ticks, the clock went on."""
    with launch() as terminal:
        declare(terminal)
        started = time.monotonic() - clock(terminal)
        terminal.send("tab")  # page to checklist
        for count in range(1, 6):
            terminal.send("space")
            terminal.wait_for("It is so all the same")  # nothing of it holds yet
            terminal.send("a rehearsal", "enter")
            terminal.wait_for(f"Checklist {count}/7")
            terminal.send("down")
        terminal.kill(signal.SIGKILL)
        assert terminal.wait() == -signal.SIGKILL
    time.sleep(2)
    with launch() as terminal:
        terminal.wait_for("Checklist 5/7")
        screen = terminal.wait_for("DECLARED")
        assert "Redirect Service Down" in screen
        terminal.wait_for(lambda _: abs(clock(terminal) - (time.monotonic() - started)) <= 2)
        assert screen.count("✓ ") >= 5
        terminal.send("q")
        terminal.wait_for("goes on")
        terminal.send("enter")
        assert terminal.wait() == 0
        assert all(sequence in terminal.received for sequence in RESTORED)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_from_outside(launch: Launch, number: signal.Signals) -> None:
    """The terminal is itself again, and the exit code says what happened."""
    with launch() as terminal:
        terminal.wait_for("declare an incident")
        terminal.kill(number)
        assert terminal.wait() == 128 + number
        assert all(sequence in terminal.received for sequence in RESTORED)


IGNORED = (signal.SIGHUP, signal.SIGINT)
STARTS: dict[str, Callable[[Sequence[str]], list[str]]] = {
    "alone": list,
    "by a parent that ignores SIGHUP": lambda command: ignoring(command, *IGNORED),
    "below a shell that ignores SIGHUP": lambda command: below_ignoring(command, *IGNORED),
}


@pytest.mark.parametrize("start", STARTS)
def test_terminal_gone(launch: Launch, tmp_path: Path, start: str) -> None:
    """A dropped link: the process ends by itself, and what was done is there."""
    with launch(through=STARTS[start]) as terminal:
        declare(terminal)
        below = descendants(terminal.pid) | {terminal.pid}
        terminal.close()
        wait_until(lambda: os.waitpid(terminal.pid, os.WNOHANG)[0])
        terminal.code = 0
        assert_gone(below)
    journal = tmp_path / ".local/state/isla-console/journal.sqlite3"
    with sqlite3.connect(journal) as connection:
        kinds = [row[0] for row in connection.execute("SELECT kind FROM events ORDER BY seq")]
    assert kinds[0] == "declared"


def test_two_consoles(launch: Launch) -> None:
    """A tick in one is on the other's screen within a second, if keys are answered at once."""
    with launch() as first, launch(columns=80, rows=24) as second:
        declare(first)
        second.wait_for("DECLARED")
        second.send("]")
        second.wait_for("Checklist 0/7")
        pressed = time.monotonic()
        first.send("tab", "end", "space")
        first.wait_for("Checklist 1/7")
        shown = time.monotonic()
        second.wait_for("Checklist 1/7")
        assert time.monotonic() - pressed < 2 + 5 * (shown - pressed)


@pytest.mark.parametrize("size", [(200, 60), (100, 30), (80, 24), (40, 12), (10, 4), (140, 40)])
def test_any_size(launch: Launch, size: tuple[int, int]) -> None:
    """Started at one size, resized to another, it goes on."""
    with launch() as terminal:
        terminal.wait_for("declare an incident")
        terminal.resize(*size)
        terminal.read(0.8)
        terminal.resize(140, 40)
        terminal.wait_for("Measures")
        assert terminal.code is None


def test_corrupt_journal(launch: Launch, tmp_path: Path) -> None:
    """Said plainly, not overwritten; runbook and panels work on."""
    state = tmp_path / ".local/state/isla-console"
    state.mkdir(parents=True)
    journal = state / "journal.sqlite3"
    journal.write_bytes(b"SQLite format 3\x00" + b"\xff" * 8192)
    before = journal.read_bytes()
    with launch() as terminal:
        terminal.wait_for(lambda text: "journal.sqlite3" in text and "Overview" in text)
        terminal.send("d")
        terminal.wait_for("cannot be journalled")
        terminal.send("q")
        terminal.wait_for("Leave isla-console?")
        terminal.send("enter")
        assert terminal.wait() == 0
    assert journal.read_bytes() == before


def test_unwritable_state(launch: Launch, tmp_path: Path) -> None:
    """A state directory that cannot be: a file stands in its place."""
    (tmp_path / "taken").write_text("mine")
    with launch(ISLA_STATE_DIR=str(tmp_path / "taken")) as terminal:
        terminal.wait_for(str(tmp_path)[:20])
        terminal.wait_for("Overview")
    assert (tmp_path / "taken").read_text() == "mine"


def test_broken_runbook(launch: Launch, tmp_path: Path) -> None:
    """Findings and exit 1, never a traceback."""
    runbook = tmp_path / "mine.yaml"
    runbook.write_text("version: 1\nid: mine\ntitel: Mine\n")
    with launch(ISLA_RUNBOOK=str(runbook)) as terminal:
        assert terminal.wait() == 1
        text = terminal.received.decode(errors="replace")
    assert "mine.yaml:3:1" in text
    assert "title" in text
    assert "Traceback" not in text
