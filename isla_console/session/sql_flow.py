"""What can be done at the SQL page, without a screen: read, explain, watch, export, unlock, stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from isla_console.session.database import database_of, panels_connection
from isla_console.session.query_log import Outcome, QueryLog
from isla_console.session.session import Session
from isla_console.session.sql_export import export
from isla_console.session.sql_view import Query, SqlView, ask_values, saying
from isla_console.session.sql_writing import SqlWriting
from isla_console.sql.database import ADMIN_VARIABLE, Database
from isla_console.sql.engine import SqlEngine
from isla_console.sql.verdict import Verdict
from isla_console.text.redact import redact_statement
from isla_console.text.spans import span_text, window_text
from isla_console.text.times import clock_text

WATCH_S = 5.0
"""Seconds between two runs of a watched statement."""
NOTED = 400
"""How many characters of a statement a note keeps."""
EXPORTS = "exports"
"""The folder for exports in the state directory."""


class SqlFlow:
    """What a person can do at the SQL page. One statement runs at a time; a second one is refused.

    Whatever runs can be cancelled at any moment: it ends on the server too, and an open transaction is rolled
    back.
    """

    def __init__(self, session: Session, view: SqlView, log: QueryLog) -> None:
        self._session = session
        self._view = view
        self._log = log
        self._writing = SqlWriting(session, view, log)
        self._running: asyncio.Task[Any] | None = None

    @property
    def _database(self) -> Database:
        return database_of(self._session)

    def can_judge(self) -> bool:
        """Return whether there is a database whose catalogue the guard can ask."""
        return self._database.engine is not None

    async def judge(self, text: str) -> Verdict | None:
        """Return the guard's verdict on a statement without running it; None without a database."""
        engine = self._database.engine
        return await engine.verdict(text) if engine is not None else None

    async def run(self, query: Query) -> None:
        """Run a statement: one that reads at once, one that writes by way of `SqlWriting`."""
        with self._turn() as is_free:
            engine = self._engine() if is_free else None
            if engine is None:
                return
            self._view.remember(query.text)
            self._view.begin(query)
            engine.session.retry_now()  # a person asks, so try at once
            async with saying(self._view, _how_it_is_judged):
                verdict = await engine.verdict(query.text)
            if verdict.kind in {"write", "maintenance"}:
                await self._writing.run(query, verdict)
            elif await self._may_run(query, verdict):
                await self._read(engine, query, unproven=verdict.kind == "unproven")

    async def watch(self, query: Query) -> None:
        """Run a statement that reads again and again until it is cancelled or refused."""
        with self._turn() as is_free:
            engine = self._engine() if is_free else None
            params = await ask_values(self._view, query) if engine is not None else None
            if engine is None or params is None:
                return
            verdict = await engine.verdict(query.text)
            if not await self._may_run(query, verdict):
                return
            unproven = verdict.kind == "unproven"
            self._view.begin(query)
            while True:
                result = await engine.run(query.text, params, unproven=unproven)
                self._view.show_result(result, query)
                if result.refused:
                    return
                now = clock_text(self._session.clock.now(), seconds=True)
                self._view.say(f"Watched every {WATCH_S:g} s; X stops.  {now}")
                await asyncio.sleep(WATCH_S)

    async def export(self, query: Query) -> None:
        """Write all rows of a statement that reads into a file in the state directory."""
        engine = self._engine()
        if engine is None:
            return
        folder = self._session.settings.state_dir / EXPORTS
        kind = await self._view.ask_export(folder)
        if kind is None:
            return
        with self._turn() as is_free:
            params = await ask_values(self._view, query) if is_free else None
            if params is None:
                return
            verdict = await engine.verdict(query.text)
            if await self._may_run(query, verdict):
                now = self._session.clock.now()
                unproven = verdict.kind == "unproven"
                await export(
                    *(self._view, engine, query, params), folder=folder, kind=kind, now=now, unproven=unproven
                )

    def decide(self, commit: bool) -> None:
        """Commit the transaction that waits, or roll it back."""
        writer = self._database.writer
        if writer is not None:
            writer.decide(commit)

    def stop(self) -> None:
        """End the statement that runs, or the transaction that waits."""
        running = self._running
        if running is not None:
            running.cancel()
        self._view.say("Stopped." if running is not None else "Nothing runs.")
        self._view.hide_pending()

    async def toggle_lock(self) -> None:
        """Unlock writing for a reason, which the timeline keeps, or lock it again."""
        database = self._database
        if database.unlocked(self._session.clock.now()) is not None:
            database.lock()
            self._view.say("Writing is locked again.")
        elif database.writer is None:
            self._view.say(f"Writing needs {ADMIN_VARIABLE}: an address of a role that may write.")
            return
        else:
            role = database.writer.session.reading().role or "the writing role"
            reason = await self._view.ask_reason(role)
            if reason is None:
                return
            database.unlock(reason, self._session.clock.now())
            await self._log.add_note(f"Writing to the database unlocked for 5 min: {reason}")
            self._view.say("Writing is unlocked for 5 min; U locks it.")
        self._view.refresh()

    async def _may_run(self, query: Query, verdict: Verdict) -> bool:
        """Return whether a statement may run: what is not proven only after a typed word, which is noted."""
        if verdict.kind != "unproven":
            return True  # the engine itself runs nothing but reads
        if not await self._view.confirm_unproven(query, "; ".join(verdict.reasons)):
            self._view.say("Not run.")
            return False
        await self._log.add_note(
            "Run after a typed word, as the guard could not prove that it only reads: "
            + redact_statement(query.text)[:NOTED]
        )
        return True

    async def _read(self, engine: SqlEngine, query: Query, *, unproven: bool) -> None:
        params = await ask_values(self._view, query)
        if params is None:
            return
        limit_s = query.timeout_s

        async def how_it_runs(seconds: float) -> str:
            return self._how_it_runs(seconds, limit_s)

        async with saying(self._view, how_it_runs):
            result = await engine.run(
                query.text,
                params,
                timeout_s=limit_s,
                first=lambda part: self._view.show_result(part, query),
                unproven=unproven,
            )
        self._view.say("")
        self._view.show_result(result, query)
        outcome: Outcome = "ok" if result.ok else "error"
        await self._log.add_statement(query.text, result, mode="read", outcome=outcome, step=query.step)

    def _how_it_runs(self, seconds: float, limit_s: float) -> str:
        """Return that a statement runs, and for how long.

        Where the panels' connection gets no answer either, the statement is not the cause, and that is said.
        """
        since = (
            f" {span_text(seconds, seconds=True)} of at most {window_text(limit_s)}" if seconds >= 1 else ""
        )
        panels = panels_connection(self._session)
        if panels is not None and panels.reading().state == "down":
            return f"Runs …{since}  X stops it  The panels get no answer either."
        return f"Runs …{since}  X stops it"

    def _engine(self) -> SqlEngine | None:
        """Return the engine; without an address, say so and return None."""
        engine = self._database.engine
        if engine is None:
            self._view.say("No database: set ISLA_DATABASE_URL.")
        return engine

    @contextlib.contextmanager
    def _turn(self) -> Iterator[bool]:
        """Provide whether this statement may run; say so and give False where another one is running."""
        if self._running is not None:
            self._view.say("Another statement runs: X stops it.")
            yield False
            return
        self._running = asyncio.current_task()
        try:
            yield True
        finally:
            self._running = None


async def _how_it_is_judged(seconds: float) -> str:
    """Return that the guard reads a statement, once that takes long enough to be noticed."""
    return f"The guard reads it … {span_text(seconds, seconds=True)}  X stops it" if seconds >= 1 else ""
