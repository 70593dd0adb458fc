"""Driving the app in tests without sleeping."""

import asyncio

from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import ModalScreen

from isla_console.ui.shell import Shell
from tests.support.waiting import PATIENCE_S


async def settle(pilot: Pilot[int]) -> None:
    """Wait until the start and every deed stand still: done, or at a sheet that asks."""
    app = pilot.app
    assert isinstance(app, Shell)
    async with asyncio.timeout(PATIENCE_S):
        await pilot.pause()
        while not _stands_still(app):
            await pilot.pause(0.01)
        # What the last deed mounted or resized is laid out in the next turns.
        for _ in range(3):
            await pilot.pause()


def _stands_still(app: Shell) -> bool:
    if app.program.session.loaded is None or app.program.session.monitor is None:
        return False
    busy = [
        worker for worker in app.workers if worker.group in {"start", "command"} and not worker.is_finished
    ]
    return not busy or isinstance(app.screen, ModalScreen)


def burst(app: Shell, *keys: str) -> None:
    """All keys at once, as the terminal hands over what one packet brought."""
    for key in keys:
        event = Key(_character_to_key(key), key) if len(key) == 1 else Key(key, None)
        event.set_sender(app)
        assert app.post_message(event)
