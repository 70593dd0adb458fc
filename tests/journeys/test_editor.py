"""The person's own editor has the terminal: the console goes on behind it, and ends with it."""

from __future__ import annotations

import os
import signal
import termios
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.journeys.conftest import Launch
from tests.journeys.test_plain_terminal import declare
from tests.support.pace import slowness
from tests.support.platform import assert_gone, descendants
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

END_S = 2.0
EDITOR = """#!/bin/sh
stty raw
printf 'half a sentence' > "$1"
printf 'the editor is open\\r\\n'
until [ -e "$HOME/done" ]; do sleep 0.05; done
stty sane
"""


class Platform:
    """Answers probes, and counts them."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200


@pytest.fixture
def platform() -> Iterator[tuple[Platform, str]]:
    found = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked += 1
            self.send_response(found.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def editor(tmp_path: Path) -> str:
    path = tmp_path / "editor"
    path.write_text(EDITOR)
    path.chmod(0o755)
    return str(path)


def open_editor(terminal: Terminal) -> int:
    """Open it, and return how much the terminal had got by then."""
    declare(terminal)
    terminal.send("c")
    terminal.wait_for("$EDITOR")
    terminal.send_bytes(b"\x1bOS")  # F4
    terminal.wait_for("the editor is open")
    return len(terminal.received)


def test_probes_and_alarms_go_on_behind_it(
    launch: Launch, tmp_path: Path, editor: str, platform: tuple[Platform, str]
) -> None:
    """The bell rings; nothing is drawn over the editor; afterwards the screen is whole."""
    counted, url = platform
    with launch(VISUAL=editor, ISLA_APP_URL=url) as terminal:
        before = open_editor(terminal)
        asked = counted.asked
        wait_until(lambda: counted.asked > asked + 2)
        counted.status = 500
        end = time.monotonic() + 60
        while b"\a" not in terminal.received[before:] and time.monotonic() < end:
            terminal.read(0.2)
        assert bytes(terminal.received[before:]).strip(b"\a") == b""
        (tmp_path / "done").touch()
        terminal.wait_for("half a sentence")
        terminal.wait_for("mark sent")
        assert terminal.text.count("╰") > 1
        terminal.send("h")
        terminal.wait_for("500")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_both_and_what_was_saved_stays(
    launch: Launch, tmp_path: Path, editor: str, number: signal.Signals
) -> None:
    with launch(VISUAL=editor, NO_COLOR="1") as terminal:
        open_editor(terminal)
        below = descendants(terminal.pid) | {terminal.pid}
        started = time.monotonic()
        os.kill(terminal.pid, number)
        assert terminal.wait() == 128 + number
        assert time.monotonic() - started < END_S * max(1.0, slowness() / 2)
        assert_gone(below)
        said = bytes(terminal.received).decode().replace("\r\n", "\n")
        assert "What was saved of it is in " in said, said[-500:]
        path = Path(said.rpartition("What was saved of it is in ")[2].splitlines()[0])
        assert path.read_text() == "half a sentence"
        assert path.stat().st_mode & 0o777 == 0o600
        assert termios.tcgetattr(terminal.fd)[3] & termios.ICANON, "raw, as the editor had set it"
