"""The console from launch to its end: the shell paints the first frame, then all the rest is loaded."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from isla_console.settings.resolve import Settings
from isla_console.ui.shell import Program, Shell

if TYPE_CHECKING:
    from isla_console.session.session import Session

GARBAGE = (10_000, 10, 10)
"""How many new objects make it worth looking; a screen drawn anew each second makes and drops a thousand."""


def run(settings: Settings, make_session: Callable[[], Session] | None = None) -> int:
    """Run the console in this terminal; the exit code.

    `make_session` makes the session to work at once there is a screen; default: the settings' own.
    """
    if not (sys.stdin.isatty() and sys.__stderr__ is not None and sys.__stderr__.isatty()):
        print(
            "isla-console needs a terminal; headless: isla-console check, incident, report", file=sys.stderr
        )
        return 2
    # A library that logs would write over the screen.
    logging.getLogger().addHandler(logging.NullHandler())
    # Nothing made while starting can go yet: looking for garbage would only delay the first frame.
    gc.disable()
    app = Shell(settings, lambda shell: _load(shell, make_session))
    code = app.run(mouse=settings.get("ISLA_MOUSE") not in {"off", "0", "false"})
    if app.problem:
        print(app.problem, file=sys.stderr)
    return code if code is not None else (app.return_code or 0)


def run_replay(path: Path, incident: str, speed: float, settings: Settings) -> int:
    """Show a recorded incident in this terminal; the exit code.

    Args:
        path: a journal's file, or exported JSON lines.
        incident: its id or the beginning of it; "" for the last.
        speed: how many times as quick as it was.

    Raises:
        JournalError: the file cannot be read.
        ValueError: there is nothing to show, and why.
    """
    from isla_console.journal.recorded import read_recorded
    from isla_console.session.replay import Replay, ReplaySession, choose

    events = choose(read_recorded(path), incident)
    return run(settings, lambda: ReplaySession(settings, Replay(events, speed)))


def _load(shell: Shell, make_session: Callable[[], Session] | None) -> Program:
    """Load everything a console can do; the first frame is painted by now."""
    from isla_console.ui.program import ConsoleProgram

    program = ConsoleProgram(shell, make_session() if make_session is not None else None)
    # What is loaded by now stays: looking through it for garbage again and again would be most of it.
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    gc.enable()
    return program
