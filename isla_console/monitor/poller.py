"""The only loop: one endless task a source, whose failures are results like any other.

A slow endpoint never starves another (each has its own task) and never queues behind itself (its
timeout lies below its interval). Nothing here raises, whatever answers or does not.

Samples that nothing answered are held back until something that was asked after them is answered, or our
own link has checked itself: when the link turns out to be fine they count, when it is down they are
forgotten, for they say nothing about the platform. While blind, no change of a metric or probe is reported.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from isla_console.database.session import DatabaseSession, DatabaseUnavailable, SessionReading
from isla_console.monitor.link import LinkProbe, LinkReading, LinkSample, LinkTracker
from isla_console.monitor.metrics.health import ProbeReading, ProbeTracker
from isla_console.monitor.metrics.metric import WAITING, Reading
from isla_console.monitor.metrics.pipeline import MetricPipeline
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.plan import DeploymentsPlan, MetricPlan, plan
from isla_console.monitor.sources import deployments, vendors
from isla_console.monitor.sources.answers import NoAnswer, Polite
from isla_console.monitor.sources.deployments import DeploymentsReading, DeploymentsTracker
from isla_console.monitor.sources.http import HttpCheck, HttpProber
from isla_console.monitor.sources.json_value import NoNumber, ill, number
from isla_console.monitor.sources.payments import PaymentsReading, PaymentsTracker
from isla_console.monitor.sources.stripe import StripeReader
from isla_console.monitor.sources.vendors import VendorReading, VendorTracker
from isla_console.net.lookup import Resolver
from isla_console.text.brief import brief

if TYPE_CHECKING:
    from isla_console.runbook.model import Runbook
    from isla_console.settings import Settings

STAGGER_S = 0.222
JITTER = 0.1
"""Share of an interval by which each pause varies, so that consoles do not probe in step."""
TICK_S = 1.0
"""How often going stale is looked for."""
MAX_CONCURRENT = 32
DATABASE_DEADLINE_S = 4.5
PAYMENTS_S = 60.0
"""Between two readings of failed payments, events and endpoints."""
DEPLOYMENTS = "deployments"
PAYMENTS = "payments"
PING_S = 25.0
"""Between pings of a database connection that no metric uses."""
_PING = "database"

_log = logging.getLogger(__name__)

T = TypeVar("T")

Kind = Literal["metric", "probe", "vendor", "link"]


@dataclass(frozen=True, slots=True)
class Transition:
    """A state that became another one. `new` and `old` are States; `unknown` at the start."""

    name: str
    """The metric's, probe's or vendor's id; "link" for our own."""
    kind: Kind
    old: str
    new: str
    value: str
    """The metric's value with its unit, or the reason; "" if there is none."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the screen draws. Equal to another when it would draw the same."""

    at: datetime = field(compare=False)
    metrics: tuple[Reading, ...]
    """In the runbook's order."""
    probes: tuple[ProbeReading, ...]
    """Health checks, then further probes."""
    link: LinkReading
    database: SessionReading
    vendors: tuple[VendorReading, ...] = ()
    deployments: DeploymentsReading | None = None
    """None where the runbook names no place to read them."""
    payments: PaymentsReading | None = None
    """None where no metric is Stripe's."""


class Prober(Protocol):
    """What makes HTTP requests; never raises."""

    async def fetch(self, check: HttpCheck) -> tuple[Sample, bytes]:
        """The sample and the start of the answer's body."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Something to ask again and again."""

    id: str
    every_s: float
    ask: Callable[[], Awaitable[Sample]]


def _database_source(
    id: str, every_s: float, ask: Callable[[str, str, float], Awaitable[Sample]], sql: str
) -> _Source:
    """`ask` takes the id, the statement and the seconds that it may take: fewer than until the next."""
    return _Source(id, every_s, partial(ask, id, sql, min(DATABASE_DEADLINE_S, every_s * (1 - JITTER))))


def _is_answer(sample: Sample) -> bool:
    return sample.ok or sample.reached


def utcnow() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


class Poller:
    """Watches everything a runbook names. `run` does the work; `snapshot` says what is known."""

    def __init__(
        self,
        runbook: Runbook,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utcnow,
        http: Prober | None = None,
        on_sample: Callable[[Sample], None] | None = None,
        on_change: Callable[[Transition], None] | None = None,
    ) -> None:
        """Args:
        clock: for timestamps; pauses and timings use the event loop's.
        http: makes the requests; tests put their own in.
        """
        self.on_sample = on_sample
        self.on_change = on_change
        self._clock = clock
        self._plan = plan(runbook, settings)
        resolver = Resolver()
        self._http: Prober = http or HttpProber(resolver, clock)
        self._link_probe = LinkProbe(self._plan.link.targets, self._plan.link.timeout_s, resolver)
        self._link = LinkTracker(unknown=self._plan.link.unknown or WAITING)
        name = f"isla-console/{settings.actor}@{settings.host}"
        dsn = self._plan.database
        self._database = DatabaseSession(dsn, name, resolver) if dsn else None
        self._pipelines = [MetricPipeline(metric) for metric in self._plan.metrics]
        self._probes = [
            ProbeTracker(
                probe.id,
                probe.title,
                probe.every_s,
                unknown=probe.unknown or WAITING,
                needs=probe.needs,
            )
            for probe in self._plan.probes
        ]
        self._vendors = {
            f"vendor:{one.id}": VendorTracker(one.id, one.title, one.every_s, unknown=one.unknown or WAITING)
            for one in self._plan.vendors
        }
        deployments = self._plan.deployments
        self._deployments = (
            DeploymentsTracker(deployments.every_s, unknown=deployments.unknown or WAITING)
            if deployments is not None
            else None
        )
        stripe = self._plan.stripe
        self._stripe = StripeReader(stripe.key, stripe.url, clock) if stripe.key is not None else None
        self._payments = (
            PaymentsTracker(
                self._stripe.mode if self._stripe else "", PAYMENTS_S, unknown=stripe.unknown or WAITING
            )
            if any(metric.payments for metric in self._plan.metrics)
            else None
        )
        self._probe_by_id = {probe.id: probe for probe in self._probes}
        self._sources = {source.id: source for source in self._make_sources()}
        self._running: dict[str, asyncio.Task[Sample]] = {}
        self._limit = asyncio.Semaphore(MAX_CONCURRENT)
        self._held: deque[Sample] = deque(maxlen=1000)
        self._answered_at = self._resumed_at = datetime.min.replace(tzinfo=UTC)
        self._reported: dict[tuple[str, str], str] = {}

    @property
    def stripe(self) -> StripeReader | None:
        """What asks Stripe, None without a key."""
        return self._stripe

    @property
    def database(self) -> DatabaseSession | None:
        """The kept connection, None when it is not configured."""
        return self._database

    async def run(self) -> None:
        """Watch until cancelled; then close what is open, within half a second."""
        tasks = [asyncio.create_task(self._tick())]
        # Where nothing is configured, nothing is asked of anyone.
        if self._plan.link.targets and self._sources:
            tasks.append(asyncio.create_task(self._watch_link()))
        stagger = STAGGER_S
        if self._sources:
            shortest = min(source.every_s for source in self._sources.values())
            stagger = min(stagger, shortest / len(self._sources))
        tasks += [
            asyncio.create_task(self._watch(source, index * stagger))
            for index, source in enumerate(self._sources.values())
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.close()

    async def close(self) -> None:
        """Abandon what is running and close the database connection. `run` does this itself."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._database is not None:
            await self._database.close()
        if self._stripe is not None:
            with contextlib.suppress(Exception):
                await self._stripe.close()

    def snapshot(self, now: datetime) -> Snapshot:
        """What is known at `now`: a pure read, cheap enough for several times a second."""
        blind = self._link.blind
        database = (
            self._database.reading()
            if self._database is not None
            else SessionReading("unknown", self._plan.database_unknown)
        )
        return Snapshot(
            now,
            tuple(pipeline.tracker.reading(now, blind) for pipeline in self._pipelines),
            tuple(probe.reading(now, blind) for probe in self._probes),
            self._link.reading(),
            database,
            tuple(vendor.reading(now, blind) for vendor in self._vendors.values()),
            self._deployments.reading(now, blind) if self._deployments is not None else None,
            self._payments.reading(now, blind) if self._payments is not None else None,
        )

    async def probe_once(self, id: str) -> Sample:
        """Ask now, or wait for the answer that is already under way. It counts like any other.

        Args:
            id: of a probe, or of a metric with a source of its own.
        """
        if (source := self._sources.get(id)) is not None:
            return await self._ask(source)
        unknown = {probe.id: probe.unknown for probe in self._plan.probes}
        unknown |= {metric.rule.id: metric.unknown for metric in self._plan.metrics}
        reason = unknown.get(id) or "it has no source of its own"
        return Sample(id, self._clock(), False, reason)

    def _make_sources(self) -> Iterator[_Source]:
        for probe in self._plan.probes:
            if (check := probe.check) is not None:
                yield _Source(probe.id, probe.every_s, partial(self._fetch, check, probe.healthy))
            elif probe.sql and self._database is not None:
                yield _database_source(probe.id, probe.every_s, self._check, probe.sql)
        asks_database = False
        for metric in self._plan.metrics:
            every_s = metric.rule.every_s
            if metric.unknown:
                continue
            if metric.payments and self._stripe is not None:
                yield _Source(
                    metric.rule.id, every_s, partial(self._stripe.rate, metric.rule.id, metric.window_s)
                )
            elif metric.request is not None:
                yield _Source(metric.rule.id, every_s, partial(self._number, metric))
            elif metric.sql and self._database is not None:
                asks_database = True
                yield _database_source(metric.rule.id, every_s, self._query, metric.sql)
        if self._database is not None and not asks_database:
            yield _database_source(_PING, PING_S, self._query, "SELECT 1 AS value")
        yield from self._outside_sources()

    def _outside_sources(self) -> Iterator[_Source]:
        """What others say: status pages, deployments, payments."""
        for vendor in self._plan.vendors:
            if vendor.check is not None:
                polite = Polite(self._http, time.monotonic)
                ask = partial(self._vendor, polite, vendor.check, vendor.format)
                yield _Source(vendor.check.id, vendor.every_s, ask)
        deployments = self._plan.deployments
        if deployments is not None and deployments.recent is not None:
            ask_deployments = partial(
                self._read_deployments, Polite(self._http, time.monotonic), deployments, deployments.recent
            )
            yield _Source(DEPLOYMENTS, deployments.every_s, ask_deployments)
        if self._payments is not None and self._stripe is not None:
            window_s = self._plan.stripe.window_s
            yield _Source(PAYMENTS, PAYMENTS_S, partial(self._stripe.details, PAYMENTS, window_s))

    async def _watch(self, source: _Source, delay: float) -> None:
        await asyncio.sleep(delay)
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            with contextlib.suppress(Exception):
                await self._ask(source)
            pause = source.every_s * random.uniform(1 - JITTER, 1 + JITTER)
            await asyncio.sleep(max(started + pause - loop.time(), source.every_s * 0.05))

    async def _ask(self, source: _Source) -> Sample:
        task = self._running.get(source.id)
        if task is None:
            task = asyncio.create_task(self._measure(source))
            self._running[source.id] = task
            task.add_done_callback(lambda _: self._running.pop(source.id, None))
        # Shielded: whoever stops waiting does not take the answer from the others.
        return await asyncio.shield(task)

    async def _measure(self, source: _Source) -> Sample:
        async with self._limit:
            began = self._clock()
            try:
                sample = await source.ask()
            except Exception as error:
                # A defect of ours is still a sample. No traceback: its frames may hold secrets.
                _log.error("%s: internal error %s", source.id, type(error).__name__)
                reason = f"internal error: {type(error).__name__}"
                sample = Sample(source.id, self._clock(), False, reason)
        self._receive(sample, began)
        return sample

    async def _fetch(self, check: HttpCheck, healthy: str) -> Sample:
        sample, body = await self._http.fetch(check)
        if not healthy or not sample.ok:
            return sample
        reason = ill(body, healthy)
        return replace(sample, ok=not reason, reason=reason)

    async def _vendor(self, polite: Polite, check: HttpCheck, format: str) -> Sample:
        sample, answer = await polite.ask(check, self._clock())
        if answer is None:
            return sample
        try:
            return replace(sample, detail=vendors.read(answer, format))
        except NoAnswer as error:
            return replace(sample, ok=False, reason=str(error))

    async def _read_deployments(self, polite: Polite, spec: DeploymentsPlan, recent: HttpCheck) -> Sample:
        sample, answer = await polite.ask(recent, self._clock(), credential=spec.credential)
        if answer is None:
            return sample
        serving, note = None, ""
        if spec.serving is not None:
            asked, serving = await polite.ask(spec.serving, self._clock(), credential=spec.credential)
            if serving is None:
                note = f"what serves now is not known: {asked.reason}"
        try:
            found = deployments.read(
                sample, answer, spec.rows, serving=serving, serves=spec.serves, note=note, whose=spec.whose
            )
        except NoAnswer as error:
            return replace(sample, ok=False, reason=str(error))
        return replace(sample, detail=found)

    async def _number(self, metric: MetricPlan) -> Sample:
        assert metric.request is not None
        sample, body = await self._http.fetch(metric.request)
        if not sample.ok:
            return sample
        try:
            return replace(sample, values={"value": number(body, metric.select)})
        except NoNumber as error:
            return replace(sample, ok=False, reason=str(error))

    async def _query(self, id: str, sql: str, deadline_s: float) -> Sample:
        assert self._database is not None
        try:
            values = await self._database.query(sql, deadline_s)
        except DatabaseUnavailable as error:
            failure = error.failure
            return Sample(id, self._clock(), False, failure.reason, reached=failure.reached)
        reason = "" if values else "the query returned no value"
        return Sample(id, self._clock(), bool(values), reason, values=values, reached=True)

    async def _check(self, id: str, sql: str, deadline_s: float) -> Sample:
        """A row is what is not well. Where it cannot be asked, nothing is known of it."""
        assert self._database is not None
        try:
            rows = await self._database.rows(sql, deadline_s=deadline_s)
        except DatabaseUnavailable as error:
            failure = error.failure
            return Sample(id, self._clock(), False, failure.reason, reached=failure.reached, void=True)
        found = next(iter(rows[0].values()), None) if rows else None
        reason = "" if found is None else brief(str(found), 160)
        return Sample(id, self._clock(), not reason, reason, reached=True)

    async def _watch_link(self) -> None:
        loop = asyncio.get_running_loop()
        every_s = self._plan.link.every_s
        while True:
            started = loop.time()
            try:
                ms, reason = await self._link_probe.check()
            except Exception as error:
                _log.error("link: internal error %s", type(error).__name__)
                ms, reason = None, f"internal error: {type(error).__name__}"
            self._receive_link(LinkSample(self._clock(), ms, reason))
            await asyncio.sleep(max(started + every_s - loop.time(), 0.1))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._report(self._clock())

    def _receive(self, sample: Sample, began: datetime) -> None:
        """Take an answer, or the lack of one, to what was asked when it `began`."""
        if self.on_sample is not None:
            self._call(self.on_sample, sample)
        if sample.reached:
            was_blind = self._link.blind
            self._answered(began)
            if was_blind and not self._link.blind:
                self._resume(sample.at)
        # What was asked while our link was down says nothing of who was asked.
        if not self._link.blind and (_is_answer(sample) or began >= self._resumed_at):
            self._held.append(sample)
            self._release()
        self._report(sample.at)

    def _receive_link(self, sample: LinkSample) -> None:
        was_blind = self._link.blind
        self._link.observe(sample)
        if self._link.blind:
            self._held.clear()
        elif was_blind:
            self._resume(sample.at)
        if sample.ms is not None:
            self._answered(sample.at - timedelta(milliseconds=sample.ms))
        self._release()
        self._report(sample.at)

    def _answered(self, began: datetime) -> None:
        """Something that was asked then was answered: the link was well then, if perhaps not since."""
        self._link.answered(began)
        self._answered_at = max(self._answered_at, began)

    def _release(self) -> None:
        """Let what was held back count, in its order.

        A failure that nothing answered may be the first sign of a cut link: it waits for an answer to
        something that was asked after it.
        """
        if self._link.suspect:
            return
        while self._held and self._told(self._held[0]):
            self._apply(self._held.popleft())

    def _told(self, sample: Sample) -> bool:
        return _is_answer(sample) or sample.at <= self._answered_at or not self._plan.link.targets

    def _apply(self, sample: Sample) -> None:
        if (probe := self._probe_by_id.get(sample.source)) is not None:
            probe.observe(sample)
        if (vendor := self._vendors.get(sample.source)) is not None:
            vendor.observe(sample)
        if sample.source == DEPLOYMENTS and self._deployments is not None:
            self._deployments.observe(sample)
        if sample.source == PAYMENTS and self._payments is not None:
            self._payments.observe(sample)
        for pipeline in self._pipelines:
            if pipeline.wants(sample):
                pipeline.take(sample)

    def _resume(self, at: datetime) -> None:
        self._resumed_at = at
        for pipeline in self._pipelines:
            pipeline.tracker.resume(at)
        for probe in self._probes:
            probe.resume(at)
        if self._database is not None:
            self._database.retry_now()

    def _report(self, now: datetime) -> None:
        link = self._link.reading()
        if self._changed("link", "link", link.state):
            self._announce("link", "link", link.state, link.reason, now)
        if self._link.blind or self._link.suspect:
            return
        for pipeline in self._pipelines:
            tracker, id = pipeline.tracker, pipeline.tracker.rule.id
            if self._changed("metric", id, tracker.state(now)):
                self._announce("metric", id, tracker.state(now), tracker.reading(now).text, now)
        for probe in self._probes:
            if self._changed("probe", probe.id, probe.state(now)):
                self._announce("probe", probe.id, probe.state(now), probe.reading(now).reason, now)
        for vendor in self._vendors.values():
            if self._changed("vendor", vendor.id, vendor.state(now)):
                self._announce("vendor", vendor.id, vendor.state(now), vendor.reading(now).text, now)

    def _changed(self, kind: Kind, name: str, new: str) -> bool:
        return self._reported.get((kind, name), "unknown") != new

    def _announce(self, kind: Kind, name: str, new: str, value: str, now: datetime) -> None:
        old = self._reported.get((kind, name), "unknown")
        self._reported[(kind, name)] = new
        if self.on_change is not None:
            self._call(self.on_change, Transition(name, kind, old, new, value, now))

    def _call(self, callback: Callable[[T], None], argument: T) -> None:
        """A listener's defect must not stop the watching."""
        try:
            callback(argument)
        except Exception as error:
            _log.error("a listener failed: %s", type(error).__name__)
