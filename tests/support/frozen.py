"""A console at a moment that never changes: for pictures and for tests of what the screens say."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from isla_console.clock import Clock
from isla_console.database.session import DatabaseSession, SessionReading
from isla_console.monitor.link import LinkReading
from isla_console.monitor.metrics.health import ProbeReading
from isla_console.monitor.metrics.metric import Reading
from isla_console.monitor.metrics.sample import Phases, Sample, State
from isla_console.monitor.monitor import Snapshot, Transition
from isla_console.monitor.stripe.client import StripeReader
from isla_console.runbook.model import DatabaseCheck, HealthCheck, Runbook
from isla_console.session.session import Session
from isla_console.settings.resolve import Settings
from isla_console.ui.shell import Shell
from tests.support.console import console_app

NOW = datetime(2026, 11, 23, 14, 12, 41, tzinfo=UTC)

CALM: tuple[tuple[State, float], ...] = (
    ("ok", 24),
    ("ok", 62),
    ("ok", 0),
    ("ok", 18),
    ("ok", 0.4),
    ("unknown", 0),
)
OUTAGE: tuple[tuple[State, float], ...] = (
    ("alert", 1240),
    ("ok", 182),
    ("alert", 3.2),
    ("elevated", 61),
    ("ok", 0.4),
    ("unknown", 0),
)
UNCONFIGURED: tuple[tuple[State, float], ...] = ()
"""The real poller without a single variable set: it is made, and never runs."""
BLIND: tuple[tuple[State, float], ...] = tuple(("blind", value) for _, value in OUTAGE)


def snapshot(runbook: Runbook, states: Sequence[tuple[State, float]], now: datetime = NOW) -> Snapshot:
    """A snapshot with these states and values, in the runbook's order of metrics."""
    blind = any(state == "blind" for state, _ in states)
    known = any(state != "unknown" for state, _ in states)
    failing = states[0][0] == "alert"
    metrics = []
    for spec, (state, value) in zip(runbook.metrics, states, strict=True):
        unknown = state == "unknown"
        bound = spec.alert if state == "alert" else spec.normal
        metrics.append(
            Reading(
                id=spec.id,
                title=spec.title,
                short=spec.short,
                unit=spec.unit,
                decimals=spec.decimals,
                state=state,
                value=None if unknown else value,
                text="" if unknown else f"{value:.{spec.decimals}f} {spec.unit}".strip(),
                bound="" if unknown else str(bound),
                source=f"{spec.source.kind} · {spec.source.aggregate}",
                n=30,
                provisional=False,
                sampled_at=None if unknown else now - timedelta(seconds=3),
                since=now - timedelta(minutes=3),
                reason="set STRIPE_API_KEY" if unknown else "",
                unset=unknown,
                history=() if unknown else tuple([value / 8] * 8 + [value] * 6),
                course=() if unknown else _course(now, value),
            )
        )
    probes = tuple(
        ProbeReading(
            id=probe.id,
            title=probe.title,
            state="blind" if blind else "alert" if failing and index == 1 else "ok" if known else "unknown",
            sample=_sample(probe, now, failing and index == 1) if known else None,
            since=now - timedelta(minutes=3),
            reason="timed out after 2 s" if failing and index == 1 else "" if known else "set ISLA_APP_URL",
            needs=(),
        )
        for index, probe in enumerate(runbook.all_probes())
    )
    link = (
        LinkReading("blind", None, "no target answered", now) if blind else LinkReading("ok", 12.0, "", now)
    )
    return Snapshot(now, tuple(metrics), probes, link, SessionReading("unknown", ""))


def _course(now: datetime, value: float) -> tuple[tuple[datetime, float], ...]:
    """An eighth of it for half an hour, and all of it for the last three minutes."""
    each = ((now - timedelta(seconds=30 * n), value if n <= 6 else value / 8) for n in range(60, -1, -1))
    return tuple(each)


def _sample(probe: HealthCheck | DatabaseCheck, now: datetime, failed: bool) -> Sample:
    phases = Phases(
        dns_ms=1.2,
        connect_ms=8.4,
        tls_ms=14.1,
        first_byte_ms=31.0,
        total_ms=56.0,
        address="192.0.2.7:443",
        status=None if failed else 200,
        cert_expires=datetime(2027, 2, 1, tzinfo=UTC),
    )
    at = now - timedelta(seconds=3)
    reason = "timed out after 2 s" if failed else ""
    return Sample(probe.id, at, not failed, reason, phases if isinstance(probe, HealthCheck) else None)


class FrozenMonitor:
    """Shows one snapshot for ever and asks nobody."""

    def __init__(self, take: Callable[[datetime], Snapshot]) -> None:
        self.on_change: Callable[[Transition], None] | None = None
        self.stripe: StripeReader | None = None
        self.database: DatabaseSession | None = None
        self.take = take

    def snapshot(self, now: datetime) -> Snapshot:
        return self.take(now)

    async def probe_once(self, id: str) -> Sample:
        return Sample(id, NOW, ok=True)

    async def ask_all(self) -> None:
        """Nobody is asked."""

    async def run(self) -> None:
        """Nothing is polled."""


class Moment:
    """A clock that a test moves by hand."""

    def __init__(self, now: datetime = NOW) -> None:
        self.at = now
        self.clock = Clock(wall=lambda: self.at, steady=lambda: (self.at - now).total_seconds())

    def pass_by(self, **span: float) -> None:
        self.at += timedelta(**span)


def frozen_app(
    home: Path,
    states: Sequence[tuple[State, float]] = CALM,
    *,
    moment: Moment | None = None,
    environ: dict[str, str] | None = None,
    take: Callable[[Runbook, datetime], Snapshot] | None = None,
) -> Shell:
    """The app of `ana` on `jump1`, its journal in `home`; `take` is what is measured; default: `states`."""
    clock = (moment or Moment()).clock
    settings = Settings.load(
        {"HOME": str(home), "ISLA_ACTOR": "ana", "ISLA_STATE_DIR": str(home / "state"), **(environ or {})}
    )
    settings.host = "jump1"

    def make_monitor(runbook: Runbook) -> FrozenMonitor:
        shown = take or (lambda runbook, now: snapshot(runbook, states, now))
        return FrozenMonitor(partial(shown, runbook))

    session = Session(settings, clock, make_monitor=make_monitor if states else None)
    return console_app(settings, session)
