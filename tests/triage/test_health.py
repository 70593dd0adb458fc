"""Green is earned: nothing is called well before all that is declared was measured and is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isla_console.monitor.link import LinkReading
from isla_console.monitor.metrics.metric import WAITING
from isla_console.monitor.monitor import Snapshot
from isla_console.monitor.sources.vendors import VendorReading
from isla_console.runbook.model import Runbook
from isla_console.session.state import ConsoleState
from isla_console.triage.blame import blame
from isla_console.triage.facts import gather
from isla_console.triage.health import Health, Level, health_of
from isla_console.triage.ranking import rank
from isla_console.ui.views.bar import bar_line
from isla_console.ui.views.home import home_rows
from isla_console.ui.views.panels import they_or_me, verdict
from tests.support.frozen import NOW, snapshot
from tests.triage.test_ranking import RUNBOOK

METRIC_STATES = ("ok", "elevated", "alert", "stale", "unknown", "blind")
PROBE_STATES = ("ok", "alert", "stale", "unknown", "blind")
VENDOR_STATES = ("ok", "degraded", "down", "stale", "unknown", "blind")
WELL = snapshot(RUNBOOK, [("ok", 1.0)] * len(RUNBOOK.metrics))
WELL = replace(
    WELL,
    vendors=tuple(VendorReading(one.id, one.title, "ok", "", None, NOW) for one in RUNBOOK.vendors),
)


def mostly(states: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Well in most cases, so that all of it is well in some."""
    return st.one_of(*[st.just("ok")] * 12, st.sampled_from(states))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Runbook, Snapshot]:
    """A runbook that declares some of the shipped one's, and a snapshot that lacks some of it."""
    declared = {
        name: tuple(one for one in getattr(RUNBOOK, name) if draw(st.integers(0, 3)))
        for name in ("metrics", "health_checks", "probes", "database_checks", "vendors")
    }
    runbook = RUNBOOK.model_copy(update=declared)
    known = {one.id for one in (*runbook.metrics, *runbook.all_probes(), *runbook.vendors)}

    def some(readings: tuple[Any, ...], states: tuple[str, ...]) -> tuple[Any, ...]:
        return tuple(
            replace(one, state=draw(mostly(states)), reason=draw(st.sampled_from(["", WAITING])))
            if hasattr(one, "reason")
            else replace(one, state=draw(mostly(states)))
            for one in readings
            if one.id in known and draw(st.integers(0, 20))
        )

    return runbook, replace(
        WELL,
        metrics=some(WELL.metrics, METRIC_STATES),
        probes=some(WELL.probes, PROBE_STATES),
        vendors=some(WELL.vendors, VENDOR_STATES),
        link=LinkReading(draw(mostly(("blind", "unknown"))), None, "", NOW),  # type: ignore[arg-type]
        faults=draw(st.sampled_from([(), (), (), ("SSL_CERT_FILE names /x, which cannot be read",)])),
    )


def shown(runbook: Runbook, live: Snapshot | None) -> ConsoleState:
    facts = gather(live, None)
    return ConsoleState(
        now=NOW,
        runbook=runbook,
        actor="ana",
        host="jump1",
        snapshot=live,
        facts=facts,
        triage=rank(runbook.issues, facts),
        health=health_of(runbook, live),
    )


def ids(parts: Any) -> set[str]:
    return {one.id for one in parts}


def all_ok(declared: Any, measured: Any) -> bool:
    """Whether each declared one was measured and is well; there has to be one."""
    states = {one.id: one.state for one in measured}
    return bool(declared) and all(states.get(one.id) == "ok" for one in declared)


@settings(max_examples=120, deadline=None)
@given(world=worlds())
def test_green_appears_only_if_all_that_is_declared_is_measured_and_well(
    world: tuple[Runbook, Snapshot],
) -> None:
    runbook, live = world
    state = shown(runbook, live)
    readings = {one.id: one.state for one in (*live.metrics, *live.vendors)}
    probes_ok = all_ok(runbook.all_probes(), live.probes)
    vendors_ok = all_ok(runbook.vendors, live.vendors)
    ours_ok = all(readings.get(one.id) == "ok" for one in runbook.metrics) and (
        probes_ok or not runbook.all_probes()
    )
    declared = [*runbook.metrics, *runbook.all_probes(), *runbook.vendors]
    well = (
        bool(declared)
        and ours_ok
        and (vendors_ok or not runbook.vendors)
        and live.link.state == "ok"
        and not live.faults
    )
    assert state.health.is_well == well
    assert ("all well" in bar_line(state, 140).plain) == well
    rows = home_rows(state, 140)
    assert (rows[0].content.plain[0] == "●") == well
    if not well:
        assert verdict(state).plain != "all green"
    panel = {line.plain.split()[0]: line for line in they_or_me(runbook, live, 60)}
    for name, fine in (("probes", probes_ok), ("vendors", vendors_ok)):
        if name in panel:
            assert ("●" in panel[name].plain) == fine, panel[name]
            assert ("$success" in str(panel[name].spans)) == fine
    sentence = blame(runbook, state.facts, state.triage, state.health).sentence
    if "vendors are green" in sentence or "vendors green," in sentence:
        assert vendors_ok
    if "endpoints answer" in sentence:
        assert ours_ok


def one_off(part: str, index: int, **change: Any) -> Snapshot:
    """All is well but for one thing."""
    found = list(getattr(WELL, part))
    found[index] = replace(found[index], **change)
    return replace(WELL, **{part: tuple(found)})


@pytest.mark.parametrize(
    ("live", "level", "words", "sentence"),
    [
        (WELL, "ok", "all well", "● 6 of 6 measures are within bounds, "),
        (
            one_off("probes", 0, state="alert", reason="500 instead of 200"),
            "alert",
            "1 probe fails",
            f"◆ 1 probe fails: {RUNBOOK.all_probes()[0].title} 500 instead of 200",
        ),
        (
            replace(one_off("metrics", 0, state="alert"), probes=one_off("probes", 0, state="alert").probes),
            "alert",
            "1 measure, 1 probe bad",
            "◆ 1 measure in alert, 1 probe fails: ",
        ),
        (one_off("metrics", 0, state="elevated"), "elevated", "Redirect Latency elevated", "▲ Elevated: "),
        (
            one_off("metrics", 1, state="unknown", value=None, reason="timed out after 2 s"),
            "unknown",
            "1 measure not known",
            "? 5 of 6 measures are within bounds, ",
        ),
        (one_off("metrics", 1, state="stale"), "unknown", "1 measure not known", "? 5 of 6 measures"),
        (
            one_off("vendors", 0, state="degraded", text="Builds"),
            "elevated",
            "Vercel reports trouble",
            "▲ Vercel reports trouble.",
        ),
        (
            one_off("vendors", 0, state="unknown", text="it cannot be read"),
            "unknown",
            "1 vendor not known",
            "? 6 of 6 measures are within bounds, ",
        ),
        (replace(WELL, vendors=()), "unknown", "3 vendors not known", "? 6 of 6 measures"),
        (
            replace(WELL, faults=("SSL_CERT_FILE names /x, which cannot be read",)),
            "fault",
            "a fault of our own",
            "! 6 of 6 measures",
        ),
        (
            replace(WELL, link=LinkReading("blind", None, "x", NOW)),
            "blind",
            "our own link is down",
            "○ Blind",
        ),
        (
            replace(WELL, link=LinkReading("unknown", None, "x", NOW)),
            "unknown",
            "own link not known",
            "? 6 of",
        ),
        (None, "starting", "starting", "… Starting: the first samples are on their way."),
    ],
)
def test_each_lack_has_its_word(live: Snapshot | None, level: Level, words: str, sentence: str) -> None:
    state = shown(RUNBOOK, live)
    assert (state.health.level, state.health.words()) == (level, words)
    assert home_rows(state, 200)[0].content.plain.startswith(sentence)
    assert words in bar_line(state, 140).plain


def unmeasured(**change: Any) -> Snapshot:
    """Nothing was measured, by this reason."""
    return replace(
        WELL,
        metrics=tuple(replace(one, state="unknown", value=None, **change) for one in WELL.metrics),
        probes=tuple(replace(one, state="unknown", sample=None, **change) for one in WELL.probes),
        vendors=tuple(
            replace(one, state="unknown", text=change["reason"], unset=change.get("unset", False))
            for one in WELL.vendors
        ),
    )


def test_before_the_first_sample_it_is_starting_not_unconfigured() -> None:
    state = shown(RUNBOOK, unmeasured(reason=WAITING))
    state = replace(state, missing={"STRIPE_API_KEY": "the key"})
    assert home_rows(state, 140)[0].content.plain == "… Starting: the first samples are on their way."
    partly = one_off("metrics", 5, state="unknown", value=None, unset=True, reason="set STRIPE_API_KEY")
    assert shown(RUNBOOK, partly).health.level == "unknown"


def test_without_any_setting_it_says_what_to_do() -> None:
    state = shown(RUNBOOK, unmeasured(reason="set ISLA_APP_URL", unset=True))
    assert "Nothing is configured yet" in home_rows(state, 140)[0].content.plain


def test_our_own_fault_is_said_once() -> None:
    fault = "SSL_CERT_FILE names /x, which cannot be read"
    live = replace(unmeasured(reason=fault), faults=(fault,))
    state = shown(RUNBOOK, live)
    said = [row.content.plain for row in home_rows(state, 240)]
    assert sum(line.startswith("! Our own fault") for line in said) == 1
    assert state.triage.first is None, "nothing is blamed"
    assert not state.facts.alerts


def test_how_long_it_has_failed() -> None:
    live = one_off("probes", 0, state="alert", reason="500", since=NOW - timedelta(minutes=7))
    assert "500, for 7 min." in home_rows(shown(RUNBOOK, live), 140)[0].content.plain


def test_what_is_not_asked_is_no_part_of_the_soak() -> None:
    live = one_off("metrics", 5, state="unknown", value=None, unset=True, reason="set STRIPE_API_KEY")
    found = health_of(RUNBOOK, live).live_states()
    assert RUNBOOK.metrics[5].id not in found
    assert set(found.values()) == {"ok"}
    assert f"probe {RUNBOOK.all_probes()[0].id}" in found


def test_nothing_declared_is_not_green() -> None:
    assert not Health(link="ok").is_well
