"""A drill's log and its fault; and the speed of a replay."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

from isla_console.session.drill import DrillWatch, switch_fault
from isla_console.session.replay import Replay, ReplaySession
from isla_console.ui.controllers.base import Controller, Handler

WATCH_S = 2.0
"""Seconds between two questions to the platform about what happened."""


class DrillController(Controller):
    """Follows a drill, switches its fault, and changes a replay's speed."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            "fault": self.switch_fault,
            "pause": self.pause,
            "faster": self.faster,
            "slower": self.slower,
        }

    async def watch(self) -> None:
        """Ask the platform for the drill's log until cancelled; without a drill, do nothing."""
        watch = DrillWatch.of(self.session)
        if watch is None:
            return
        while True:
            for entry in await watch.look(self.console.main.state):
                if entry.kind == "message":
                    self.console.say(f"{entry.who}: {entry.text}")
                elif entry.kind == "hint":
                    self.console.say("A hint is there, if you want one: B")
            await asyncio.sleep(WATCH_S)

    async def switch_fault(self, key: str) -> None:
        """Heal the drill's fault, or bring it back."""
        self.console.say(await switch_fault(self.session))

    def pause(self, key: str) -> None:
        """Pause the replay, or let it go on."""
        self._replay.pause()
        self.console.refresh_state()

    def faster(self, key: str) -> None:
        """Let the replay run faster."""
        self._replay.faster()
        self.console.refresh_state()

    def slower(self, key: str) -> None:
        """Let the replay run slower."""
        self._replay.faster(-1)
        self.console.refresh_state()

    @property
    def _replay(self) -> Replay:
        """The replay; these commands are possible in a replay only."""
        return cast(ReplaySession, self.session).replay
