"""The database: statements behind the guard, writing on purpose, ending sessions."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from textual import on, work

from isla_console.database.session import DatabaseSession, DatabaseUnavailable
from isla_console.incident import commands as act
from isla_console.incident.record.events import Event, EventError, event
from isla_console.incident.record.state import Incident
from isla_console.runbook.steps import Step
from isla_console.sql import health as health_of
from isla_console.sql import sessions as sessions_of
from isla_console.sql.catalogue import query
from isla_console.sql.database import ADMIN_VARIABLE, Database
from isla_console.sql.days import days
from isla_console.sql.engine import TIMEOUT_S
from isla_console.sql.errors import redacted
from isla_console.sql.export import ExportFile, Format, export_path
from isla_console.sql.result import SqlResult
from isla_console.sql.sessions import Ended, How, ServerSession
from isla_console.sql.verdict import Verdict
from isla_console.sql.writing import DECIDE_S, PendingWrite, Writer
from isla_console.ui.controllers.base import Deeds
from isla_console.ui.messages import SessionsAsked, SqlAsked, SqlTyped
from isla_console.ui.sheets import sql as dialogs
from isla_console.ui.terminal.clipboard import copy

if TYPE_CHECKING:
    from isla_console.ui.pages.sessions import SessionsPage
    from isla_console.ui.pages.sql import SqlPage

WATCH_S = 5.0
LOOK_S = 2.0
HEALTH_S = 20.0
EXPORT_TIMEOUT_S = 600.0
MAINTENANCE_TIMEOUT_S = 1800.0
WRITE_TIMEOUT_S = 120.0
JOURNALLED = 4000
"""Characters of a statement that the journal keeps."""
PLACEHOLDER = re.compile(r"\$(\d+)")


class SqlDeeds(Deeds):
    """What the SQL page and the sessions page ask for."""

    _looked = 0.0
    _examined = 0.0
    _looking = False

    def open_database(self) -> None:
        """Open the pane's connections now, and keep them: later there may be no slot."""
        self.session.database = Database.from_settings(self.settings)
        self.run_worker(self.session.database.keep(), exit_on_error=False, group="probes")

    @property
    def _database(self) -> Database:
        if self.session.database is None:
            self.open_database()
        assert self.session.database is not None
        return self.session.database

    @property
    def _sql_page(self) -> "SqlPage":
        return cast("SqlPage", self.main.query_one("#page-sql"))

    @on(SqlTyped)
    async def _typed(self, message: SqlTyped) -> None:
        engine = self._database.engine
        if message.text and engine is not None:
            self._judge_sql(message.text)

    @work(exit_on_error=False, group="judge", exclusive=True)
    async def _judge_sql(self, text: str) -> None:
        engine = self._database.engine
        if engine is not None:
            await asyncio.sleep(0.15)  # while somebody types, only the last text counts
            self._sql_page.judged(text, await engine.verdict(text))

    @on(SqlAsked)
    def _sql_asked(self, message: SqlAsked) -> None:
        text = message.text
        match message.act:
            case "stop":
                self._stop()
            case "unlock":
                self._unlock()
            case "commit" | "back":
                if self._database.writer is not None:
                    self._database.writer.decide(message.act == "commit")
            case "copy":
                self._copy_out(text)
            case "export":
                self._export(text)
            case "watch":
                self._watch(text)
            case "explain":
                self._run(f"EXPLAIN {text}")
            case "analyze":
                self._run(f"EXPLAIN (ANALYZE, BUFFERS) {text}")
            case _:
                self._run(text)

    def _stop(self) -> None:
        running = [one for one in self.workers if one.group == "sql" and not one.is_finished]
        for worker in running:
            worker.cancel()
        self._sql_page.say("Stopped." if running else "Nothing runs.")
        self._sql_page.show_change(None)

    @work(exit_on_error=False, group="deed")
    async def _copy_out(self, text: str) -> None:
        self.say((await copy(self, text, self.settings.state_dir)).words)

    @work(exit_on_error=False, group="deed")
    async def _unlock(self) -> None:
        database, now = self._database, self.clock.now()
        if database.unlocked(now) is not None:
            database.lock()
            self._sql_page.say("Writing is locked again.")
            self.refresh_state()
            return
        if database.writer is None:
            self._sql_page.say(f"Writing needs {ADMIN_VARIABLE}: an address of a role that may write.")
            return
        role = database.writer.session.reading().role or "the writing role"
        answers = await self.push_screen_wait(dialogs.unlock_sheet(role))
        if answers is None:
            return
        database.unlock(answers["reason"].strip(), self.clock.now())
        if self.session.incident is not None:
            text = f"Writing to the database unlocked for 5 min: {answers['reason'].strip()}"
            await self.attempt(lambda incident: act.note(incident, text, **self.stamp()))
        self._sql_page.say("Writing is unlocked for 5 min; U locks it.")
        self.refresh_state()

    @work(exit_on_error=False, group="sql")
    async def _run(self, text: str) -> None:
        if not self._may_begin():
            return
        page, engine = self._sql_page, self._database.engine
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

    @work(exit_on_error=False, group="sql")
    async def _watch(self, text: str) -> None:
        if not self._may_begin():
            return
        page, engine = self._sql_page, self._database.engine
        params = await self._values(text)
        if engine is None or params is None:
            return
        while True:
            result = await engine.run(text, params)
            page.show_result(result, text)
            if result.refused:
                return
            page.say(f"Watched every {WATCH_S:g} s; X stops.  {self.clock.now():%H:%M:%SZ}")
            await asyncio.sleep(WATCH_S)

    @work(exit_on_error=False, group="sql")
    async def _export(self, text: str) -> None:
        page, engine = self._sql_page, self._database.engine
        folder = self.settings.state_dir / "exports"
        answers = await self.push_screen_wait(dialogs.export_sheet(str(folder)))
        if answers is None or engine is None or not self._may_begin():
            return
        params = await self._values(text)
        if params is None:
            return
        kind: Format = "json" if answers["kind"] == "json" else "csv"
        try:
            file = ExportFile(export_path(folder, kind, self.clock.now()), kind)
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
        page, database = self._sql_page, self._database
        if database.writer is None:
            page.say(
                f"It is {verdict.kind}: that needs {ADMIN_VARIABLE}, an address of a role that may write."
            )
            return
        if database.unlocked(self.clock.now()) is None:
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
            page.show_change(change, self.clock.now() + timedelta(seconds=DECIDE_S), of)

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
        page, database = self._sql_page, self._database
        sheet = dialogs.days_sheet(self.session.runbook, name, *page.days_left.get(step.id, ("", "")))
        answers = await self.push_screen_wait(sheet)
        if answers is None:
            return
        wanted = days(answers["first"], answers["last"])
        done = 0
        for number, day in enumerate(wanted, 1):
            page.days_left[step.id] = (str(day), str(wanted[-1]) if len(wanted) > 1 else "")
            ended = f"{done} of {len(wanted)} days committed. " if done else ""
            if database.unlocked(self.clock.now()) is None:
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
            page.say(f"Done in {result.duration_ms / 1000:.1f} s.{notices}")
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
        other = self._watching
        reading = other.reading() if other is not None else None
        if reading is not None and reading.state == "down":
            return f"Runs …{since}  X stops it  The panels get no answer either."
        return f"Runs …{since}  X stops it"

    async def _progress(self) -> str:
        """How far maintenance is, by the server's own word; "" when it says nothing."""
        database = self._watching
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
        page, engine = self._sql_page, self._database.engine
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
        answers = await self.push_screen_wait(dialogs.parameter_sheet(self.session.runbook, names))
        return [answers[name] for name in names] if answers is not None else None

    def _may_begin(self) -> bool:
        """One statement at a time."""
        running = [one for one in self.workers if one.group == "sql" and not one.is_finished]
        if len(running) > 1:
            self._sql_page.say("Another statement runs: X stops it.")
            return False
        return True

    async def _account(self, text: str, result: SqlResult, mode: str, outcome: str) -> None:
        """Write the query into the incident, and mark the symptoms that its error is a sign of."""
        if result.error is not None:
            await self._mark_symptoms(result.error.message)
        step = self._sql_page.statement.step.id if self._sql_page.statement is not None else None
        data: dict[str, Any] = {
            "sql": redacted(text)[:JOURNALLED],
            "mode": mode,
            "rows": result.row_count,
            "duration_ms": result.duration_ms,
            "outcome": outcome,
        }
        await self._write_down(data if step is None else {"step": step, **data})

    async def _write_down(self, data: dict[str, Any]) -> None:
        if self.session.incident is None:
            return

        def queried(incident: Incident) -> list[Event]:
            return [event("queried", data, incident=incident.id, **self.stamp())]

        try:
            await self.attempt(queried)
        except EventError as error:
            self.session.complain(error)

    async def _mark_symptoms(self, text: str) -> None:
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
                    await self.attempt(partial(self._measured, symptom=sign.symptom, value=text[:200]))
                    return

    def _measured(self, incident: Incident, *, symptom: str, value: str) -> list[Event]:
        author, now = self.session.author, self.clock.now()
        return act.see_symptom(incident, symptom, author=author, now=now, by="measured", value=value)

    # sessions

    @property
    def _sessions_page(self) -> "SessionsPage":
        return cast("SessionsPage", self.main.query_one("#page-sessions"))

    @property
    def _watching(self) -> DatabaseSession | None:
        """The connection that sessions are looked at over: the panels', which no long query occupies."""
        poller = self.session.poller
        found = getattr(poller, "database", None)
        if found is not None:
            return cast(DatabaseSession, found)
        return self._database.engine.session if self._database.engine is not None else None

    @on(SessionsAsked)
    def _sessions_asked(self, message: SessionsAsked) -> None:
        if message.act == "look":
            if not self._looking and monotonic() - self._looked > LOOK_S:
                self._look_at_sessions()
            return
        kind, _, id = message.key.partition(":")
        how: How = "cancel" if message.act == "cancel" else "terminate"
        if kind == "session":
            found = self._sessions_page.session(int(id))
            if found is not None:
                self._end_session(found, how)
        elif kind == "group" and how == "terminate":
            self._end_group(id)
        else:
            self._sessions_page.say("Put the cursor on a session, or with K on an application.")

    @work(exit_on_error=False, group="sessions")
    async def _look_at_sessions(self) -> None:
        database, page = self._watching, self._sessions_page
        if database is None:
            page.seen((), "No database: set ISLA_DATABASE_URL.")
            return
        self._looking = True
        try:
            page.seen(await sessions_of.read(database), "")
            if monotonic() - self._examined > HEALTH_S:
                page.examined(await health_of.read(database))
                self._examined = monotonic()
        except DatabaseUnavailable as unavailable:
            page.seen((), f"not seen now: {unavailable.failure.reason}")
            await self._mark_symptoms(unavailable.failure.reason)
        finally:
            self._looking, self._looked = False, monotonic()

    @work(exit_on_error=False, group="deed")
    async def _end_session(self, session: ServerSession, how: How) -> None:
        page = self._sessions_page
        if reason := session.shielded:
            page.say(f"Session {session.pid} is not ended from here: {reason}.")
            return
        branch = next(
            (one for one in sessions_of.tree(page.sessions) if one.session.pid == session.pid), None
        )
        sheet = dialogs.end_sheet(session, how, branch.blocks if branch else 0)
        if await self.push_screen_wait(sheet) is None:
            return
        ended = await self._end(session, how)
        page.say(ended.text)
        self._looked = 0.0

    @work(exit_on_error=False, group="deed")
    async def _end_group(self, key: str) -> None:
        page = self._sessions_page
        application, _, role = key.rpartition("/")
        idle = [
            one
            for one in page.sessions
            if (one.application, one.role, one.state) == (application, role, "idle") and not one.shielded
        ]
        if not idle:
            page.say(f"{application or '(no name)'} has no idle session that may be ended from here.")
            return
        if await self.push_screen_wait(dialogs.end_group_sheet(application or "(no name)", idle)) is None:
            return
        done = 0
        for number, session in enumerate(idle, 1):
            ended = await self._end(session, "terminate")
            done += ended.done
            page.say(
                f"{done} of {number} ended; {len(idle) - number} to go. {'' if ended.done else ended.text}"
            )
            if "may not signal" in ended.text:
                break
        self._looked = 0.0

    async def _end(self, session: ServerSession, how: How) -> Ended:
        """End one session over the armed connection, or where there is none over the panels'."""
        writer = self._database.writer
        database = writer.session if writer is not None else self._watching
        if database is None:
            return Ended(False, "No database: set ISLA_DATABASE_URL.")
        started = monotonic()
        ended = await sessions_of.end(database, session, how)
        await self._write_down(
            {
                "sql": f"pg_{how}_backend({session.pid}) /* {session.application[:60]}, {session.role} */",
                "mode": "write",
                "rows": int(ended.done),
                "duration_ms": round((monotonic() - started) * 1000, 1),
                "outcome": "ok" if ended.done else "error",
            }
        )
        return ended
