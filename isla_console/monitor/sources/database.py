"""What production's database is asked: metrics, checks, and whether it answers at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from isla_console.database.session import DatabaseUnavailable, Numbers
from isla_console.monitor.cron import problem_of
from isla_console.monitor.metrics.combine import Combine, NotOneError, one_of, way_of
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.metric import MetricSource
from isla_console.monitor.sources.probe import Probe
from isla_console.monitor.sources.source import TIMEOUT_SHARE, Source
from isla_console.text.brief import brief

if TYPE_CHECKING:
    from isla_console.runbook.model import DatabaseCheck, MetricSpec

DEADLINE_S = 4.5
PING_S = 25.0
"""Seconds between pings of a connection that no metric uses."""


class PostgresMetric(MetricSource):
    """A metric whose value a statement returns: of one column, or called `value`; of one row, or combined."""

    def __init__(self, spec: MetricSpec, context: Context) -> None:
        super().__init__(spec, "sql", unset=context.database_unset)
        self._context = context
        self._sql = spec.source.query or ""
        self._combine = way_of(spec.source.combine, spec.better)

    async def ask(self) -> Sample:
        """Run the statement; return its numbers as a sample."""
        rows = await _rows(self, self._context, self._sql)
        if isinstance(rows, Sample):
            return rows
        now = self._context.clock()
        try:
            return Sample(self.id, now, True, values=numbers_in(rows, self._combine), reached=True)
        except NotOneError as error:
            return Sample(self.id, now, False, str(error), reached=True)


class DatabaseProbe(Probe):
    """A check that fails by the rows of its statement, or (`rows: any`) when there is no answer.

    Otherwise nothing is known without one: who does not answer does not say that a job is late.
    """

    def __init__(self, spec: DatabaseCheck, context: Context) -> None:
        super().__init__(spec.id, spec.title, spec.every_s, unset=context.database_unset)
        self._context = context
        self._sql = spec.query
        self._read = _READERS[spec.rows]
        self._must_answer = spec.rows == "any"

    async def ask(self) -> Sample:
        """Run the statement and judge its rows; a sample that says nothing of it is void."""
        database, clock = self._context.database, self._context.clock
        assert database is not None, self.unset
        try:
            rows = await database.rows(self._sql, deadline_s=_deadline_s(self.every_s))
        except DatabaseUnavailable as error:
            failure = error.failure
            # `query`: the server answered, or another query of ours keeps the connection busy.
            void = failure.ours or failure.kind == "query" or not self._must_answer
            return Sample(
                self.id, clock(), False, failure.reason, reached=failure.reached, void=void, ours=failure.ours
            )
        try:
            reason = brief(self._read(rows), 160)
        except KeyError as error:
            reason = f"its query gives no column {error.args[0]}"
            return Sample(self.id, clock(), False, reason, reached=True, void=True)
        return Sample(self.id, clock(), not reason, reason, reached=True)


def _first_column(rows: Sequence[Mapping[str, Any]]) -> str:
    found = next(iter(rows[0].values()), None) if rows else None
    return "" if found is None else str(found)


def _nothing(rows: Sequence[Mapping[str, Any]]) -> str:
    return ""


_READERS = {"problem": _first_column, "pg_cron": problem_of, "any": _nothing}


class Ping(Source[None]):
    """Keeps the connection open where no metric does. It has no reading: the connection has its own."""

    def __init__(self, context: Context) -> None:
        super().__init__("database:ping", PING_S, unset=context.database_unset)
        self._context = context

    async def ask(self) -> Sample:
        """Run a trivial statement, which keeps the connection open."""
        rows = await _rows(self, self._context, "SELECT 1 AS value")
        return (
            rows if isinstance(rows, Sample) else Sample(self.id, self._context.clock(), True, reached=True)
        )

    def observe(self, sample: Sample) -> None:
        """Do nothing: asking is enough."""

    def reading(self, now: datetime, blind: bool = False) -> None:
        """Return nothing: the connection has its own reading."""


def numbers_in(rows: Sequence[Numbers], combine: Combine | None) -> dict[str, float]:
    """Return the sample in a statement's rows as `value`, and the other numbers of its row by column name.

    Raises:
        NotOneError: There is not one number, and nothing says what becomes of several.
    """
    if not rows:
        raise NotOneError("no row, one is wanted")
    columns = list(rows[0])
    if not columns:
        raise NotOneError("the query returned no column")
    if len(columns) > 1 and "value" not in columns:
        raise NotOneError(f"{len(columns)} columns, one is wanted: call it `value`")
    column = columns[0] if len(columns) == 1 else "value"
    if combine is None and len(rows) > 1:
        raise NotOneError(f"{len(rows)} rows, one is wanted: narrow it down, or write `combine`")
    found = [value for row in rows if (value := row[column]) is not None]
    if not found:
        raise NotOneError("the query returned no value")
    others = {name: value for name, value in rows[0].items() if value is not None} if len(rows) == 1 else {}
    return others | {"value": one_of(found, combine, "row")}


async def _rows(source: Source[object], context: Context, sql: str) -> Sequence[Numbers] | Sample:
    """Return a statement's rows, or why there are none."""
    assert context.database is not None, source.unset
    try:
        return await context.database.numbers(sql, _deadline_s(source.every_s))
    except DatabaseUnavailable as error:
        failure = error.failure
        return Sample(
            source.id, context.clock(), False, failure.reason, reached=failure.reached, ours=failure.ours
        )


def _deadline_s(every_s: float) -> float:
    return min(DEADLINE_S, every_s * TIMEOUT_SHARE)
