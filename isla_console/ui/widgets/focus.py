"""Screens whose keys always have a widget to go to."""

from __future__ import annotations

from textual.screen import Screen, ScreenResultType
from textual.widget import Widget


class KeepsFocus(Screen[ScreenResultType]):
    """A screen that keeps its focus while the widget that has it can have it.

    Textual takes it away where the mouse is pressed beside all widgets, and while the terminal's window is
    not in front: after a click, or behind a multiplexer that does not tell of the return, keys would be dead.

    It stands last among a screen's bases: Textual takes the styles of the first one alone.
    """

    def set_focus(
        self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False
    ) -> None:
        focused = self.focused
        if widget is None and focused is not None and focused.is_attached and focused.focusable:
            return
        super().set_focus(widget, scroll_visible, from_app_focus)
