"""The table of source kinds, and the making of everything that a runbook has watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from isla_console.database.session import SessionReading
from isla_console.monitor.link import LinkReading
from isla_console.monitor.metrics.health import ProbeReading
from isla_console.monitor.metrics.metric import Reading
from isla_console.monitor.monitor import Snapshot, TransitionKind
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.database import DatabaseProbe, Ping, PostgresMetric
from isla_console.monitor.sources.deployments import DeploymentsReading, DeploymentsSource
from isla_console.monitor.sources.from_probes import ErrorRate, Latency
from isla_console.monitor.sources.http_json import HttpJson, Prometheus
from isla_console.monitor.sources.openmetrics import OpenMetrics
from isla_console.monitor.sources.payments import Payments, PaymentsReading, PaymentSuccess
from isla_console.monitor.sources.probe import HttpProbe
from isla_console.monitor.sources.source import Source
from isla_console.monitor.sources.vendors import StatusPage, VendorReading

if TYPE_CHECKING:
    from isla_console.runbook.model import MetricSpec, Runbook

METRIC_SOURCES: Mapping[str, Callable[[MetricSpec, Context], Source[Reading]]] = {
    "probe": Latency,
    "error_rate": ErrorRate,
    "postgres": PostgresMetric,
    "stripe": PaymentSuccess,
    "http_json": HttpJson,
    "prometheus": Prometheus,
    "openmetrics": OpenMetrics,
}
"""The class of each kind of metric source, by `kind` of a metric's `source` in the runbook."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that is watched, grouped by where it is shown."""

    probes: tuple[Source[ProbeReading], ...]
    metrics: tuple[Source[Reading], ...]
    vendors: tuple[Source[VendorReading], ...]
    deployments: Source[DeploymentsReading] | None
    payments: Source[PaymentsReading] | None
    ping: Source[None] | None

    def __iter__(self) -> Iterator[Source[object]]:
        """Yield every source, in the order in which they are first asked."""
        yield from (*self.probes, *self.metrics)
        if self.ping is not None:
            yield self.ping
        yield from self.vendors
        if self.deployments is not None:
            yield self.deployments
        if self.payments is not None:
            yield self.payments

    def snapshot(
        self,
        now: datetime,
        link: LinkReading,
        database: SessionReading,
        faults: tuple[str, ...] = (),
        *,
        blind: bool,
    ) -> Snapshot:
        """Return what is known of all of them at `now`."""
        return Snapshot(
            now,
            tuple(metric.reading(now, blind) for metric in self.metrics),
            tuple(probe.reading(now, blind) for probe in self.probes),
            link,
            database,
            tuple(vendor.reading(now, blind) for vendor in self.vendors),
            self.deployments.reading(now, blind) if self.deployments is not None else None,
            self.payments.reading(now, blind) if self.payments is not None else None,
            faults,
        )

    def states(self, now: datetime) -> Iterator[tuple[TransitionKind, str, str, str]]:
        """Yield (kind, id, state, value) of each source whose transitions are reported."""
        for metric in self.metrics:
            reading = metric.reading(now)
            yield "metric", reading.id, reading.state, reading.text
        for probe in self.probes:
            health = probe.reading(now)
            yield "probe", health.id, health.state, health.reason
        for vendor in self.vendors:
            page = vendor.reading(now)
            yield "vendor", page.id, page.state, page.text


def make_sources(runbook: Runbook, context: Context) -> Sources:
    """Make the sources that the runbook names. Never raises: one that is not configured says what to set."""
    probes = tuple(HttpProbe(check, context) for check in runbook.all_requests())
    context = replace(context, probes=probes)
    kinds = {spec.source.kind for spec in runbook.metrics}
    return Sources(
        probes=(*probes, *(DatabaseProbe(check, context) for check in runbook.database_checks)),
        metrics=tuple(METRIC_SOURCES[spec.source.kind](spec, context) for spec in runbook.metrics),
        vendors=tuple(StatusPage(vendor, context) for vendor in runbook.vendors),
        deployments=DeploymentsSource(runbook.deployments, context) if runbook.deployments else None,
        payments=_payments(runbook, context),
        ping=Ping(context) if context.database is not None and "postgres" not in kinds else None,
    )


def _payments(runbook: Runbook, context: Context) -> Payments | None:
    """Make the source of failed payments, if the runbook watches any metric of Stripe's."""
    specs = [spec for spec in runbook.metrics if spec.source.kind == "stripe"]
    return Payments(specs, context) if specs else None
