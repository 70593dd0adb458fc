"""Doing steps: those that only read in place, those that change something behind the guard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from textual.content import Content

from isla_console.runbook.steps import Step
from isla_console.session.steps import REVEAL_S, StepServices
from isla_console.ui.controllers.base import Console, Controller, Handler
from isla_console.ui.controllers.coordination import CoordinationController
from isla_console.ui.controllers.triage import TriageController
from isla_console.ui.lines import RowKey
from isla_console.ui.terminal.clipboard import copy
from isla_console.ui.views import detail
from isla_console.ui.views.runs import output_lines

if TYPE_CHECKING:
    from isla_console.session.run_step import StepFlow


class StepController(Controller):
    """Does the steps of issues and procedures, stops them and shows what came of them."""

    def __init__(
        self, console: Console, coordination: CoordinationController, triage: TriageController
    ) -> None:
        super().__init__(console)
        self._coordination = coordination
        self._triage = triage

    @cached_property
    def _flow(self) -> StepFlow:
        """The use case, loaded with the first step: the board does not wait for it."""
        from isla_console.session.run_step import StepFlow
        from isla_console.ui.controllers.step_dialog import ConsoleStepDialog

        return StepFlow(self.session, ConsoleStepDialog(self.console))

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            "run": self.run,
            "stop": self.stop,
            "detail": self.detail,
            "copy": self.copy,
            "reveal": self.reveal,
            "inputs": self.inputs,
        }

    @property
    def rows(self) -> Mapping[str, Handler]:
        return {"step": self.row_step, "undo": self.row_undo}

    @property
    def step_services(self) -> StepServices:
        """What steps are done with, for the current runbook and incident."""
        return self.session.step_services

    async def row_undo(self, id: str) -> None:
        """On Enter, undo a step, after asking."""
        await self.run("")

    async def row_step(self, id: str) -> None:
        """On Enter, do a step that only reads, follow a `goto`, or show any other, also one done by hand."""
        step = self.step_services.step(id)
        if step.does is not None:
            await self._coordination.guide(step)
            return
        if step.kind == "goto" and not step.blocked:
            await self._do(step)
            return
        if step.kind != "open":
            judgement = await self._flow.judge(step)
            if judgement.effect == "read" and not judgement.refused:
                await self._do(step)
                return
        self.detail("")

    async def run(self, key: str) -> None:
        """Do the step under the cursor, whatever its effect; one that changes something asks first."""
        step = self._chosen()
        if step is None:
            self.console.say("The cursor is not on a step.")
        else:
            await self._do(step)

    def stop(self, key: str) -> None:
        """Stop the step under the cursor with all that it started, or the comparison where that is shown."""
        if self.console.main.page == "payments" and self._triage.stop_comparing():
            return
        step = self._chosen()
        running = self.step_services.runner.running
        if step is None and len(running) == 1:
            step = running[0].step
        if step is None or not self.step_services.runner.stop(step.id):
            self.console.say("Nothing runs here.")

    def stop_stream(self, step: str) -> None:
        """Stop a stream by its step's id."""
        if not self.step_services.runner.stop(step):
            self.console.say("It has ended.")

    def detail(self, key: str) -> None:
        """Show the row under the cursor in full, a step with its whole result."""
        state, row = self.console.main.state, self.console.main.key
        if state is None or (shown := detail.of_row(row, state)) is None:
            return
        title, lines = shown
        under = self.console.row
        if under is not None and under.kind == "step" and (view := state.runs.get(under.id)) is not None:
            result = output_lines(view, state.now, 104)
            lines = [*result, Content(""), *lines]
        self.console.show(title, lines)

    async def copy(self, key: str) -> None:
        """Copy the vendor's command line, the command or the address, never with a secret in it."""
        step = self._chosen()
        if step is None:
            self.console.say("The cursor is not on a step.")
            return
        text = step.cli or self.step_services.runner.shown(step, self.console.clock.now())
        copied = await copy(self.console.shell, text, self.console.settings.state_dir)
        self.console.say(copied.words)

    def reveal(self, key: str) -> None:
        step = self._chosen()
        if step is None or not step.secret_output:
            self.console.say("Nothing is masked here.")
            return
        self.step_services.reveal_until[step.id] = self.console.clock.now() + timedelta(seconds=REVEAL_S)
        self.console.refresh_state()
        self.console.shell.set_timer(REVEAL_S + 0.1, self.console.refresh_state)

    async def inputs(self, key: str) -> None:
        step = self._chosen()
        wanted = self.step_services.inputs.of(step) if step is not None else ()
        if step is None or not wanted:
            self.console.say("The step under the cursor uses no values.")
        else:
            await self._flow.ask(step, wanted)
            self.console.refresh_state()

    async def _do(self, step: Step) -> None:
        """Do a step: here if it only leads elsewhere, otherwise by the session."""
        if step.kind == "goto" and step.issue is not None and not step.blocked:
            self.console.go(f"issue:{step.issue}")
        elif step.kind == "open" and not step.blocked:
            copied = await copy(self.console.shell, step.url or "", self.console.settings.state_dir)
            self.console.say(f"{step.url}: {copied.words}")
        else:
            await self._flow.do(step)

    def _chosen(self) -> Step | None:
        """Return the step under the cursor, or the step of the undo under it."""
        match self.console.row:
            case RowKey("undo", id):
                return self.step_services.undo.get(id)
            case RowKey("step", id):
                return self.step_services.step(id)
            case _:
                return None
