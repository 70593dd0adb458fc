"""Terminals and keyboards of other kinds: no colours, another alphabet, an encoding of old."""

import re
import sqlite3
from pathlib import Path

import pytest

from isla_console.ui.terminal.ending import END_S
from tests.journeys.conftest import Launch
from tests.support.terminal import Terminal

pytestmark = pytest.mark.slow


def reversed_text(terminal: Terminal) -> list[str]:
    """What is shown in reverse, line by line."""
    screen = terminal.screen
    cells = [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]
    return ["".join(cell.data for cell in row if cell.reverse).strip() for row in cells]


def test_without_colours_the_cursor_is_in_reverse(launch: Launch) -> None:
    """Not a shade of anything is written."""
    with launch(NO_COLOR="1") as terminal:
        terminal.wait_for("declare an incident")
        terminal.send("1")
        terminal.wait_for("Symptoms")
        terminal.send("home")
        terminal.wait_for(lambda _: sum("·" in line for line in reversed_text(terminal)) == 1)
        assert not re.search(rb"\x1b\[[\d;]*\b[34][0-8]\b[\d;]*m", bytes(terminal.received))


def declare(terminal: Terminal) -> None:
    terminal.wait_for("declare an incident")
    terminal.send("d")
    terminal.wait_for("What is it?")
    terminal.send("enter", "enter", "home", "enter")
    terminal.wait_for("Proposed P1")
    terminal.send("f2")
    terminal.wait_for("DECLARED")


EDITOR = """#!/bin/sh
trap 'echo "heard interrupt" >> "$file"' INT
trap 'echo "heard quit" >> "$file"' QUIT
file=$1
echo the editor is open
until grep -q "heard quit" "$file"; do sleep 0.05; done
"""


def test_keys_that_interrupt_are_for_the_editor_that_is_open(launch: Launch, tmp_path: Path) -> None:
    """An editor that leaves the terminal as it is, as those with a window do: ctrl+c is a signal to all."""
    editor = tmp_path / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o755)
    with launch(VISUAL=str(editor)) as terminal:
        declare(terminal)
        terminal.send("c")
        terminal.wait_for("$EDITOR")
        terminal.send_bytes(b"\x1bOS")
        terminal.wait_for("the editor is open")
        terminal.send_bytes(b"\x03")
        terminal.read(0.3)
        terminal.send_bytes(b"\x1c")
        terminal.wait_for("heard quit")
        terminal.wait_for("$EDITOR")
        terminal.send("1")
        terminal.wait_for("Symptoms")
        terminal.read(END_S + 1)
        assert terminal.code is None


def test_what_was_typed_is_what_is_kept(launch: Launch, tmp_path: Path) -> None:
    """Joiners, without which words of some languages are wrong; a byte of another encoding as �."""
    with launch() as terminal:
        declare(terminal)
        terminal.send("n")
        terminal.wait_for("a decision")
        terminal.send("می\u200cخواهم a\u200db")
        terminal.send_bytes(b" f\xfcr\xff")
        terminal.wait_for("f\ufffdr\ufffd")
        terminal.send("f2")
        terminal.wait_for(lambda text: "a decision" not in text)
        terminal.send("t")
        terminal.wait_for("noted")
        assert "\u200d".encode() not in terminal.received
    with sqlite3.connect(tmp_path / ".local/state/isla-console/journal.sqlite3") as connection:
        [(data,)] = connection.execute("SELECT data FROM events WHERE kind = 'noted'").fetchall()
    assert "می\u200cخواهم a\u200db f\ufffdr\ufffd" in data


def test_a_key_of_another_alphabet_is_answered(launch: Launch) -> None:
    """In the line of the keys, and nothing is covered; it goes with the next key."""
    with launch(columns=80, rows=24) as terminal:
        terminal.wait_for("declare an incident")
        before = terminal.text.splitlines()[1:-1]
        terminal.send("ф")
        terminal.wait_for("keys are Latin letters; ? lists them")
        assert terminal.text.splitlines()[1:-1] == before
        terminal.read(1.5)
        terminal.send("down")
        terminal.wait_for(lambda text: "Latin" not in text)
        terminal.send("Z")
        terminal.wait_for("Z is no key here")


def test_what_is_said_goes_when_it_is_no_longer_true(launch: Launch) -> None:
    with launch(columns=80, rows=24) as terminal:
        terminal.wait_for("declare an incident")
        terminal.send("m")
        terminal.wait_for("state: no incident")
        declare(terminal)
        terminal.wait_for(lambda text: "no incident: d declares one" not in text, 3)
