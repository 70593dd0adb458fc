"""Coordinating people: roles, the channel, the handoff, the post-mortem's owner, and manual steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from textual.content import Content

from isla_console.incident import commands as act
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.communication import channel_of
from isla_console.incident.rules.next import what_now
from isla_console.runbook.steps import Step
from isla_console.session.evidence import not_well
from isla_console.text.times import clock_text
from isla_console.ui.controllers.base import Controller, Handler, Meanwhile
from isla_console.ui.sheets import command as sheets
from isla_console.ui.sheets.ask import Answers
from isla_console.ui.terminal.clipboard import copy


class CoordinationController(Controller):
    """Carries out what an incident's commander does."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            "now": self.what_now,
            "brief": self.hand_off,
            "roles": self.assign_roles,
            "owner": self.own_postmortem,
            "channel": self.copy_channel,
        }

    def what_now(self, key: str) -> None:
        """Say what is due next, and why, in one sentence."""
        state = self.console.state
        if state.incident is not None:
            text = what_now(state.incident, state.now, state.live_states)
            self.console.show("What now?", [Content(text)], small=True)

    def hand_off(self, key: str) -> None:
        """Show everything that the next person needs, on one screen."""
        from isla_console.incident.report.handoff import brief

        state, size = self.console.state, self.console.shell.size
        if state.incident is not None:
            width, height = max(20, min(100, size.width - 10)), max(12, size.height - 6)
            live = not_well(state)
            text = brief(state.incident, state.now, live=live, width=width, height=height)
            self.console.show("Handoff", [Content(line) for line in text.splitlines()])

    async def assign_roles(self, key: str) -> None:
        """Take, offer, accept or give up a role."""
        state = self.console.state
        if state.incident is None:
            return
        await self.console.submit(sheets.roles_sheet(state, state.incident), self._role_act)

    def _role_act(self, incident: Incident, answers: Answers) -> Sequence[Event]:
        role, person, stamp = answers["role"], answers["person"].strip(), self.console.stamp()
        match answers["act"]:
            case "offer":
                return act.offer_role(incident, role, person, **stamp)
            case "release":
                return act.release_role(incident, role, person=person, **stamp)
            case "accept":
                return act.accept_role(incident, role, person, **stamp)
            case unknown:
                raise ValueError(f"no act of roles: {unknown}")

    async def own_postmortem(self, key: str) -> None:
        """Say who writes the post-mortem, and how far it is."""
        state = self.console.state
        if state.incident is None:
            return
        seen = Meanwhile((state.incident.postmortem_state, state.incident.postmortem_owner))

        def made(incident: Incident, answers: Answers) -> Sequence[Event]:
            stands = (incident.postmortem_state, incident.postmortem_owner)
            told = f"meanwhile it is {stands[0] or 'draft'}, owner {stands[1] or 'nobody'}"
            seen.check(stands, told, about="owner")
            return act.change_postmortem(
                incident, state=answers["state"], owner=answers["owner"], **self.console.stamp()
            )

        await self.console.submit(sheets.postmortem_sheet(state.incident, state), made)

    async def copy_channel(self, key: str) -> None:
        """Copy the name of the incident's channel."""
        await self._copy_channel()

    async def _copy_channel(self) -> str:
        incident = self.session.incident
        if incident is None:
            return ""
        name = channel_of(incident, self.session.journal.incidents)
        copied = await copy(self.console.shell, name, self.console.settings.state_dir)
        self.console.say(f"{name} · {copied.words}")
        return name

    async def guide(self, step: Step) -> None:
        """Do what a manual step leaves to the console; the step is done once the incident shows it."""
        incident = self.session.incident
        if incident is None:
            self.console.say("No incident is open: d declares one.", warn=True)
            return
        result = await self._guided(step, incident)
        if result:
            await self.console.attempt(
                lambda found: act.mark_step(found, step.id, "done", result=result, **self.console.stamp())
            )

    async def _guided(self, step: Step, incident: Incident) -> str:
        """Open what the step is about; return what the incident then shows of it, "" for nothing yet."""
        match step.does:
            case None:
                return ""
            case "acknowledge":
                level, person = incident.policy.levels[0], self.session.author.actor
                target = level.targets[0] if level.targets else person
                done = await self.console.attempt(
                    lambda found: act.acknowledge(
                        found, level.id, person, target=target, **self.console.stamp()
                    )
                )
                return f"{person} is on it, for {level.id}" if done else ""
            case "channel":
                # Its name is copied; that it was created is a person's word.
                if name := await self._copy_channel():
                    self.console.say(f"{name} is copied: create it, then space marks this as done.")
                return ""
            case "roles":
                await self.assign_roles("")
                return f"commander {leader}" if (leader := self._as_it_is_now(incident).commander) else ""
            case "investigate":
                self.console.go(f"issue:{incident.issue}" if incident.issue else "home")
                return f"issue {incident.issue}" if incident.issue else ""
            case "updates":
                self.console.go("communication")
                sent = [update for update in incident.updates if update.stage == "sent"]
                return f"first update sent {clock_text(sent[0].at)}" if sent else ""
            case "soak":
                if incident.is_open and incident.resolved_at is None:
                    self.console.run_command("state", "")
                return f"resolved {clock_text(at)}" if (at := incident.resolved_at) else ""
            case "postmortem":
                self.console.go("postmortem")
                return f"owner {incident.postmortem_owner}" if incident.postmortem_owner else ""
            case _:
                assert_never(step.does)

    def _as_it_is_now(self, incident: Incident) -> Incident:
        return self.session.journal.incident(incident.id) or incident
