"""Telling people: copy, edit elsewhere, mark as sent, snooze."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never, cast

from isla_console.incident import commands as act
from isla_console.incident.rules.cadence import updates
from isla_console.ui.controllers.base import Begun, Controller, Handler
from isla_console.ui.messages import DraftAsked
from isla_console.ui.sheets import command as sheets
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
        first = min(due, key=lambda update: update.due_at or state.now)
        answers = await self.console.ask(sheets.snooze_sheet(first.audience))
        if answers is not None:
            minutes, reason = int(answers["minutes"]), answers["reason"]
            await self.console.attempt(
                lambda incident: act.snooze_update(
                    incident, first.audience, minutes, reason, **self.console.stamp()
                )
            )

    async def _copy(self, draft: Draft) -> None:
        copied = await copy(self.console.shell, draft.text, self.console.settings.state_dir)
        self.console.say(copied.words)
        await self.console.attempt(
            lambda incident: act.copy_update(
                incident, draft.heard_by, draft.text, **self.console.stamp(), via=copied.via
            )
        )

    async def _send(self, draft: Draft) -> None:
        if draft.left:
            self.console.say(f"Still to fill in: {', '.join(draft.left)}", warn=True)
            return
        answers = await self.console.ask(sheets.send_sheet(draft.heard_by, draft.via))
        if answers is None:
            return
        sent = await self.console.attempt(
            lambda incident: act.send_update(
                incident,
                draft.heard_by,
                draft.text,
                **self.console.stamp(),
                via=answers["via"],
                placeholders=draft.places,
            )
        )
        if sent and (page := self._page) is not None:
            page.forget(draft.id)

    async def _keep(self, draft: Draft) -> None:
        """Journal what was typed as a draft."""
        await self.console.attempt(
            lambda incident: act.draft_update(
                incident, draft.heard_by, draft.text, **self.console.stamp(), via=draft.id
            )
        )

    async def _edit_outside(self, draft: Draft) -> None:
        """Open the text in $VISUAL or $EDITOR and keep what comes back."""
        text, problem = edit(self.console.shell, draft.text, self.console.settings.state_dir)
        if problem:
            self.console.say(problem, warn=True)
        elif text != draft.text and (page := self._page) is not None:
            page.edit(draft.id, text)
            await self._keep(replace(draft, text=text))

    @property
    def _page(self) -> CommunicationPage | None:
        found = self.console.main.query("#page-communication")
        return cast("CommunicationPage", found.first()) if found else None
