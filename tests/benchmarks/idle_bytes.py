"""What an idle console writes: bytes a second with every panel live, in a drill where nothing is wrong.

    python -m tests.benchmarks.idle_bytes [seconds] [capture folder]

Consoles of 80x24 and 140x40 look at one platform at the same time; counting begins once all is live. With a
folder, what each wrote is kept there.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.support.platform import running_platform
from tests.support.terminal import Terminal

SECONDS = 60.0
WARM_UP_S = 15.0
SIZES = ((80, 24), (140, 40))


def main(seconds: float = SECONDS, capture: Path | None = None) -> None:
    """Print bytes a second, by size and state of the incident."""
    with tempfile.TemporaryDirectory() as folder, running_platform(Path(folder)) as platform:
        terminals = [
            Terminal(
                [sys.executable, "-m", "isla_console"],
                platform.environ | {"ISLA_STATE_DIR": f"{folder}/{columns}x{rows}"},
                columns=columns,
                rows=rows,
            ).__enter__()
            for columns, rows in SIZES
        ]
        try:
            _wait(terminals, WARM_UP_S)
            _measure("no incident", terminals, seconds, capture)
            for terminal in terminals:
                terminal.send("d")
                terminal.wait_for("What is it?")
                terminal.send("enter", "enter", "home", "enter", "f2")
                terminal.wait_for("DECLARED")
            _wait(terminals, 3)
            _measure("an incident", terminals, seconds, capture)
        finally:
            for terminal in terminals:
                terminal.__exit__(None, None, None)


def _measure(what: str, terminals: list[Terminal], seconds: float, capture: Path | None) -> None:
    before = [len(terminal.received) for terminal in terminals]
    _wait(terminals, seconds)
    for (columns, rows), terminal, start in zip(SIZES, terminals, before, strict=True):
        written = bytes(terminal.received[start:])
        if capture is not None:
            (capture / f"{columns}x{rows}-{what.replace(' ', '-')}.bin").write_bytes(written)
        print(f"{columns}x{rows:<4} {what}  {len(written) / seconds:6.0f} bytes/s   (aim: at most 900)")


def _wait(terminals: list[Terminal], seconds: float) -> None:
    """Take in what all of them write for this long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for terminal in terminals:
            terminal.read_once(0.02)


if __name__ == "__main__":
    main(
        float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS,
        Path(sys.argv[2]) if len(sys.argv) > 2 else None,
    )
