"""How long from `isla-console drill` to the first panel with a live value, and what each part takes of it.

    python -m tests.benchmarks.drill_start [runs]

Each run is by exec in a pty of 140x40. `first` has an empty cache; `later` has the one that a first drill
left, where the cluster is copied, not made. The platform's own steps are taken from what it says of them on
the terminal, in tenths; the rest is when a line, or a part of the screen, came. Programs and libraries are in
the system's page cache in both: a disk that has to be read first is not measured. The aims are for a machine
that does nothing else; how busy it was before is printed.
"""

import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.terminal import Terminal

RUNS = 3
PATIENCE_S = 60.0
FIRST_AIM_S, LATER_AIM_S = 15.0, 5.0
STEP = re.compile(r"^  (\S.*) … (\d+\.\d) s\r?$", re.MULTILINE)
LAST_STEP = b"127.0.0.1 \xe2\x80\xa6 "
LIVE = re.compile(r"│[●▲◆] ~?\d")
"""A panel with a value, provisional or not; one without has `? unknown`."""

COMMAND = "command: interpreter, imports"
SUPERVISOR = "platform: interpreter, imports"
FRAME = "console: imports, first frame"
BOARD = "console: the runbook on the screen"
SAMPLE = "console: the first live value"


def shares(home: Path) -> dict[str, float]:
    """Seconds of each part; they add up to the time until a panel has a value."""
    environ = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "ISLA_ACTOR": "ana",
    }
    command = [sys.executable, "-m", "isla_console", "drill", "redirect-down"]
    began = time.perf_counter()
    with Terminal(command, environ) as terminal:

        def until(seen: Callable[[], object], what: str) -> float:
            while not seen():
                if not terminal.read_once(1) and (
                    terminal.code is not None or time.perf_counter() - began > PATIENCE_S
                ):
                    raise SystemExit(f"{what} did not come:\n{terminal.text}")
            return time.perf_counter() - began

        said = until(lambda: b"Drill redirect-down" in terminal.received, "the command's first line")
        ready = until(lambda: LAST_STEP in terminal.received, "the platform")
        frame = until(lambda: "reading the runbook" in terminal.text, "the first frame")
        state = until(lambda: "all keys" in terminal.text, "the runbook")
        live = until(lambda: LIVE.search(terminal.text), "a live value")
        steps = {
            f"platform: {name}": float(seconds)
            for name, seconds in STEP.findall(terminal.received.decode(errors="replace"))
        }
        terminal.send("q")
        terminal.wait_for("Leave isla-console?")
        terminal.send("enter")
        terminal.wait()
    return {
        COMMAND: said,
        SUPERVISOR: ready - said - sum(steps.values()),
        **steps,
        FRAME: frame - ready,
        BOARD: state - frame,
        SAMPLE: live - state,
    }


def tell(name: str, runs: list[dict[str, float]], aim_s: float) -> None:
    """Median of each part, its share, and each run's whole."""
    wholes = [sum(run.values()) for run in runs]
    parts = {part: statistics.median(run[part] for run in runs) for part in runs[0]}
    print(f"{name}: {', '.join(f'{whole:.2f}' for whole in wholes)} s", end="")
    print(f" (aim: under {aim_s:.0f} s: {'met' if max(wholes) < aim_s else 'MISSED'})")
    for part, seconds in parts.items():
        print(f"  {part:<60} {seconds:5.2f} s {seconds / sum(parts.values()):4.0%}")


def main(runs: int = RUNS) -> None:
    """Print both kinds of start, and what each part takes of them."""
    print(f"busy before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} processors")
    first, later = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            first.append(shares(Path(folder)))
            later.append(shares(Path(folder)))
    tell("first", first, FIRST_AIM_S)
    tell("later", later, LATER_AIM_S)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
