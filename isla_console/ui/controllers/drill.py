"""A drill's log and its fault; and the speed of a replay."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast

from isla_console.drill.client import Entry
from isla_console.session.drill import DrillWatch, switch_fault
from isla_console.session.replay import Replay, ReplaySession
from isla_console.ui.controllers.base import Controller, Handler

WATCH_S = 2.0
"""Seconds between two questions to the platform about what happened."""


def passing_words(entries: Sequence[Entry]) -> str:
    """Return what to say of new entries of the drill's log, in one notice; empty if there is nothing.

    A failure of the platform comes first, then what people said; the offer of a hint stands on the briefing
    until it is taken.
    """
    if broken := [entry.text for entry in entries if entry.kind == "broken"]:
        return broken[-1]
    said = [f"{entry.who}: {entry.text}" for entry in entries if entry.kind == "message"]
    if said:
        return " · ".join(said)
    return "A hint is there, if you want one: B" if any(entry.kind == "hint" for entry in entries) else ""


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
            news = passing_words(await watch.look(self.console.main.state))
            if news:
                self.console.say(news)
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
