"""Whether our own network link works: is it them, or us?

The self-check connects to several well-known targets over TCP. The console is `blind` only when all of
them failed twice in a row *and* no probe got any answer from the network meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from isla_console.monitor.sources.source import TIMEOUT_SHARE
from isla_console.net.failures import OwnFault, network_failure
from isla_console.net.lookup import Address, LookupFailed, Resolver
from isla_console.net.race import first_answer
from isla_console.text.brief import brief

if TYPE_CHECKING:
    from isla_console.runbook.watch import LinkCheck
    from isla_console.settings.resolve import Settings

VARIABLE = "ISLA_LINK_CHECK"
FAILURES_TO_BLIND = 2

LinkState = Literal["ok", "blind", "unknown"]


@dataclass(frozen=True, slots=True)
class LinkReading:
    """Our own link at a moment."""

    state: LinkState
    ms: float | None
    """The fastest target's connect time."""
    reason: str
    at: datetime | None
    """When the link was last checked."""
    since: datetime | None = None
    """When the state began."""


@dataclass(frozen=True, slots=True)
class LinkSample:
    """One self-check. `ms` is the fastest target's connect time, None when no target answered."""

    at: datetime
    ms: float | None
    reason: str = ""
    ours: bool = False
    """Whether nothing could be asked, by a fault of our own: it says nothing about the link."""


class LinkTracker:
    """Derives the link's state from the self-checks. Pure: time is an argument."""

    def __init__(self, *, unknown: str = "waiting for the first check") -> None:
        """Begin without a check.

        Args:
            unknown: The reason shown until the first check, such as "set ISLA_LINK_CHECK".
        """
        self._reading = LinkReading("unknown", None, unknown, None)
        self._failures = 0
        self._failing_since: datetime | None = None
        self._answered_at: datetime | None = None

    @property
    def suspect(self) -> bool:
        """Whether the last self-check failed and nothing has answered since: our link may be down."""
        return self._failing_since is not None and (
            self._answered_at is None or self._answered_at < self._failing_since
        )

    @property
    def blind(self) -> bool:
        """Whether our own link is down, so that nothing can be known."""
        return self._reading.state == "blind"

    def reading(self) -> LinkReading:
        """Return the link's state."""
        return self._reading

    def answered(self, at: datetime) -> None:
        """Note that what was asked at this time was answered over the network: there was a link then."""
        self._answered_at = at if self._answered_at is None else max(at, self._answered_at)
        if self.blind and not self.suspect:
            self._enter("ok", None, "its targets fail, but probes are answered", at)

    def observe(self, sample: LinkSample) -> None:
        """Take in a self-check."""
        if sample.ours:
            self._failures, self._failing_since = 0, None
            self._enter("unknown", None, sample.reason, sample.at)
            return
        if sample.ms is not None:
            self._failures, self._failing_since = 0, None
            self._enter("ok", sample.ms, "", sample.at)
            return
        if self._failing_since is None:
            self._failing_since = sample.at
        self._failures += 1
        if self._answered_at is not None and self._answered_at >= self._failing_since:
            # Count again from here: the answer may have come just before the link broke.
            self._failures, self._failing_since, self._answered_at = 1, sample.at, None
            self._enter("ok", None, f"probes are answered, its targets fail: {sample.reason}", sample.at)
        elif self._failures >= FAILURES_TO_BLIND:
            self._enter("blind", None, sample.reason, sample.at)
        else:
            self._enter(self._reading.state, None, f"1 of 2 failed: {sample.reason}", sample.at)

    def _enter(self, state: LinkState, ms: float | None, reason: str, at: datetime) -> None:
        since = self._reading.since if state == self._reading.state else at
        self._reading = LinkReading(state, ms, reason, at, since)


class LinkProbe:
    """Makes the self-checks."""

    def __init__(self, targets: Sequence[tuple[str, int]], timeout_s: float, resolver: Resolver) -> None:
        self._targets = targets
        self._timeout_s = timeout_s
        self._resolver = resolver

    async def check(self) -> tuple[float | None, str, bool]:
        """Connect to all targets at once, until the first accepts.

        Returns:
            Its connect time in milliseconds and "", or None and why no target was reached; and whether that
            is a fault of our own alone.
        """
        tasks = [asyncio.create_task(self._reach(host, port)) for host, port in self._targets]
        reasons: list[str] = []
        all_ours = bool(tasks)
        try:
            for next_done in asyncio.as_completed(tasks):
                ms, reason, ours = await next_done
                if ms is not None:
                    return ms, "", False
                reasons.append(reason)
                all_ours = all_ours and ours
        finally:
            for task in tasks:
                task.cancel()
        return None, "; ".join(dict.fromkeys(reasons)), all_ours

    async def _reach(self, host: str, port: int) -> tuple[float | None, str, bool]:
        name = brief(f"{host}:{port}", 60)
        try:
            async with asyncio.timeout(self._timeout_s):
                addresses = await self._resolver.resolve(host, port)
                return await self._connect(addresses), "", False
        except TimeoutError:
            return None, f"{name} timed out", False
        except LookupFailed as error:
            return None, f"{name}: {error}", False
        except (OSError, OwnFault) as error:
            failure = network_failure(error)
            if failure is not None and failure.ours:
                return None, failure.reason, True
            return None, f"{name}: {failure.reason if failure else 'not reachable'}", False

    async def _connect(self, addresses: Sequence[Address]) -> float:
        loop = asyncio.get_running_loop()

        async def connect(address: Address) -> tuple[float, asyncio.StreamWriter]:
            started = loop.time()
            _, writer = await asyncio.open_connection(address.ip, address.port)
            return (loop.time() - started) * 1000, writer

        async def discard(connection: tuple[float, asyncio.StreamWriter]) -> None:
            connection[1].close()

        _, (ms, writer) = await first_answer(addresses, connect, discard)
        writer.close()
        return ms


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """What the self-check asks. Without targets we are never blind, and `unset` says what to set."""

    targets: tuple[tuple[str, int], ...]
    every_s: float
    timeout_s: float
    unset: str = ""


def link_plan(check: LinkCheck, settings: Settings) -> LinkPlan:
    """Return the runbook's self-check; targets in ISLA_LINK_CHECK replace its own."""
    given = settings.get(VARIABLE)
    targets, problem = parse_targets(given.split(",") if given else check.targets)
    if not targets:
        problem = f"{VARIABLE}: {problem}" if problem else f"set {VARIABLE}"
    return LinkPlan(targets, check.every_s, min(check.timeout_s, check.every_s * TIMEOUT_SHARE), problem)


def parse_targets(texts: Iterable[str]) -> tuple[tuple[tuple[str, int], ...], str]:
    """Return `host:port` texts as (host, port) pairs, and what is wrong with the others ("" if nothing).

    An IPv6 address is written in brackets: `[2606:4700:4700::1111]:443`.
    """
    targets: list[tuple[str, int]] = []
    problems: list[str] = []
    for text in filter(None, (text.strip() for text in texts)):
        host, _, port = text.rpartition(":")
        number = 0
        with contextlib.suppress(ValueError):
            number = int(port)
        host = host.removeprefix("[").removesuffix("]")
        if host and 0 < number < 65536 and not any(c.isspace() for c in host):
            targets.append((host, number))
        else:
            problems.append(f"{brief(text, 40)} is no host:port")
    return tuple(targets), "; ".join(problems)
