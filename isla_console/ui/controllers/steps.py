"""Doing steps: in place what only reads, behind the guard what changes anything."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from textual.content import Content

from isla_console.incident import commands as act
from isla_console.incident.record.events import EventError, event
from isla_console.runbook.steps import Input, Step
from isla_console.session.steps import REVEAL_S, Sql, StepServices, ran_data
from isla_console.steps import backup
from isla_console.steps.guard import Judgement
from isla_console.steps.runner import Run
from isla_console.text.plain import plain
from isla_console.ui.controllers.base import Console, Controller, Handler
from isla_console.ui.controllers.console import STEPS
from isla_console.ui.controllers.coordination import CoordinationController
from isla_console.ui.controllers.triage import TriageController
from isla_console.ui.sheets import steps as dialogs
from isla_console.ui.terminal.clipboard import copy
from isla_console.ui.views import detail
from isla_console.ui.views.runs import output_lines
from isla_console.ui.views.sql import statements

if TYPE_CHECKING:
    from textual.widget import Widget

    from isla_console.ui.pages.sql import SqlPage
    from isla_console.ui.pages.streams import StreamsPage

REFRESH_S = 0.25
"""Between two looks at what runs."""
GUARD_WIDTH = 92
"""Cells of a line of the guard, where the screen has them."""
NOTED = 12
"""Lines of a count that the timeline keeps; all of them stand under the step."""
FRESH_S = 15.0
"""How long the read-only twin's answer counts as now."""


class StepController(Controller):
    """What the steps of issues and procedures are for."""

    def __init__(
        self, console: Console, coordination: CoordinationController, triage: TriageController
    ) -> None:
        super().__init__(console)
        self._coordination = coordination
        self._triage = triage

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
        """What steps are done with, for the runbook and the incident as they are now."""
        session = self.session
        if session.step_services is None:
            # The SQL page's, which is open already: there may be no slot for another one.
            engine = session.database.engine if session.database is not None else None
            session.step_services = StepServices(
                session.runbook,
                self.console.settings,
                sql=Sql(engine) if engine else None,
                on_end=self._ended,
            )
        session.step_services.settle(session.runbook, session.incident)
        return session.step_services

    async def row_undo(self, id: str) -> None:
        """Enter on the line that takes a step back: it asks before it does."""
        await self.run("")

    async def row_step(self, id: str) -> None:
        """Enter: what only reads is done in place, `goto` goes, `manual` asks; the rest is shown in full."""
        step = self._step(id)
        if step.does is not None:
            await self._coordination.guide(step)
            return
        if step.kind in {"goto", "manual"} and not step.blocked:
            await self._do(step)
            return
        if step.kind != "open":
            judgement = await self._judge(step)
            if judgement.effect == "read" and not judgement.refused:
                await self._do(step)
                return
        self.detail("")

    async def run(self, key: str) -> None:
        """x: the step under the cursor, whatever it does; what changes things asks first."""
        step = self._chosen()
        if step is None:
            self.console.say("The cursor is not on a step.")
        else:
            await self._do(step)

    def stop(self, key: str) -> None:
        """End the step under the cursor, with all it started; or the comparison, where that is shown."""
        if self.console.main.page == "payments" and self._triage.stop_comparing():
            return
        step = self._chosen()
        running = self.step_services.runner.running
        if step is None and len(running) == 1:
            step = running[0].step
        if step is None or not self.step_services.runner.stop(step.id):
            self.console.say("Nothing runs here.")

    def stop_stream(self, step: str) -> None:
        """End a stream by its step's id."""
        if not self.step_services.runner.stop(step):
            self.console.say("It has ended.")

    def detail(self, key: str) -> None:
        """Right: the row in full, a step with its whole result."""
        state, row = self.console.main.state, self.console.main.key
        if state is None or (shown := detail.of_row(row, state)) is None:
            return
        title, lines = shown
        view = state.runs.get(row.removeprefix("step:"))
        if view is not None:
            result = output_lines(view, state.now, 104)
            lines = [*result, Content(""), *lines]
        self.console.show(title, lines)

    async def copy(self, key: str) -> None:
        """y: the vendor's command line, the command, or the address; never with a secret in it."""
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
            await self._ask(step, wanted)
            self.console.refresh_state()

    async def _do(self, step: Step) -> None:
        """One step, from its inputs over the guard to its run."""
        match step.kind:
            case _ if step.blocked:
                pass
            case "goto" if step.issue is not None:
                self.console.go(f"issue:{step.issue}")
                return
            case "open":
                copied = await copy(self.console.shell, step.url or "", self.console.settings.state_dir)
                self.console.say(f"{step.url}: {copied.words}")
                return
            case "manual":
                await self._by_hand(step)
                return
        judgement = await self._judge(step)
        if judgement.refused:
            self.console.show(step.title, dialogs.refused_lines(step, judgement))
            await self._stopped(step, judgement, f"stopped by the guard, {judgement.refused}")
            return
        if step.kind == "sql" and judgement.is_guarded:
            await self._to_the_database(step)
            return
        tools = self.step_services
        if (run := tools.runner.runs.get(step.id)) is not None and run.is_running:
            if judgement.effect == "stream":
                await self._to_the_stream(step)
            else:
                self.console.say("It runs already: X stops it.")
            return
        if not await self._inputs_there(step, judgement):
            return
        reason = ""
        if judgement.is_guarded:
            confirmed = await self._guard(step, judgement)
            if confirmed is None:
                return
            reason = confirmed
        self._start(step, judgement, reason)
        if judgement.effect == "stream":
            await self._to_the_stream(step)

    async def _to_the_stream(self, step: Step) -> None:
        """Its page, with this one of the streams before the eyes."""
        cast("StreamsPage", await self._open_page("streams")).look_at(step.id)
        self.console.refresh_state()

    async def _open_page(self, page: str) -> "Widget":
        """Go to a page that is a widget, and wait until it is there."""
        self.console.go(page)
        async with asyncio.timeout(5):
            while True:
                found = next(iter(self.console.main.query(f"#page-{page}")), None)
                if found is not None and found.is_mounted:
                    return found
                await asyncio.sleep(0.02)

    async def _to_the_database(self, step: Step) -> None:
        """What changes the database is done on its own pages, which unlock, count and ask for the commit."""
        if "pg_terminate_backend" in (step.run or ""):
            self.console.go("sessions")
            self.console.say("Sessions are ended here, one by one: K on the session asks first.")
            return
        page = await self._open_page("sql")
        found = [one for one in statements(self.console.state, None) if one.step.id == step.id]
        cast("SqlPage", page).take(found[0] if found else None, (step.run or "").strip())
        self.console.say(
            "x runs it here, in a transaction that waits for your commit; U unlocks writing first."
        )

    def _start(self, step: Step, judgement: Judgement, reason: str) -> Run:
        tools = self.step_services
        tools.reasons[step.id] = reason
        tools.progress.pop(step.id, None)
        run = tools.runner.start(step, judgement, self.console.clock.now())
        self.console.begin(self._watch_step(run), group=STEPS)
        return run

    async def _watch_step(self, run: Run) -> None:
        """Draw what comes while it runs; leaving the page stops nothing."""
        while run.task is not None and not run.task.done():
            self.console.refresh_state()
            await asyncio.wait((run.task,), timeout=REFRESH_S)
        self.console.refresh_state()

    def _ended(self, run: Run) -> None:
        """A step ended: the runner says so from its own task."""
        self.console.begin(self._conclude(run), group=STEPS)

    async def _conclude(self, run: Run) -> None:
        """Journal the result, and the symptoms that its output shows."""
        tools, outcome = self.step_services, run.outcome
        reason = tools.reasons.pop(run.step.id, "")
        if outcome is None:
            return
        incident = self.session.incident
        if incident is not None:
            data = ran_data(
                run, tools.inputs.public(run.step), tools.redactor.text(reason), run.step.secret_output
            )
            author, now = self.session.author, self.console.clock.now()
            events = []
            try:
                events.append(event("ran", data, incident=incident.id, author=author, now=now))
            except EventError as error:
                self.session.complain(error)
            for symptom in outcome.symptoms:
                key = self._symptom_key(symptom)
                known = incident.symptoms.get(key)
                if known is None or not known.seen:
                    said = f"by {run.step.title}"
                    events += act.see_symptom(
                        incident, key, author=author, now=now, by="measured", value=said
                    )
            await self.console.record(events)
        if outcome.exit_code == 0 and (kind := backup.kind_of(run.step)):
            await self._count(run, kind)
        if dialogs.is_rollback(run.step) or run.step.id.endswith(".undo"):
            await self._follow_change(run)
        self.console.refresh_state()

    async def _count(self, run: Run, kind: backup.Kind) -> None:
        """After a backup: what is in it; after a restore also what is in the database, and what differs."""
        tools, outcome = self.step_services, run.outcome
        values = tools.inputs.values(run.step, self.console.clock.now())
        file, dsn, path = backup.file_of(values), values.get(run.step.connect or ""), tools.runner.path
        if outcome is None or not file or not dsn:
            return
        tools.progress[run.step.id] = "counting the rows of each table"
        self.console.refresh_state()
        if kind == "backup":
            look = await backup.after_backup(file, path=path)
        else:
            look = await backup.after_restore(dsn, file, path=path)
        tools.progress.pop(run.step.id, None)
        output = tools.redactor.text(f"{look.text}\n{outcome.output}".strip())
        run.outcome = replace(outcome, output=output)
        if look.refused:
            run.outcome = replace(run.outcome, met=False, expected=tools.redactor.text(look.refused))
        told = look.text.splitlines()
        more = f"; and {len(told) - NOTED} more" if len(told) > NOTED else ""
        await self._note(f"{run.step.title}: {'; '.join(told[:NOTED])}{more}")

    async def _follow_change(self, run: Run) -> None:
        """Watch a rollback (or its undo) to its end, then ask every probe again."""
        tools, outcome = self.step_services, run.outcome
        if outcome is None or outcome.exit_code != 0:
            return
        change = dialogs.promotion_watch(run.step, tools, self.console.clock.now())

        def tell(text: str) -> None:
            tools.progress[run.step.id] = f"{change.target[:16]}: {text}"
            self.console.refresh_state()

        problem = await change.follow(tell)
        said = problem or "serves production"
        tell(f"{said}; asking every probe again")
        await self.session.recheck()
        tell(f"{said}; every probe was asked again")
        await self._note(f"{change.target[:16]} {said} ({run.step.title})")
        tools.undo.pop(change.origin, None)
        if problem or change.is_undo:
            return
        if change.before:
            tools.undo[run.step.id] = change.undo()
        for text, kind in change.follow_ups():
            await self._attempt_quietly(text, kind)

    async def _attempt_quietly(self, text: str, kind: str) -> None:
        """An action item, unless it is there already."""
        incident = self.session.incident
        if incident is not None and all(action.text != text for action in incident.actions.values()):
            await self.console.record(act.add_action(incident, text, kind, **self.console.stamp()))

    async def _note(self, text: str) -> None:
        incident = self.session.incident
        if incident is not None:
            text = self.step_services.redactor.text(text)
            await self.console.record(act.note(incident, text, **self.console.stamp()))

    async def _judge(self, step: Step) -> Judgement:
        return await self.step_services.judge(
            step, in_incident=self.session.incident is not None, write_problem=self.session.write_problem
        )

    async def _inputs_there(self, step: Step, judgement: Judgement) -> bool:
        """Ask for what is missing; before a change also for what can be picked, asked before or not."""
        tools, now = self.step_services, self.console.clock.now()
        wanted = list(tools.inputs.missing(step, now))
        if judgement.is_guarded:
            wanted += [item for item in tools.inputs.of(step) if item.pick and item not in wanted]
        return not wanted or await self._ask(step, wanted)

    async def _ask(self, step: Step, wanted: Sequence[Input]) -> bool:
        """One sheet for all of them; what is picked from a step's rows lets that step run first."""
        tools = self.step_services
        for source in dict.fromkeys(item.pick.step for item in wanted if item.pick is not None):
            twin = self._step(source)
            fresh = step.effect in {"write", "destroy"} or not tools.rows(source)
            if fresh and twin.id != step.id:
                await self._look(twin)
        sheet = dialogs.inputs_sheet(step, wanted, tools, self.console.clock.now())
        answers = await self.console.ask(sheet.screen)
        if answers is None:
            return False
        sheet.remember(answers, self.console.clock.now())
        return True

    async def _look(self, step: Step) -> Run | None:
        """Run a step that only reads and wait for it; None where it cannot be run now."""
        judgement = await self._judge(step)
        if judgement.refused or judgement.effect != "read":
            return None
        tools, now = self.step_services, self.console.clock.now()
        run = tools.runner.runs.get(step.id)
        good = run is not None and run.outcome is not None and run.outcome.ending == "done"
        if run is not None and good and now - run.started_at < timedelta(seconds=FRESH_S):
            return run
        missing = tools.inputs.missing(step, now)
        if missing and not await self._ask(step, missing):
            return None
        run = self._start(step, judgement, "")
        if run.task is not None:
            await asyncio.wait((run.task,))
        return run

    async def _guard(self, step: Step, judgement: Judgement) -> str | None:
        """Show what would happen now; the reason once the object is typed, None when it is left."""
        tools = self.step_services
        twin = self._step(step.preview) if step.preview else None
        preview = await self._look(twin) if twin is not None else None
        answer = preview.outcome if preview is not None else None
        width = min(GUARD_WIDTH, self.console.shell.size.width - 6)
        asked, refused = await dialogs.guard(step, judgement, tools, self.console.state, answer, width=width)
        if asked is None:
            self.console.show(step.title, [Content.styled(refused, "$error")])
            await self._stopped(step, judgement, f"stopped by the guard, {refused}")
            return None
        from isla_console.ui.sheets.guard import GuardScreen

        reason = await self.console.ask(GuardScreen(asked))
        if reason is None:
            await self._stopped(step, judgement, "left at the guard")
        return reason

    async def _stopped(self, step: Step, judgement: Judgement, why: str) -> None:
        """A drill judges what was begun, too; without one nobody is told."""
        if judgement.effect == "destroy":
            await self.session.tell_stopped(step.id, step.title, self.step_services.redactor.text(plain(why)))

    async def _by_hand(self, step: Step) -> None:
        """A person's work: its result in one line."""
        if self.session.incident is None:
            self.console.show(step.title, [Content(step.text or step.title)])
            return
        answers = await self.console.ask(dialogs.manual_sheet(step))
        if answers is None:
            return
        result = self.step_services.redactor.text(answers["result"].strip())
        await self.console.attempt(
            lambda incident: act.mark_step(
                incident,
                step.id,
                "done",
                **self.console.stamp(),
                result=result or None,
            )
        )

    def _chosen(self) -> Step | None:
        """The step under the cursor, or the one that takes it back."""
        kind, _, id = self.console.main.key.partition(":")
        if kind == "undo":
            return self.step_services.undo.get(id)
        return self._step(id) if kind == "step" else None

    def _step(self, id: str) -> Step:
        found = self.step_services.undo.get(id.removesuffix(".undo")) if id.endswith(".undo") else None
        return found or self.session.runbook.step(id)

    def _symptom_key(self, symptom: str) -> str:
        """A symptom's key in the incident: with the issue that it belongs to."""
        for issue in self.session.runbook.issues:
            if any(known.id == symptom for known in issue.symptoms):
                return f"{issue.id}/{symptom}"
        return symptom
