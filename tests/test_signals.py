"""What a parent ignores does not keep the console, or what it starts, from being ended."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ignoring import ignoring

ENDING = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}
SHOW = """
import subprocess, sys
if {main}:
    from isla_console.cli import main
    try:
        main(["--version"])
    except SystemExit:
        pass
subprocess.run(["grep", "SigIgn", "/proc/self/status"], check=True)
"""


def ignored_by_a_child(tmp_path: Path, *, main: bool) -> set[signal.Signals]:
    """What a child ignores of a program whose parent ignores all that ends programs."""
    done = subprocess.run(
        ignoring([sys.executable, "-c", SHOW.format(main=main)], *ENDING),
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    mask = int(done.stdout.partition("SigIgn:")[2].split()[0], 16)
    return {number for number in ENDING if mask >> (number - 1) & 1}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_console_hands_on_its_own_dispositions(tmp_path: Path) -> None:
    assert ignored_by_a_child(tmp_path, main=False) == ENDING, "or this test shows nothing"
    assert ignored_by_a_child(tmp_path, main=True) == set()
