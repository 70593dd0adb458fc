"""What the console changes in Textual's `App` through its private methods."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Sequence
from typing import Any

from textual._compositor import CompositorUpdate
from textual.app import App
from textual.filter import LineFilter
from textual.screen import Screen

from isla_console.ui.terminal.console_driver import ConsoleDriver
from isla_console.ui.terminal.ending import EndingSignals
from isla_console.ui.terminal.painter import Painter, colors_of

STALE_S = 2.0
"""Seconds without reading after which a terminal is drawn anew: who knows what it was meanwhile."""


class TerminalApp(App[int]):
    """An app that sends only the cells that changed, waits for no terminal, and hears every signal.

    Its crash report has no values of variables.
    """

    def __init__(self) -> None:
        super().__init__(driver_class=ConsoleDriver)
        self.painter = Painter()
        self.signals: EndingSignals | None = None
        """What hears the signals that end the process; None where somebody else does, as in tests."""

    @property
    def is_leaving(self) -> bool:
        """Whether the app is exiting, by request or by a fault; it may still run for a moment."""
        return self.return_code is not None

    @property
    def console_driver(self) -> ConsoleDriver | None:
        """The driver of a real terminal; None without one."""
        driver = self._driver
        return driver if isinstance(driver, ConsoleDriver) else None

    def on_mount(self) -> None:
        # A program that ran while the app was suspended has written over the screen.
        self.app_resume_signal.subscribe(self, lambda _: self.terminal_changed())
        driver, loop = self.console_driver, asyncio.get_running_loop()
        if self.signals is not None and driver is not None:

            def tell(number: int) -> None:
                loop.call_soon_threadsafe(self.hang_up, number)

            self.signals.connect(tell, driver.abandon)

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        """Hand the terminal to another program for a while; the console goes on behind it.

        When the block fails, as by the console's end, the terminal is set as it was before the console.
        Where that one is stopped, as an editor by ctrl+z, we are stopped with it, at once: the shell waits
        for all of us, and continues all of us.
        """
        with self.lent_keys():
            handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            try:
                with super().suspend():
                    yield
            except BaseException:
                if (driver := self.console_driver) is not None:
                    driver.give_terminal()
                raise
            finally:
                signal.signal(signal.SIGTSTP, handler)

    def lent_keys(self) -> contextlib.AbstractContextManager[None]:
        """While the terminal is not ours, what its keys send is for others."""
        return self.signals.lent() if self.signals is not None else contextlib.nullcontext()

    def on_resize(self) -> None:
        # A terminal that was resized, or is now shown in another one, may show anything.
        self.painter.forget()

    def get_line_filters(self) -> Sequence[LineFilter]:
        # Without colours, Textual would draw in greys; the painter draws without any shade.
        return () if self.no_color else super().get_line_filters()

    def hang_up(self, number: int) -> None:
        """Leave cleanly when the terminal hangs up or a signal ends us. What was done is already on disk."""
        if (driver := self.console_driver) is not None:
            driver.in_hurry = True
        self.exit(128 + number)

    def terminal_cleared(self, stood_still_s: float) -> None:
        """Draw what was left out, now that the terminal has taken all that it got."""
        if stood_still_s > STALE_S:
            self.painter.forget()
        self._draw_rest()

    def terminal_changed(self) -> None:
        """Draw everything again, because the terminal may show anything."""
        self.painter.forget()
        self._draw_rest()

    def _draw_rest(self) -> None:
        driver = self.console_driver
        if self.screen_stack and driver is not None and not driver.is_behind:
            rest: Any = self.painter.rest
            super()._display(self.screen, rest)

    def _display(self, screen: Screen[object], renderable: Any) -> None:
        """Send what the compositor rendered, without the cells that the terminal already shows.

        While the terminal does not take what it got, nothing is sent: the newest is drawn when it does.
        """
        driver = self.console_driver
        if isinstance(renderable, CompositorUpdate):
            if self.no_color:
                self.painter.paper = self.current_theme.background or "#000000"
            if driver is not None and driver.is_behind:
                self.painter.take(renderable, screen.outer_size, colors_of(self.console))
                return
            renderable = self.painter.changed(renderable, screen.outer_size)
        super()._display(screen, renderable)

    def _fatal_error(self) -> None:
        """End the app by the current exception; Textual's own method prints variables, perhaps secrets."""
        from rich.traceback import Traceback

        self.bell()
        self.panic(Traceback(show_locals=False, width=None))
