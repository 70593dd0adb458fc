"""Probes: questions to the platform that pass or fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from isla_console.monitor.http.answers import MAX_JSON
from isla_console.monitor.http.json_value import ill
from isla_console.monitor.metrics.health import ProbeReading, ProbeTracker
from isla_console.monitor.metrics.metric import WAITING
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.source import TIMEOUT_SHARE, Source

if TYPE_CHECKING:
    from isla_console.runbook.model import HealthCheck


class Probe(Source[ProbeReading]):
    """The base of probes. A kind of probe says how it is asked."""

    def __init__(
        self, id: str, title: str, every_s: float, *, unset: str = "", needs: tuple[str, ...] = ()
    ) -> None:
        """Begin without a sample; `needs` are the variables that are not set."""
        super().__init__(id, every_s, unset=unset)
        self._tracker = ProbeTracker(id, title, every_s, unknown=unset or WAITING, needs=needs)

    def observe(self, sample: Sample) -> None:
        """Take in a sample of the probe."""
        self._tracker.observe(sample)

    def resume(self, at: datetime) -> None:
        """Go on after being blind."""
        self._tracker.resume(at)

    def reading(self, now: datetime, blind: bool = False) -> ProbeReading:
        """Return the probe at `now`."""
        return self._tracker.reading(now, blind)


class HttpProbe(Probe):
    """A health check or another request of the runbook. Its answer may also have to say that all is well."""

    def __init__(self, spec: HealthCheck, context: Context) -> None:
        timeout_s = min(spec.timeout_s, spec.every_s * TIMEOUT_SHARE)
        check, missing = context.inputs.request(spec.id, spec.method, spec.url, spec.headers, timeout_s)
        unset = context.inputs.missing_text(missing) if missing else ""
        super().__init__(spec.id, spec.title, spec.every_s, unset=unset, needs=missing)
        if check is not None:
            check = replace(
                check,
                expect_status=spec.expect_status,
                expect_headers=tuple(spec.expect_headers.items()),
                expect_text=spec.expect_text or "",
                expect_bytes=spec.expect_bytes,
            )
            if spec.healthy:
                check = replace(check, max_body=MAX_JSON)
        self.check = check
        self._healthy = spec.healthy or ""
        self._http = context.http

    async def ask(self) -> Sample:
        """Make the request and judge its answer."""
        assert self.check is not None, self.unset
        sample, body = await self._http.fetch(self.check)
        if not self._healthy or not sample.ok:
            return sample
        if len(body) >= MAX_JSON:
            # What it says of itself was not read to the end, by a limit of our own.
            reason = f"its answer is larger than {MAX_JSON // 1024} KiB, more than this console reads"
            return replace(sample, ok=False, reason=reason, ours=True)
        reason = ill(body, self._healthy)
        return replace(sample, ok=not reason, reason=reason)
