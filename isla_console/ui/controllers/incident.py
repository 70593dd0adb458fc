"""The incident: declaring and changing it, noting what is found, ticking what is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from isla_console.incident import commands as act
from isla_console.incident.commands import Refused
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import UNCORRECTABLE, Incident
from isla_console.incident.rules.evidence import contradictions, evidence_for
from isla_console.session.change_state import state_events
from isla_console.session.declare import Declaration, choice_text, declaration_events, declare, first_alert
from isla_console.session.evidence import not_well
from isla_console.text.times import clock_text, read_time
from isla_console.ui.controllers.base import Controller, Handler, Meanwhile
from isla_console.ui.lines import RowKey
from isla_console.ui.sheets import command as command_sheets
from isla_console.ui.sheets import incident as sheets
from isla_console.ui.sheets.ask import Answers
from isla_console.ui.views.triage import proposed_issue, proposed_trouble


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
        return {"incident": self.work_on, "check": self._tick_item, "follow": self.follow_up}

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
        ranked = state.triage.first.issue if state.triage.first else None
        answers = await self.console.ask(
            sheets.question_sheet(state, likely, proposed_trouble(state, likely))
        )
        if answers is None:
            return
        issue = None if answers["issue"] == sheets.NO_ISSUE else answers["issue"]
        known = await self._joined(issue, ())
        if known is None:
            return
        title = state.runbook.issue(issue).title if issue else ""
        first = first_alert(self.console.state, issue)
        sheet = sheets.declare_sheet(state, sheets.proposed(state, answers), title, first)
        sheet.judge = lambda given: self.console.problem(
            lambda: declaration_events(
                self.session,
                self._declaration(given, issue, ranked, self.console.clock.now()),
                self.console.state,
            )
        )
        confirmed = await self.console.ask(sheet)
        if confirmed is not None and await self._joined(issue, known) is not None:
            await self._declare(confirmed, issue, ranked)

    async def _joined(self, issue: str | None, known: Collection[str]) -> Collection[str] | None:
        """Offer to join an open incident of the issue that another console declared; None once that is done.

        Returns the ids of the incidents that the person knows of, and declares another one beside.
        """
        await self.session.look()
        other = self.session.same_issue(issue)
        if other is None or other.id in known:
            return known
        answers = await self.console.ask(sheets.join_sheet(other, self.console.state, declared=False))
        if answers is None:
            return None
        if answers["join"] == "join":
            await self.work_on(other.id)
            return None
        return (*known, other.id)

    async def offer_join(self, other: Incident) -> None:
        """Tell that another console declared the same issue just before, and offer to be one incident."""
        mine = self.session.incident
        answers = await self.console.ask(sheets.join_sheet(other, self.console.state, declared=True))
        if mine is None or answers is None or answers["join"] != "join":
            return
        if await self.console.attempt(lambda incident: self._merged(incident, other.id)):
            await self.work_on(other.id)

    @staticmethod
    def _declaration(answers: Answers, issue: str | None, ranked: str | None, now: datetime) -> Declaration:
        return Declaration(
            title=answers["title"],
            severity=answers["severity"],
            issue=issue,
            impact=answers["impact"].strip() or None,
            since=read_time(answers["since"], now),
            proposed=ranked,
        )

    async def _declare(self, answers: Answers, issue: str | None, ranked: str | None) -> None:
        state = self.console.state
        try:
            await declare(self.session, self._declaration(answers, issue, ranked, state.now), state)
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
        seen = Meanwhile(state.incident.state)

        def made(incident: Incident, answers: Answers) -> Sequence[Event]:
            last = incident.states[-1]
            seen.check(incident.state, f"meanwhile {last.by} set it {last.state}", about="state")
            return state_events(
                self.session, incident, self.console.state, to=answers["state"], reason=answers["reason"]
            )

        await self.console.submit(sheets.state_sheet(state, state.incident), made)

    async def change_severity(self, key: str) -> None:
        """Raise or lower the severity, with a reason."""
        state = self.console.state
        if state.incident is None:
            return
        seen = Meanwhile(state.incident.severity)

        def made(incident: Incident, answers: Answers) -> Sequence[Event]:
            last = incident.severities[-1]
            seen.check(incident.severity, f"meanwhile {last.by} set it {last.severity}", about="severity")
            return act.change_severity(
                incident, answers["severity"], **self.console.stamp(), reason=answers["reason"]
            )

        await self.console.submit(sheets.severity_sheet(state, state.incident), made)

    async def change_impact(self, key: str) -> None:
        """Say what users experience, and since when."""
        state = self.console.state
        if state.incident is None:
            return
        before = state.incident.impact
        seen = Meanwhile((before, state.incident.impact_started_at))

        def made(incident: Incident, answers: Answers) -> Sequence[Event]:
            stands = (incident.impact, incident.impact_started_at)
            seen.check(stands, f"meanwhile the impact is: {incident.impact or 'not said'}", about="impact")
            return self._impact_events(incident, answers, before)

        await self.console.submit(command_sheets.impact_sheet(state, state.incident), made)

    def _impact_events(self, incident: Incident, answers: Answers, before: str) -> list[Event]:
        stamp, impact = self.console.stamp(), answers["impact"].strip()
        since = read_time(answers["since"], stamp["now"])
        events: list[Event] = []
        if impact and impact != before:
            events += act.change_impact(incident, impact, **stamp)
        if since is not None:
            events += act.adjust_start(incident, since, answers["reason"], **stamp)
        if not events:
            raise Refused("nothing changed; esc leaves it", about="impact")
        return events

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
        answers = await self.console.submit(
            command_sheets.merge_sheet(others),
            lambda incident, answers: self._merged(incident, answers["into"]),
        )
        if answers is not None:
            self.session.work_on(answers["into"])
            self.console.refresh_state()

    def _merged(self, incident: Incident, into: str) -> list[Event]:
        other = self.session.journal.incident(into)
        if other is None:
            raise Refused(f"no such incident: {into}", about="into")
        return act.merge(incident, other, **self.console.stamp())

    async def note(self, key: str) -> None:
        """Write a note or a decision into the timeline."""

        def made(incident: Incident, answers: Answers) -> Sequence[Event]:
            stamp = self.console.stamp()
            write = act.decide if answers["kind"] == "decision" else act.note
            return write(incident, answers["text"], **stamp, at=read_time(answers["at"], stamp["now"]))

        await self.console.submit(sheets.note_sheet(self.console.state), made)

    async def correct(self, key: str) -> None:
        """Correct the timeline entry under the cursor: what it says, and when it happened."""
        row, state = self.console.row, self.console.state
        if row is None or row.kind != "event" or state.incident is None:
            self.console.say("Put the cursor on an entry of the timeline (t).")
            return
        entry = next((event for event in state.incident.timeline if event.id == row.id), None)
        if entry is None or entry.kind in UNCORRECTABLE:
            self.console.say("That entry is the console's own: a note can say what is wrong with it.")
            return
        sheet = command_sheets.correct_sheet(entry, state.incident, state)
        happened, told = clock_text(entry.occurred_at, state.now, seconds=True), entry

        def made(incident: Incident, answers: Answers) -> Sequence[Event]:
            typed, stamp = answers[command_sheets.WRITTEN_AT].strip(), self.console.stamp()
            at = read_time(typed, stamp["now"]) if typed != happened else None
            changes = command_sheets.corrections(told, answers)
            return act.correct(incident, told.id, changes, **stamp, at=at)

        await self.console.submit(sheet, made)

    async def tick(self, key: str) -> None:
        """Tick the checklist item, mark the step as done or the symptom as seen.

        What the screen shows as done is not undone by the same key: that asks, and leaves it by default.
        """
        match self.console.row:
            case RowKey("check", id):
                await self._tick_item(id)
            case RowKey("symptom", id):
                await self.console.attempt(
                    lambda incident: act.see_symptom(incident, id, **self.console.stamp())
                )
            case RowKey("step", id):
                await self._tick_step(id)
            case _:
                self.console.say("Nothing to tick here: steps, symptoms and the checklist can be ticked.")

    async def _tick_step(self, step: str) -> None:
        """Mark a step as done; if it is shown as done, ask whether to open it again."""
        shown = self.console.shown
        seen = shown.incident.steps.get(step) if shown.incident is not None else None
        if seen is None or seen.state != "done":
            await self.console.attempt(
                lambda incident: act.mark_step(incident, step, "done", **self.console.stamp())
            )
            return
        title = shown.runbook.names()["step"].get(step, step)
        if await self._takes_back(title, seen.by, seen.at):
            await self.console.attempt(
                lambda incident: act.mark_step(incident, step, "undone", **self.console.stamp(), seen=seen)
            )

    async def _takes_back(self, what: str, by: str, at: datetime | None) -> bool:
        sheet = sheets.take_back_sheet(what, by, at, self.console.state)
        answers = await self.console.ask(sheet)
        return answers is not None and answers["back"] == "yes"

    async def _tick_item(self, item: str) -> None:
        """Tick an item; what speaks against it is shown, and overruled only with a reason."""
        shown = self.console.shown
        seen = shown.incident.checklist.get(item) if shown.incident is not None else None
        if seen is None:
            return
        if seen.state != "open":
            if await self._takes_back(seen.text, seen.by, seen.at):
                await self.console.attempt(
                    lambda found: act.untick(found, item, **self.console.stamp(), seen=seen)
                )
            return
        incident = self.session.incident
        against = self._against(incident, item) if incident is not None else ()
        if not against:
            await self.console.attempt(lambda found: self._ticked(found, item, ""))
            return
        await self.console.submit(
            sheets.overrule_sheet(seen.text, against),
            lambda found, answers: self._ticked(found, item, answers["reason"]),
        )

    def _against(self, incident: Incident, item: str) -> tuple[str, ...]:
        """Return what speaks now against ticking an item, in words."""
        state = self.console.state
        return contradictions(incident, item, state.now, state.live_states, not_well(state))

    def _ticked(self, incident: Incident, item: str, reason: str) -> list[Event]:
        state = self.console.state
        shown = evidence_for(incident, item, state.now, state.live_states, not_well(state))
        against = self._against(incident, item)
        stamp = self.console.stamp()
        return act.tick(incident, item, **stamp, evidence=shown or "", against=against, reason=reason)

    async def deny(self, key: str) -> None:
        """Mark a symptom as not seen, a step as skipped, or a checklist item as not applicable."""
        row, stamp, shown = self.console.row, self.console.stamp, self.console.shown.incident
        if row is None or row.kind not in {"symptom", "step", "check"} or shown is None:
            self.console.say("Nothing to deny here: symptoms, steps and checklist items.")
            return
        kind, id = row.kind, row.id
        if kind == "symptom":
            await self.console.attempt(lambda found: act.see_symptom(found, id, **stamp(), seen=False))
            return
        record, item = shown.steps.get(id), shown.checklist.get(id)
        seen = Meanwhile(record if kind == "step" else item)

        def made(found: Incident, answers: Answers) -> Sequence[Event]:
            reason = answers["reason"]
            if kind == "step":
                seen.check(found.steps.get(id), "meanwhile somebody else marked it", about="reason")
                return act.mark_step(found, id, "skipped", **stamp(), reason=reason)
            seen.check(found.checklist.get(id), "meanwhile somebody else marked it", about="reason")
            return act.not_applicable(found, id, reason, **stamp())

        title = "Skip the step" if kind == "step" else "Not applicable"
        await self.console.submit(command_sheets.reason_sheet(title, "Reason"), made)

    async def action_item(self, key: str) -> None:
        """Add an action item, or mark one as done."""

        def made(incident: Incident, answers: Answers) -> Sequence[Event]:
            which, stamp = answers.get("which", command_sheets.NEW_ACTION), self.console.stamp()
            if which != command_sheets.NEW_ACTION:
                return act.finish_action(incident, which, **stamp)
            owner, due = answers["owner"], answers["due"]
            return act.add_action(incident, answers["text"], answers["type"], owner=owner, due=due, **stamp)

        await self.console.submit(command_sheets.action_sheet(self.console.state), made)

    async def follow_up(self, key: str) -> None:
        """Add a follow-up of an issue as an action item."""
        issue_id, _, item_id = key.partition("/")
        items = self.console.state.runbook.issue(issue_id).follow_up
        item = next(item for item in items if item.id == item_id)
        await self.console.attempt(
            lambda incident: act.add_action(incident, item.text, "process", **self.console.stamp())
        )
