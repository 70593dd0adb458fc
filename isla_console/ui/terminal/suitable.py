"""Whether there is a terminal, and whether it can show a full screen at all."""

from __future__ import annotations

import sys
from collections.abc import Mapping

DUMB = frozenset({"", "dumb", "unknown", "network", "dialup", "emacs"})
"""Names that say that nothing is known, or nothing possible, also where terminfo is not installed."""


def why_unsuitable(environ: Mapping[str, str]) -> str:
    """Return why the console cannot be drawn here; "" when it can, or when nothing is known."""
    # A closed stream is None.
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.__stderr__)):
        return "isla-console needs a terminal; headless: isla-console check, incident, report"
    name = environ.get("TERM", "")
    if name not in DUMB and _moves_cursor(name):
        return ""
    called = f"TERM is {name}, which" if name else "TERM is not set: such a terminal"
    return (
        f"isla-console: {called} cannot show a full screen. Set TERM to what your terminal is, for example "
        "TERM=xterm-256color; without a screen: isla-console check, incident, report."
    )


def _moves_cursor(name: str) -> bool:
    """Return whether a terminal has the ANSI sequence that places the cursor; True if it is not known."""
    try:
        import curses
    except ImportError:  # some builds of Python have no terminfo
        return True
    try:
        curses.setupterm(name, sys.__stderr__.fileno() if sys.__stderr__ is not None else 2)
        place = curses.tigetstr("cup")
    except curses.error:
        return True
    return place is not None and place.startswith(b"\x1b[")
