"""Running steps: several at once, each bounded, stoppable and redacted; the newest outcome of each is kept.

The runner owns its tasks. Nothing is raised: whatever happens in a step becomes an `Outcome`.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

from isla_console.runbook.patterns import found_in
from isla_console.runbook.shell import tools
from isla_console.runbook.steps import Step
from isla_console.runbook.templates import PlaceError
from isla_console.settings.resolve import Settings
from isla_console.steps import environment, http, shell
from isla_console.steps.guard import Judgement
from isla_console.steps.inputs import Inputs, bound
from isla_console.steps.outcome import STORED, Ending, Outcome, changes, check
from isla_console.steps.output import HEAD, Capture
from isla_console.steps.rows import NO_TABLE, Row, Table, as_text, tabulated
from isla_console.text.redact import Redactor

SHELL_TIMEOUT_S: Final = 60.0
"""The time limit of a command whose step sets none; a stream has no limit."""
_COPY: Final = "y copies the line for a machine that has it"
UNKNOWN: Final = "no answer came: it may have been done all the same, look"
STREAM_ROWS: Final = 2000
_STREAM_COLUMNS: Final = 24
_STREAM_CELL: Final = 400
"""Together these two bound the rows that are kept of a stream, whatever its lines are."""
LIVE_LINES: Final = 6


class SqlAnswer(Protocol):
    """The result of a statement, as the SQL engine gives it."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns."""

    @property
    def rows(self) -> Sequence[Sequence[Any]]:
        """The rows, each with a value for every column."""

    @property
    def row_count(self) -> int:
        """How many rows there are."""

    @property
    def truncated(self) -> bool:
        """Whether the server had more rows."""

    @property
    def error(self) -> str:
        """Why there are no rows; "" when there are."""


RunSql = Callable[[str, Sequence[Any]], Awaitable[SqlAnswer]]
"""Runs one statement with bound parameters, read-only."""


@dataclass(slots=True)
class Run:
    """A step that is running or has run, with the values of its start. `rows` are a stream's newest."""

    step: Step
    judgement: Judgement
    command: str
    started_at: datetime
    capture: Capture
    values: Mapping[str, str] = field(repr=False)
    """Every value that it uses, revealed."""
    public: Mapping[str, str]
    """What was typed or picked for it, without secrets."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    rows: deque[Row] = field(default_factory=lambda: deque(maxlen=STREAM_ROWS))
    received: int = 0
    """How many rows the stream has had so far, including those no longer kept."""
    outcome: Outcome | None = None
    task: asyncio.Task[Outcome] = field(init=False)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.outcome is None


class Runner:
    """Starts and stops steps; the caller that starts one awaits its task."""

    def __init__(
        self,
        inputs: Inputs,
        redactor: Redactor,
        settings: Settings,
        *,
        run_sql: RunSql | None = None,
        person: Mapping[str, str] | None = None,
    ) -> None:
        self._inputs = inputs
        self._redactor = redactor
        self._settings = settings
        self._run_sql = run_sql
        self._person = os.environ if person is None else person
        self.runs: dict[str, Run] = {}

    @property
    def path(self) -> str | None:
        """The PATH on which commands are looked for."""
        return self._person.get("PATH")

    @property
    def running(self) -> list[Run]:
        """Return the running steps, oldest first."""
        return sorted((run for run in self.runs.values() if run.is_running), key=lambda run: run.started_at)

    def outcome(self, step: str) -> Outcome | None:
        """Return the newest result of a step."""
        run = self.runs.get(step)
        return run.outcome if run is not None else None

    def shown(self, step: Step, now: datetime) -> str:
        """Return what would be sent or run, with its inputs in place and bullets for secrets."""
        found = {item.name: self._inputs.find(item.name, now) for item in self._inputs.of(step)}
        values = {name: value.shown for name, value in found.items() if value is not None}
        if step.http is not None:
            try:
                real = self._inputs.values(step, now)
                text = http.build(step.http, real).shown
            except (PlaceError, KeyError):
                text = f"{step.http.method} {step.http.url}"
        else:
            text = (step.run or step.url or step.text or "").strip()
            used = [f"{name}={value}" for name, value in values.items()]
            text += f"\n{'  '.join(used)}" if used else ""
        return self._redactor.text(text)

    def live(self, run: Run, count: int = LIVE_LINES) -> list[str]:
        """Return the newest lines of a command's output, redacted."""
        return run.capture.last_lines(count, self._redactor)

    def start(self, step: Step, judgement: Judgement, now: datetime) -> Run:
        """Start a step that has all its inputs; return its run, or the one that is already under way."""
        before = self.runs.get(step.id)
        if before is not None and before.is_running:
            return before
        run = Run(
            step,
            judgement,
            self.shown(step, now),
            now,
            Capture(seen.pattern for seen in step.seen),
            # As they are now: another value may be typed, or all forgotten, before it ends.
            self._inputs.values(step, now),
            self._inputs.public(step),
        )
        self.runs[step.id] = run
        previous = before.outcome if before is not None else None
        run.task = asyncio.create_task(self._run(run, previous), name=f"step {step.id}")
        return run

    def stop(self, step: str) -> bool:
        """Stop a running step; return False when it is not running."""
        run = self.runs.get(step)
        if run is None or not run.is_running:
            return False
        run.stop.set()
        return True

    def forget(self) -> None:
        """Drop the outcomes, because they belong to another incident; what runs goes on."""
        self.runs = {step: run for step, run in self.runs.items() if run.is_running}

    async def close(self, grace_s: float = shell.GRACE_S + 1) -> None:
        """Stop every step and wait until it has ended; what has not after the grace is killed."""
        tasks = [run.task for run in self.running]
        for run in self.running:
            run.stop.set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            for task in late:
                task.cancel()

    async def _run(self, run: Run, before: Outcome | None) -> Outcome:
        began = time.perf_counter()
        try:
            outcome = await self._by_kind(run)
            if run.step.money:  # the screen writes amounts, and the table of currencies takes a while to read
                await asyncio.to_thread(importlib.import_module, "iso4217")
        except asyncio.CancelledError:
            outcome = self._outcome(run, "stopped", "stopped", 130)
        except PlaceError as error:
            outcome = self._outcome(run, "failed", str(error), 2)
        except Exception as error:
            # A defect of the console must not end it: it is shown as the step's result.
            outcome = self._outcome(run, "failed", f"internal fault: {type(error).__name__}: {error}", 2)
        outcome = replace(
            outcome,
            duration_ms=round((time.perf_counter() - began) * 1000, 1),
            changed=changes(before, outcome.rows, outcome.output) if outcome.ending == "done" else None,
        )
        run.outcome = outcome
        return outcome

    async def _by_kind(self, run: Run) -> Outcome:
        step, values = run.step, dict(run.values)
        if step.kind == "shell":
            return await self._shell(run, values)
        if step.kind == "http":
            if run.judgement.effect == "stream":
                return await self._stream(run, values)
            return await self._http(run, values)
        return await self._sql(run, values)

    async def _shell(self, run: Run, values: dict[str, str]) -> Outcome:
        step, declared = run.step, self._inputs.declared
        script = step.run or ""
        used = await asyncio.to_thread(tools, script)
        dsn = values.pop(step.connect, "") if step.connect else ""
        for name, value in values.items():
            await asyncio.to_thread(environment.check_shell, script, declared[name], value)
        for name in environment.tool_needs(used):
            if name not in values and (secret := self._settings.secret(name)) is not None:
                self._redactor.add(secret)
                values[name] = secret.reveal()
        if dsn:
            try:
                values |= environment.libpq(dsn)
            except ValueError as error:
                raise PlaceError(f"{step.connect}: {error}") from None
            self._redactor.add(values.get("PGPASSWORD"))
        home = str(self._settings.state_dir) if self._settings.drill else ""
        secrets = frozenset(item.env for item in declared.values() if item.env and item.is_secret)
        environ = environment.environment(self._person, values, secrets=secrets, drill_home=home)
        known = tuple(tool for tool in used if tool in shell.PACKAGES)
        if absent := shell.missing_tools(known, environ.get("PATH")):
            return self._outcome(run, "failed", "; ".join([*absent, _COPY]), 127)
        limit = step.timeout_s or (None if run.judgement.effect == "stream" else SHELL_TIMEOUT_S)
        ended = await shell.run(script, environ, run.capture, timeout_s=limit, stop=run.stop)
        code = ended.exit_code if ended.exit_code is not None else 127
        kept = run.capture.take()
        text = kept.text(self._redactor)
        table = NO_TABLE
        if step.table and code == 0:
            # Redacting the JSON text could break it, so the rows are redacted instead.
            table = await asyncio.to_thread(_table, kept.head, step.table, kept.truncated)
        rows = tuple(self._clean(row) for row in table.rows) if table.rows is not None else None
        met, expected = check(step.expect, status=None, exit_code=code, rows=table.count, text=text)
        left = f", {ended.left_behind} processes it left were ended" if ended.left_behind else ""
        if ended.survivors:
            left += f", could not be ended: process {', '.join(map(str, ended.survivors))}"
        match ended.how:
            case "exited" if code == 127 and (absent := shell.missing_tools(used, environ.get("PATH"))):
                result, ending = "; ".join([*absent, _COPY]), "failed"
            case "exited":
                odd = "".join(f" · {note}" for note in (table.note, ended.note) if note)
                good = (code == 0 and not table.is_error) or met
                result, ending = f"exit {code}{left}{odd}", "done" if good else "failed"
                # Where a pipe's last program alone counts, one that is missing would pass for done.
                if ended.note and (absent := shell.missing_tools(used, environ.get("PATH"))):
                    result, ending, code = "; ".join([*absent, _COPY]), "failed", 127
            case "stopped":
                result, ending = f"stopped{left}", "stopped"
            case _:
                result, ending = f"{ended.reason}{left}", "failed"
        return self._outcome(run, _ending(ending), result, code, rows=rows, met=met, expected=expected)

    async def _http(self, run: Run, values: dict[str, str]) -> Outcome:
        step = run.step
        assert step.http is not None
        request = http.build(step.http, values)
        answer = await http.send(
            request,
            run.capture,
            table=step.table,
            timeout_s=step.timeout_s,
            stop=run.stop,
            trust_env=not self._settings.drill,
        )
        table = answer.table
        rows = tuple(self._clean(row) for row in table.rows) if table.rows is not None else None
        # Without an answer nobody knows whether the server did what it was asked to.
        unknown = answer.status is None and answer.sent and run.judgement.is_guarded
        counted = "" if rows == () and table.note else _rows_word(rows)
        said = " · ".join(
            part
            for part in (
                str(answer.status or ""),
                counted,
                table.note if rows is not None else "",
                f"to {self._redactor.text(answer.location)}, not followed" if answer.location else "",
                self._redactor.text(answer.problem),
                UNKNOWN if unknown else "",
            )
            if part
        )
        text = said + "\n" + run.capture.take().text(self._redactor)
        for seen in step.seen:
            if run.capture.size < HEAD and found_in(seen.pattern, said):
                run.capture.seen.add(seen.pattern)
        met, expected = check(
            step.expect,
            status=answer.status,
            exit_code=None,
            rows=table.count,
            text=text,
        )
        good = answer.status is not None and not answer.problem and not table.is_error
        good = good and (met if met is not None else answer.status is not None and answer.status < 400)
        # An unwelcome answer is still an answer: the step failed only where there is none.
        ending: Ending = "stopped" if answer.stopped else "done" if answer.status is not None else "failed"
        return self._outcome(
            run,
            ending,
            said,
            0 if good else 1,
            rows=rows,
            met=met,
            expected=expected,
            status=answer.status,
        )

    async def _stream(self, run: Run, values: dict[str, str]) -> Outcome:
        step = run.step
        assert step.http is not None
        request = http.build(step.http, values)

        def take(row: Row) -> None:
            run.received += 1
            run.rows.append(self._lean(row))

        answer = await http.stream(
            request,
            run.capture,
            take,
            table=step.table,
            stop=run.stop,
            trust_env=not self._settings.drill,
        )
        said = f"{answer.status} · " if answer.status not in {None, 200} else ""
        result = f"{said}{run.received} lines · {self._redactor.text(answer.problem)}"
        failed = not answer.stopped and answer.status != 200
        ending: Ending = "stopped" if answer.stopped else "failed" if failed else "done"
        return self._outcome(run, ending, result, 1 if failed else 0, status=answer.status)

    async def _sql(self, run: Run, values: dict[str, str]) -> Outcome:
        step, declared = run.step, self._inputs.declared
        if self._run_sql is None:
            return self._outcome(run, "failed", "set ISLA_DATABASE_URL", 1)
        parameters = [bound(declared[name], values[name]) for name in step.params]
        work = asyncio.ensure_future(self._run_sql(step.run or "", parameters))
        stopped = asyncio.create_task(run.stop.wait())
        limit = step.timeout_s or SHELL_TIMEOUT_S
        try:
            await asyncio.wait((work, stopped), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                if stopped.done():
                    return self._outcome(run, "stopped", "stopped", 130)
                return self._outcome(run, "failed", f"timed out after {limit:g} s", 124)
            answer = work.result()
        finally:
            work.cancel()
            stopped.cancel()
            await asyncio.gather(work, stopped, return_exceptions=True)
        if answer.error:
            text = self._redactor.text(answer.error)
            run.capture.feed(text.encode())
            return self._outcome(run, "failed", text, 1)
        rows = tuple(self._clean(dict(zip(answer.columns, row, strict=True))) for row in answer.rows)
        run.capture.feed(as_text(rows).encode())
        met, expected = check(
            step.expect, status=None, exit_code=None, rows=answer.row_count, text=as_text(rows)
        )
        more = " (more are not shown)" if answer.truncated else ""
        return self._outcome(run, "done", _rows_word(rows) + more, 0, rows=rows, met=met, expected=expected)

    def _clean(self, row: Row) -> Row:
        """Return a row without secrets, nested values included."""
        return {self._redactor.name(str(name)): self._cell(value, str(name)) for name, value in row.items()}

    def _lean(self, row: Row) -> Row:
        """Return a stream's row without secrets, its cells cut short: it is only shown as a line."""
        return {
            self._redactor.name(str(name)): self._redactor.cut(
                value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), _STREAM_CELL, name
            )
            if isinstance(value, str | dict | list)
            else value
            for name, value in itertools.islice(row.items(), _STREAM_COLUMNS)
        }

    def _cell(self, value: object, name: str = "") -> object:
        if isinstance(value, str):
            return self._redactor.cut(value, 4096, name)
        if isinstance(value, dict):
            return self._clean(value)
        if isinstance(value, list | tuple):
            return [self._cell(inner, name) for inner in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._redactor.text(str(value))

    def _outcome(
        self,
        run: Run,
        ending: Ending,
        result: str,
        exit_code: int,
        *,
        rows: tuple[Row, ...] | None = None,
        met: bool | None = None,
        expected: str = "",
        status: int | None = None,
    ) -> Outcome:
        kept = run.capture.take()
        text = as_text(rows) if rows is not None else kept.text(self._redactor)
        symptoms = [seen.symptom for seen in run.step.seen if seen.pattern in run.capture.seen]
        if ending == "failed" and not symptoms:
            symptoms = [seen.symptom for seen in run.step.seen if found_in(seen.pattern, result)]
        return Outcome(
            step=run.step.id,
            command=run.command,
            effect=run.judgement.effect,
            started_at=run.started_at,
            duration_ms=0.0,
            ending=ending,
            result=self._redactor.text(result),
            exit_code=exit_code,
            output=text,
            truncated=kept.truncated or len(text) > STORED,
            status=status,
            rows=rows,
            met=met,
            expected=expected,
            symptoms=tuple(dict.fromkeys(symptoms)),
        )


def _ending(word: str) -> Ending:
    return "done" if word == "done" else "stopped" if word == "stopped" else "failed"


def _rows_word(rows: Sequence[Row] | None) -> str:
    if rows is None:
        return ""
    return "1 row" if len(rows) == 1 else f"{len(rows)} rows"


def _table(text: str, table: str, cut: bool) -> Table:
    """Return the rows of a command that printed JSON; without rows, the note says why."""
    if cut:
        return Table(None, "longer than what is kept, not tabulated")
    try:
        return tabulated(json.loads(text), table)
    except RecursionError:
        return Table(None, "not the JSON it promised")
    except ValueError as error:
        fits = not isinstance(error, json.JSONDecodeError)
        return Table(None, str(error) if fits else "not the JSON it promised")
