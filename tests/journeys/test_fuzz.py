"""Anything at all into a live drill: random bytes, keys, pastes, resizes and mouse; and it is still there.

The same seed gives the same input: `SEED=… FUZZ_S=900 FUZZ_BYTES=100000`. All of it happens in a drill, whose
platform is of this machine alone; its steps find no program but the few below, and its home is the test's.
"""

import contextlib
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.platform import SCENARIO, environment
from tests.support.terminal import KEYS, Terminal
from tests.support.waiting import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

FUZZ_S = float(os.environ.get("FUZZ_S", "30"))
FUZZ_BYTES = int(os.environ.get("FUZZ_BYTES", "100"))
"""Random bytes into each page and form."""
SEED = int(os.environ.get("SEED", "1"))
HARMLESS = ("sh", "bash", "cat", "grep", "sed", "sleep", "sort", "head", "tr", "kill", "ps", "true")
"""The programs that there are: nothing that reaches out or removes."""
LEAVES = (b"\x1b[?2004l", b"\x1b[?1003l", b"\x1b[?1049l", b"\x1b[?25h")
PAGES = ("h", "1", "4", "6", "o", "t", "D", "P", "s", "a", "T", "c", "p", "B")
FORMS = ("d", "n", "m", "v", "k", "e", "i", "R", "O", "A", "/", "?", "\x10", "w", "U", "l", "H")

SEQUENCES = (
    *(key.encode() for key in KEYS.values()),
    b"\x1b[200~", b"\x1b[201~", b"\x1b[I", b"\x1b[O", b"\x1b[<0;20;9M", b"\x1b[<0;20;9m", b"\x1b[<65;9;9M",
    b"\x1b[<35;30;12M", b"\x1b[999999999999u", b"\x1b[48;9999;9999;1;1t", b"\x1b]11;rgb:0/0/0\x1b\\",
    b"\x1bP>|x", b"\xe4", b"\xff", b"\xe2\x82", "ф".encode(), "\u200d".encode(), "界".encode(),
    b"\x1b[1092;;1092u", b"\x1b",
)  # fmt: skip


def harmless(data: bytes) -> bytes:
    """Without what leaves the console by a person's wish: it must end by nothing else."""
    return data.replace(b"q", b"x").replace(b"\x11", b"x").replace(b"Q", b"x")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in HARMLESS:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def drill(tmp_path: Path, programs: Path) -> Iterator[Terminal]:
    """A drill whose outage has begun."""
    environ = environment(tmp_path) | {
        "PATH": str(programs),
        "EDITOR": "true",
        "VISUAL": "true",
        "ISLA_ACTOR": "ana",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-m", "isla_console", "drill", SCENARIO, "--speed", "20", "--seed", "1"]
    start = ["/bin/sh", "-c", 'cd "$HOME" && exec "$@"', "sh", *command]
    with Terminal(start, environ, columns=100, rows=30) as terminal:
        terminal.wait_for("declare")
        terminal.send("d")
        terminal.wait_for("What is it?")
        terminal.send("enter", "enter", "home", "enter")
        terminal.wait_for("Severity")
        terminal.send("f2")
        terminal.wait_for("Redirect Service Down")
        terminal.wait_for(lambda text: "no incident" not in text)
        yield terminal


def acts(terminal: Terminal) -> None:
    """A key acts: out of whatever is open, to the overview and to an issue."""
    end = time.monotonic() + PATIENCE_S
    while True:
        terminal.send("escape", "escape", "escape")
        terminal.read(0.5)
        terminal.send("1")
        with contextlib.suppress(AssertionError):
            # The page's title, wherever in it the cursor was left.
            terminal.wait_for("─ 1 Redirect", 1)
            terminal.send("h")
            terminal.wait_for(lambda text: "─ 1 Redirect" not in text)
            return
        assert terminal.code is None, terminal.text
        assert time.monotonic() < end, terminal.text
        # Out of a field, a digit is text; out of an editor, Escape goes to the page's list.
        terminal.send("\x15", "escape")


def is_well(terminal: Terminal) -> None:
    assert terminal.code is None, terminal.text
    assert b"Traceback" not in terminal.received
    assert "internal fault" not in terminal.text
    # The emulator need not keep what was shown long ago.
    del terminal.received[:-100_000]


def junk(chance: random.Random) -> bytes:
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(chance.randrange(1, 400))
    if kind == 1:
        return bytes(chance.randrange(32, 127) for _ in range(chance.randrange(1, 20)))
    if kind == 2:
        pasted = chance.randbytes(chance.choice((5, 500, 20_000)))
        return b"\x1b[200~" + pasted + chance.choice((b"\x1b[201~", b"\x1b[201~", b""))
    return b"".join(chance.choice(SEQUENCES) for _ in range(chance.randrange(1, 9)))


def test_anything_for_a_while(drill: Terminal) -> None:
    """No end, no traceback, no stuck key; and the terminal is itself again."""
    chance, end, rounds = random.Random(SEED), time.monotonic() + FUZZ_S, 0
    while time.monotonic() < end:
        drill.send_bytes(harmless(junk(chance)))
        if chance.random() < 0.15:
            drill.resize(chance.choice((10, 40, 80, 100, 140, 200)), chance.choice((4, 12, 24, 30, 60)))
        if chance.random() < 0.1:
            drill.send_bytes(chance.choice((*PAGES, *FORMS)).encode())
        drill.read(chance.random() * 0.2)
        rounds += 1
        is_well(drill)
    drill.resize(100, 30)
    drill.read(3)  # a paste without its end ends
    acts(drill)
    is_well(drill)
    assert rounds > 5
    before = len(drill.received)
    drill.kill(signal.SIGTERM)
    assert drill.wait() == 128 + signal.SIGTERM
    assert all(sequence in drill.received[max(0, before - 1000) :] for sequence in LEAVES)


def _pages(terminal: Terminal, keys: tuple[str, ...], send: Callable[[], bytes]) -> None:
    for key in keys:
        acts(terminal)
        terminal.send(key)
        terminal.read(0.5)
        terminal.send_bytes(send())
        terminal.read(0.5)
        is_well(terminal)
    acts(terminal)


@pytest.mark.parametrize("where", [PAGES, FORMS], ids=["pages", "forms"])
def test_random_bytes_into_each(drill: Terminal, where: tuple[str, ...]) -> None:
    """The page or form is there afterwards, or was left by a key; the next key acts."""
    chance = random.Random(SEED)
    _pages(drill, where, lambda: harmless(chance.randbytes(FUZZ_BYTES)))
