"""The driver: what stands between a real terminal and the framework.

Textual's own trusts what the terminal sends and waits for what it takes. This one reads by the decoder and
writes by the output, both on the event loop and without ever waiting, and leaves the terminal itself again
however the console is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import termios
from time import monotonic
from typing import Any, Protocol

from textual import constants
from textual.driver import Driver
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message

from isla_console.ui.terminal.decoder import InputDecoder
from isla_console.ui.terminal.output import Output, ring

MOST_CELLS = Size(1000, 500)
"""The largest screen that is drawn; a terminal may claim any size."""
READ = 65_536
BELL = "\x07"
PATIENCE_S = 3.0
"""Seconds for which the terminal may take nothing when it is left by a person's wish."""
HURRY_S = 0.3
"""The same when a signal ends the console."""

_MOUSE_ON = "\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h"
_MOUSE_OFF = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
_KITTY = 0b1 | 0b1000 | 0b10000
"""Kitty's keyboard protocol: tell keys apart, report all of them, with their text."""
_ASK_SYNCHRONIZED = "\x1b[?2026$p"
# Alternate screen, no cursor, focus reported, pastes bracketed, no wrap.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?7l"
_LEAVE = f"\x1b[?2026l\x1b[?2004l\x1b[?7h{_MOUSE_OFF}\x1b[?1004l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[m"


class TerminalUser(Protocol):
    """What the driver tells the app that uses its terminal."""

    def terminal_cleared(self, stood_still_s: float) -> None:
        """Draw what was left out while the terminal did not read."""

    def terminal_changed(self) -> None:
        """Draw everything again: the terminal may show anything."""

    def hang_up(self, number: int) -> None:
        """Leave, as if this signal had come."""

    def lent_keys(self) -> contextlib.AbstractContextManager[None]:
        """While the terminal is not ours, what its keys send is for others."""


class ConsoleDriver(Driver):
    """Reads and writes the terminal of standard input and standard error. The app is a `TerminalUser`."""

    def __init__(
        self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.user: TerminalUser = app
        self.post = app.post_message
        self.has_mouse = mouse
        self.in_hurry = False
        """Whether a signal ends the console, so that a terminal that takes nothing is not waited for."""
        assert sys.__stdin__ is not None
        assert sys.__stderr__ is not None
        self.input = sys.__stdin__.fileno()
        self.output: Output | None = None
        self._screen_file = sys.__stderr__
        self._decoder = InputDecoder()
        self._tick: asyncio.TimerHandle | None = None
        self._own_attributes: list[Any] | None = None
        self._told = Size()
        self._resize_due = False
        self._was_resumed = False

    @property
    def can_suspend(self) -> bool:
        return True

    @property
    def is_behind(self) -> bool:
        """Whether the terminal has not taken yet what was drawn, or belongs to another program now."""
        return self.output is None or self.output.is_behind

    def write(self, data: str) -> None:
        if data == BELL and self.output is None:
            ring(self._screen_file.fileno())
        else:
            self.send(data)

    def send(self, data: str) -> bool:
        """Write whole sequences; return whether the terminal gets them."""
        return self.output is not None and self.output.write(data)

    def flush(self) -> None:
        if self.output is not None:
            self.output.flush()

    def send_message(self, message: Message) -> None:
        self.post(message)

    def set_mouse(self, on: bool) -> None:
        """Take the mouse, or hand it over to the terminal."""
        self.has_mouse = on
        self.send(_MOUSE_ON if on else _MOUSE_OFF)

    # Entering and leaving

    def start_application_mode(self) -> None:
        loop = asyncio.get_running_loop()
        # In the background this stops us before anything is written, until we are in front again.
        self._own_attributes = self._take_terminal()
        self.output = Output(
            self._screen_file.fileno(),
            self._screen_file.encoding or "utf-8",
            cleared=lambda still: self.user.terminal_cleared(still),
            gone=self._on_gone,
        )
        self._enter()
        for number, act in (
            (signal.SIGWINCH, self._on_resize),
            (signal.SIGTSTP, self._stop_for_shell),
            (signal.SIGCONT, self._on_continued),
        ):
            # A handler runs between any two steps of the program; the loop runs it between two turns.
            signal.signal(number, lambda *_, act=act: loop.is_closed() or loop.call_soon_threadsafe(act))
        loop.add_reader(self.input, self._on_input)
        if _terminal_size() != self._told:
            self._on_resize()

    def _take_terminal(self) -> list[Any] | None:
        """Make the terminal hand over each byte as it is; return its attributes as they were."""
        try:
            before = termios.tcgetattr(self.input)
            raw = termios.tcgetattr(self.input)
        except termios.error:
            return None
        lflag = termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
        iflag = termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.ISTRIP
        raw[3] &= ~lflag
        raw[0] &= ~iflag
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self.input, termios.TCSANOW, raw)
        return before

    def _enter(self) -> None:
        kitty = "" if constants.DISABLE_KITTY_KEY else f"\x1b[>{_KITTY}u"
        # Apple's terminal does not ignore the question, it writes its last letter.
        ask = "" if os.environ.get("TERM_PROGRAM") == "Apple_Terminal" else _ASK_SYNCHRONIZED
        self.send(f"{_ENTER}{_MOUSE_ON if self.has_mouse else ''}{kitty}{ask}")
        self.flush()

    def disable_input(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.remove_reader(self.input):
            with contextlib.suppress(termios.error):
                termios.tcflush(self.input, termios.TCIFLUSH)
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None

    def stop_application_mode(self) -> None:
        self.disable_input()
        if self.output is None:
            return
        output, self.output = self.output, None
        still = HURRY_S if self.in_hurry else PATIENCE_S
        output.finish(_LEAVE, standstill_s=still, total_s=2 * still)
        output.close()
        self.give_terminal()
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)

    def give_terminal(self) -> None:
        """Set the terminal as it was before the console."""
        if self._own_attributes is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.input, termios.TCSANOW, self._own_attributes)

    def abandon(self) -> None:
        """Give the terminal back as far as that takes no time, from any thread; the process ends now."""
        if (output := self.output) is not None:
            output.force(_LEAVE)
            self.give_terminal()

    # Signals, all on the event loop

    def _on_resize(self) -> None:
        """Tell the app its size, once for many signals."""
        if not self._resize_due and self.output is not None:
            self._resize_due = True
            asyncio.get_running_loop().call_soon(self._tell_size)

    def _tell_size(self) -> None:
        self._resize_due = False
        self._told = _terminal_size()
        self.post(Resize(self._told, self._told))

    def _show_again(self) -> None:
        if _terminal_size() == self._told:
            self.user.terminal_changed()
        else:
            self._on_resize()

    def _stop_for_shell(self) -> None:
        """Be stopped, as the shell or a person wants, with the terminal as it was before."""
        is_on = self.output is not None
        with self.user.lent_keys():
            if is_on:
                self.suspend_application_mode()
            # A process that no shell looks after is not stopped by this signal: nobody would continue it.
            handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, handler)
            if is_on:
                self.resume_application_mode()
        if is_on:
            self._was_resumed = True
            self._show_again()
            # The signal that continued us is heard after this.
            asyncio.get_running_loop().call_later(0.5, setattr, self, "_was_resumed", False)

    def _on_continued(self) -> None:
        """Take the terminal again after a stop that could not be heard."""
        if self.output is not None and not self._was_resumed:
            self._take_terminal()
            if not constants.DISABLE_KITTY_KEY:
                self.send("\x1b[<u")  # its protocols are a stack
            self._enter()
            self._show_again()

    def _on_gone(self) -> None:
        """Leave, because the terminal was closed or its connection was cut."""
        asyncio.get_running_loop().remove_reader(self.input)
        self.in_hurry = True
        self.user.hang_up(signal.SIGHUP)

    # Input

    def _on_input(self) -> None:
        try:
            data = os.read(self.input, READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._on_gone()
            return
        self._pass_on(self._decoder.feed(data, monotonic()))

    def _pass_on(self, events: list[Message]) -> None:
        for event in events:
            self.process_message(event)
        if self._tick is not None:
            self._tick.cancel()
        wait = self._decoder.wait
        loop = asyncio.get_running_loop()
        self._tick = None if wait is None else loop.call_later(wait, self._on_tick)

    def _on_tick(self) -> None:
        self._tick = None
        self._pass_on(self._decoder.tick(monotonic()))


def _terminal_size() -> Size:
    columns, rows = shutil.get_terminal_size((80, 25))
    return Size(min(columns, MOST_CELLS.width), min(rows, MOST_CELLS.height))
