"""A still console that also knows vendors, deployments and payments."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from isla_console.monitor.monitor import Snapshot
from isla_console.monitor.sources.deployments import DeploymentsReading
from isla_console.monitor.sources.payments import PaymentsReading
from isla_console.monitor.sources.vendors import VendorReading, VendorState
from isla_console.monitor.stripe.payments import (
    Details,
    Endpoint,
    FailedPayment,
    Undelivered,
)
from isla_console.runbook.model import Runbook
from isla_console.ui.shell import Shell
from isla_console.vendors.vercel import Deployment
from tests.support.frozen import CALM, NOW, Moment, frozen_app, snapshot


def vendors(**states: tuple[VendorState, str]) -> tuple[VendorReading, ...]:
    """All three, green but for those given: `vercel=("down", "Edge Functions: major outage")`."""
    since = NOW - timedelta(minutes=9)
    return tuple(
        VendorReading(title.lower(), title, state, text, since, NOW)
        for title in ("Vercel", "Supabase", "Stripe")
        for state, text in [states.get(title.lower(), ("ok", ""))]
    )


def deployments(**parts: Any) -> DeploymentsReading:
    """Four: one went live four minutes before the alerts of an outage, one failed."""
    told: tuple[tuple[str, float | None, str, str, str, str], ...] = (
        ("dpl_8xK2qWvTn4RzYb", 7, "READY", "9f31c0a", "ana", "cache: inline the map"),
        ("dpl_7eR1zUfGk2NwXa", None, "ERROR", "d07b44e", "ben", "cache: try a worker"),
        ("dpl_5pQ9sLhYd3KxEi", 300, "READY", "41be77d", "ben", "bump deps"),
        ("dpl_1aA0mRcPj9VgSf", 1320, "READY", "c02d915", "ana", "geo: fallback"),
    )
    rows = tuple(
        Deployment(
            id,
            state,
            commit,
            author,
            message,
            live_since=None if minutes is None else NOW - timedelta(minutes=minutes),
            serving=number == 0,
        )
        for number, (id, minutes, state, commit, author, message) in enumerate(told)
    )
    whole: dict[str, Any] = {"state": "ok", "rows": rows, "reason": "", "at": NOW, "clock": ""}
    return DeploymentsReading(**(whole | parts))


def payments(**parts: Any) -> PaymentsReading:
    """Two failures, one event not delivered, one endpoint."""
    details = Details(
        failed=(
            FailedPayment("ch_1", NOW - timedelta(minutes=1), "19.00 USD", "card_declined", "No details."),
            FailedPayment("ch_2", NOW - timedelta(minutes=2), "9.00 USD", "card_declined", "", blocked=True),
        ),
        undelivered=(Undelivered("evt_1", NOW - timedelta(minutes=3), "charge.failed", 1),),
        endpoints=(Endpoint("we_1", "https://app.isla.link/api/webhooks/stripe", True),),
    )
    whole: dict[str, Any] = {"state": "ok", "mode": "LIVE", "details": details, "reason": "", "at": NOW}
    return PaymentsReading(**(whole | parts))


def outside_app(home: Path, states: Any = CALM, *, moment: Moment | None = None, **parts: Any) -> Shell:
    """The app with these vendors, deployments and payments; without them, all is well."""
    known: dict[str, Any] = {"vendors": vendors(), "deployments": deployments(), "payments": payments()}

    def take(runbook: Runbook, now: datetime) -> Snapshot:
        return replace(snapshot(runbook, states, now), **(known | parts))

    return frozen_app(home, states, moment=moment, take=take)
