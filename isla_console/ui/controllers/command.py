"""Incident command: who leads, who is called, what holds, what is left to do."""

from collections.abc import Callable, Sequence

from textual import work
from textual.content import Content

from isla_console.incident import commands as act
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.incident.report.handoff import brief
from isla_console.incident.rules.clocks import hold_now
from isla_console.incident.rules.communication import channel_of
from isla_console.incident.rules.next import what_now
from isla_console.runbook.model import Step
from isla_console.ui.controllers.base import Deeds
from isla_console.ui.format import hm
from isla_console.ui.sheets import command as dialogs
from isla_console.ui.sheets.ask import Answers, AskScreen
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.sheets.incident import live_states
from isla_console.ui.terminal.clipboard import copy
from isla_console.ui.times import read_time

Make = Callable[[Incident], Sequence[Event]]


class CommandDeeds(Deeds):
    """What a commander does."""

    def do_now(self, key: str) -> None:
        """What is due next, and why, in one sentence."""
        state = self.state
        if state.incident is not None:
            text = what_now(state.incident, state.now, live_states(state))
            self.push_screen(DetailScreen("What now?", [Content(text)], small=True))

    @work(exit_on_error=False, group="deed")
    async def do_hold(self, key: str) -> None:
        """Hold the ladder for a while, or let it go on."""
        state = self.state
        if state.incident is not None and hold_now(state.incident, state.now) is not None:
            await self.attempt(lambda incident: act.end_hold(incident, **self.stamp()))
            return
        answers = await self.push_screen_wait(dialogs.hold_sheet())
        if answers is not None:
            minutes = float(answers["minutes"])
            await self.attempt(
                lambda incident: act.hold(incident, answers["reason"], minutes, **self.stamp())
            )

    @work(exit_on_error=False, group="deed")
    async def do_levels(self, key: str) -> None:
        """Say that a level was called, or waive it."""
        state = self.state
        if state.incident is None:
            return
        answers = await self.push_screen_wait(dialogs.ladder_sheet(state, state.incident))
        if answers is not None:
            await self.attempt(self._level_act(answers))

    def _level_act(self, answers: Answers) -> Make:
        level, text = answers["level"], answers["text"].strip()
        if answers["act"] == "waive":
            return lambda incident: act.waive(incident, level, text, **self.stamp())
        person = answers["person"].strip() or None
        return lambda incident: act.notify(incident, level, person=person, via=text or None, **self.stamp())

    @work(exit_on_error=False, group="deed")
    async def do_roles(self, key: str) -> None:
        """Take, offer, accept or give up a role."""
        await self._give_roles()

    async def _give_roles(self) -> None:
        state = self.state
        if state.incident is None:
            return
        answers = await self.push_screen_wait(dialogs.roles_sheet(state, state.incident))
        if answers is not None:
            await self.attempt(self._role_act(answers))

    def _role_act(self, answers: Answers) -> Make:
        role, person = answers["role"], answers["person"].strip()
        match answers["act"]:
            case "offer":
                return lambda incident: act.offer_role(incident, role, person, **self.stamp())
            case "release":
                return lambda incident: act.release_role(incident, role, person=person, **self.stamp())
            case _:
                return lambda incident: act.accept_role(incident, role, person, **self.stamp())

    def do_brief(self, key: str) -> None:
        """The handoff: all that the next person needs, on one screen."""
        state = self.state
        if state.incident is not None:
            width = min(100, self.size.width - 10)
            lines = brief(state.incident, state.now, width=width, height=max(12, self.size.height - 6))
            self.push_screen(DetailScreen("Handoff", [Content(line) for line in lines.splitlines()]))

    @work(exit_on_error=False, group="deed")
    async def do_impact(self, key: str) -> None:
        state = self.state
        if state.incident is None:
            return
        before = state.incident.impact
        answers = await self.push_screen_wait(dialogs.impact_sheet(state, state.incident))
        if answers is None:
            return
        impact = answers["impact"].strip()
        if impact and impact != before:
            await self.attempt(lambda incident: act.change_impact(incident, impact, **self.stamp()))
        since = read_time(answers["since"], self.clock.now())
        if since is not None:
            await self.attempt(
                lambda incident: act.adjust_start(incident, since, answers["reason"], **self.stamp())
            )

    @work(exit_on_error=False, group="deed")
    async def do_action(self, key: str) -> None:
        """Add an action item, or say that one is done."""
        state = self.state
        answers = await self.push_screen_wait(dialogs.action_sheet(state))
        if answers is not None and (which := answers.get("which", dialogs.NEW_ACTION)) != dialogs.NEW_ACTION:
            await self.attempt(lambda incident: act.finish_action(incident, which, **self.stamp()))
        elif answers is not None:
            await self.attempt(
                lambda incident: act.add_action(
                    incident,
                    answers["text"],
                    answers["type"],
                    owner=answers["owner"],
                    due=answers["due"],
                    **self.stamp(),
                )
            )

    @work(exit_on_error=False, group="deed")
    async def row_follow(self, key: str) -> None:
        """Enter on a follow-up of an issue makes it an action item."""
        issue_id, _, item_id = key.partition("/")
        item = next(item for item in self.state.runbook.issue(issue_id).follow_up if item.id == item_id)
        await self.attempt(lambda incident: act.add_action(incident, item.text, "process", **self.stamp()))

    @work(exit_on_error=False, group="deed")
    async def do_owner(self, key: str) -> None:
        """Who writes the post-mortem, and how far it is."""
        state = self.state
        if state.incident is None:
            return
        answers = await self.push_screen_wait(dialogs.postmortem_sheet(state.incident, state))
        if answers is not None:
            await self.attempt(
                lambda incident: act.change_postmortem(
                    incident, state=answers["state"], owner=answers["owner"], **self.stamp()
                )
            )

    @work(exit_on_error=False, group="deed")
    async def do_merge(self, key: str) -> None:
        others = [other for other in self.session.open_incidents if other.id != self.session.incident_id]
        if not others:
            self.say("No other incident is open to merge into.")
            return
        answers = await self.push_screen_wait(dialogs.merge_sheet(others))
        if answers is not None and await self.attempt(
            lambda incident: act.merge(incident, answers["into"], **self.stamp())
        ):
            self.session.work_on(answers["into"])
            self.refresh_state()

    @work(exit_on_error=False, group="deed")
    async def do_channel(self, key: str) -> None:
        """Copy the name of the incident's channel."""
        await self._copy_channel()

    async def _copy_channel(self) -> str:
        incident = self.session.incident
        if incident is None:
            return ""
        name = channel_of(incident, self.session.journal.incidents)
        copied = await copy(self, name, self.settings.state_dir)
        self.say(f"{name} · {copied.words}")
        return name

    @work(exit_on_error=False, group="deed")
    async def do_correct(self, key: str) -> None:
        """Correct the words of the timeline entry under the cursor."""
        kind, _, id = self.main.key.partition(":")
        state = self.state
        if kind != "event" or state.incident is None:
            self.say("Put the cursor on an entry of the timeline (t).")
            return
        entry = next((event for event in state.incident.timeline if event.id == id), None)
        name = next((name for name in CORRECTABLE if entry is not None and name in entry.data), None)
        if entry is None or name is None:
            self.say("That entry has no words to correct.")
            return
        sheet: AskScreen = dialogs.text_sheet("Correct the entry", name, str(entry.data[name]))
        answers = await self.push_screen_wait(sheet)
        if answers is not None:
            await self.attempt(
                lambda incident: act.correct(incident, id, {name: answers["text"]}, **self.stamp())
            )

    def open_row(self, key: str) -> None:
        kind, _, id = key.partition(":")
        if kind == "step" and (step := self.state.runbook.step(id)).does is not None:
            self.guide(step)
        else:
            super().open_row(key)

    @work(exit_on_error=False, group="deed")
    async def guide(self, step: Step) -> None:
        """Do what a manual step says the console does; the step is done once that shows in the incident."""
        incident, result = self.session.incident, ""
        if incident is None:
            self.say("No incident is open: d declares one.", warn=True)
            return
        match step.does:
            case "acknowledge":
                level = incident.policy.levels[0].id
                person = self.session.author.actor
                await self.attempt(lambda found: act.acknowledge(found, level, person, **self.stamp()))
                result = f"{level} acknowledged by {person}"
            case "channel":
                result = await self._copy_channel()
            case "roles":
                await self._give_roles()
                result = f"commander {leader}" if (leader := self._now(incident).commander) else ""
            case "investigate":
                self.go(f"issue:{incident.issue}" if incident.issue else "home")
                result = f"issue {incident.issue}" if incident.issue else ""
            case "updates":
                self.go("communication")
                sent = [update for update in incident.updates if update.stage == "sent"]
                result = f"first update sent {hm(sent[0].at)}" if sent else ""
            case "soak":
                if incident.is_open and incident.resolved_at is None:
                    self.action_command("state", "")
                result = f"resolved {hm(at)}" if (at := incident.resolved_at) else ""
            case "postmortem":
                self.go("postmortem")
                result = f"owner {incident.postmortem_owner}" if incident.postmortem_owner else ""
        if result:
            await self.attempt(
                lambda found: act.mark_step(found, step.id, "done", result=result, **self.stamp())
            )

    def _now(self, incident: Incident) -> Incident:
        """The same incident as it is now."""
        return self.session.journal.incident(incident.id) or incident


CORRECTABLE = ("text", "reason", "result", "title", "impact", "evidence")
"""Words of an entry that may be corrected, the first that it has."""
