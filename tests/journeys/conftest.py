"""The console as its user starts it: the installed command in a terminal of its own."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

COMMAND = (sys.executable, "-m", "isla_console")
Launch = Callable[..., Terminal]


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """`launch(*arguments, columns=, rows=, through=, **environ)`: a terminal with the console, its home in
    tmp_path; `through` makes the command into one that starts it.
    """

    def start(
        *arguments: str,
        columns: int = 140,
        rows: int = 40,
        through: Callable[[Sequence[str]], list[str]] = list,
        **environ: str,
    ) -> Terminal:
        base = {
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "ISLA_ACTOR": "ana",
            # No probe leaves this machine in a test: nothing listens on this port.
            "ISLA_LINK_CHECK": "127.0.0.1:9",
        }
        return Terminal(through([*COMMAND, *arguments]), base | environ, columns=columns, rows=rows)

    return start
