"""The escalation ladder and its clock: who was called, who answered, what holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from isla_console.incident import commands as act
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.clocks import hold_now
from isla_console.ui.controllers.base import Controller, Handler
from isla_console.ui.sheets import command as sheets
from isla_console.ui.sheets.ask import Answers
from isla_console.ui.sheets.incident import acknowledge_sheet, acknowledged_targets, escalate_sheet


class LadderController(Controller):
    """Acknowledges, escalates, waives and holds."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            "acknowledge": self.acknowledge,
            "escalate": self.escalate,
            "levels": self.call_or_waive,
            "hold": self.hold,
        }

    async def acknowledge(self, key: str) -> None:
        """Say who answered for a level."""
        state = self.console.state
        sheet = acknowledge_sheet(state, state.incident) if state.incident else None
        if sheet is None:
            self.console.say("No level is engaged.")
            return
        answers = await self.console.ask(sheet)
        if answers is not None:
            await self.console.attempt(lambda incident: self._acknowledged(incident, answers))

    def _acknowledged(self, incident: Incident, answers: Answers) -> list[Event]:
        level, targets = acknowledged_targets(incident, self.console.state, answers["for"])
        return [
            event
            for target in targets
            for event in act.acknowledge(
                incident, level, answers["person"], **self.console.stamp(), target=target
            )
        ]

    async def escalate(self, key: str) -> None:
        """Engage the next level now."""
        state = self.console.state
        sheet = escalate_sheet(state, state.incident) if state.incident else None
        if sheet is None:
            self.console.say("Every level is engaged already.")
            return
        answers = await self.console.ask(sheet)
        if answers is not None:
            await self.console.attempt(
                lambda incident: act.escalate(
                    incident, answers["level"], **self.console.stamp(), reason=answers["reason"]
                )
            )

    async def call_or_waive(self, key: str) -> None:
        """Say that a level was called, or waive it."""
        state = self.console.state
        if state.incident is None:
            return
        answers = await self.console.ask(sheets.ladder_sheet(state, state.incident))
        if answers is not None:
            await self.console.attempt(self._level_act(answers))

    def _level_act(self, answers: Answers) -> Callable[[Incident], Sequence[Event]]:
        level, text, stamp = answers["level"], answers["text"].strip(), self.console.stamp()
        if answers["act"] == "waive":
            return lambda incident: act.waive(incident, level, text, **stamp)
        person = answers["person"].strip() or None
        return lambda incident: act.notify(incident, level, person=person, via=text or None, **stamp)

    async def hold(self, key: str) -> None:
        """Hold the escalation clock for a while, or let it go on."""
        state, stamp = self.console.state, self.console.stamp
        if state.incident is not None and hold_now(state.incident, state.now) is not None:
            await self.console.attempt(lambda incident: act.end_hold(incident, **stamp()))
            return
        answers = await self.console.ask(sheets.hold_sheet())
        if answers is not None:
            minutes = float(answers["minutes"])
            await self.console.attempt(
                lambda incident: act.hold(incident, answers["reason"], minutes, **stamp())
            )
