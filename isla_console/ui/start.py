"""The console from launch to its end: the opening paints the first frame, then all the rest is loaded."""

import gc
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from isla_console.settings import Settings
from isla_console.ui.shell import Opening

if TYPE_CHECKING:
    from isla_console.session.session import Session

GARBAGE = (10_000, 10, 10)
"""How many new objects make it worth looking; a screen drawn anew each second makes and drops a thousand."""


def run(settings: Settings, make_session: "Callable[[], Session] | None" = None) -> int:
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
    app = Opening(settings, lambda opening: _go_on(opening, make_session))
    code = app.run(mouse=settings.get("ISLA_MOUSE") not in {"off", "0", "false"})
    if app.problem:
        print(app.problem, file=sys.stderr)
    return code if code is not None else (app.return_code or 0)


def _go_on(opening: Opening, make_session: "Callable[[], Session] | None") -> None:
    """Make the whole console of what has opened."""
    from isla_console.ui.app import IslaApp

    # The same object, now with everything a console can do: screen, terminal and keys stay as they are.
    opening.__class__ = IslaApp
    assert isinstance(opening, IslaApp)
    session = make_session() if make_session is not None else None
    opening.equip(clock=session.clock if session is not None else None, session=session)
    opening.begin()
    # What is loaded by now stays: looking through it for garbage again and again would be most of it.
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    gc.enable()
