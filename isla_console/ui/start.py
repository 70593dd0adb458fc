"""The console from launch to end: the shell paints the first frame, then everything else is loaded."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from isla_console.settings.resolve import Settings
from isla_console.text.plain import plain
from isla_console.ui.shell import Program, Shell
from isla_console.ui.terminal.ending import EndingSignals
from isla_console.ui.terminal.suitable import why_unsuitable

if TYPE_CHECKING:
    from isla_console.session.session import Session

GARBAGE = (10_000, 10, 10)
"""The garbage collector's thresholds; drawing a screen every second makes and drops a thousand objects."""


def run(settings: Settings, make_session: Callable[[], Session] | None = None) -> int:
    """Run the console in this terminal and return the exit code.

    `make_session` makes the session once there is a screen; by default, one of the settings.
    """
    if reason := why_unsuitable(os.environ):
        print(reason, file=sys.stderr)
        return 2
    # A library's log would be written over the screen.
    logging.getLogger().addHandler(logging.NullHandler())
    # Nothing that the start makes is garbage yet: looking for it would only delay the first frame.
    gc.disable()
    with EndingSignals() as signals:
        app = Shell(settings, lambda shell: _load(shell, make_session))
        app.signals = signals
        code = app.run(mouse=settings.get("ISLA_MOUSE") not in {"off", "0", "false"})
        code = code if code is not None else (app.return_code or 0)
        # A terminal that has hung up takes nothing: what was to be said is in the file that it names.
        with contextlib.suppress(OSError):
            for text in (app.problem, app.parting, *app.left):
                if text:
                    print(text, file=sys.__stderr__, flush=True)  # an editor that was cut off left another
    return code or 1 if app.parting else code


def run_replay(path: Path, incident: str, speed: float, settings: Settings) -> int:
    """Show a recorded incident in this terminal and return the exit code.

    Args:
        path: A journal's file, or exported JSON lines.
        incident: Its id or the beginning of it; "" for the last one.
        speed: How many times as fast as it was.
        settings: The resolved configuration.

    Raises:
        JournalError: The file cannot be read.
        ValueError: There is nothing to show; the message says why.
    """
    from isla_console.journal.recorded import read_recorded
    from isla_console.session.replay import Replay, ReplaySession, choose

    recorded = read_recorded(path)
    events = choose(recorded.events, incident)
    code = run(settings, lambda: ReplaySession(settings, Replay(events, speed)))
    for problem in recorded.problems:
        print(f"{path}: set aside: {plain(problem)}", file=sys.stderr)
    return code


def _load(shell: Shell, make_session: Callable[[], Session] | None) -> Program:
    """Load everything that a console can do, once the first frame is painted."""
    from isla_console.ui.program import ConsoleProgram

    program = ConsoleProgram(shell, make_session() if make_session is not None else None)
    # What is loaded by now stays: searching it for garbage again and again would take the most time.
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    gc.enable()
    return program
