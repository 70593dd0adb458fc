"""What a console saw before an incident was declared: the first alert, and what there was before it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from isla_console.incident.record.state import fold
from isla_console.incident.report import report
from isla_console.monitor.monitor import Transition
from isla_console.session.declare import Declaration, declare, first_alert
from isla_console.session.first_seen import GAP, FirstSightings, first_of
from isla_console.session.session import Session
from isla_console.settings.resolve import Settings
from tests.support.frozen import CALM, NOW, OUTAGE, FrozenMonitor, Moment, snapshot


def _seen(*changes: tuple[float, str, str], name: str = "errors") -> FirstSightings:
    """Transitions `(seconds before NOW, from, to)` of a metric."""
    sightings = FirstSightings()
    for before, old, new in changes:
        sightings.take(Transition(name, "metric", old, new, f"{new} value", NOW - timedelta(seconds=before)))
    return sightings


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ((), None),
        (((9, "unknown", "ok"),), None),
        (((300, "ok", "alert"),), 300),
        (((300, "ok", "elevated"), (200, "elevated", "alert")), 200),
        # An alert that came back within ten minutes is the same one.
        (((900, "ok", "alert"), (800, "alert", "ok"), (300, "ok", "alert")), 900),
        (((1500, "ok", "alert"), (1400, "alert", "ok"), (300, "ok", "alert")), 300),
        # One that is over is told for ten minutes more.
        (((900, "ok", "alert"), (500, "alert", "ok")), 900),
        (((900, "ok", "alert"), (700, "alert", "ok")), None),
        # Not measured is not well.
        (((3000, "ok", "alert"), (2000, "alert", "stale")), 3000),
        (((3000, "ok", "alert"), (2000, "alert", "stale"), (1900, "stale", "ok")), None),
    ],
)
def test_when_the_first_alert_was(changes: tuple[tuple[float, str, str], ...], first: float | None) -> None:
    found = _seen(*changes).alerts(NOW)
    assert [(NOW - seen.at).total_seconds() for seen in found] == ([] if first is None else [first])
    assert timedelta(minutes=10) == GAP


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        # The resolved incident's alert had ended; what stands now began later, or there is none.
        (((900, "ok", "alert"), (650, "alert", "ok"), (300, "ok", "alert")), 300),
        (((900, "ok", "alert"), (650, "alert", "ok")), None),
        (((900, "ok", "alert"), (650, "alert", "elevated"), (20, "elevated", "alert")), 20),
        # It was resolved while this stood: that is not over yet.
        (((900, "ok", "alert"), (100, "alert", "ok")), 900),
        (((900, "ok", "alert"),), 900),
        (((900, "ok", "alert"), (650, "alert", "stale"), (100, "stale", "alert")), 900),
    ],
)
def test_an_alert_that_ended_before_the_last_resolve_was_that_incidents(
    changes: tuple[tuple[float, str, str], ...], first: float | None
) -> None:
    found = _seen(*changes).alerts(NOW, settled_at=NOW - timedelta(seconds=600))
    assert [(NOW - seen.at).total_seconds() for seen in found] == ([] if first is None else [first])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (((90, "ok", "elevated"), (60, "elevated", "stale")), ["ok → elevated", "elevated → stale"]),
        (((90, "ok", "stale"),), ["ok → stale"]),
        (((90, "unknown", "stale"),), []),
        (((90, "unknown", "alert"), (60, "alert", "stale")), ["unknown → alert", "alert → stale"]),
        (((90, "ok", "alert"), (60, "alert", "ok")), []),
    ],
)
def test_what_is_no_longer_measured_keeps_how_it_came_to_that(
    changes: tuple[tuple[float, str, str], ...], told: list[str]
) -> None:
    assert [f"{change.before} → {change.after}" for change in _seen(*changes).ways()] == told


def test_the_way_from_well_to_bad_is_kept_with_its_own_times() -> None:
    seen = _seen(
        (900, "ok", "alert"), (800, "alert", "ok"), (40, "ok", "elevated"), (14, "elevated", "alert")
    )
    told = [(change.before, change.after, (NOW - change.at).total_seconds()) for change in seen.ways()]
    assert told == [("ok", "elevated", 40), ("elevated", "alert", 14)]
    assert _seen((40, "ok", "alert"), (20, "alert", "ok")).ways() == ()


def test_a_flapping_measure_keeps_the_first_step_and_the_newest() -> None:
    steps = [(1000 - n, ("elevated", "alert")[n % 2], ("alert", "elevated")[n % 2]) for n in range(100)]
    ways = _seen((1001, "ok", "elevated"), *steps).ways()
    assert len(ways) <= 22
    assert ways[0].before == "ok"


def test_the_first_of_an_issues_measures() -> None:
    sightings = _seen((300, "ok", "alert"))
    sightings.take(Transition("other", "metric", "ok", "alert", "", NOW - timedelta(seconds=900)))
    alerts = sightings.alerts(NOW)
    assert [seen.name for seen in alerts] == ["other", "errors"]
    first = first_of(alerts, {("metric", "errors")})
    assert first is not None
    assert first.name == "errors"
    assert first_of(alerts, {("probe", "errors")}) is None


async def _session(tmp_path: object, moment: Moment) -> tuple[Session, FrozenMonitor]:
    settings = Settings.load(
        {"HOME": str(tmp_path), "ISLA_ACTOR": "ana", "ISLA_STATE_DIR": f"{tmp_path}/state"}
    )
    states = [CALM]
    monitors = []

    def make(runbook: object) -> FrozenMonitor:
        monitors.append(FrozenMonitor(lambda now: snapshot(session.runbook, states[0], now)))
        return monitors[0]

    session = Session(settings, moment.clock, make_monitor=make)
    await session.load_runbook()
    await session.open_journal()
    session.open_monitor()
    monitors[0].turn = lambda: states.__setitem__(0, OUTAGE)  # type: ignore[attr-defined]
    return session, monitors[0]


async def test_a_declaration_tells_what_was_seen_before_it(tmp_path: object) -> None:
    """Green until 14 s before the alert; the alert 5 min before the declaration; nothing is told twice."""
    moment = Moment()
    session, monitor = await _session(tmp_path, moment)
    metric = session.runbook.metrics[0].id
    assert monitor.on_change is not None
    monitor.on_change(Transition(metric, "metric", "unknown", "ok", "", moment.at))
    moment.pass_by(seconds=14)
    alarm = moment.at
    monitor.turn()  # type: ignore[attr-defined]
    for index, (became, _) in enumerate(OUTAGE):
        if became in ("alert", "elevated"):
            id = session.runbook.metrics[index].id
            monitor.on_change(Transition(id, "metric", "ok", became, "1240 ms", alarm))
    failing = session.runbook.all_probes()[1].id
    monitor.on_change(Transition(failing, "probe", "ok", "alert", "timed out", alarm))
    await session.tick()
    moment.pass_by(minutes=5)
    monitor.on_change(Transition("vercel", "vendor", "ok", "degraded", "", moment.at))
    state = session.state(moment.at)
    assert state is not None
    first = first_alert(state, "redirect-down")
    assert first is not None
    assert first.at == alarm
    declared = Declaration("Redirects", "P1", "redirect-down", since=first.at)
    assert await declare(session, declared, state)
    await session.tick()
    incident = session.incident
    assert incident is not None
    told = [(change.before, change.after, change.at) for change in incident.changes if change.name == metric]
    assert told == [("ok", "alert", alarm)]
    assert min(incident.first_seen, key=lambda seen: seen.at).at <= alarm
    text = report(incident)
    title = session.runbook.metrics[0].title
    assert "unknown →" not in text
    assert f"{title}: ok → alert" in text
    assert metric not in text
    assert "after the first alert" in text
    assert fold(incident.timeline) is not None
    await session.close()
