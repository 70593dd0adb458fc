"""Telling people: copy, edit elsewhere, mark as sent, snooze."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never, cast

from isla_console.incident import commands as act
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.cadence import updates
from isla_console.incident.rules.communication import passed_promises
from isla_console.ui.controllers.base import Begun, Controller, Handler
from isla_console.ui.messages import DraftAsked
from isla_console.ui.sheets import command as sheets
from isla_console.ui.sheets.ask import Answers
from isla_console.ui.terminal.clipboard import copy
from isla_console.ui.terminal.editor import edit
from isla_console.ui.views.communication import Draft

if TYPE_CHECKING:
    from isla_console.ui.pages.communication import CommunicationPage


class CommunicationController(Controller):
    """Does what the communication page asks for."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"snooze": self.snooze}

    def take_draft(self, asked: DraftAsked) -> Begun:
        """Do what the page asks for with a text."""
        match asked.act:
            case "copy":
                return self._copy(asked.draft)
            case "send":
                return self._send(asked.draft)
            case "editor":
                return self._edit_outside(asked.draft)
            case "keep":
                return self._keep(asked.draft)
            case _:
                assert_never(asked.act)

    async def snooze(self, key: str) -> None:
        """Snooze the update that is due, once for each due time."""
        state = self.console.state
        if state.incident is None:
            return
        due = [update for update in updates(state.incident, state.now) if update.due_at is not None]
        if not due:
            self.console.say("No update is due.")
            return
        due.sort(key=lambda update: (update.was_snoozed, update.due_at or state.now))

        def made(incident: Incident, answers: Answers) -> Sequence[Event]:
            clock, minutes = answers.get("clock", due[0].clock), int(answers["minutes"])
            return act.snooze_update(incident, clock, minutes, answers["reason"], **self.console.stamp())

        await self.console.submit(sheets.snooze_sheet(due, state), made)

    async def _copy(self, draft: Draft) -> None:
        copied = await copy(self.console.shell, draft.text, self.console.settings.state_dir)
        self.console.say(copied.words)
        await self.console.attempt(
            lambda incident: act.copy_update(
                incident,
                draft.audience,
                draft.text,
                **self.console.stamp(),
                template=draft.id,
                via=copied.via,
            )
        )

    async def _send(self, draft: Draft) -> None:
        incident = self.session.incident
        if incident is None:
            return
        if draft.left:
            filled = await self._filled(draft)
            if filled is None:
                return
            draft = filled
        clock = incident.policy.clock_of(draft.id, draft.audience)
        label = incident.policy.clock_label(clock) if clock else f"{draft.audience} update"

        def made(found: Incident, answers: Answers) -> Sequence[Event]:
            return act.send_update(
                found,
                draft.audience,
                draft.text,
                **self.console.stamp(),
                template=draft.id,
                via=answers["via"],
                placeholders=draft.places,
            )

        passed = passed_promises(draft.text, self.console.clock.now())
        sent = await self.console.submit(sheets.send_sheet(draft.audience, label, passed), made)
        if sent is not None and (page := self._page) is not None:
            page.forget(draft.id)

    async def _filled(self, draft: Draft) -> Draft | None:
        """Ask for what is still missing in a text, and keep what it becomes; None when the person leaves."""
        left = draft.left
        answers = await self.console.ask(sheets.places_sheet(draft.title, left))
        if answers is None:
            return None
        words = {place: answers[f"place{index}"].strip() for index, place in enumerate(left)}
        pieces = re.compile("|".join(re.escape(place) for place in sorted(words, key=len)[::-1]))
        filled = replace(draft, text=pieces.sub(lambda found: words[found[0]], draft.text))
        if (page := self._page) is not None:
            page.edit(draft.id, filled.text)
        await self._keep(filled)
        return filled

    async def _keep(self, draft: Draft) -> None:
        """Journal what was typed as a draft."""
        await self.console.attempt(
            lambda incident: act.draft_update(
                incident, draft.audience, draft.text, **self.console.stamp(), template=draft.id
            )
        )

    async def _edit_outside(self, draft: Draft) -> None:
        """Open the text in $VISUAL or $EDITOR and keep what comes back."""
        shell = self.console.shell
        text, problem = await edit(shell, draft.text, self.console.settings.state_dir, shell.left.append)
        if problem:
            self.console.say(problem, warn=True)
        elif text != draft.text and (page := self._page) is not None:
            page.edit(draft.id, text)
            await self._keep(replace(draft, text=text))

    @property
    def _page(self) -> CommunicationPage | None:
        found = self.console.main.query("#page-communication")
        return cast("CommunicationPage", found.first()) if found else None
