"""The loop that asks every source again and again: one endless task for each source.

A slow endpoint never starves another (each has its own task) and never queues behind itself (its
timeout is shorter than its interval). Nothing here raises, whatever answers or does not.

Samples that got no answer are held back until something that was asked after them is answered, or our own
link has been checked: if the link works they count; if it is down they are dropped, because they say nothing
about the platform. While blind, no transition of a metric or probe is reported.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from isla_console.database.session import DatabaseSession, Judge, SessionReading
from isla_console.monitor.http.prober import Prober
from isla_console.monitor.link import LinkProbe, LinkSample, LinkTracker, link_plan
from isla_console.monitor.metrics.metric import WAITING
from isla_console.monitor.metrics.sample import Sample, defect
from isla_console.monitor.monitor import Snapshot, Transition, TransitionKind
from isla_console.monitor.sources.context import make_context
from isla_console.monitor.sources.metric import metric_source_id
from isla_console.monitor.sources.source import NO_SOURCE, Source
from isla_console.monitor.stripe.client import StripeReader
from isla_console.monitor.table import make_sources
from isla_console.net.lookup import Resolver

if TYPE_CHECKING:
    from isla_console.runbook.model import Runbook
    from isla_console.settings.resolve import Settings

STAGGER_S = 0.222
JITTER = 0.1
"""The share of an interval by which each pause varies, so that consoles do not probe in step."""
TICK_S = 1.0
"""Seconds between two checks for what has gone stale."""
MAX_CONCURRENT = 32
MOST_HELD = 1000

_log = logging.getLogger(__name__)

T = TypeVar("T")


def _is_answer(sample: Sample) -> bool:
    """Return whether the far side sent something: after a mere connect our own link may have been cut."""
    return sample.ok or (sample.reached and sample.timed_out_ms is None)


def utcnow() -> datetime:
    """Return the wall clock's time, aware UTC."""
    return datetime.now(UTC)


class Poller:
    """Watches everything that a runbook names. `run` does the work; `snapshot` says what is known."""

    def __init__(
        self,
        runbook: Runbook,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utcnow,
        http: Prober | None = None,
        judge: Judge | None = None,
        on_sample: Callable[[Sample], None] | None = None,
        on_change: Callable[[Transition], None] | None = None,
    ) -> None:
        """Make the sources; ask nothing yet.

        Args:
            runbook: What to watch.
            settings: Where to find it.
            clock: For timestamps; pauses and timings use the event loop's clock.
            http: Makes the requests; tests replace it.
            judge: Judges the runbook's statements before they are asked for the first time.
            on_sample: Called with each sample.
            on_change: Called with each transition.
        """
        self.on_sample = on_sample
        self.on_change = on_change
        self.on_fault: Callable[[Exception, str], object] = _log_fault
        self._clock = clock
        resolver = Resolver()
        self._context = make_context(runbook, settings, resolver, clock=clock, http=http, judge=judge)
        self._sources = make_sources(runbook, self._context)
        self._by_id = {source.id: source for source in self._sources}
        self._followers: dict[str, list[Source[object]]] = {}
        for source in self._sources:
            for id in source.follows:
                self._followers.setdefault(id, []).append(source)
        plan = link_plan(runbook.link_check, settings)
        self._link_every_s = plan.every_s
        self._link_targets = plan.targets
        self._link_probe = LinkProbe(plan.targets, plan.timeout_s, resolver)
        self._link = LinkTracker(unknown=plan.unset or WAITING)
        self._running: dict[str, asyncio.Task[Sample]] = {}
        self._limit = asyncio.Semaphore(MAX_CONCURRENT)
        self._held: deque[Sample] = deque(maxlen=MOST_HELD)
        self._answered_at = self._resumed_at = datetime.min.replace(tzinfo=UTC)
        self._reported: dict[tuple[TransitionKind, str], str] = {}
        self._faults: dict[str, str] = {}
        """Our own faults that keep sources from being asked, by the source's id."""

    @property
    def stripe(self) -> StripeReader | None:
        """The client of Stripe; None without a key."""
        return self._context.stripe

    @property
    def database(self) -> DatabaseSession | None:
        """The kept connection to the database; None when none is configured."""
        return self._context.database

    async def run(self) -> None:
        """Watch until cancelled; then close every connection within half a second."""
        asked = [source for source in self._sources if source.is_asked]
        tasks = [asyncio.create_task(self._lasting(self._tick, "in the monitor's clock"))]
        # Where nothing is configured, nobody is asked.
        if self._link_targets and asked:
            tasks.append(asyncio.create_task(self._lasting(self._watch_link, "while checking our own link")))
        stagger_s = min([STAGGER_S, *(source.every_s / len(asked) for source in asked)])
        tasks += [
            asyncio.create_task(
                self._lasting(partial(self._watch, source, index * stagger_s), f"while watching {source.id}")
            )
            for index, source in enumerate(asked)
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.close()

    async def close(self) -> None:
        """Cancel what is running and close the connections. `run` does this itself."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._context.close()

    def snapshot(self, now: datetime) -> Snapshot:
        """Return what is known at `now`: a pure read, cheap enough for several times a second."""
        database = (
            self.database.reading()
            if self.database is not None
            else SessionReading("unknown", self._context.database_unset)
        )
        faults = tuple(dict.fromkeys(self._faults.values()))
        return self._sources.snapshot(now, self._link.reading(), database, faults, blind=self._link.blind)

    async def probe_once(self, id: str) -> Sample:
        """Ask now, or wait for the answer that is already under way. It counts like any other.

        Args:
            id: The id of a probe, or of a metric with its own source.
        """
        source = self._by_id.get(id) or self._by_id.get(metric_source_id(id))
        if source is not None and source.is_asked:
            return await self._ask(source)
        return Sample(id, self._clock(), False, (source.unset if source else "") or NO_SOURCE)

    async def ask_all(self) -> None:
        """Ask everything once, now; what is under way already is not asked twice."""
        asked = [self._ask(source) for source in self._sources if source.is_asked]
        await asyncio.gather(*asked, return_exceptions=True)

    async def _lasting(self, work: Callable[[], Awaitable[None]], doing: str) -> None:
        """Do something endless; a defect in it is said, and it begins again, while all else goes on."""
        while True:
            try:
                await work()
            except Exception as error:
                self.on_fault(error, doing)
            await asyncio.sleep(TICK_S)

    async def _watch(self, source: Source[object], delay: float) -> None:
        await asyncio.sleep(delay)
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                await self._ask(source)
            except Exception as error:
                self.on_fault(error, f"while taking in what {source.id} answered")
            pause = source.every_s * random.uniform(1 - JITTER, 1 + JITTER)
            await asyncio.sleep(max(started + pause - loop.time(), source.every_s * 0.05))

    async def _ask(self, source: Source[object]) -> Sample:
        task = self._running.get(source.id)
        if task is None:
            task = asyncio.create_task(self._measure(source))
            self._running[source.id] = task
            task.add_done_callback(lambda _: self._running.pop(source.id, None))
        # Shielded: one caller that stops waiting does not cancel it for the others.
        return await asyncio.shield(task)

    async def _measure(self, source: Source[object]) -> Sample:
        async with self._limit:
            began = self._clock()
            try:
                sample = await source.ask()
            except Exception as error:
                # A defect of the console is a sample that says nothing.
                self.on_fault(error, f"while asking {source.id}")
                sample = Sample(source.id, self._clock(), False, defect(error), ours=True)
        self._receive(sample, began)
        return sample

    async def _watch_link(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                ms, reason, ours = await self._link_probe.check()
            except Exception as error:
                self.on_fault(error, "while checking our own link")
                ms, reason, ours = None, defect(error), True
            self._receive_link(LinkSample(self._clock(), ms, reason, ours))
            await asyncio.sleep(max(started + self._link_every_s - loop.time(), 0.1))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._report(self._clock())

    def _receive(self, sample: Sample, began: datetime) -> None:
        """Take in a sample of what was asked at `began`."""
        if self.on_sample is not None:
            self._call(self.on_sample, sample)
        self._note_fault(sample.source, sample.reason if sample.ours else "")
        if sample.reached:
            was_blind = self._link.blind
            self._answered(began)
            if was_blind and not self._link.blind:
                self._resume(sample.at)
        # What was asked while our link was down says nothing about the far side, nor does its duration.
        if not self._link.blind and began >= self._resumed_at:
            self._held.append(sample)
            self._release()
        self._report(sample.at)

    def _note_fault(self, source: str, reason: str) -> None:
        """Remember why a source cannot be asked, by a fault of our own; "" where it can."""
        if reason:
            self._faults[source] = reason
        else:
            self._faults.pop(source, None)

    def _receive_link(self, sample: LinkSample) -> None:
        self._note_fault("link", sample.reason if sample.ours else "")
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
        """Note that something asked at `began` was answered: the link worked then, if perhaps not since."""
        self._link.answered(began)
        self._answered_at = max(self._answered_at, began)

    def _release(self) -> None:
        """Let the samples that were held back count, in their order.

        A failure without an answer may be the first sign of a cut link: it waits until something that was
        asked after it is answered.
        """
        if self._link.suspect:
            return
        while self._held and self._is_conclusive(self._held[0]):
            self._observe(self._held.popleft())

    def _is_conclusive(self, sample: Sample) -> bool:
        """Return whether a sample says something about the far side, whatever our own link's state."""
        known = _is_answer(sample) or sample.ours
        return known or sample.at <= self._answered_at or not self._link_targets

    def _observe(self, sample: Sample) -> None:
        for source in self._followers.get(sample.source, ()):
            source.observe(sample)

    def _resume(self, at: datetime) -> None:
        self._resumed_at = at
        for source in self._sources:
            source.resume(at)
        if self.database is not None:
            self.database.retry_now()

    def _report(self, now: datetime) -> None:
        """Report each state that differs from the one last reported."""
        link = self._link.reading()
        self._tell("link", "link", link.state, link.reason, now)
        if self._link.blind or self._link.suspect:
            return
        for kind, name, state, value in self._sources.states(now):
            self._tell(kind, name, state, value, now)

    def _tell(self, kind: TransitionKind, name: str, new: str, value: str, now: datetime) -> None:
        old = self._reported.get((kind, name), "unknown")
        if new == old:
            return
        self._reported[(kind, name)] = new
        if self.on_change is not None:
            self._call(self.on_change, Transition(name, kind, old, new, value, now))

    def _call(self, callback: Callable[[T], None], argument: T) -> None:
        """Call a listener, whose defect must not stop the watching."""
        try:
            callback(argument)
        except Exception as error:
            self.on_fault(error, "in a listener of the monitor")


def _log_fault(error: Exception, doing: str) -> None:
    # No traceback: its frames may hold secrets.
    _log.error("%s: internal error %s", doing, type(error).__name__)
