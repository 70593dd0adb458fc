"""What the session sees of the monitor: a snapshot of all that is known, and the changes as they come."""

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
    """A state that became another one. `new` and `old` are States; `unknown` at the start."""

    name: str
    """The metric's, probe's or vendor's id; "link" for our own."""
    kind: TransitionKind
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


class Monitor(Protocol):
    """What watches production on the session's behalf.

    The `Poller` does it for real; a replay or a test shows what it was given and asks nobody.
    """

    on_change: Callable[[Transition], None] | None
    """Called with each change of a metric's, probe's, vendor's or our own link's state, on the event loop."""

    @property
    def stripe(self) -> StripeReader | None:
        """What asks Stripe; None without a key."""

    @property
    def database(self) -> DatabaseSession | None:
        """The kept connection to production's database; None where none is configured."""

    def snapshot(self, now: datetime) -> Snapshot:
        """What is known at `now`: a pure read, cheap enough for several times a second."""

    async def probe_once(self, id: str) -> Sample:
        """Ask a probe, or a metric with a source of its own, now. Never raises: a failure is a sample."""

    async def run(self) -> None:
        """Watch until cancelled."""
