"""The application from launch on: themes, styles, keys, the empty main screen.

Loading the rules, the runbook's models and the monitor takes as long as loading Textual, and a console that
is opened during an outage should appear at once. So the shell imports none of them and paints the first
frame; then it loads its program, which does everything that a console can do (`ui/program.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Protocol

from textual import on
from textual.app import SystemCommand
from textual.events import AppBlur, AppFocus, Event, InputEvent, Key, Paste, Resize
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker

from isla_console.resources import resource
from isla_console.settings.resolve import Settings
from isla_console.text.plain import plain
from isla_console.ui.commands import bindings
from isla_console.ui.main.notice import Notice, show_on_sheet
from isla_console.ui.main.screen import MainScreen
from isla_console.ui.messages import Request
from isla_console.ui.terminal.app import TerminalApp
from isla_console.ui.terminal.decoder import PASTE_LIMIT
from isla_console.ui.terminal.key_queue import KeyQueue
from isla_console.ui.theme import DARK, LIGHT

NOTICE_LOOK_S = 0.5
"""Seconds between two looks whether what is said is still so; only while something is said."""
STYLES = ("main.tcss", "panels.tcss", "ascii.tcss")
"""The style sheets of the first frame."""
QUIT_AGAIN_S = 4.0
"""Seconds within which a second ctrl+q ends the console from a sheet."""


_FROM_OUTSIDE = (InputEvent, Paste, Resize, AppFocus, AppBlur)
"""What the terminal sends."""


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

    async def close(self, *, in_hurry: bool) -> str:
        """Stop what runs and close the journal; return what has to be said once the terminal is restored.

        `in_hurry` when a signal ends the process.
        """


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
        self.notice: Notice | None = None
        """What is said at the moment."""
        self._notice_timer: Timer | None = None
        self._quit_asked = -QUIT_AGAIN_S
        self.problem = ""
        """Why the console ended, printed once the terminal is restored."""
        self.parting = ""
        """What could not be saved, printed once the terminal is restored."""
        self.left: list[str] = []
        """What else is where, printed then too."""

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
        self.call_after_refresh(self.begin)

    def load(self) -> Program:
        """Return the program, which is loaded when it is first asked for."""
        if self.program is None:
            self.program = self._load(self)
        return self.program

    def begin(self) -> None:
        """Go on with the program, once the first frame is painted."""
        try:
            self.load().begin()
        except Exception as error:
            # Whatever a console is made of is missing or wrong: there is nothing that could go on.
            self.problem = f"isla-console cannot start: {type(error).__name__}: {plain(str(error))}"
            self.exit(1)

    async def on_unmount(self) -> None:
        self.key_queue.stop()
        if self.program is not None:
            driver = self.console_driver
            hurry = driver is not None and driver.in_hurry
            self.parting = await self.program.close(in_hurry=hurry)

    async def on_event(self, event: Event) -> None:
        if self.is_leaving and isinstance(event, _FROM_OUTSIDE):
            return  # its screens are being taken down: there is nobody to take it
        dropped = self.key_queue.dropped
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self.key_queue.holds(event):
            if self.key_queue.dropped and not dropped:
                self.say("Keys came faster than they can act: the last ones are dropped.", warn=True)
        else:
            if self.notice is not None:
                self._look_at_notice(acted=True)
            if isinstance(event, Key):
                self._say_if_unbound(event)
            await super().on_event(event)
            self.key_queue.went()

    def is_ready(self) -> bool:
        """Return whether the program is loaded and what was opened last is ready; keys wait until then."""
        return self.program is not None and self.program.is_ready()

    def say(self, text: str, *, warn: bool = False, holds: Callable[[], bool] | None = None) -> None:
        """Say something in passing, which must never be the only place that says it.

        Args:
            text: One or two sentences.
            warn: Whether something was not done.
            holds: Whether it is still so; asked as long as it is shown.
        """
        self.notice = Notice(text, warn, holds, monotonic())
        if self._notice_timer is None:
            self._notice_timer = self.set_interval(NOTICE_LOOK_S, self._look_at_notice)
        self._show_notice()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Say what Textual or a widget has to say; Textual's own way covers what lies below."""
        self.say(f"{title}: {message}" if title else message, warn=severity != "information")

    def _look_at_notice(self, *, acted: bool = False) -> None:
        """Take a notice away when it is over."""
        if self.notice is not None and self.notice.is_over(monotonic(), acted=acted):
            self.notice = None
            if self._notice_timer is not None:
                self._notice_timer.stop()
                self._notice_timer = None
        self._show_notice()

    def _show_notice(self) -> None:
        """Show the notice, or that there is none, on the screen in front."""
        if not self.screen_stack:
            return
        for screen in self.screen_stack:
            notice = self.notice if screen is self.screen else None
            if isinstance(screen, MainScreen):
                screen.notice = notice
                screen.draw_keys()
            else:
                screen.call_next(show_on_sheet, screen, notice)

    def on_paste_cut(self) -> None:
        self.say(f"The paste was cut: {PASTE_LIMIT >> 20} MiB are taken at once.", warn=True)

    def _say_if_unbound(self, event: Key) -> None:
        """Say it when a key of another alphabet was pressed where only keys are."""
        char, focused = event.character, self.focused
        if char is None or not char.isprintable() or event.key.startswith(("alt+", "ctrl+")):
            return
        if focused is not None and focused.check_consume_key(event.key, char):
            return
        if not char.isascii():
            self.say(f"{char}: keys are Latin letters; ? lists them", warn=True)
        elif isinstance(self.screen, MainScreen) and event.key not in self.screen.active_bindings:
            self.say(f"{char} is no key here; ? lists them", warn=True)

    def action_focus_next(self) -> None:
        """Go to the next widget, but never out of a text: the letters that follow would be commands."""
        if not self.is_typing:
            super().action_focus_next()

    def action_focus_previous(self) -> None:
        """Go to the previous widget, but never out of a text."""
        if not self.is_typing:
            super().action_focus_previous()

    @property
    def is_typing(self) -> bool:
        """Whether letters go into a text rather than being commands."""
        # Asked so, because loading the text area takes a sixth of the time to the first frame.
        return self.focused is not None and self.focused.check_consume_key("a", "a")

    async def action_quit(self) -> None:
        """Leave at once, the way out of a console that hangs; over a sheet only when it is pressed again.

        What was done is on disk, but what is typed in a sheet is not.
        """
        now = monotonic()
        if isinstance(self.screen, MainScreen) or now - self._quit_asked < QUIT_AGAIN_S:
            self.exit()
        else:
            self._quit_asked = now
            self.say("ctrl+q again ends the console; what is typed here is lost.", warn=True)

    def action_help_quit(self) -> None:
        """Say what ctrl+c, which ends nothing here, is pressed for."""
        self.say("ctrl+c ends nothing here: q leaves the console, ctrl+q at once.")

    def action_command_palette(self) -> None:
        """Open the palette, but never over a sheet: its commands would act on the page behind."""
        if isinstance(self.screen, MainScreen):
            super().action_command_palette()

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
