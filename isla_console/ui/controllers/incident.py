"""The incident: declare, change, tick, resume."""

from textual import work

from isla_console.incident import commands as act
from isla_console.incident.commands import Refused
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.communication import final_update
from isla_console.incident.rules.evidence import evidence_for
from isla_console.session.state import ConsoleState
from isla_console.ui.controllers.base import Deeds
from isla_console.ui.controllers.triage import decided_otherwise
from isla_console.ui.sheets import command as command_dialogs
from isla_console.ui.sheets import incident as dialogs
from isla_console.ui.sheets.ask import Answers
from isla_console.ui.times import read_time
from isla_console.ui.views.triage import proposed_issue, proposed_trouble


class IncidentDeeds(Deeds):
    """What is journalled."""

    @work(exit_on_error=False, group="deed")
    async def do_declare(self, key: str) -> None:
        state = self.state
        if problem := self.session.write_problem:
            self.say(f"An incident cannot be journalled: {problem}", warn=True)
            return
        kind, _, id = self.main.page.partition(":")
        likely = proposed_issue(state, id if kind == "issue" else None)
        questions = dialogs.question_sheet(state, likely, proposed_trouble(state, likely))
        answers = await self.push_screen_wait(questions)
        if answers is None:
            return
        issue = None if answers["issue"] == dialogs.NO_ISSUE else answers["issue"]
        title = state.runbook.issue(issue).title if issue else ""
        sheet = dialogs.declare_sheet(state, dialogs.proposed(state, answers), title)
        confirmed = await self.push_screen_wait(sheet)
        if confirmed is not None:
            await self._declare(confirmed, issue)

    async def _declare(self, answers: Answers, issue: str | None) -> None:
        state = self.state
        try:
            events = act.declare(
                title=answers["title"],
                severity=answers["severity"],
                issue=issue,
                impact=answers["impact"].strip() or None,
                impact_started_at=read_time(answers["since"], state.now),
                policy=state.runbook.policy(),
                runbook_sha256=self.session.runbook_sha256,
                author=self.session.author,
                now=state.now,
                taken=[incident.id for incident in self.session.journal.incidents],
                metrics=_bad_metrics(state),
            )
        except Refused as refusal:
            self.say(f"Refused: {refusal}", warn=True)
            return
        events = [*events, *decided_otherwise(state, issue, events[0])]
        if await self.session.record(events):
            self.session.work_on(events[0].incident)
        self.refresh_state()
        if issue:
            self.go(f"issue:{issue}")

    @work(exit_on_error=False, group="deed")
    async def do_state(self, key: str) -> None:
        state = self.state
        if state.incident is None:
            return
        answers = await self.push_screen_wait(dialogs.state_sheet(state, state.incident))
        if answers is not None:
            await self.attempt(
                lambda incident: self._change_state(incident, answers["state"], answers["reason"])
            )

    def _change_state(self, incident: Incident, state: str, reason: str) -> list[Event]:
        author, console_state = self.session.author, self.state
        now = console_state.now
        match state:
            case "resolved":
                live = dialogs.live_states(console_state)
                final = final_update(incident, now, service=self.service_of(incident))
                return act.resolve(
                    incident, author=author, now=now, override=reason, metrics=live, final_update=final
                )
            case "closed":
                return act.close(incident, author=author, now=now)
            case "cancelled":
                return act.cancel(incident, reason, author=author, now=now)
            case "investigating" if not incident.is_active and incident.state != "monitoring":
                return act.reopen(incident, reason, author=author, now=now)
            case _:
                return act.change_state(incident, state, author=author, now=now, reason=reason)

    @work(exit_on_error=False, group="deed")
    async def do_severity(self, key: str) -> None:
        state = self.state
        if state.incident is None:
            return
        answers = await self.push_screen_wait(dialogs.severity_sheet(state, state.incident))
        if answers is not None:
            await self.attempt(
                lambda incident: act.change_severity(
                    incident,
                    answers["severity"],
                    **self.stamp(),
                    reason=answers["reason"],
                )
            )

    @work(exit_on_error=False, group="deed")
    async def do_note(self, key: str) -> None:
        answers = await self.push_screen_wait(dialogs.note_sheet(self.state))
        if answers is not None:
            now = self.clock.now()
            write = act.decide if answers["kind"] == "decision" else act.note
            at = read_time(answers["at"], now)
            await self.attempt(
                lambda incident: write(incident, answers["text"], author=self.session.author, now=now, at=at)
            )

    @work(exit_on_error=False, group="deed")
    async def do_acknowledge(self, key: str) -> None:
        state = self.state
        sheet = dialogs.acknowledge_sheet(state, state.incident) if state.incident else None
        if sheet is None:
            self.say("No level is engaged.")
            return
        answers = await self.push_screen_wait(sheet)
        if answers is not None:
            await self.attempt(lambda incident: self._acknowledge(incident, answers))

    def _acknowledge(self, incident: Incident, answers: Answers) -> list[Event]:
        level, targets = dialogs.acknowledged_targets(incident, self.state, answers["for"])
        return [
            event
            for target in targets
            for event in act.acknowledge(incident, level, answers["person"], **self.stamp(), target=target)
        ]

    @work(exit_on_error=False, group="deed")
    async def do_escalate(self, key: str) -> None:
        state = self.state
        sheet = dialogs.escalate_sheet(state, state.incident) if state.incident else None
        if sheet is None:
            self.say("Every level is engaged already.")
            return
        answers = await self.push_screen_wait(sheet)
        if answers is not None:
            await self.attempt(
                lambda incident: act.escalate(
                    incident,
                    answers["level"],
                    **self.stamp(),
                    reason=answers["reason"],
                )
            )

    @work(exit_on_error=False, group="deed")
    async def do_tick(self, key: str) -> None:
        """Space: tick the checklist item, mark the step, say the symptom is seen; again takes it back."""
        kind, _, id = self.main.key.partition(":")
        match kind:
            case "check":
                await self._toggle_item(id)
            case "symptom":
                await self.attempt(lambda incident: act.see_symptom(incident, id, **self.stamp()))
            case "step":
                await self.attempt(lambda incident: _toggle_step(incident, id, self))
            case _:
                self.say("Nothing to tick here: steps, symptoms and the checklist can be ticked.")

    async def _toggle_item(self, item: str) -> None:
        """Tick with what shows it: proposed where the incident itself can say; again takes it back."""
        incident, state = self.session.incident, self.state
        tick = incident.checklist.get(item) if incident else None
        if incident is None or tick is None:
            return
        if tick.state != "open":
            await self.attempt(lambda found: act.untick(found, item, **self.stamp()))
            return
        shown = evidence_for(incident, item, state.now, dialogs.live_states(state))
        await self.attempt(lambda found: act.tick(found, item, **self.stamp(), evidence=shown or ""))

    @work(exit_on_error=False, group="deed")
    async def do_deny(self, key: str) -> None:
        """Minus: a symptom is not seen, a step is skipped, a checklist item does not apply."""
        kind, _, id = self.main.key.partition(":")
        author, now = self.session.author, self.clock.now()
        if kind == "symptom":
            await self.attempt(
                lambda incident: act.see_symptom(incident, id, author=author, now=now, seen=False)
            )
            return
        if kind not in {"step", "check"}:
            self.say("Nothing to deny here: symptoms, steps and checklist items.")
            return
        title = "Skip the step" if kind == "step" else "Not applicable"
        answers = await self.push_screen_wait(command_dialogs.reason_sheet(title, "Reason"))
        if answers is None:
            return
        reason, now = answers["reason"], self.clock.now()
        if kind == "step":
            await self.attempt(
                lambda found: act.mark_step(found, id, "skipped", author=author, now=now, reason=reason)
            )
        else:
            await self.attempt(lambda found: act.not_applicable(found, id, reason, author=author, now=now))

    @work(exit_on_error=False, group="deed")
    async def do_work_on(self, incident_id: str) -> None:
        """Make another incident the one this console works on."""
        found = self.session.journal.incident(incident_id)
        if found is None or not found.is_open:
            self.say("That incident is over.")
            return
        self.session.work_on(incident_id)
        self.refresh_state()
        if found.issue:
            self.go(f"issue:{found.issue}")

    async def resume(self) -> None:
        """On launch: back into the open incident; of several, the one chosen."""
        waiting = self.session.open_incidents
        if len(waiting) == 1:
            self.session.work_on(waiting[0].id)
        elif waiting:
            answers = await self.push_screen_wait(dialogs.resume_sheet(waiting))
            self.session.work_on(answers["incident"] if answers else waiting[0].id)
        await self.session.log_console("console_opened")
        self.refresh_state()

    def row_incident(self, incident_id: str) -> None:
        self.do_work_on(incident_id)

    def row_check(self, item: str) -> None:
        self.do_tick("")


def _toggle_step(incident: Incident, step: str, app: Deeds) -> list[Event]:
    known = incident.steps.get(step)
    state = "undone" if known is not None and known.state == "done" else "done"
    return act.mark_step(incident, step, state, **app.stamp())


def _bad_metrics(state: ConsoleState) -> dict[str, tuple[str, str]]:
    """Measures beyond normal at the declaration: the soak waits for them."""
    if state.snapshot is None:
        return {}
    return {
        reading.id: (reading.state, reading.text)
        for reading in state.snapshot.metrics
        if reading.state in {"alert", "elevated"}
    }
