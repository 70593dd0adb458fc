"""A screen that is rendered by the console's own compositor."""

from __future__ import annotations

from textual.screen import Screen

from isla_console.ui.terminal.compositor import Compositor


class LeanScreen(Screen[None]):
    """A screen that renders only the lines that changed. No other screen may show below it."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = Compositor()
