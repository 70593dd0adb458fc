"""What the console changes in Textual's `App` through its private methods."""

from __future__ import annotations

from typing import Any

from textual._compositor import CompositorUpdate
from textual.app import App
from textual.screen import Screen

from isla_console.ui.terminal.painter import Painter


class TerminalApp(App[int]):
    """An app that sends only the cells that changed, and whose crash report has no values of variables."""

    def __init__(self) -> None:
        super().__init__()
        self.painter = Painter()

    @property
    def is_leaving(self) -> bool:
        """Whether the app is exiting, by request or by a fault; it may still run for a moment."""
        return self.return_code is not None

    def on_mount(self) -> None:
        # A program that ran while the app was suspended has written over the screen.
        self.app_resume_signal.subscribe(self, lambda _: self.painter.forget())

    def on_resize(self) -> None:
        # A terminal that was resized, or is now shown in another one, may show anything.
        self.painter.forget()

    def _display(self, screen: Screen[object], renderable: Any) -> None:
        """Send what the compositor rendered, without the cells that the terminal already shows."""
        if isinstance(renderable, CompositorUpdate):
            renderable = self.painter.changed(renderable, screen.outer_size)
        super()._display(screen, renderable)

    def _fatal_error(self) -> None:
        """End the app by the current exception; Textual's own method prints variables, perhaps secrets."""
        from rich.traceback import Traceback

        self.bell()
        self.panic(Traceback(show_locals=False, width=None))
