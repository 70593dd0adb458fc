"""The terminal itself: bell, title, desktop notification. Everything private to Textual's driver is here."""

from typing import TYPE_CHECKING, Any

from isla_console.plain import plain

if TYPE_CHECKING:
    from textual.app import App

TITLE_LIMIT = 120


class Terminal:
    """Writes the few control sequences that Textual has no call for."""

    def __init__(self, app: "App[Any]") -> None:
        self._app = app
        self._title = ""
        self._mouse = True

    def alarm(self, text: str) -> None:
        """Ring; and where nobody looks at this terminal, ask it to notify (OSC 9 and 777)."""
        self._app.bell()
        if not self._app.app_focus:
            shown = plain(text).replace(";", ",")
            self._write(f"\x1b]9;{shown}\x07\x1b]777;notify;isla-console;{shown}\x07")

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
