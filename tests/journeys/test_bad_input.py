"""Bad input against the real console: it says what is wrong, stays quick, and obeys nothing."""

import os
import sqlite3
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from tests.journeys.conftest import COMMAND, Launch
from tests.support.hostile import hostile_server
from tests.support.pace import slowness
from tests.support.terminal import Terminal
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow

QUICK_S = 0.2
LOADED = 2.5
"""How much slower still the machine may have been than when it was measured."""


def seconds_for(terminal: Terminal, key: str, wanted: str) -> float:
    """From the key to its effect on the screen."""
    started = time.monotonic()
    os.write(terminal.fd, key.encode())
    while wanted not in terminal.text:
        assert terminal.read_once(PATIENCE_S), terminal.text
    return time.monotonic() - started


def memory_mb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    raise AssertionError("no such process")


def test_hostile_endpoints(launch: Launch) -> None:
    """Hang, circle, escapes, garbage, a gigabyte: each a reason, the keys quick, the terminal untouched."""
    with hostile_server() as port:
        base = f"http://127.0.0.1:{port}"
        addresses = {
            "ISLA_APP_URL": f"{base}/hang",
            "ISLA_REDIRECT_URL": f"{base}/circle",
            "ISLA_SUPABASE_URL": f"{base}/escapes",
            "SUPABASE_ANON_KEY": "sb_publishable_0123456789",
            "ISLA_DATABASE_URL": f"postgresql://reader:hunter22@127.0.0.1:{port}/isla",
        }
        with launch(rows=60, **addresses) as terminal:
            terminal.wait_for("timed out after")
            screen = terminal.wait_for("302 instead of 200")
            assert "503 instead of" in screen
            times = [
                seconds_for(terminal, key, wanted)
                for _ in range(10)
                for key, wanted in (("1", "Symptoms"), ("h", "all keys"))
            ]
            assert statistics.median(times) < QUICK_S * LOADED * slowness()
            assert b"\x1b]0;" not in terminal.received
            assert b"\x1b[31m" not in terminal.received
            assert b"hunter22" not in terminal.received
            assert terminal.code is None


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("reset", "connection"),
        ("garbage", "no HTTP"),
        ("endless", "200 · "),
        ("escapes", "␛]0;owned"),
    ],
)
def test_one_bad_way(launch: Launch, way: str, reason: str) -> None:
    """What the probe's row says; a gigabyte is not read to its end, nor kept."""
    with hostile_server() as port, launch(rows=60, ISLA_APP_URL=f"http://127.0.0.1:{port}/{way}") as terminal:
        found = terminal.wait_for(
            lambda text: any("Main application" in row and reason in row for row in text.splitlines()), 25
        )
        assert "Traceback" not in found
        terminal.read(3)
        assert b"\x1b]0;" not in terminal.received
        assert memory_mb(terminal.pid) < 200


def test_no_configuration(launch: Launch) -> None:
    """Each panel names the variable to set; the page offers a drill."""
    with launch(ISLA_LINK_CHECK="") as terminal:
        terminal.wait_for("isla-console drill")
        names = ("ISLA_REDIRECT_URL", "ISLA_APP_URL", "ISLA_DATABASE_URL", "STRIPE_API_KEY")
        terminal.wait_for(lambda text: all(name in "".join(text.splitlines()[1:5]) for name in names))


def runbook_of(kind: str, folder: Path) -> Path:
    path = folder / "runbook.yaml"
    match kind:
        case "bomb":
            lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
            lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
            path.write_text("\n".join(lines))
        case "huge":
            path.write_bytes(b"# a comment that goes on and on\n" * (50 * 1024 * 1024 // 32))
        case "directory":
            path.mkdir()
        case "binary":
            path.write_bytes(bytes(range(256)) * 64)
        case "escapes":
            path.write_text('version: 1\n"\\e]0;owned\\a": "[bold]x"\n')
    return path


@pytest.mark.parametrize("kind", ["bomb", "huge", "directory", "binary", "escapes", "missing"])
def test_runbook_refused(launch: Launch, tmp_path: Path, kind: str) -> None:
    """Said clearly, exit 1, never a traceback; the same from `check`."""
    path = runbook_of(kind, tmp_path)
    with launch(ISLA_RUNBOOK=str(path)) as terminal:
        assert terminal.wait() == 1
        screen = terminal.text
        assert b"\x1b]0;" not in terminal.received
    assert "runbook.yaml" in screen
    assert "Traceback" not in screen
    started = time.monotonic()
    done = subprocess.run(
        [*COMMAND, "check", "--runbook", str(path)],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "runbook.yaml" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout
    assert time.monotonic() - started < 5 * slowness()


def test_newer_journal(launch: Launch, tmp_path: Path) -> None:
    """A journal of a later version is left alone, and that is said."""
    state = tmp_path / ".local/state/isla-console"
    with launch() as terminal:
        terminal.wait_for("declare an incident")
    journal = state / "journal.sqlite3"
    with sqlite3.connect(journal) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = journal.read_bytes()
    with launch() as terminal:
        terminal.wait_for("newer")
        terminal.send("d")
        terminal.wait_for("cannot be journalled")
    assert journal.read_bytes() == before


def test_read_only_state(launch: Launch, tmp_path: Path) -> None:
    """A state directory that takes no file: the console works, and says that nothing is kept."""
    (tmp_path / "taken").write_text("mine")
    with launch(ISLA_STATE_DIR=str(tmp_path / "taken/state")) as terminal:
        screen = terminal.wait_for(lambda text: "taken" in text and "declare an incident" in text)
        assert "Traceback" not in screen
        terminal.send("d")
        terminal.wait_for("cannot be journalled")
