"""Doing a step: its inputs are asked for, it is judged, confirmed and run, and its outcome is journalled.

A person is asked and shown things through a `StepDialog`: the screen's, or a test's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal, Protocol

from isla_console.runbook.steps import Input, Step
from isla_console.session.confirm import Confirmation, Refusal, make_confirmation
from isla_console.session.drill import report_stopped
from isla_console.session.promotion import PromotionWatch, changes_production
from isla_console.session.questions import Question, questions, remember
from isla_console.session.session import Session
from isla_console.session.step_journal import StepJournal
from isla_console.session.steps import StepServices
from isla_console.steps import backup
from isla_console.steps.guard import Judgement
from isla_console.steps.runner import Run
from isla_console.text.plain import plain

REFRESH_S = 0.25
"""Seconds between two redraws of a running step."""
NOTED = 12
"""How many lines of a count the timeline keeps; the step's own view has them all."""
FRESH_S = 15.0
"""Seconds for which the read-only twin's answer counts as current."""

StepPage = Literal["streams", "sql", "sessions"]
"""A page on which a step is followed or done."""


class StepDialog(Protocol):
    """Asks a person, and shows things, while a step is done."""

    async def ask_inputs(self, step: Step, asked: Sequence[Question]) -> Mapping[str, str] | None:
        """Return the answers by the name of each question's first input; None when the person leaves.

        An answer is what was typed or, for a question with rows, which row, counted from 0.
        """

    async def ask_result(self, step: Step) -> str | None:
        """Return what came of a person's own work, in one line; None when the person leaves."""

    async def confirm(self, confirmation: Confirmation) -> str | None:
        """Return the reason ("" without one) once the object is typed; None when the person leaves."""

    async def open_page(self, page: StepPage, step: Step) -> None:
        """Open a page, with the step in view where the page has it."""

    def show_text(self, step: Step) -> None:
        """Show what a person is to do."""

    def show_refusal(self, step: Step, why: Judgement | Refusal) -> None:
        """Show why a step is not run."""

    def say(self, text: str, *, warn: bool = False) -> None:
        """Show a passing message."""

    def redraw(self) -> None:
        """Draw the newest state."""


class StepFlow:
    """Does steps, several at once if they are long."""

    def __init__(self, session: Session, dialog: StepDialog) -> None:
        self._session = session
        self._dialog = dialog
        self._journal = StepJournal(session, lambda text: dialog.say(text, warn=True))

    @property
    def _services(self) -> StepServices:
        return self._session.step_services

    async def do(self, step: Step) -> None:
        """Do one step: ask for inputs, judge it, confirm it, and start its run.

        Returns once it runs: its end is awaited, and journalled, in the background.
        """
        judgement = await self.judge(step)
        if judgement.refused:
            self._dialog.show_refusal(step, judgement)
            await self._report_stopped(step, judgement, f"stopped by the guard, {judgement.refused}")
        elif step.kind == "manual":
            await self._do_by_hand(step, judgement)
        elif step.kind == "sql" and judgement.is_guarded:
            await self._open_database_page(step)
        elif (run := self._services.runner.runs.get(step.id)) is not None and run.is_running:
            if judgement.effect == "stream":
                await self._dialog.open_page("streams", step)
            else:
                self._dialog.say("It runs already: X stops it.")
        elif await self._ask_for_missing(step, judgement):
            await self._confirm_and_start(step, judgement)

    async def judge(self, step: Step) -> Judgement:
        """Judge what the step does here and now, and whether it may be run."""
        session = self._session
        return await self._services.judge(
            step, in_incident=session.incident is not None, write_problem=session.write_problem
        )

    async def ask(self, step: Step, wanted: Sequence[Input]) -> bool:
        """Ask for all of these inputs at once; return False when the person leaves.

        A step from whose rows a value is picked is run first.
        """
        services = self._services
        for source in dict.fromkeys(item.pick.step for item in wanted if item.pick is not None):
            fresh = step.effect in {"write", "destroy"} or not services.rows(source)
            if fresh and source != step.id:
                await self._run_read(services.step(source))
        asked = questions(wanted, services, self._session.clock.now())
        answers = await self._dialog.ask_inputs(step, asked)
        if answers is None:
            return False
        remember(asked, answers, services, self._session.clock.now())
        return True

    async def _ask_for_missing(self, step: Step, judgement: Judgement) -> bool:
        """Ask for missing inputs; before a change also for those that are picked, even if they are known."""
        inputs = self._services.inputs
        wanted = list(inputs.missing(step, self._session.clock.now()))
        if judgement.is_guarded:
            wanted += [item for item in inputs.of(step) if item.pick and item not in wanted]
        return not wanted or await self.ask(step, wanted)

    async def _confirm_and_start(self, step: Step, judgement: Judgement) -> None:
        if not judgement.is_guarded:
            self._start(step, judgement)
            if judgement.effect == "stream":
                await self._dialog.open_page("streams", step)
            return
        begun_in = self._session.incident.id if self._session.incident is not None else ""
        confirmed = await self._confirm(step, judgement)
        if confirmed is None:
            return
        found, reason = confirmed
        serving = found.sides.serving if found.sides is not None else None
        self._start(
            step, judgement, reason, serving=serving.id if serving is not None else "", begun_in=begun_in
        )

    async def _confirm(self, step: Step, judgement: Judgement) -> tuple[Confirmation, str] | None:
        """Return what was confirmed, and why; None where it was refused or the person left."""
        twin = await self._run_read(self._services.step(step.preview)) if step.preview else None
        found = await make_confirmation(
            self._session, step, judgement, twin.outcome if twin is not None else None
        )
        if isinstance(found, Refusal):
            self._dialog.show_refusal(step, found)
            await self._report_stopped(step, judgement, f"stopped by the guard, {found.reason}")
            return None
        reason = await self._dialog.confirm(found)
        if reason is None:
            await self._report_stopped(step, judgement, "left at the guard")
            return None
        # While it was asked, another console may have closed the incident, or the disk may have become full.
        again = await self.judge(step)
        if again.refused:
            self._dialog.show_refusal(step, again)
            await self._report_stopped(step, again, f"stopped by the guard, {again.refused}")
            return None
        return found, reason

    async def _run_read(self, step: Step) -> Run | None:
        """Run a step that only reads and wait for it; return None where it cannot be run now."""
        judgement = await self.judge(step)
        if judgement.refused or judgement.effect != "read":
            return None
        services, now = self._services, self._session.clock.now()
        run = services.runner.runs.get(step.id)
        good = run is not None and run.outcome is not None and run.outcome.ending == "done"
        if run is not None and good and now - run.started_at < timedelta(seconds=FRESH_S):
            return run
        missing = services.inputs.missing(step, now)
        if missing and not await self.ask(step, missing):
            return None
        run = self._start(step, judgement)
        await asyncio.wait((run.task,))
        return run

    def _start(
        self,
        step: Step,
        judgement: Judgement,
        reason: str = "",
        *,
        serving: str = "",
        begun_in: str | None = None,
    ) -> Run:
        """Start a run, or return the one under way. Its end is awaited in the background.

        Args:
            step: The step, whose inputs are all there.
            judgement: What the guard said of it.
            reason: Why a guarded step is done.
            serving: The deployment that serves before a rollback; "" if unknown.
            begun_in: The id of the incident in which it is begun, "" for none; by default the one of now.
        """
        services, now = self._services, self._session.clock.now()
        if begun_in is None:
            begun_in = self._session.incident.id if self._session.incident is not None else ""
        run = services.runner.runs.get(step.id)
        if run is not None and run.is_running:
            return run
        services.progress.pop(step.id, None)
        watch = None
        if changes_production(step):
            watch = PromotionWatch(step, services, now, before=serving, begun_in=begun_in)
        run = services.runner.start(step, judgement, now)
        self._session.follow(self._draw_while_running(run))
        self._session.follow(self._follow_to_end(run, reason, watch, begun_in))
        return run

    async def _draw_while_running(self, run: Run) -> None:
        """Redraw while it runs; leaving the page stops nothing."""
        while not run.task.done():
            self._redraw()
            await asyncio.wait((run.task,), timeout=REFRESH_S)

    async def _follow_to_end(
        self, run: Run, reason: str, watch: PromotionWatch | None, begun_in: str
    ) -> None:
        """Wait for its end, journal the outcome and see to what follows, whatever becomes of drawing it."""
        await asyncio.wait((run.task,))
        await self._journal.add_result(run, reason, begun_in)
        self._redraw()
        if run.outcome is not None and run.outcome.exit_code == 0:
            await self._count_rows(run, begun_in)
            if watch is not None:
                await watch.follow(self._session, self._journal, self._redraw)
        self._redraw()

    def _redraw(self) -> None:
        """Draw the newest state; a view that fails is shown on the banner, and what is followed goes on."""
        try:
            self._dialog.redraw()
        except Exception as error:
            self._session.complain(error)

    async def _count_rows(self, run: Run, begun_in: str) -> None:
        """Count the rows of a new backup; after a restore, those of the database too, and what differs."""
        services, kind = self._services, backup.kind_of(run.step)
        if not kind or run.outcome is None:
            return
        file, dsn = backup.file_of(run.values), run.values.get(run.step.connect or "")
        path = services.runner.path
        if not file or not dsn:
            return
        services.progress[run.step.id] = "counting the rows of each table"
        self._redraw()
        if kind == "backup":
            look = await backup.after_backup(file, path=path)
        else:
            look = await backup.after_restore(dsn, file, path=path)
        services.progress.pop(run.step.id, None)
        redact = services.redactor.text
        outcome = replace(run.outcome, output=redact(f"{look.text}\n{run.outcome.output}".strip()))
        if look.refused:
            outcome = replace(outcome, met=False, expected=redact(look.refused))
        run.outcome = outcome
        lines = look.text.splitlines()
        more = f"; and {len(lines) - NOTED} more" if len(lines) > NOTED else ""
        await self._journal.add_note(f"{run.step.title}: {'; '.join(lines[:NOTED])}{more}", begun_in)

    async def _open_database_page(self, step: Step) -> None:
        """Open the page for a step that changes the database, which unlocks, counts and asks to commit."""
        if "pg_terminate_backend" in (step.run or ""):
            await self._dialog.open_page("sessions", step)
            self._dialog.say("Sessions are ended here, one by one: K on the session asks first.")
        else:
            await self._dialog.open_page("sql", step)
            self._dialog.say(
                "x runs it here, in a transaction that waits for your commit; U unlocks writing first."
            )

    async def _do_by_hand(self, step: Step, judgement: Judgement) -> None:
        """Ask for the result of a person's own work, and mark the step as done.

        Work that changes something is confirmed first, like what the console changes itself.
        """
        if self._session.incident is None:
            self._dialog.show_text(step)
            return
        if judgement.is_guarded and await self._confirm(step, judgement) is None:
            return
        result = await self._dialog.ask_result(step)
        if result is not None:
            await self._journal.mark_done(step, result)
            self._dialog.redraw()

    async def _report_stopped(self, step: Step, judgement: Judgement, why: str) -> None:
        """Report to a drill that a step was begun and not run, which it judges too."""
        if judgement.effect == "destroy":
            text = self._services.redactor.text(plain(why))
            await report_stopped(self._session, step.id, step.title, text)
