"""The console's `StepDialog`: a person is asked and shown things on sheets and pages while a step is done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from textual.content import Content

from isla_console.runbook.steps import Step
from isla_console.session.confirm import Confirmation, Refusal
from isla_console.session.questions import Question
from isla_console.session.run_step import StepPage
from isla_console.steps.guard import Judgement
from isla_console.ui.controllers.base import Console
from isla_console.ui.sheets import steps as sheets
from isla_console.ui.sheets.guard import GuardScreen
from isla_console.ui.views.sql import statements

if TYPE_CHECKING:
    from textual.widget import Widget

    from isla_console.ui.pages.sql import SqlPage
    from isla_console.ui.pages.streams import StreamsPage


class ConsoleStepDialog:
    """The console as a `StepDialog`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def ask_inputs(self, step: Step, asked: Sequence[Question]) -> Mapping[str, str] | None:
        return await self._console.ask(sheets.inputs_sheet(step, asked, self._console.clock.now()))

    async def ask_result(self, step: Step) -> str | None:
        answers = await self._console.ask(sheets.manual_sheet(step))
        return answers["result"] if answers is not None else None

    async def confirm(self, confirmation: Confirmation) -> str | None:
        return await self._console.ask(GuardScreen(confirmation))

    async def open_page(self, page: StepPage, step: Step) -> None:
        match page:
            case "sessions":
                self._console.go(page)
            case "sql":
                shown = cast("SqlPage", await self._mounted(page))
                known = [one for one in statements(self._console.state, None) if one.step.id == step.id]
                shown.take(known[0] if known else None, (step.run or "").strip())
            case "streams":
                cast("StreamsPage", await self._mounted(page)).look_at(step.id)
                self.redraw()

    def show_text(self, step: Step) -> None:
        self._console.show(step.title, [Content(step.text or step.title)])

    def show_refusal(self, step: Step, why: Judgement | Refusal) -> None:
        self._console.show(step.title, sheets.refused_lines(step, why))

    def say(self, text: str, *, warn: bool = False) -> None:
        self._console.say(text, warn=warn)

    def redraw(self) -> None:
        self._console.refresh_state()

    async def _mounted(self, page: str) -> Widget:
        """Open a page that is a widget, and wait until it is mounted."""
        self._console.go(page)
        async with asyncio.timeout(5):
            while True:
                found = next(iter(self._console.main.query(f"#page-{page}")), None)
                if found is not None and found.is_mounted:
                    return found
                await asyncio.sleep(0.02)
