"""What the session sees of the monitor: a snapshot of all that is known, and transitions as they happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from isla_console.database.session import DatabaseSession, SessionReading
from isla_console.monitor.link import LinkReading
from isla_console.monitor.metrics.health import ProbeReading
from isla_console.monitor.metrics.metric import Reading
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.deployments import DeploymentsReading
from isla_console.monitor.sources.payments import PaymentsReading
from isla_console.monitor.sources.vendors import VendorReading
from isla_console.monitor.stripe.client import StripeReader

TransitionKind = Literal["metric", "probe", "vendor", "link"]


@dataclass(frozen=True, slots=True)
class Transition:
    """A state that became another one. `new` and `old` are States; the first `old` is `unknown`."""

    name: str
    """The metric's, probe's or vendor's id; "link" for our own."""
    kind: TransitionKind
    old: str
    new: str
    value: str
    """The metric's value with its unit, or the reason; "" for neither."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is measured, at one moment. Equal to another one that would be drawn the same."""

    at: datetime = field(compare=False)
    metrics: tuple[Reading, ...]
    """All metrics, in the runbook's order."""
    probes: tuple[ProbeReading, ...]
    """Health checks, then further probes."""
    link: LinkReading
    database: SessionReading
    vendors: tuple[VendorReading, ...] = ()
    deployments: DeploymentsReading | None = None
    """None where the runbook does not say where to read them."""
    payments: PaymentsReading | None = None
    """None where the runbook has no metric from Stripe."""
    faults: tuple[str, ...] = ()
    """Faults of our own that keep something from being asked, one sentence each."""


class Monitor(Protocol):
    """What watches production on the session's behalf.

    The `Poller` asks production; a replay or a test shows what it was given and asks nobody.
    """

    on_change: Callable[[Transition], None] | None
    """Called on the event loop with each transition of a metric, a probe, a vendor or our own link."""

    on_fault: Callable[[Exception, str], object]
    """Called with a defect of the console, and with what it was at; the watching goes on."""

    @property
    def stripe(self) -> StripeReader | None:
        """The client of Stripe; None without a key."""

    @property
    def database(self) -> DatabaseSession | None:
        """The kept connection to production's database; None where none is configured."""

    def snapshot(self, now: datetime) -> Snapshot:
        """Return what is known at `now`: a pure read, cheap enough for several times a second."""

    async def probe_once(self, id: str) -> Sample:
        """Ask a probe, or a metric with its own source, now. Never raises: a failure is a sample."""

    async def ask_all(self) -> None:
        """Ask everything once, now, as if its turn had come. Never raises."""

    async def run(self) -> None:
        """Watch until cancelled."""
