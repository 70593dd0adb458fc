"""What sources are made with: settings, inputs, and the connections that they ask over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from isla_console.database.session import DatabaseSession, Judge
from isla_console.monitor.http.answers import Polite
from isla_console.monitor.http.inputs import Inputs
from isla_console.monitor.http.prober import HttpProber, Prober
from isla_console.monitor.metrics.health import ProbeReading
from isla_console.monitor.sources.source import Source
from isla_console.monitor.stripe.client import StripeReader
from isla_console.net.lookup import Resolver

if TYPE_CHECKING:
    from isla_console.runbook.model import Runbook
    from isla_console.settings.resolve import Settings

DATABASE_VARIABLE = "ISLA_DATABASE_URL"
STRIPE_VARIABLE = "STRIPE_API_KEY"
STRIPE_URL = "https://api.stripe.com"


@dataclass(frozen=True)
class Context:
    """What a source gets besides its own part of the runbook. Nothing is opened before it is used."""

    inputs: Inputs
    http: Prober
    clock: Callable[[], datetime]
    """The wall clock, aware UTC."""
    database: DatabaseSession | None
    """The kept connection; None when it is not configured, and then `database_unset` says what to set."""
    database_unset: str
    stripe: StripeReader | None
    """The client of Stripe; None without a key, and then `stripe_unset` says what to set."""
    stripe_unset: str
    probes: tuple[Source[ProbeReading], ...] = ()
    """The HTTP probes that metrics may follow."""

    @property
    def is_configured(self) -> bool:
        """Whether anything of our own platform can be asked."""
        return self.database is not None or any(probe.is_asked for probe in self.probes)

    def polite(self) -> Polite:
        """Make what asks one far side for JSON."""
        return Polite(self.http, time.monotonic)

    async def close(self) -> None:
        """Close the connections."""
        if self.database is not None:
            await self.database.close()
        if self.stripe is not None:
            with contextlib.suppress(Exception):
                await self.stripe.close()


def make_context(
    runbook: Runbook,
    settings: Settings,
    resolver: Resolver,
    *,
    clock: Callable[[], datetime],
    http: Prober | None = None,
    judge: Judge | None = None,
) -> Context:
    """Make the context that the configuration allows.

    Never raises: what is not configured is None, with a text that says what to set.

    Args:
        runbook: Its inputs and probes.
        settings: Their values.
        resolver: Looks up host names.
        clock: The wall clock, aware UTC.
        http: Makes the requests, instead of a real prober.
        judge: Judges the runbook's statements before they are asked.
    """
    inputs = Inputs(runbook.inputs, settings)
    dsn, key = settings.secret(DATABASE_VARIABLE), settings.secret(STRIPE_VARIABLE)
    name = f"isla-console/{settings.actor}@{settings.host}"
    stripe_url = inputs.fill("${STRIPE_API_URL}", in_url=True).text or STRIPE_URL
    return Context(
        inputs=inputs,
        http=http or HttpProber(resolver, clock),
        clock=clock,
        database=DatabaseSession(dsn, name, resolver, judge=judge) if dsn else None,
        database_unset="" if dsn else inputs.missing_text([DATABASE_VARIABLE]),
        stripe=StripeReader(key, stripe_url, clock) if key is not None else None,
        stripe_unset="" if key is not None else inputs.missing_text([STRIPE_VARIABLE]),
    )
