"""The database: statements behind the guard, writing on purpose, ending sessions."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, assert_never, cast

from isla_console.database.session import DatabaseSession, DatabaseUnavailable
from isla_console.incident import commands as act
from isla_console.incident.record.events import Event, EventError, event
from isla_console.incident.record.state import Incident
from isla_console.runbook.steps import Step
from isla_console.sql.catalogue import query
from isla_console.sql.database import ADMIN_VARIABLE, Database
from isla_console.sql.days import days
from isla_console.sql.engine import TIMEOUT_S
from isla_console.sql.errors import redacted
from isla_console.sql.export import ExportFile, Format, export_path
from isla_console.sql.result import SqlResult
from isla_console.sql.verdict import Verdict
from isla_console.sql.writing import DECIDE_S, PendingWrite, Writer
from isla_console.text.spans import took_text
from isla_console.text.times import clock_text
from isla_console.ui.controllers.base import Controller
from isla_console.ui.messages import SqlAsked
from isla_console.ui.sheets import sql as dialogs
from isla_console.ui.terminal.clipboard import copy

if TYPE_CHECKING:
    from isla_console.ui.pages.sql import SqlPage

SQL = "sql"
"""The group of workers that run statements."""
WATCH_S = 5.0
EXPORT_TIMEOUT_S = 600.0
MAINTENANCE_TIMEOUT_S = 1800.0
WRITE_TIMEOUT_S = 120.0
JOURNALLED = 4000
"""Characters of a statement that the journal keeps."""
PLACEHOLDER = re.compile(r"\$(\d+)")


class SqlController(Controller):
    """What the SQL page asks for."""

    @property
    def database(self) -> Database:
        self.session.open_database()
        assert self.session.database is not None
        return self.session.database

    @property
    def _sql_page(self) -> "SqlPage":
        return cast("SqlPage", self.console.main.query_one("#page-sql"))

    def judge_typed(self, text: str) -> None:
        """Say what the guard thinks of the statement in the editor."""
        if text and self.database.engine is not None:
            self.console.begin(self._judge_sql(text), group="judge", exclusive=True)

    async def _judge_sql(self, text: str) -> None:
        engine = self.database.engine
        if engine is not None:
            await asyncio.sleep(0.15)  # while somebody types, only the last text counts
            self._sql_page.judged(text, await engine.verdict(text))

    def take_request(self, asked: SqlAsked) -> None:
        """Do what the page asks for; one statement at a time."""
        text = asked.text
        match asked.act:
            case "stop":
                self._stop()
            case "unlock":
                self.console.begin(self._unlock())
            case "commit" | "back":
                if self.database.writer is not None:
                    self.database.writer.decide(asked.act == "commit")
            case "copy":
                self.console.begin(self._copy_out(text))
            case "export":
                self.console.begin(self._export(text), group=SQL)
            case "watch":
                self.console.begin(self._watch(text), group=SQL)
            case "explain":
                self.console.begin(self._run(f"EXPLAIN {text}"), group=SQL)
            case "analyze":
                self.console.begin(self._run(f"EXPLAIN (ANALYZE, BUFFERS) {text}"), group=SQL)
            case "run":
                self.console.begin(self._run(text), group=SQL)
            case _:
                assert_never(asked.act)

    def _stop(self) -> None:
        running = self.console.running(SQL)
        for worker in running:
            worker.cancel()
        self._sql_page.say("Stopped." if running else "Nothing runs.")
        self._sql_page.show_change(None)

    async def _copy_out(self, text: str) -> None:
        self.console.say((await copy(self.console.shell, text, self.console.settings.state_dir)).words)

    async def _unlock(self) -> None:
        database, now = self.database, self.console.clock.now()
        if database.unlocked(now) is not None:
            database.lock()
            self._sql_page.say("Writing is locked again.")
            self.console.refresh_state()
            return
        if database.writer is None:
            self._sql_page.say(f"Writing needs {ADMIN_VARIABLE}: an address of a role that may write.")
            return
        role = database.writer.session.reading().role or "the writing role"
        answers = await self.console.ask(dialogs.unlock_sheet(role))
        if answers is None:
            return
        database.unlock(answers["reason"].strip(), self.console.clock.now())
        if self.session.incident is not None:
            text = f"Writing to the database unlocked for 5 min: {answers['reason'].strip()}"
            await self.console.attempt(lambda incident: act.note(incident, text, **self.console.stamp()))
        self._sql_page.say("Writing is unlocked for 5 min; U locks it.")
        self.console.refresh_state()

    async def _run(self, text: str) -> None:
        if not self._may_begin():
            return
        page, engine = self._sql_page, self.database.engine
        if engine is None:
            page.say("No database: set ISLA_DATABASE_URL.")
            return
        if page.history is not None:
            page.history.add(text)
        engine.session.retry_now()  # somebody asks: that is worth an attempt
        verdict = await engine.verdict(text)
        if verdict.kind in {"write", "maintenance"}:
            await self._change(text, verdict)
            return
        params = await self._values(text)
        if params is None:
            return
        step = page.statement.step if page.statement is not None else None
        limit = float(step.timeout_s) if step is not None and step.timeout_s else TIMEOUT_S
        async with self._telling(lambda s: self._how_it_runs(s, limit)):
            result = await engine.run(text, params, timeout_s=limit, first=page.show_result)
        page.say("")
        page.show_result(result, text)
        await self._account(text, result, "read", "error" if not result.ok else "ok")

    async def _watch(self, text: str) -> None:
        if not self._may_begin():
            return
        page, engine = self._sql_page, self.database.engine
        params = await self._values(text)
        if engine is None or params is None:
            return
        while True:
            result = await engine.run(text, params)
            page.show_result(result, text)
            if result.refused:
                return
            page.say(
                f"Watched every {WATCH_S:g} s; X stops.  {clock_text(self.console.clock.now(), seconds=True)}"
            )
            await asyncio.sleep(WATCH_S)

    async def _export(self, text: str) -> None:
        page, engine = self._sql_page, self.database.engine
        folder = self.console.settings.state_dir / "exports"
        answers = await self.console.ask(dialogs.export_sheet(str(folder)))
        if answers is None or engine is None or not self._may_begin():
            return
        params = await self._values(text)
        if params is None:
            return
        kind: Format = "json" if answers["kind"] == "json" else "csv"
        try:
            file = ExportFile(export_path(folder, kind, self.console.clock.now()), kind)
        except OSError as error:
            page.say(f"Not exported: {error.strerror}: {folder}")
            return
        page.say("Exports …  X stops it")
        done = False
        try:
            result = await engine.stream(text, params, file.take, EXPORT_TIMEOUT_S)
            if done := result.ok:
                file.finish()
                page.say(f"{file.rows} rows in {file.path}")
            else:
                page.show_result(result)
                page.say("Nothing was exported.")
        except OSError as error:
            page.say(f"Not exported: {error.strerror}")
        finally:
            if not done:
                file.abandon()

    async def _change(self, text: str, verdict: Verdict) -> None:
        """Run what writes, if it is unlocked: DML in a transaction that waits, maintenance outside one."""
        page, database = self._sql_page, self.database
        if database.writer is None:
            page.say(
                f"It is {verdict.kind}: that needs {ADMIN_VARIABLE}, an address of a role that may write."
            )
            return
        if database.unlocked(self.console.clock.now()) is None:
            page.say(f"It is {verdict.kind}, and writing is locked: U unlocks it for 5 minutes.")
            return
        if verdict.kind == "maintenance":
            await self._maintain(database.writer, text)
            return
        step = page.statement.step if page.statement is not None else None
        if step is not None and (day := self._day_of(step)):
            await self._day_by_day(database.writer, text, step, day)
            return
        params = await self._values(text)
        if params is None:
            return
        if step is not None and step.preview:
            blocked, _ = await self._preview(step, params)
            if blocked:
                page.say(blocked)
                return
        result = await self._in_sight(database.writer, text, params)
        if result.error is None:
            page.say("Committed." if result.ok else f"{result.refused.capitalize()}.")

    async def _in_sight(
        self, writer: Writer, text: str, params: Sequence[str], of: str = "", note: str = ""
    ) -> SqlResult:
        """Run a change, show what it did, wait for the decision, journal what came of it.

        `of` names it on the screen, `note` is added in the journal.
        """
        page = self._sql_page
        page.say(f"{of}: runs in a transaction …" if of else "Runs in a transaction …")

        def show(change: PendingWrite) -> None:
            page.show_change(change, self.console.clock.now() + timedelta(seconds=DECIDE_S), of)

        result = await writer.write(text, params, WRITE_TIMEOUT_S, show)
        page.show_change(None)
        page.say("")
        if result.error is not None:
            page.show_result(result)
        outcome = "error" if result.error else "committed" if result.ok else "rolled_back"
        await self._account(text + note, result, "write", outcome)
        return result

    def _day_of(self, step: Step) -> str:
        """The one value of a step that changes a day and can be looked at before; "" for any other."""
        known = self.session.runbook.inputs.get(step.params[0]) if len(step.params) == 1 else None
        return step.params[0] if step.preview and known is not None and known.type == "date" else ""

    async def _day_by_day(self, writer: Writer, text: str, step: Step, name: str) -> None:
        """A transaction for each day of a range, each with its preview and its own decision.

        It ends at the first day that is not committed; the sheet then begins with that day.
        """
        page, database = self._sql_page, self.database
        sheet = dialogs.days_sheet(self.session.runbook, name, *page.days_left.get(step.id, ("", "")))
        answers = await self.console.ask(sheet)
        if answers is None:
            return
        wanted = days(answers["first"], answers["last"])
        done = 0
        for number, day in enumerate(wanted, 1):
            page.days_left[step.id] = (str(day), str(wanted[-1]) if len(wanted) > 1 else "")
            ended = f"{done} of {len(wanted)} days committed. " if done else ""
            if database.unlocked(self.console.clock.now()) is None:
                page.say(f"{ended}Writing is locked again: U unlocks it, x goes on at {day}.")
                return
            page.say(f"{day}: looks at what would change …")
            blocked, differs = await self._preview(step, [str(day)])
            if blocked:
                page.say(f"{ended}{day}: {blocked}")
                return
            if not differs:
                continue
            of = f"{day}, {number} of {len(wanted)}" if len(wanted) > 1 else str(day)
            result = await self._in_sight(writer, text, [str(day)], of, f"\n-- {name} {day}")
            if result.error is not None:
                return
            if not result.ok:
                page.say(f"{ended}{day}: {result.refused}. x begins with it again.")
                return
            done += 1
        following = wanted[-1] + timedelta(days=1)
        page.days_left[step.id] = (str(following), "")
        same = f"; {len(wanted) - done} did not differ" if done < len(wanted) else ""
        page.say(f"Committed: {done} of {len(wanted)} days{same}. x goes on at {following}.")

    async def _maintain(self, writer: Writer, text: str) -> None:
        page = self._sql_page
        told: list[str] = []

        async def how_far(seconds: float) -> str:
            far = await self._progress()
            last = f"  {len(told)} notices, the last: {told[-1]}" if told else ""
            return f"Runs outside a transaction …  {far}  X stops it{last}"

        async with self._telling(how_far):
            result = await writer.maintain(text, MAINTENANCE_TIMEOUT_S, told.append)
        notices = f" {len(told)} notices: {'; '.join(told[:3])}" if told else ""
        if result.error is not None:
            page.show_result(result)
        else:
            page.say(f"Done in {took_text(result.duration_ms / 1000)}.{notices}")
        await self._account(text, result, "write", "error" if result.error else "ok")

    @contextlib.asynccontextmanager
    async def _telling(self, what: Callable[[float], Awaitable[str]]) -> AsyncIterator[None]:
        """While the block runs, say each second what `what` makes of the seconds gone by."""
        page, started = self._sql_page, monotonic()

        async def tell() -> None:
            while True:
                page.say(await what(monotonic() - started))
                await asyncio.sleep(1)

        telling = asyncio.create_task(tell())
        try:
            yield
        finally:
            telling.cancel()

    async def _how_it_runs(self, seconds: float, limit_s: float) -> str:
        """That a statement runs, since when; and when other connections get no answers either, for then it
        is not the statement.
        """
        since = f" {seconds:.0f} s of at most {limit_s:g}" if seconds >= 1 else ""
        other = self.watching
        reading = other.reading() if other is not None else None
        if reading is not None and reading.state == "down":
            return f"Runs …{since}  X stops it  The panels get no answer either."
        return f"Runs …{since}  X stops it"

    async def _progress(self) -> str:
        """How far maintenance is, by the server's own word; "" when it says nothing."""
        database = self.watching
        if database is None:
            return ""
        try:
            rows = await database.rows(query("progress"), deadline_s=2)
        except DatabaseUnavailable:
            return ""
        parts = [
            row["phase"] + (f" {row['percent']:.0f} %" if row["percent"] is not None else "") for row in rows
        ]
        return "; ".join(parts)

    async def _preview(self, step: Step, params: Sequence[str]) -> tuple[str, bool]:
        """Run a change's read-only twin and show it: why the change must not run ("" when it may), and
        whether it would change anything.
        """
        page, engine = self._sql_page, self.database.engine
        twin = next((one for one in self.session.runbook.all_steps() if one.id == step.preview), None)
        if twin is None or twin.kind != "sql" or not twin.run or engine is None:
            return "", True
        # A day is both ends of the twin's range.
        values = list(params) if len(twin.params) == len(params) else list(params) * len(twin.params)
        found = await engine.run(twin.run, values[: len(twin.params)], timeout_s=float(twin.timeout_s or 60))
        if not found.ok:
            told = found.refused or (found.error.message if found.error else "")
            return f"Its preview could not be run, so neither is it: {told}", True
        page.show_result(found)
        shrinking = sum((row.get("would_shrink") or 0) > 0 for row in found.records())
        if shrinking:
            return "Blocked: totals would get smaller. The raw rows were pruned or lost.", True
        knows = any(column.name == "would_shrink" for column in found.columns)
        return "", bool(found.rows) or not knows

    async def _values(self, text: str) -> list[str] | None:
        """Values for $1, $2 ...; None when the sheet was left."""
        step = self._sql_page.statement.step if self._sql_page.statement is not None else None
        names = list(step.params) if step is not None else []
        many = max((int(number) for number in PLACEHOLDER.findall(text)), default=0)
        if not names:
            names = [f"value{number}" for number in range(1, min(many, 20) + 1)]
        if not names:
            return []
        answers = await self.console.ask(dialogs.parameter_sheet(self.session.runbook, names))
        return [answers[name] for name in names] if answers is not None else None

    def _may_begin(self) -> bool:
        """One statement at a time."""
        running = self.console.running(SQL)
        if len(running) > 1:
            self._sql_page.say("Another statement runs: X stops it.")
            return False
        return True

    async def _account(self, text: str, result: SqlResult, mode: str, outcome: str) -> None:
        """Write the query into the incident, and mark the symptoms that its error is a sign of."""
        if result.error is not None:
            await self.mark_symptoms(result.error.message)
        step = self._sql_page.statement.step.id if self._sql_page.statement is not None else None
        data: dict[str, Any] = {
            "sql": redacted(text)[:JOURNALLED],
            "mode": mode,
            "rows": result.row_count,
            "duration_ms": result.duration_ms,
            "outcome": outcome,
        }
        await self.write_down(data if step is None else {"step": step, **data})

    async def write_down(self, data: dict[str, Any]) -> None:
        if self.session.incident is None:
            return

        def queried(incident: Incident) -> list[Event]:
            return [event("queried", data, incident=incident.id, **self.console.stamp())]

        try:
            await self.console.attempt(queried)
        except EventError as error:
            self.session.complain(error)

    async def mark_symptoms(self, text: str) -> None:
        """An error that a step knows as the sign of a symptom marks it."""
        incident = self.session.incident
        if incident is None:
            return
        for step in self.session.runbook.all_steps():
            for sign in step.seen:
                if (
                    step.kind == "sql"
                    and re.search(sign.pattern, text)
                    and sign.symptom not in incident.symptoms
                ):
                    await self.console.attempt(
                        partial(self._measured, symptom=sign.symptom, value=text[:200])
                    )
                    return

    def _measured(self, incident: Incident, *, symptom: str, value: str) -> list[Event]:
        author, now = self.session.author, self.console.clock.now()
        return act.see_symptom(incident, symptom, author=author, now=now, by="measured", value=value)

    @property
    def watching(self) -> DatabaseSession | None:
        """The connection that sessions are looked at over: the panels', which no long query occupies."""
        monitor = self.session.monitor
        found = monitor.database if monitor is not None else None
        if found is not None:
            return found
        return self.database.engine.session if self.database.engine is not None else None
