"""Nobody reads the terminal, as on a stalled connection: work goes on, and every signal ends it."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.journeys.conftest import COMMAND, Launch
from tests.journeys.test_steps import app_with, shell, to_row
from tests.support.hostile import hostile_server
from tests.support.pace import slowness
from tests.support.platform import assert_gone, descendants
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

STALL_S = float(os.environ.get("STALL_S", "20"))
"""How long nobody reads; by hand `STALL_S=300`."""
END_S = 2.0


def declare(terminal: Terminal) -> None:
    terminal.wait_for("declare an incident")
    terminal.send("d")
    terminal.wait_for("What is it?")
    terminal.send("enter", "enter", "home", "enter")
    terminal.wait_for("Proposed P1")
    terminal.send("f2")
    terminal.wait_for("DECLARED")


def stall(terminal: Terminal, seconds: float) -> None:
    """Read nothing, while resizes let the console draw whole screens, more than any queue holds."""
    end, width = time.monotonic() + seconds, terminal.screen.columns
    while time.monotonic() < end:
        for columns in (width - 1, width):
            terminal.resize(columns, terminal.screen.lines)
            time.sleep(0.1)


def journalled(home: Path) -> list[tuple[str, datetime]]:
    """Kind and time of each event."""
    with sqlite3.connect(home / ".local/state/isla-console/journal.sqlite3") as connection:
        rows = connection.execute("SELECT kind, occurred_at FROM events ORDER BY seq").fetchall()
    return [(kind, datetime.fromisoformat(at)) for kind, at in rows]


def test_work_goes_on_and_the_newest_frame_comes(launch: Launch, tmp_path: Path) -> None:
    """Keys act and the journal is written; then the screen shows the newest, and goes on."""
    with hostile_server() as port, launch(ISLA_APP_URL=f"http://127.0.0.1:{port}/reset") as terminal:
        declare(terminal)
        began = len(journalled(tmp_path))
        stall(terminal, STALL_S / 2)
        terminal.send_bytes(b"n", reading=False)
        time.sleep(2)
        terminal.send_bytes(b"written while nobody reads\r\x1bOQ", reading=False)
        time.sleep(2)
        terminal.send_bytes(b"t", reading=False)
        stall(terminal, STALL_S / 2)
        assert terminal.code is None
        kinds = [kind for kind, _ in journalled(tmp_path)][began:]
        assert "note" in "".join(kinds), kinds
        read = time.monotonic()
        terminal.wait_for("written while nobody reads")
        clock = terminal.text.splitlines()[0]
        assert time.monotonic() - read < 1 + slowness()
        terminal.wait_for(lambda text: text.splitlines()[0] != clock)
        assert terminal.text.count("╰") > 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_it_while_nobody_reads(launch: Launch, tmp_path: Path, number: signal.Signals) -> None:
    """Within two seconds, with all that it started, and the journal says that it was closed."""
    with launch() as terminal:
        declare(terminal)
        stall(terminal, 4)
        below = descendants(terminal.pid) | {terminal.pid}
        assert terminal.signal_unread(number) < END_S * max(1.0, slowness() / 2)
        assert terminal.code == 128 + number
        assert_gone(below)
    assert journalled(tmp_path)[-1][0] == "console_closed"


def test_a_stubborn_step_is_ended_in_time(launch: Launch, tmp_path: Path) -> None:
    """It hears no signal; it is killed, and what came of it is journalled, within the two seconds."""
    app_with(tmp_path, shell("slow", "trap '' TERM HUP; echo pid $$; while :; do sleep 1; done"))
    with launch(ISLA_RUNBOOK=str(tmp_path / "runbook.yaml"), COLORTERM="truecolor") as terminal:
        declare(terminal)
        terminal.send("1")
        to_row(terminal, "Step slow")
        terminal.send("enter")
        terminal.wait_for(lambda text: re.search(r"pid \d+", text) is not None)
        below = descendants(terminal.pid) | {terminal.pid}
        stall(terminal, 2)
        assert terminal.signal_unread(signal.SIGTERM) < END_S * max(1.0, slowness() / 2)
        assert_gone(below)
    kinds = [kind for kind, _ in journalled(tmp_path)]
    assert kinds[-2:] == ["ran", "console_closed"]


STATES: dict[str, tuple[str | None, bytes]] = {
    "while it starts": (None, b""),
    "with a sheet open": ("declare an incident", b"d"),
    "in a paste": ("declare an incident", b"\x1b[200~select 1"),
    "in a sequence": ("declare an incident", b"\x1b]11;rgb:"),
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("state", STATES)
def test_a_signal_ends_it_in_every_state(launch: Launch, state: str, number: signal.Signals) -> None:
    shown, typed = STATES[state]
    with launch() as terminal:
        if shown is None:
            terminal.wait_for(lambda _: b"\x1b[?1049h" in terminal.received)
        else:
            terminal.wait_for(shown)
            terminal.send_bytes(typed)
            terminal.read(0.5)
        started = time.monotonic()
        terminal.kill(number)
        assert terminal.wait() == 128 + number
        assert time.monotonic() - started < END_S * max(1.0, slowness() / 2)
        assert b"\x1b[?1049l" in terminal.received


LEFT = (
    b"\x1b[?2004l",
    b"\x1b[?1000l",
    b"\x1b[?1003l",
    b"\x1b[?1004l",
    b"\x1b[?1049l",
    b"\x1b[?25h",
    b"\x1b[<u",
)
"""Pastes, mouse, focus, alternate screen, cursor, keyboard."""


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM],
    ids=lambda number: number.name,
)
def test_the_terminal_is_itself_again(launch: Launch, number: signal.Signals) -> None:
    """By every signal that ends a program, not by two of them."""
    with launch() as terminal:
        terminal.wait_for("declare an incident")
        terminal.kill(number)
        assert terminal.wait() == 128 + number
        assert all(sequence in terminal.received for sequence in LEFT)


def test_stopped_and_continued_by_a_shell(launch: Launch, tmp_path: Path) -> None:
    """At the shell's prompt the terminal is the shell's; back in front, the whole screen is drawn again."""
    shell = ["/bin/bash", "--norc", "--noprofile", "-i"]
    console = " ".join(COMMAND)
    with launch(
        through=lambda _: shell, PS1="prompt> ", PYTHONPATH=str(Path(__file__).parents[2])
    ) as terminal:
        terminal.wait_for("prompt>")
        terminal.send(f"{console}\r")
        terminal.wait_for("declare an incident")
        [pid] = [
            int(path.name)
            for path in Path("/proc").iterdir()
            if path.name.isdigit() and _parent(path) == terminal.pid
        ]
        for number in (signal.SIGTSTP, signal.SIGSTOP):
            before = len(terminal.received)
            os.kill(pid, number)
            terminal.wait_for("Stopped")
            if number == signal.SIGTSTP:
                assert all(sequence in terminal.received[before:] for sequence in LEFT)
                terminal.send("stty -a | grep -o ' -\\?icanon'\r")
                terminal.wait_for("\n icanon")
            terminal.screen.reset()
            before = len(terminal.received)
            terminal.send("fg\r")
            terminal.wait_for("declare an incident")
            assert b"\x1b[?2004h" in terminal.received[before:]
            terminal.wait_for("Measures")
            terminal.send("1")
            terminal.wait_for("Symptoms")
            terminal.send("h")
            terminal.wait_for("declare an incident")
        os.kill(pid, signal.SIGUSR1)
        terminal.wait_for("prompt>")


def test_an_editor_is_stopped_and_continued_by_a_shell(launch: Launch, tmp_path: Path) -> None:
    """As vi by ctrl+z, which stops all programs in front: the shell has its prompt; fg goes on editing."""
    editor = tmp_path / "editor.sh"
    editor.write_text('echo EDITING; kill -TSTP 0; echo BACK; echo "edited by hand" > "$1"\n')
    shell = ["/bin/bash", "--norc", "--noprofile", "-i"]
    with launch(
        through=lambda _: shell,
        PS1="prompt> ",
        PYTHONPATH=str(Path(__file__).parents[2]),
        EDITOR=f"/bin/sh {editor}",
    ) as terminal:
        terminal.wait_for("prompt>")
        terminal.send(f"{' '.join(COMMAND)}\r")
        declare(terminal)
        terminal.send("c")
        terminal.wait_for("mark sent")
        terminal.send_bytes(b"\x1bOS")  # F4
        terminal.wait_for("Stopped")
        # Neither ctrl+c nor ctrl+\\ of the shell's is ours.
        terminal.send_bytes(b"\x03\x1c")
        terminal.send("fg\r")
        terminal.wait_for("edited by hand")
        terminal.send("h")
        terminal.wait_for("Measures")


def _parent(path: Path) -> int:
    try:
        return int((path / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1


@pytest.mark.parametrize("name", ["dumb", "", "unknown"])
def test_a_terminal_without_a_screen(launch: Launch, name: str) -> None:
    """One sentence, what to do, and the exit code of wrong usage."""
    with launch(TERM=name) as terminal:
        assert terminal.wait() == 2
        said = " ".join(terminal.text.split())
        assert "TERM" in said
        assert "isla-console check" in said
        assert b"\x1b" not in terminal.received


def test_a_reader_of_the_help_does_not_need_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "isla_console", "--version"],
        env={"PATH": os.environ["PATH"], "TERM": "dumb"},
        capture_output=True,
        check=True,
    )
    assert done.stdout


def test_a_closed_terminal_is_noticed_while_nobody_reads(launch: Launch) -> None:
    with launch() as terminal:
        terminal.wait_for("declare an incident")
        stall(terminal, 3)
        below = descendants(terminal.pid) | {terminal.pid}
        terminal.close()
        wait_until(lambda: os.waitpid(terminal.pid, os.WNOHANG)[0])
        terminal.code = 0
        assert_gone(below)
