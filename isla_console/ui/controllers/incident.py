"""The incident: declaring and changing it, noting what is found, ticking what is done."""

from __future__ import annotations

from collections.abc import Mapping

from isla_console.incident import commands as act
from isla_console.incident.commands import Refused
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.evidence import evidence_for
from isla_console.session.change_state import state_events
from isla_console.session.declare import Declaration, choice_text, declare
from isla_console.text.times import read_time
from isla_console.ui.controllers.base import Controller, Handler
from isla_console.ui.lines import RowKey
from isla_console.ui.sheets import command as command_sheets
from isla_console.ui.sheets import incident as sheets
from isla_console.ui.sheets.ask import Answers
from isla_console.ui.views.triage import proposed_issue, proposed_trouble

CORRECTABLE = ("text", "reason", "result", "title", "impact", "evidence")
"""The data of an entry that may be corrected: the first of these that it has."""


class IncidentController(Controller):
    """Carries out what concerns the incident as a whole."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            "declare": self.declare,
            "state": self.change_state,
            "severity": self.change_severity,
            "impact": self.change_impact,
            "choose": self.choose_issue,
            "merge": self.merge,
            "note": self.note,
            "correct": self.correct,
            "tick": self.tick,
            "deny": self.deny,
            "action": self.action_item,
        }

    @property
    def rows(self) -> Mapping[str, Handler]:
        return {"incident": self.work_on, "check": self._toggle_item, "follow": self.follow_up}

    async def resume(self) -> None:
        """On launch, go back to the open incident; of several, to the one that the person chooses."""
        waiting = self.session.open_incidents
        if len(waiting) == 1:
            self.session.work_on(waiting[0].id)
        elif waiting:
            answers = await self.console.ask(sheets.resume_sheet(waiting))
            self.session.work_on(answers["incident"] if answers else waiting[0].id)
        await self.session.log_console("console_opened")
        self.console.refresh_state()

    async def work_on(self, incident_id: str) -> None:
        """Make another incident the one that this console works on."""
        found = self.session.journal.incident(incident_id)
        if found is None or not found.is_open:
            self.console.say("That incident is over.")
            return
        self.session.work_on(incident_id)
        self.console.refresh_state()
        # Another console may have declared it while somebody types here: the letters must not be commands.
        if found.issue and not self.console.shell.is_typing:
            self.console.go(f"issue:{found.issue}")

    async def declare(self, key: str) -> None:
        """Ask how bad it is and which issue it is, then declare it."""
        state = self.console.state
        if problem := self.session.write_problem:
            self.console.say(f"An incident cannot be journalled: {problem}", warn=True)
            return
        likely = proposed_issue(state, self.console.open_issue)
        answers = await self.console.ask(
            sheets.question_sheet(state, likely, proposed_trouble(state, likely))
        )
        if answers is None:
            return
        issue = None if answers["issue"] == sheets.NO_ISSUE else answers["issue"]
        title = state.runbook.issue(issue).title if issue else ""
        sheet = sheets.declare_sheet(state, sheets.proposed(state, answers), title)
        confirmed = await self.console.ask(sheet)
        if confirmed is not None:
            await self._declare(confirmed, issue)

    async def _declare(self, answers: Answers, issue: str | None) -> None:
        state = self.console.state
        declared = Declaration(
            title=answers["title"],
            severity=answers["severity"],
            issue=issue,
            impact=answers["impact"].strip() or None,
            since=read_time(answers["since"], state.now),
        )
        try:
            await declare(self.session, declared, state)
        except Refused as refusal:
            self.console.say(f"Refused: {refusal}", warn=True)
            return
        self.console.refresh_state()
        if issue:
            self.console.go(f"issue:{issue}")

    async def change_state(self, key: str) -> None:
        """Move the incident to another state."""
        state = self.console.state
        if state.incident is None:
            return
        answers = await self.console.ask(sheets.state_sheet(state, state.incident))
        if answers is not None:
            await self.console.attempt(
                lambda incident: state_events(
                    self.session,
                    incident,
                    self.console.state,
                    to=answers["state"],
                    reason=answers["reason"],
                )
            )

    async def change_severity(self, key: str) -> None:
        """Raise or lower the severity, with a reason."""
        state = self.console.state
        if state.incident is None:
            return
        answers = await self.console.ask(sheets.severity_sheet(state, state.incident))
        if answers is not None:
            await self.console.attempt(
                lambda incident: act.change_severity(
                    incident, answers["severity"], **self.console.stamp(), reason=answers["reason"]
                )
            )

    async def change_impact(self, key: str) -> None:
        """Say what users experience, and since when."""
        state = self.console.state
        if state.incident is None:
            return
        before = state.incident.impact
        answers = await self.console.ask(command_sheets.impact_sheet(state, state.incident))
        if answers is None:
            return
        stamp = self.console.stamp
        impact = answers["impact"].strip()
        if impact and impact != before:
            await self.console.attempt(lambda incident: act.change_impact(incident, impact, **stamp()))
        since = read_time(answers["since"], self.console.clock.now())
        if since is not None:
            await self.console.attempt(
                lambda incident: act.adjust_start(incident, since, answers["reason"], **stamp())
            )

    async def choose_issue(self, key: str) -> None:
        """Make the open page's issue the incident's; a person's choice overrules the ranking."""
        state = self.console.state
        id = self.console.open_issue
        if id is None:
            self.console.say("Open the issue that it is, then choose it.")
            return
        incident = state.incident
        if incident is not None and incident.issue == id:
            self.console.say(f"It is {state.runbook.issue(id).title} already.")
            return
        text = choice_text(state, id)
        await self.console.attempt(
            lambda incident: act.decide(incident, text, **self.console.stamp(), issue=id)
        )

    async def merge(self, key: str) -> None:
        """Make this incident part of another one."""
        others = [other for other in self.session.open_incidents if other.id != self.session.incident_id]
        if not others:
            self.console.say("No other incident is open to merge into.")
            return
        answers = await self.console.ask(command_sheets.merge_sheet(others))
        if answers is not None and await self.console.attempt(
            lambda incident: act.merge(incident, answers["into"], **self.console.stamp())
        ):
            self.session.work_on(answers["into"])
            self.console.refresh_state()

    async def note(self, key: str) -> None:
        """Write a note or a decision into the timeline."""
        answers = await self.console.ask(sheets.note_sheet(self.console.state))
        if answers is not None:
            stamp = self.console.stamp()
            write = act.decide if answers["kind"] == "decision" else act.note
            at = read_time(answers["at"], stamp["now"])
            await self.console.attempt(lambda incident: write(incident, answers["text"], **stamp, at=at))

    async def correct(self, key: str) -> None:
        """Correct the words of the timeline entry under the cursor."""
        row, state = self.console.row, self.console.state
        if row is None or row.kind != "event" or state.incident is None:
            self.console.say("Put the cursor on an entry of the timeline (t).")
            return
        entry = next((event for event in state.incident.timeline if event.id == row.id), None)
        name = next((name for name in CORRECTABLE if entry is not None and name in entry.data), None)
        if entry is None or name is None:
            self.console.say("That entry has no words to correct.")
            return
        sheet = command_sheets.text_sheet("Correct the entry", name, str(entry.data[name]))
        answers = await self.console.ask(sheet)
        if answers is not None:
            await self.console.attempt(
                lambda incident: act.correct(
                    incident, row.id, {name: answers["text"]}, **self.console.stamp()
                )
            )

    async def tick(self, key: str) -> None:
        """Tick the checklist item, mark the step or mark the symptom as seen; a second time undoes it."""
        match self.console.row:
            case RowKey("check", id):
                await self._toggle_item(id)
            case RowKey("symptom", id):
                await self.console.attempt(
                    lambda incident: act.see_symptom(incident, id, **self.console.stamp())
                )
            case RowKey("step", id):
                await self.console.attempt(lambda incident: self._toggled_step(incident, id))
            case _:
                self.console.say("Nothing to tick here: steps, symptoms and the checklist can be ticked.")

    def _toggled_step(self, incident: Incident, step: str) -> list[Event]:
        known = incident.steps.get(step)
        state = "undone" if known is not None and known.state == "done" else "done"
        return act.mark_step(incident, step, state, **self.console.stamp())

    async def _toggle_item(self, item: str) -> None:
        """Tick an item with its evidence, which the incident may propose; a second time unticks it."""
        incident, state = self.session.incident, self.console.state
        tick = incident.checklist.get(item) if incident else None
        if incident is None or tick is None:
            return
        if tick.state != "open":
            await self.console.attempt(lambda found: act.untick(found, item, **self.console.stamp()))
            return
        shown = evidence_for(incident, item, state.now, state.live_states)
        await self.console.attempt(
            lambda found: act.tick(found, item, **self.console.stamp(), evidence=shown or "")
        )

    async def deny(self, key: str) -> None:
        """Mark a symptom as not seen, a step as skipped, or a checklist item as not applicable."""
        row, stamp = self.console.row, self.console.stamp
        if row is None or row.kind not in {"symptom", "step", "check"}:
            self.console.say("Nothing to deny here: symptoms, steps and checklist items.")
            return
        kind, id = row.kind, row.id
        if kind == "symptom":
            await self.console.attempt(lambda found: act.see_symptom(found, id, **stamp(), seen=False))
            return
        title = "Skip the step" if kind == "step" else "Not applicable"
        answers = await self.console.ask(command_sheets.reason_sheet(title, "Reason"))
        if answers is None:
            return
        reason = answers["reason"]
        if kind == "step":
            await self.console.attempt(
                lambda found: act.mark_step(found, id, "skipped", **stamp(), reason=reason)
            )
        else:
            await self.console.attempt(lambda found: act.not_applicable(found, id, reason, **stamp()))

    async def action_item(self, key: str) -> None:
        """Add an action item, or mark one as done."""
        answers = await self.console.ask(command_sheets.action_sheet(self.console.state))
        if answers is None:
            return
        stamp = self.console.stamp
        which = answers.get("which", command_sheets.NEW_ACTION)
        if which != command_sheets.NEW_ACTION:
            await self.console.attempt(lambda incident: act.finish_action(incident, which, **stamp()))
            return
        await self.console.attempt(
            lambda incident: act.add_action(
                incident,
                answers["text"],
                answers["type"],
                owner=answers["owner"],
                due=answers["due"],
                **stamp(),
            )
        )

    async def follow_up(self, key: str) -> None:
        """Add a follow-up of an issue as an action item."""
        issue_id, _, item_id = key.partition("/")
        items = self.console.state.runbook.issue(issue_id).follow_up
        item = next(item for item in items if item.id == item_id)
        await self.console.attempt(
            lambda incident: act.add_action(incident, item.text, "process", **self.console.stamp())
        )
