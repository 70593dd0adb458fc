"""What doing steps needs, made with the first step: inputs, redaction, the runner."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from isla_console.database.values import load
from isla_console.incident.record.state import Incident
from isla_console.runbook.model import Runbook
from isla_console.runbook.steps import Effect, Input, Step
from isla_console.settings.resolve import Settings
from isla_console.settings.variables import VARIABLES
from isla_console.steps.guard import Circumstances, Judgement, judge
from isla_console.steps.inputs import Inputs, offers
from isla_console.steps.outcome import Outcome
from isla_console.steps.rows import Row
from isla_console.steps.runner import Run, Runner
from isla_console.text.redact import Redactor

if TYPE_CHECKING:
    from isla_console.sql.result import SqlResult

REVEAL_S = 10.0
"""Seconds for which a masked output is shown on request."""
_COUNTS = frozenset({"int2", "int4", "int8"})
"""The types whose values are numbers for a step; every other value is PostgreSQL's own text."""
UNDO = ".undo"
"""The suffix of the id of a step that undoes another one."""


@dataclass(frozen=True, slots=True)
class RunView:
    """One step that is running or has run, at one moment. Text is redacted; `lines` are its newest output."""

    step: Step
    started_at: datetime
    is_running: bool
    is_stream: bool
    elapsed_s: float
    lines: tuple[str, ...]
    received: int
    records: tuple[Row, ...]
    """The newest rows of a stream."""
    progress: str
    """What is followed after the step itself has ended, such as the progress of a rollback."""
    undo: Step | None
    outcome: Outcome | None
    masked: bool


class StepServices:
    """Holds inputs, runs and outcomes of one incident (or of none) at a time."""

    def __init__(self, runbook: Runbook, settings: Settings, *, sql: Sql | None) -> None:
        """Start empty; `sql` runs the runbook's statements, None where no database is set."""
        self.settings = settings
        self.redactor = Redactor(
            found
            for variable in VARIABLES
            if variable.secret and (found := settings.secret(variable.name)) is not None
        )
        self.redactor.add(settings.secret("ISLA_DRILL_CONTROL"))
        self.inputs = Inputs(runbook.inputs, settings, self.redactor)
        self.runner = Runner(
            self.inputs,
            self.redactor,
            settings,
            run_sql=sql.run if sql is not None else None,
        )
        self.reveal_until: dict[str, datetime] = {}
        self.progress: dict[str, str] = {}
        self.undo: dict[str, Step] = {}
        """Steps that undo what a step did, by that step's id."""
        self._runbook = runbook
        self._incident = ""

    def settle(self, runbook: Runbook, incident: Incident | None) -> None:
        """Take the current runbook and incident; another incident has its own values."""
        if runbook is not self._runbook:
            self._runbook = runbook
            self.inputs.declare(runbook.inputs)
        id = incident.id if incident is not None else ""
        if id != self._incident:
            # What was read just before the declaration belongs to the incident.
            if self._incident:
                self.inputs.forget()
                self.runner.forget()
                self.progress.clear()
                self.undo.clear()
            self._incident = id
            if incident is None:
                return
            self.inputs.recall(
                data
                for event in incident.timeline
                if event.kind == "ran" and isinstance(data := event.data.get("inputs"), dict)
            )

    async def judge(self, step: Step, *, in_incident: bool, write_problem: str) -> Judgement:
        """Judge what a step does here and now; the SQL grammar is loaded off the event loop."""
        key = self.settings.secret("STRIPE_API_KEY")
        here = Circumstances(
            in_incident=in_incident,
            in_drill=bool(self.settings.drill),
            write_problem=write_problem,
            live_stripe_key=key is not None and "_live_" in key.reveal()[:8],
        )
        return await asyncio.to_thread(judge, step, here, sql_effect)

    def step(self, id: str) -> Step:
        """Return the step with an id: one of the runbook, or one that undoes such a step.

        Raises:
            KeyError: There is no step with that id.
        """
        undo = self.undo.get(id.removesuffix(UNDO)) if id.endswith(UNDO) else None
        return undo or self._runbook.step(id)

    def original(self, step: Step) -> Step:
        """Return the step that an undo belongs to; any other step is returned as it is."""
        return self._runbook.step(step.id.removesuffix(UNDO)) if step.id.endswith(UNDO) else step

    def rows(self, step: str) -> tuple[Row, ...]:
        """Return the rows of a step's newest outcome."""
        outcome = self.runner.outcome(step)
        return (outcome.rows or ()) if outcome is not None else ()

    def choices(self, item: Input) -> list[str]:
        """Return the values to pick from, taken from an earlier step's rows."""
        return offers(self.rows(item.pick.step), item.pick.column) if item.pick is not None else []

    def run_views(self, now: datetime) -> dict[str, RunView]:
        """Return every step that is running or has run, by id."""
        return {id: self._view(run, now) for id, run in self.runner.runs.items()}

    def is_masked(self, step: Step, now: datetime) -> bool:
        """Return whether a step's output is hidden at `now`."""
        until = self.reveal_until.get(step.id)
        return step.secret_output and (until is None or now >= until)

    def _records(self, run: Run) -> tuple[Row, ...]:
        if run.judgement.effect != "stream":
            return ()
        if run.step.kind == "shell":
            return tuple({"line": line} for line in self.runner.live(run, 500))
        return tuple(run.rows)

    def _view(self, run: Run, now: datetime) -> RunView:
        outcome = run.outcome
        masked = self.is_masked(run.step, now)
        is_http_stream = run.step.kind == "http" and run.judgement.effect == "stream"
        shows_lines = run.is_running and not masked and not is_http_stream
        return RunView(
            step=run.step,
            started_at=run.started_at,
            is_running=run.is_running,
            is_stream=run.judgement.effect == "stream",
            elapsed_s=(now - run.started_at).total_seconds(),
            lines=tuple(self.runner.live(run)) if shows_lines else (),
            received=run.received if is_http_stream else run.capture.lines,
            records=() if masked else self._records(run),
            progress=self.progress.get(run.step.id, ""),
            undo=self.undo.get(run.step.id),
            outcome=outcome,
            masked=masked,
        )


class ReadingEngine(Protocol):
    """Runs statements that read, like the SQL page's engine."""

    async def run(self, sql: str, params: Sequence[object] = ...) -> SqlResult:
        """Run a statement; the result says why there are no rows."""


@dataclass(frozen=True, slots=True)
class SqlReply:
    """A statement's answer in the form that the runner takes. `error` is "" where there are rows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    row_count: int
    truncated: bool
    error: str


class Sql:
    """Runs the runbook's statements, read-only, on the SQL page's engine."""

    def __init__(self, engine: ReadingEngine) -> None:
        self._engine = engine

    async def run(self, statement: str, params: Sequence[int | str | date]) -> SqlReply:
        """Run one statement with its parameters."""
        from isla_console.sql.values import unique_names

        result = await self._engine.run(statement, params)
        error = result.refused or (str(result.error.message) if result.error is not None else "")
        columns = result.columns
        names = unique_names(column.name for column in columns)
        rows = [
            [
                load(value, one.type) if one.type in _COUNTS else value
                for value, one in zip(row, columns, strict=True)
            ]
            for row in result.rows
        ]
        return SqlReply(names, rows, result.row_count, result.truncated, error)


def sql_effect(statement: str) -> tuple[Effect, tuple[str, ...]]:
    """Return a statement's effect by PostgreSQL's grammar, and why."""
    from isla_console.sql.classify import classify

    verdict = classify(statement)
    effects: Mapping[str, Effect] = {"read": "read", "write": "write", "maintenance": "write"}
    found = effects.get(verdict.kind, "destroy" if verdict.kind == "admin" else "write")
    return found, tuple(f"the statement {reason}" for reason in verdict.reasons)
