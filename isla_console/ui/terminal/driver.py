"""The terminal itself: bell, title, desktop notification. Everything private to Textual's driver is here."""

import os
import select
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from isla_console.text.plain import plain
from isla_console.ui.terminal.clipboard import passed_through

if TYPE_CHECKING:
    from textual.app import App

TITLE_LIMIT = 120
OSC_9 = frozenset({"iTerm.app", "WezTerm", "ghostty", "WindowsTerminal"})
"""Terminals, by TERM_PROGRAM, that notify by OSC 9; most others that notify at all do so by OSC 777."""


def notification(text: str, environ: Mapping[str, str]) -> str:
    """The sequence that asks this terminal for a desktop notification. `text` holds no controls."""
    program = environ.get("LC_TERMINAL") or environ.get("TERM_PROGRAM") or ""
    if program in OSC_9 or program == "iTerm2" or environ.get("WT_SESSION"):
        return f"\x1b]9;{text}\x07"
    return f"\x1b]777;notify;isla-console;{text.replace(';', ',')}\x07"


def has_hung_up(descriptor: int) -> bool:
    """Whether the terminal was closed or its line was cut: nobody is there any more."""
    poll = select.poll()
    poll.register(descriptor, 0)  # a hang-up is told unasked
    return any(event & select.POLLHUP for _, event in poll.poll(0))


class Terminal:
    """Writes the few control sequences that Textual has no call for."""

    def __init__(self, app: "App[Any]") -> None:
        self._app = app
        self._title = ""
        self._mouse = True

    def alarm(self, text: str) -> None:
        """Ring; and where nobody looks at this terminal, ask it to notify."""
        self._app.bell()
        if not self._app.app_focus:
            self._write(passed_through(notification(plain(text), os.environ), os.environ))

    def title(self, text: str) -> None:
        """Set the window's title, if it is another than before."""
        text = plain(text)[:TITLE_LIMIT]
        if text != self._title:
            self._title = text
            self._write(f"\x1b]2;{text}\x07")

    def toggle_mouse(self) -> bool:
        """Give the mouse to the terminal, so that it selects text as ever, or take it; true if it is ours."""
        driver = self._app._driver
        self._mouse = not self._mouse
        if driver is not None:
            getattr(driver, "_enable_mouse_support" if self._mouse else "_disable_mouse_support")()
        return self._mouse

    def _write(self, data: str) -> None:
        driver = self._app._driver
        if driver is not None and not self._app.is_headless:
            driver.write(data)
            driver.flush()
