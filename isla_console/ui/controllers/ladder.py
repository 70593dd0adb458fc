"""The escalation ladder and its clock: who was called, who is on it, what holds it."""

from __future__ import annotations

from collections.abc import Mapping

from isla_console.incident import commands as act
from isla_console.incident.commands import Refused
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.incident.record.words import same_person
from isla_console.incident.rules.clocks import hold_now
from isla_console.text.times import read_time
from isla_console.ui.controllers.base import Controller, Handler
from isla_console.ui.sheets import ladder as sheets
from isla_console.ui.sheets.ask import Answers


class LadderController(Controller):
    """Says who was called and who is on it; escalates, waives and holds."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            "acknowledge": self.answer,
            "escalate": self.escalate,
            "levels": self.waive,
            "hold": self.hold,
        }

    async def answer(self, key: str) -> None:
        """Say what is known of those called: who is on it, who was called, and what came of that."""
        state = self.console.state
        sheet = sheets.answer_sheet(state, state.incident) if state.incident else None
        if sheet is None:
            self.console.say("No level is engaged.")
        else:
            await self.console.submit(sheet, self._answered)

    def _answered(self, incident: Incident, answers: Answers) -> list[Event]:
        """Return the events of an answer: being on it, saying so of another and a call are three acts."""
        stamp = self.console.stamp()
        level, _, target = answers["for"].partition("/")
        person, via = answers["person"].strip(), answers["via"]
        at = read_time(answers["at"], stamp["now"])
        elsewhere = target == sheets.SOMEBODY_ELSE
        match answers["act"]:
            case "self":
                if person and not same_person(person, stamp["author"].actor):
                    raise Refused(f"for {person} choose “they are on it”; for yourself no name", about="act")
                own = stamp["author"].actor if elsewhere else target
                return act.acknowledge(incident, level, stamp["author"].actor, **stamp, target=own, at=at)
            case "other":
                if same_person(person, stamp["author"].actor):
                    raise Refused("for yourself choose “I am on it”", about="act")
                named = person if elsewhere else target
                return act.acknowledge(incident, level, person, **stamp, target=named, via=via, at=at)
            case outcome:
                return self._called(incident, level, person if elsewhere else target, answers, outcome)

    def _called(
        self, incident: Incident, level: str, target: str, answers: Answers, outcome: str
    ) -> list[Event]:
        stamp, person, via = self.console.stamp(), answers["person"].strip(), answers["via"]
        at = read_time(answers["at"], stamp["now"])
        if outcome in ("on_it", "answered") and not person:
            raise Refused("who answered is needed", about="person")
        came = "answered" if outcome == "on_it" else outcome
        events = act.called(
            incident, level, target, **stamp, via=via, outcome=came, person=person or None, at=at
        )
        if outcome == "on_it":
            events += act.acknowledge(incident, level, person, **stamp, target=target, via=via, at=at)
        return events

    async def escalate(self, key: str) -> None:
        """Engage the next level now."""
        state = self.console.state
        sheet = sheets.escalate_sheet(state, state.incident) if state.incident else None
        if sheet is None:
            self.console.say("Every level is engaged already.")
            return
        await self.console.submit(
            sheet,
            lambda incident, answers: act.escalate(
                incident, answers["level"], **self.console.stamp(), reason=answers["reason"]
            ),
        )

    async def waive(self, key: str) -> None:
        """Waive a level: it need not be called, for a reason."""
        state = self.console.state
        sheet = sheets.waive_sheet(state, state.incident) if state.incident else None
        if sheet is None:
            self.console.say("Every level is waived already.")
            return
        await self.console.submit(
            sheet,
            lambda incident, answers: act.waive(
                incident, answers["level"], answers["reason"], **self.console.stamp()
            ),
        )

    async def hold(self, key: str) -> None:
        """Hold the escalation clock for a while or, where the screen shows a hold, ask to end that one."""
        shown, stamp = self.console.shown, self.console.stamp
        on = hold_now(shown.incident, shown.now) if shown.incident is not None else None
        if on is None:
            await self.console.submit(
                sheets.hold_sheet(),
                lambda incident, answers: act.hold(
                    incident, answers["reason"], float(answers["minutes"]), **stamp()
                ),
            )
            return
        answers = await self.console.ask(sheets.end_hold_sheet(on, shown))
        if answers is not None and answers["end"] == "yes":
            await self.console.attempt(lambda incident: act.end_hold(incident, **stamp(), seen=on.started_at))
