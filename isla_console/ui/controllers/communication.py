"""Telling people: copy, edit elsewhere, mark as sent, snooze."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual import on, work

from isla_console.incident import commands as act
from isla_console.incident.rules.cadence import updates
from isla_console.ui.controllers.base import Deeds
from isla_console.ui.messages import DraftAsked
from isla_console.ui.sheets import command as dialogs
from isla_console.ui.terminal.clipboard import copy
from isla_console.ui.terminal.editor import edit
from isla_console.ui.views.communication import Draft

if TYPE_CHECKING:
    from isla_console.ui.pages.communication import CommunicationPage


class CommunicationDeeds(Deeds):
    """What the communication page asks for."""

    @on(DraftAsked)
    def _asked(self, event: DraftAsked) -> None:
        match event.act:
            case "copy":
                self._copy(event.draft)
            case "send":
                self._send(event.draft)
            case "editor":
                self._edit_outside(event.draft)
            case _:
                self._keep(event.draft)

    @work(exit_on_error=False, group="deed")
    async def do_snooze(self, key: str) -> None:
        """Ring for the update that is due later, once for each due time."""
        state = self.state
        if state.incident is None:
            return
        due = [update for update in updates(state.incident, state.now) if update.due_at is not None]
        if not due:
            self.say("No update is due.")
            return
        first = min(due, key=lambda update: update.due_at or state.now)
        answers = await self.push_screen_wait(dialogs.snooze_sheet(first.audience))
        if answers is not None:
            await self.attempt(
                lambda incident: act.snooze_update(
                    incident,
                    first.audience,
                    int(answers["minutes"]),
                    answers["reason"],
                    **self.stamp(),
                )
            )

    @work(exit_on_error=False, group="deed")
    async def _copy(self, draft: Draft) -> None:
        copied = await copy(self, draft.text, self.settings.state_dir)
        self.say(copied.words)
        await self.attempt(
            lambda incident: act.copy_update(
                incident,
                draft.heard_by,
                draft.text,
                **self.stamp(),
                via=copied.via,
            )
        )

    @work(exit_on_error=False, group="deed")
    async def _send(self, draft: Draft) -> None:
        if draft.left:
            self.say(f"Still to fill in: {', '.join(draft.left)}", warn=True)
            return
        answers = await self.push_screen_wait(dialogs.send_sheet(draft.heard_by, draft.via))
        if answers is None:
            return
        sent = await self.attempt(
            lambda incident: act.send_update(
                incident,
                draft.heard_by,
                draft.text,
                **self.stamp(),
                via=answers["via"],
                placeholders=draft.places,
            )
        )
        if sent and (page := self._page()) is not None:
            page.forget(draft.id)

    @work(exit_on_error=False, group="deed")
    async def _keep(self, draft: Draft) -> None:
        """What was typed lasts: a draft in the journal."""
        await self.attempt(
            lambda incident: act.draft_update(
                incident,
                draft.heard_by,
                draft.text,
                **self.stamp(),
                via=draft.id,
            )
        )

    def _edit_outside(self, draft: Draft) -> None:
        """The text in $VISUAL or $EDITOR."""
        text, problem = edit(self, draft.text, self.settings.state_dir)
        if problem:
            self.say(problem, warn=True)
        elif text != draft.text and (page := self._page()) is not None:
            page.edit(draft.id, text)
            self._keep(replace(draft, text=text))

    def _page(self) -> "CommunicationPage | None":
        found = self.main.query("#page-communication")
        return cast("CommunicationPage", found.first()) if found else None
