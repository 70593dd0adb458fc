"""The console from launch to its first frame.

Loading the rules, the runbook's models and the monitor takes as long as loading Textual. Who opens a console
while production burns should see it at once: what is here imports none of them and paints the frame; `start`
then makes the whole console of it.
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import Any

from textual._compositor import CompositorUpdate
from textual.app import App
from textual.events import Event, Key, Paste
from textual.screen import Screen

from isla_console.resources import resource
from isla_console.settings import Settings
from isla_console.ui.commands import bindings
from isla_console.ui.main.screen import MainScreen
from isla_console.ui.terminal.key_queue import KeyQueue
from isla_console.ui.terminal.painter import Painter
from isla_console.ui.theme import DARK, LIGHT

STYLES = ("main.tcss", "panels.tcss", "ascii.tcss")
"""Of what the first frame shows."""


class Opening(App[int]):
    """What shows of the console before its parts are loaded: themes, styles, keys, the empty main screen."""

    TITLE = "isla-console"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "f12"  # the registry has its own key for it
    CSS_PATH = [resource("styles") / name for name in STYLES]
    BINDINGS = bindings()
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (130, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    def __init__(self, settings: Settings, go_on: Callable[["Opening"], None] = lambda opening: None) -> None:
        """`go_on` makes the whole console of this one; called when there is a frame to look at."""
        super().__init__()
        self.settings = settings
        self._go_on = go_on
        self.painter = Painter()
        self.key_queue = KeyQueue(self, lambda: self.is_ready())
        self.animation_level = "none"
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = LIGHT.name if settings.get("ISLA_THEME") == "light" else DARK.name
        self.problem = ""
        """Why the console ended, to print once the terminal is itself again."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(DARK.variables)

    def get_default_screen(self) -> Screen[None]:
        return MainScreen()

    def on_mount(self) -> None:
        if self.settings.flag("ISLA_ASCII") or not _has_glyphs():
            self.add_class("-ascii")
            self.painter.ascii_only = True
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self.hang_up, number)
        self.app_resume_signal.subscribe(self, lambda _: self.painter.forget())
        self.call_after_refresh(self.begin)

    async def on_unmount(self) -> None:
        self.key_queue.stop()

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
        elif not self.key_queue.holds(event):
            await super().on_event(event)
            self.key_queue.went()

    def is_ready(self) -> bool:
        """Whether what was opened last is there; keys wait until it is. Of an opening console nothing is."""
        return False

    def on_resize(self) -> None:
        # A terminal that is resized, or looked at from another one, may show anything.
        self.painter.forget()

    def _display(self, screen: Screen[object], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable = self.painter.changed(renderable, screen.outer_size)
        super()._display(screen, renderable)

    def hang_up(self, number: signal.Signals) -> None:
        """The terminal is gone, or somebody ends us: leave cleanly. What was done is on disk already."""
        self.exit(128 + number)

    def begin(self) -> None:
        """The frame is painted."""
        self._go_on(self)


def _has_glyphs() -> bool:
    """Whether the terminal's encoding has the glyphs at all."""
    stream = sys.__stderr__
    encoding = (stream.encoding if stream is not None else None) or "ascii"
    try:
        "●▲◆╭".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
