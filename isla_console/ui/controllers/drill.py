"""A drill: what people say in it, and how it goes; a replay: how quick it is."""

import asyncio
from typing import TYPE_CHECKING, cast

from isla_console.drill.entry import Entry
from isla_console.incident.record.events import Author, Event, derived_id, event
from isla_console.incident.record.state import Incident
from isla_console.ui.controllers.base import Deeds

if TYPE_CHECKING:
    from isla_console.session.replay import Replay, ReplaySession

WATCH_S = 2.0
"""How often the platform is asked what happened."""


class DrillDeeds(Deeds):
    """What is done by the drill itself; without a drill, nothing."""

    _heard = 0

    async def watch_drill(self) -> None:
        """Ask the platform for its story until cancelled; it is told when this console shows an alert."""
        from isla_console.drill import control

        url = self.settings.secret("ISLA_DRILL_CONTROL")
        if not self.settings.drill or url is None:
            return
        while True:
            alert = self._shows_alert() and not any(
                entry.kind == "alarm" for entry in self.session.story.entries
            )
            answer = await (control.alarm if alert else control.story)(url.reveal())
            if answer.ok:
                self.session.story = answer
                try:
                    await self._hear(answer.entries)
                except Exception as error:
                    self.session.complain(error)
            await asyncio.sleep(WATCH_S)

    def do_pause(self, key: str) -> None:
        self._replay.pause()
        self.refresh_state()

    def do_faster(self, key: str) -> None:
        self._replay.faster()
        self.refresh_state()

    def do_slower(self, key: str) -> None:
        self._replay.faster(-1)
        self.refresh_state()

    @property
    def _replay(self) -> "Replay":
        """What passes by; these commands are possible in a replay alone."""
        return cast("ReplaySession", self.session).replay

    def _shows_alert(self) -> bool:
        state = self.main.state
        snapshot = state.snapshot if state is not None else None
        if snapshot is None:
            return False
        states = [metric.state for metric in snapshot.metrics] + [probe.state for probe in snapshot.probes]
        return "alert" in states

    async def _hear(self, entries: tuple[Entry, ...]) -> None:
        """What is new is said; what people said is written into the incident's timeline, once."""
        for entry in entries[self._heard :]:
            if entry.kind == "message":
                self.notify(entry.text, title=entry.who, timeout=12, markup=False)
            elif entry.kind == "hint":
                self.say("A hint is there, if you want one: B")
        self._heard = len(entries)
        incident = self.session.incident
        if incident is not None and not self.session.write_problem:
            known = {entry.id for entry in incident.timeline}
            fresh = [
                note
                for entry in entries
                if entry.kind == "message"
                and (note := _note(entry, incident, self.session.author)).id not in known
            ]
            if fresh:
                await self.session.record(fresh)


def _note(entry: Entry, incident: Incident, author: Author) -> Event:
    """A message as a note of who said it. Its id is the same on every console."""
    return event(
        "noted",
        {"text": entry.text},
        incident=incident.id,
        author=Author(f"{entry.who} (drill)", author.host),
        now=entry.at,
        id=derived_id(incident.id, entry.who, entry.at.isoformat()),
    )
