"""The sequences that Textual has no call for, and the mouse."""

from typing import Any

import pytest
from textual.app import App

from isla_console.ui.terminal.console_driver import ConsoleDriver
from isla_console.ui.terminal.driver import TITLE_LIMIT, Terminal, notification, write


class Recording(ConsoleDriver):
    """A driver that keeps what it is told, and has no terminal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.written: list[str] = []

    def send(self, data: str) -> bool:
        self.written.append(data)
        return True


def recording(app: App[None]) -> Recording:
    """Put a driver that records under a running app."""
    driver = app._driver = Recording(app)
    return driver


@pytest.mark.parametrize(
    ("environ", "begins"),
    [
        ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]9;"),
        ({"LC_TERMINAL": "iTerm2"}, "\x1b]9;"),
        ({"WT_SESSION": "1"}, "\x1b]9;"),
        ({}, "\x1b]777;notify;"),
    ],
)
def test_notification_by_terminal(environ: dict[str, str], begins: str) -> None:
    assert notification("L2 due; call", environ).startswith(begins)


async def test_a_title_is_set_once() -> None:
    """Plain, cut, and again only when it is another."""
    app = App[None]()
    async with app.run_test():
        driver, terminal = recording(app), Terminal(app)
        for _ in range(2):
            terminal.title("SEV1 \x1b]0;x\x07" + "x" * 200)
        [sequence] = [text for text in driver.written if text.startswith("\x1b]2;")]
    assert sequence.count("\x1b") == 1
    assert len(sequence) == len("\x1b]2;\x07") + TITLE_LIMIT


async def test_the_mouse_goes_and_comes() -> None:
    app = App[None]()
    async with app.run_test():
        driver, terminal = recording(app), Terminal(app)
        assert not terminal.toggle_mouse()
        assert terminal.toggle_mouse()
        off, on = driver.written
        assert "\x1b[?1000l" in off
        assert "\x1b[?1000h" in on


async def test_without_a_terminal_nothing_is_sent() -> None:
    app = App[None]()
    assert not write(app, "\x1b]2;x\x07")
    async with app.run_test():
        assert not write(app, "\x1b]2;x\x07")
        assert not Terminal(app).toggle_mouse()
