"""The application from launch on: themes, styles, keys, the empty main screen.

Loading the rules, the runbook's models and the monitor takes as long as loading Textual, and a console that
is opened during an outage should appear at once. So the shell imports none of them and paints the first
frame; then it loads its program, which does everything that a console can do (`ui/program.py`).
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Protocol

from textual import on
from textual.app import SystemCommand
from textual.events import Event, Key, Paste
from textual.screen import Screen
from textual.worker import Worker

from isla_console.resources import resource
from isla_console.settings.resolve import Settings
from isla_console.ui.commands import bindings
from isla_console.ui.main.screen import MainScreen
from isla_console.ui.messages import Request
from isla_console.ui.terminal.app import TerminalApp
from isla_console.ui.terminal.driver import has_hung_up
from isla_console.ui.terminal.key_queue import KeyQueue
from isla_console.ui.theme import DARK, LIGHT

STYLES = ("main.tcss", "panels.tcss", "ascii.tcss")
"""The style sheets of the first frame."""
HANG_UP_S = 1.0
"""Seconds between two checks whether the terminal has hung up."""


class Program(Protocol):
    """What runs on a shell, which passes on what Textual reports and decides nothing itself."""

    def begin(self) -> None:
        """Open what there is to show, once the first frame is painted."""

    def is_ready(self) -> bool:
        """Return whether what was opened last is ready; keys wait until it is."""

    def run_command(self, id: str, key: str) -> None:
        """Carry out a command of the registry, or say why it is not possible."""

    def open_row(self, key: str) -> None:
        """Do what Enter on a row does."""

    def take_request(self, request: Request) -> None:
        """Do what a page asks for."""

    def palette(self) -> Iterable[SystemCommand]:
        """Return the entries of the command palette, possible ones first."""

    def worker_changed(self, event: Worker.StateChanged) -> None:
        """Say it when a worker fails."""

    async def close(self) -> None:
        """Stop what runs and close the journal."""


class Shell(TerminalApp):
    """The one Textual application. Screens draw; the program acts."""

    TITLE = "isla-console"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "f12"  # the registry has its own key for it
    CSS_PATH = [resource("styles") / name for name in STYLES]
    BINDINGS = bindings()
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (130, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    def __init__(self, settings: Settings, load: Callable[[Shell], Program]) -> None:
        """Load nothing yet; `load` makes the program once the first frame is painted."""
        super().__init__()
        self.settings = settings
        self._load = load
        self.program: Program | None = None
        self.key_queue = KeyQueue(self, self.is_ready)
        self.animation_level = "none"
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = LIGHT.name if settings.get("ISLA_THEME") == "light" else DARK.name
        self.problem = ""
        """Why the console ended, printed once the terminal is restored."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(DARK.variables)

    def get_default_screen(self) -> Screen[None]:
        return MainScreen()

    @property
    def main(self) -> MainScreen:
        """The main screen, also while a sheet lies over it."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def on_mount(self) -> None:
        if self.settings.flag("ISLA_ASCII") or not _has_glyphs():
            self.add_class("-ascii")
            self.painter.ascii_only = True
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self.hang_up, number)
        if not self.is_headless:
            self.set_interval(HANG_UP_S, self._notice_hang_up)
        self.call_after_refresh(self.begin)

    def load(self) -> Program:
        """Return the program, which is loaded when it is first asked for."""
        if self.program is None:
            self.program = self._load(self)
        return self.program

    def begin(self) -> None:
        """Go on with the program, once the first frame is painted."""
        self.load().begin()

    async def on_unmount(self) -> None:
        self.key_queue.stop()
        if self.program is not None:
            await self.program.close()

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
        elif not self.key_queue.holds(event):
            await super().on_event(event)
            self.key_queue.went()

    def is_ready(self) -> bool:
        """Return whether the program is loaded and what was opened last is ready; keys wait until then."""
        return self.program is not None and self.program.is_ready()

    def _notice_hang_up(self) -> None:
        """Leave when the terminal has hung up without a signal.

        A shell in between that ignores SIGHUP does not pass it on.
        """
        if sys.__stdin__ is not None and has_hung_up(sys.__stdin__.fileno()):
            self.hang_up(signal.SIGHUP)

    def hang_up(self, number: signal.Signals) -> None:
        """Leave cleanly when the terminal hangs up or a signal ends us. What was done is already on disk."""
        self.exit(128 + number)

    def action_command(self, id: str, key: str) -> None:
        """Carry out the command of a key of the registry."""
        if self.program is not None:
            self.program.run_command(id, key)

    @on(MainScreen.RowChosen)
    def _row_chosen(self, event: MainScreen.RowChosen) -> None:
        if self.program is not None:
            self.program.open_row(event.key)

    @on(Request)
    def _requested(self, request: Request) -> None:
        if self.program is not None:
            self.program.take_request(request)

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if self.program is not None:
            self.program.worker_changed(event)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Return the entries of the command palette."""
        return self.program.palette() if self.program is not None else ()


def _has_glyphs() -> bool:
    """Return whether the terminal's encoding has the glyphs."""
    stream = sys.__stderr__
    encoding = (stream.encoding if stream is not None else None) or "ascii"
    try:
        "●▲◆╭".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
