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
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from isla_console.database.session import DatabaseSession, SessionReading
from isla_console.monitor.http.prober import Prober
from isla_console.monitor.link import LinkProbe, LinkSample, LinkTracker, link_plan
from isla_console.monitor.metrics.metric import WAITING
from isla_console.monitor.metrics.sample import Sample
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
"""Share of an interval by which each pause varies, so that consoles do not probe in step."""
TICK_S = 1.0
"""How often going stale is looked for."""
MAX_CONCURRENT = 32
MOST_HELD = 1000

_log = logging.getLogger(__name__)

T = TypeVar("T")


def _is_answer(sample: Sample) -> bool:
    """Whether the far side spoke. A connection that then stays silent may be our own link, cut meanwhile."""
    return sample.ok or (sample.reached and sample.timed_out_ms is None)


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
        resolver = Resolver()
        self._context = make_context(runbook, settings, resolver, clock=clock, http=http)
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

    @property
    def stripe(self) -> StripeReader | None:
        """What asks Stripe, None without a key."""
        return self._context.stripe

    @property
    def database(self) -> DatabaseSession | None:
        """The kept connection, None when it is not configured."""
        return self._context.database

    async def run(self) -> None:
        """Watch until cancelled; then close what is open, within half a second."""
        asked = [source for source in self._sources if source.is_asked]
        tasks = [asyncio.create_task(self._tick())]
        # Where nothing is configured, nothing is asked of anyone.
        if self._link_targets and asked:
            tasks.append(asyncio.create_task(self._watch_link()))
        stagger_s = min([STAGGER_S, *(source.every_s / len(asked) for source in asked)])
        tasks += [
            asyncio.create_task(self._watch(source, index * stagger_s)) for index, source in enumerate(asked)
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
        await self._context.close()

    def snapshot(self, now: datetime) -> Snapshot:
        """What is known at `now`: a pure read, cheap enough for several times a second."""
        database = (
            self.database.reading()
            if self.database is not None
            else SessionReading("unknown", self._context.database_unset)
        )
        return self._sources.snapshot(now, self._link.reading(), database, blind=self._link.blind)

    async def probe_once(self, id: str) -> Sample:
        """Ask now, or wait for the answer that is already under way. It counts like any other.

        Args:
            id: of a probe, or of a metric with a source of its own.
        """
        source = self._by_id.get(id) or self._by_id.get(metric_source_id(id))
        if source is not None and source.is_asked:
            return await self._ask(source)
        return Sample(id, self._clock(), False, (source.unset if source else "") or NO_SOURCE)

    async def _watch(self, source: Source[object], delay: float) -> None:
        await asyncio.sleep(delay)
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            with contextlib.suppress(Exception):
                await self._ask(source)
            pause = source.every_s * random.uniform(1 - JITTER, 1 + JITTER)
            await asyncio.sleep(max(started + pause - loop.time(), source.every_s * 0.05))

    async def _ask(self, source: Source[object]) -> Sample:
        task = self._running.get(source.id)
        if task is None:
            task = asyncio.create_task(self._measure(source))
            self._running[source.id] = task
            task.add_done_callback(lambda _: self._running.pop(source.id, None))
        # Shielded: whoever stops waiting does not take the answer from the others.
        return await asyncio.shield(task)

    async def _measure(self, source: Source[object]) -> Sample:
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

    async def _watch_link(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                ms, reason = await self._link_probe.check()
            except Exception as error:
                _log.error("link: internal error %s", type(error).__name__)
                ms, reason = None, f"internal error: {type(error).__name__}"
            self._receive_link(LinkSample(self._clock(), ms, reason))
            await asyncio.sleep(max(started + self._link_every_s - loop.time(), 0.1))

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
        # What was asked while our link was down says nothing of who was asked, nor does the time it took.
        if not self._link.blind and began >= self._resumed_at:
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
        while self._held and self._is_conclusive(self._held[0]):
            self._observe(self._held.popleft())

    def _is_conclusive(self, sample: Sample) -> bool:
        """Whether it says something of who was asked, whatever becomes of our own link."""
        return _is_answer(sample) or sample.at <= self._answered_at or not self._link_targets

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
        """Tell of each state that is not what was told last."""
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
        """A listener's defect must not stop the watching."""
        try:
            callback(argument)
        except Exception as error:
            _log.error("a listener failed: %s", type(error).__name__)
