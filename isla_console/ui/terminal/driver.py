"""Control sequences for which Textual has no method: window title, desktop notification, the mouse.

What is private to Textual's driver is used here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from isla_console.text.plain import plain
from isla_console.ui.terminal.console_driver import ConsoleDriver
from isla_console.ui.terminal.multiplexer import passed_through

if TYPE_CHECKING:
    from textual.app import App

TITLE_LIMIT = 120
"""The longest window title, in characters."""
OSC_9 = frozenset({"iTerm.app", "WezTerm", "ghostty", "WindowsTerminal"})
"""Terminals, by TERM_PROGRAM, that notify by OSC 9; most others that can notify do so by OSC 777."""


def write(app: App[Any], sequence: str) -> bool:
    """Send a control sequence to the terminal; return False where there is none, or it takes nothing."""
    driver = app._driver
    return isinstance(driver, ConsoleDriver) and driver.send(sequence)


def notification(text: str, environ: Mapping[str, str]) -> str:
    """Return the sequence that asks for a desktop notification; `text` must be without controls."""
    program = environ.get("LC_TERMINAL") or environ.get("TERM_PROGRAM") or ""
    if program in OSC_9 or program == "iTerm2" or environ.get("WT_SESSION"):
        return f"\x1b]9;{text}\x07"
    return f"\x1b]777;notify;isla-console;{text.replace(';', ',')}\x07"


class Terminal:
    """The terminal of one app: its bell, its title, its notifications and its mouse."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._title = ""
        self._has_mouse = True

    def alarm(self, text: str) -> None:
        """Ring the bell; where the terminal is not in focus, ask for a desktop notification too."""
        self._app.bell()
        if not self._app.app_focus:
            write(self._app, passed_through(notification(plain(text), os.environ), os.environ))

    def title(self, text: str) -> None:
        """Set the window's title, unless it is already set."""
        text = plain(text)[:TITLE_LIMIT]
        if text != self._title:
            self._title = text
            write(self._app, f"\x1b]2;{text}\x07")

    def toggle_mouse(self) -> bool:
        """Give the mouse to the terminal, so that it can select text, or take it back.

        Returns:
            Whether the console has the mouse now.
        """
        self._has_mouse = not self._has_mouse
        if isinstance(driver := self._app._driver, ConsoleDriver):
            driver.set_mouse(self._has_mouse)
        return self._has_mouse
