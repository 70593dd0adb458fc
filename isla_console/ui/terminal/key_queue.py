"""Keys in turn: each acts on what the one before it has opened.

Textual sends a key to the widget that has the focus and runs its binding when the key has come back up to
the app; a page is mounted, and gets the focus, later still. Two keys that a slow link delivers together would
both go to the page on which they were received: the second would act on a page that the person has left. So
while a key is under way, or what it opened is not ready, the next ones wait here. Otherwise a key goes at
once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.events import Key, Paste

PATIENCE_S = 10.0
"""Seconds after which a key goes even if nothing is ready: a message why not is better than silence."""
MOST_KEYS = 100
"""The most keys that wait; nobody types more ahead. Later ones are dropped, and that is said."""
MOST_TEXT = 10_000
"""The same while what has the focus takes text, which a terminal may send as keys."""
LOOK_S = 0.01
QUIET_ROUNDS = 2
ALWAYS = frozenset(("ctrl+q",))
"""Keys that never wait: the way out of a console that hangs."""

Pressed = Key | Paste


class KeyQueue:
    """Holds keys, and text pasted between them, until it is their turn."""

    def __init__(self, app: App[Any], is_ready: Callable[[], bool]) -> None:
        """Hold nothing yet; `is_ready` says whether what was opened last is there and has the focus."""
        self._app = app
        self._is_opened = is_ready
        self._held: deque[tuple[Pressed, bool]] = deque()
        """What waits, each with whether it was text where it was pressed."""
        self._commands = 0
        """How many of them were not."""
        self.dropped = 0
        """How many keys came too fast since the queue was empty."""
        self._turn: Pressed | None = None
        self._went = asyncio.Event()
        self._way: Sequence[DOMNode] = ()
        self._is_text = False
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a key is under way or waits."""
        return self._task is not None

    def holds(self, event: Pressed) -> bool:
        """Return whether a key has to wait; if so it is kept, and sent again when it is its turn."""
        if isinstance(event, Key) and event.key in ALWAYS:
            return False
        if event is self._turn:
            self._turn = None
            if not self._app.screen_stack:
                return True  # the console ends
        elif self._task is not None or not self._is_ready():
            # Text that was typed ahead keeps no key out that leaves the field.
            is_text = self._takes_text(event)
            if len(self._held) - self._commands >= MOST_TEXT if is_text else self._commands >= MOST_KEYS:
                self.dropped += 1
                return True
            self._held.append((event, is_text))
            self._commands += not is_text
            if self._task is None:
                self._is_text, self._way = False, ()
                self._go_on()
            return True
        # Text goes to the widget that takes it, one character after the other: it need not wait.
        self._is_text = self._takes_text(event)
        self._way = self._upwards()
        return False

    def went(self) -> None:
        """Note that a key that did not have to wait is under way."""
        self._went.set()
        if not self._is_text:
            self._go_on()

    def stop(self) -> None:
        """Drop what waits, because the console ends."""
        self._held.clear()
        self._commands = 0
        if self._task is not None:
            self._task.cancel()

    def _go_on(self) -> None:
        """Start the task that lets keys go in turn, unless it runs."""
        if self._task is None:
            self._task = asyncio.create_task(self._in_turn(), name="key_queue")

    async def _in_turn(self) -> None:
        """Let one key after the other go, each when the last one is done, until none is left."""
        try:
            while True:
                if not self._is_text:
                    await self._settled()
                if not self._held:
                    self.dropped = 0
                    return
                self._went.clear()
                self._turn, is_text = self._held.popleft()
                self._commands -= not is_text
                if not self._app.post_message(self._turn):
                    return
                await self._went.wait()
        finally:
            self._task = None

    async def _settled(self) -> None:
        """Wait until a key and all messages that it caused are processed, and what it opened is ready.

        A mark follows it through the same queues; when they are empty behind the mark, nothing of it is left.
        """
        until = monotonic() + PATIENCE_S
        way, quiet = self._way or self._upwards(), 0
        while quiet < QUIET_ROUNDS and monotonic() < until:
            for node in way:
                await self._passed(node)
            is_quiet = not any(node.message_queue_size for node in way)
            way = self._upwards()
            if not self._is_ready():
                quiet = 0
                await asyncio.sleep(LOOK_S)
            else:
                quiet = quiet + 1 if is_quiet else 0
        self._way = ()

    async def _passed(self, node: DOMNode) -> None:
        """Wait until a widget has processed its current messages, or is gone."""
        passed = asyncio.Event()
        if not node.is_running or not node.call_later(passed.set):
            return
        while node.is_running and not passed.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await passed.wait()

    def _takes_text(self, event: Pressed) -> bool:
        """Return whether what has the focus takes it as text."""
        target = self._app.focused if self._app.screen_stack else None
        return target is not None and (
            isinstance(event, Paste) or target.check_consume_key(event.key, event.character)
        )

    def _is_ready(self) -> bool:
        return bool(self._app.screen_stack) and self._is_opened()

    def _upwards(self) -> Sequence[DOMNode]:
        """Return a key's way: from the widget that has the focus up to the app."""
        if not self._app.screen_stack:
            return ()
        return tuple((self._app.focused or self._app.screen).ancestors_with_self)
