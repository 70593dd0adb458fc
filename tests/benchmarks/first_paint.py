"""How long until there is something to look at, against a Textual app that shows one word.

    python -m tests.benchmarks.first_paint [runs]

Both start as a person starts them, by exec in a pty of 80x24, in turns. A run is from exec to the
first frame; the medians and their ratio are printed. `board` is when the runbook is on the screen.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.support.terminal import Terminal

RUNS = 15
PATIENCE_S = 20.0
BARE = """
from textual.app import App, ComposeResult
from textual.widgets import Static

class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("bare textual app")

Bare().run()
"""
FIRST, BOARD = "reading the runbook", "all keys"


def seconds_until(command: list[str], home: Path, *marks: str) -> list[float]:
    """Seconds from exec until each of these texts is on the screen."""
    environ = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "ISLA_LINK_CHECK": "127.0.0.1:9",
    }
    found: list[float] = []
    started = time.perf_counter()
    with Terminal(command, environ, columns=80, rows=24) as terminal:
        for mark in marks:
            while mark not in terminal.text:
                if not terminal.read_once(PATIENCE_S):
                    raise SystemExit(f"{mark!r} did not come:\n{terminal.text}")
            found.append(time.perf_counter() - started)
    return found


def main(runs: int = RUNS) -> None:
    """Print medians and ratio."""
    bare, first, board = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for run in range(runs + 1):
            word = seconds_until([sys.executable, "-c", BARE], home, "bare textual app")
            console = seconds_until([sys.executable, "-m", "isla_console"], home, FIRST, BOARD)
            if run:  # the first fills the caches: bytecode, pages
                bare.append(word[0])
                first.append(console[0])
                board.append(console[1])
    print(f"bare Textual app   {statistics.median(bare) * 1000:6.0f} ms")
    print(f"console, frame     {statistics.median(first) * 1000:6.0f} ms")
    print(f"console, board     {statistics.median(board) * 1000:6.0f} ms")
    print(f"first paint ratio  {statistics.median(first) / statistics.median(bare):6.2f}  (aim: at most 1.3)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
