"""Which issue is it, and is it us: what the screen says before anyone has typed anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from isla_console.monitor.monitor import Transition
from isla_console.monitor.stripe.drift import Drift
from isla_console.monitor.stripe.payments import Details
from isla_console.ui.shell import Shell
from tests.support.frozen import BLIND, CALM, NOW, OUTAGE
from tests.support.outside import deployments, outside_app, payments, vendors
from tests.support.pilot import settle
from tests.ui.test_command import kinds, press, screen_text

Compare = Callable[..., bool]
DOWN = vendors(vercel=("down", "Edge Functions: major outage"))


@asynccontextmanager
async def console(
    home: Path, states: Any = OUTAGE, size: tuple[int, int] = (140, 40), **parts: Any
) -> AsyncIterator[tuple[Pilot[int], Shell]]:
    app = outside_app(home, states, **parts)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot, app


def words(app: Shell) -> str:
    """The screen with line ends and frames taken out, so that wrapped sentences can be found."""
    lines = (line.replace("│", " ") for line in screen_text(app).splitlines())
    return " ".join(" ".join(lines).split())


def page(app: Shell) -> str:
    """The rows of the page alone, unwrapped."""
    from isla_console.ui.widgets.rows import RowList

    return " ".join(" ".join(row.content.plain for row in app.main.query_one("#page", RowList)._rows).split())


async def test_the_likeliest_its_reasons_and_whose_it_is(tmp_path: Path) -> None:
    async with console(tmp_path) as (_, app):
        said = page(app)
        assert (
            "Most likely 1 Redirect Service Down (11), because redirects are slow: 1240 ms (> 200 ms)" in said
        )
        assert "a deployment went live: dpl_8xK2 4 min before" in said
        assert "Only we see it: vendors green, Redirect p95 1240 ms (> 200 ms)" in said
        assert "d declare an incident? (P1 · 1 Redirect Service Down)" in said
        assert "1 Redirect ◆ 1st" in words(app)


async def test_healthy_nothing_is_suggested(tmp_path: Path) -> None:
    async with console(tmp_path, CALM) as (pilot, app):
        assert "Most likely" not in page(app)
        assert "declare an incident?" not in page(app)
        assert "No alert of ours, but not all is known (1 measure not known), vendors are green." in page(app)
        assert "1st" not in words(app)
        await press(pilot, "j")
        assert app.main.page == "home"


async def test_blind_nothing_is_ranked(tmp_path: Path) -> None:
    async with console(tmp_path, BLIND) as (pilot, app):
        assert "Most likely" not in page(app)
        assert "Only our own link is down: nothing is known of the platform." in page(app)
        await press(pilot, "j")
        assert app.main.page == "home"


async def test_one_alert_alone_names_the_issue_but_offers_no_incident(tmp_path: Path) -> None:
    one = (CALM[0], ("alert", 700), *CALM[2:])
    async with console(tmp_path, one) as (_, app):
        assert "Most likely 5 High Memory/CPU Usage" in page(app)
        assert "declare an incident?" not in page(app)


async def test_a_vendors_outage_moves_the_sentence_to_they(tmp_path: Path) -> None:
    async with console(tmp_path, vendors=DOWN) as (_, app):
        assert "They: Vercel reports trouble since 14:03Z (Edge Functions: major outage)" in page(app)
        assert "vendors ◆ Vercel" in words(app)
        assert "◆ Vercel down since 14:03Z" in page(app)


async def test_declaring_begins_with_what_is_proposed(tmp_path: Path) -> None:
    async with console(tmp_path) as (pilot, app):
        await press(pilot, "d")
        assert "Proposed P1" in screen_text(app)
        await press(pilot, "f2", "f2")
        incident = app.program.session.incident
        assert incident is not None
        assert (incident.issue, incident.severity) == ("redirect-down", "P1")
        assert "decided" not in kinds(app)
        assert app.main.page == "issue:redirect-down"


async def test_declaring_another_issue_than_proposed_is_journalled(tmp_path: Path) -> None:
    async with console(tmp_path) as (pilot, app):
        await press(pilot, "3", "d", "f2", "f2")
        incident = app.program.session.incident
        assert incident is not None
        assert incident.issue == "auth-failing"
        (decided,) = [event for event in incident.timeline if event.kind == "decided"]
        assert decided.data["text"].startswith(
            "this is 3 Authentication Failures, not 1 Redirect Service Down as proposed (redirects are slow"
        )


async def test_a_persons_choice_wins_and_is_journalled(tmp_path: Path) -> None:
    async with console(tmp_path) as (pilot, app):
        await press(pilot, "d", "f2", "f2", "2", "J")
        incident = app.program.session.incident
        assert incident is not None
        assert incident.issue == "db-connections"
        assert "decided: this is 2 Database Connection Issues, not 1 Redirect" in words(app) or (
            incident.notes[-1].text.startswith("this is 2 Database Connection Issues, not 1 Redirect")
        )
        assert "2 Database ◆ this" in words(app)
        assert "1 Redirect ◆ 1st" in words(app)
        before = len(incident.timeline)
        await press(pilot, "J")
        assert app.program.session.incident is not None
        assert len(app.program.session.incident.timeline) == before, "choosing it again changes nothing"


async def test_j_opens_the_likeliest_and_the_page_says_why(tmp_path: Path) -> None:
    async with console(tmp_path) as (pilot, app):
        await press(pilot, "j")
        assert app.main.page == "issue:redirect-down"
        assert page(app).startswith("1st because redirects are slow: 1240 ms (> 200 ms);")


async def test_the_next_check_is_one_enter_away(tmp_path: Path) -> None:
    async with console(tmp_path) as (pilot, app):
        await press(pilot, "down", "down", "enter")
        assert app.main.page == "issue:redirect-down"
        assert app.main.key == "symptom:redirect-down/redirect-reports"


async def test_a_vendors_change_is_journalled_in_an_incident(tmp_path: Path) -> None:
    async with console(tmp_path) as (pilot, app):
        await press(pilot, "d", "f2", "f2")
        app.program.session.measures.take(Transition("vercel", "vendor", "ok", "down", "Edge Functions", NOW))
        await app.program.tick()
        await press(pilot, "t")
        assert "vendor_changed" in kinds(app)
        assert "Vercel" in page(app)


async def test_the_deployments_page_names_the_suspect(tmp_path: Path) -> None:
    async with console(tmp_path) as (pilot, app):
        await press(pilot, "D")
        said = page(app)
        assert "dpl_8xK2 went live 4 min before Redirect p95 alert." in said
        assert "● dpl_8xK2 14:05Z 7m ready 9f31c0a ana cache: inl" in said
        assert "dpl_7eR1 never error" in said
        await press(pilot, "enter")
        assert "dpl_8xK2qWvTn4RzYb" in screen_text(app)


async def test_measures_share_the_deployments_time_line(tmp_path: Path) -> None:
    """What rose begins to be drawn high under the alert's mark, right of the deployment's."""
    from isla_console.ui.views.deployments import deployment_rows

    async with console(tmp_path) as (_, app):
        lines = [row.content.plain for row in deployment_rows(app.program.console.state, 80)]
    [mark] = [line.index("▾") for line in lines if "▾" in line]
    [began] = [line.index("◆") for line in lines if "◆" in line]
    [course] = [line for line in lines if line.startswith(" Redirect p95")]
    assert mark < began
    assert abs(course.index("█") - began) <= 1
    assert set(course[course.index("█") :].strip()) == {"█"}
    # Half an hour was measured; the time before is left blank, not drawn as zero.
    assert course[16 : 16 + 30].isspace()
    assert [line.split("  ")[0].strip() for line in lines if set(line) & set("▁▂▃▄▅▆▇█")] == [
        "Redirect p95",
        "Error rate",
        "DB connections",
    ]


SECTION = "the key lacks the permission rak_event_read (403)"
BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "deployments 401": ("D", {"deployments": deployments(reason="401, it does not accept our token")}),
    "deployments 403": ("D", {"deployments": deployments(reason="403, the token may not read this")}),
    "deployments clock": (
        "D",
        {"deployments": deployments(clock="our clock is 5 min behind Vercel's: times are corrected")},
    ),
    "deployments empty": ("D", {"deployments": deployments(rows=(), reason="set VERCEL_TOKEN")}),
    "payments 401": (
        "P",
        {"payments": payments(state="unknown", at=None, reason="Stripe refuses the key (401): look at it")},
    ),
    "payments 429": ("P", {"payments": payments(reason="Stripe limits us (429): again in 7 s")}),
    "payments 500": ("P", {"payments": payments(reason="Stripe is in trouble itself (500)")}),
    "payments HTML": ("P", {"payments": payments(reason="what answers as Stripe sends no JSON")}),
    "payments slow": ("P", {"payments": payments(reason="Stripe did not answer within 10 s")}),
    "payments clock": (
        "P",
        {"payments": payments(details=Details(clock="our clock is 5 min ahead of Stripe's"))},
    ),
    "payments restricted": ("P", {"payments": payments(details=Details(problems={"undelivered": SECTION}))}),
    "vendor shape": ("h", {"vendors": vendors(stripe=("unknown", "its status page has changed its shape"))}),
    "vendor HTML": ("h", {"vendors": vendors(vercel=("unknown", "answered with a web page, not with data"))}),
}


def _sentence(parts: dict[str, Any]) -> str:
    (part,) = parts.values()
    if isinstance(part, tuple):
        return next(str(one.text) for one in part if one.text)
    details = getattr(part, "details", Details())
    said = part.reason or getattr(part, "clock", "") or details.clock
    return str(said or next(iter(details.problems.values())))


@pytest.mark.parametrize("case", BAD)
async def test_each_bad_answer_stands_on_the_screen(tmp_path: Path, case: str) -> None:
    key, parts = BAD[case]
    async with console(tmp_path, CALM, size=(140, 60), **parts) as (pilot, app):
        await press(pilot, key)
        assert _sentence(parts) in page(app)


async def test_an_empty_account_says_so(tmp_path: Path) -> None:
    async with console(tmp_path, CALM, size=(140, 60), payments=payments(details=Details())) as (pilot, app):
        await press(pilot, "P")
        assert "Failed payments, the newest none" in page(app)
        assert "none: no event can arrive" in page(app)


async def test_live_or_test_is_always_shown(tmp_path: Path) -> None:
    for mode in ("LIVE", "TEST"):
        async with console(tmp_path / mode, CALM, payments=payments(mode=mode)) as (pilot, app):
            assert f"P Payments {mode}" in words(app)
            await press(pilot, "P")
            assert f"{mode} Stripe" in page(app)


async def test_drift_is_counted_and_cut(tmp_path: Path) -> None:
    async with console(tmp_path, CALM, size=(140, 60)) as (pilot, app):
        await press(pilot, "P")
        assert "compare now" in page(app)
        app.program.session.drift = Drift(NOW, 5000, (("sub_1", "active", "past_due"),), complete=False)
        app.program.console.refresh_state()
        await settle(pilot)
        assert "1 of 5,000 differ · the newest 5,000 of more · 14:12Z" in page(app)
        assert "sub_1 database active, Stripe past_due" in page(app)
        app.program.session.drift = Drift(NOW, 0)
        app.program.console.refresh_state()
        await settle(pilot)
        assert "Stripe has no subscription, and neither has the database" in page(app)


async def test_an_undelivered_event_leads_to_the_guarded_step(tmp_path: Path) -> None:
    async with console(tmp_path, CALM, size=(140, 60)) as (pilot, app):
        await press(pilot, "P")
        app.program.open_row("undelivered:evt_1")
        await settle(pilot)
        assert (app.main.page, app.main.key) == ("issue:payments", "step:payments-resend")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("vendor:vercel", "Status pages lag"),
        ("payment:ch_2", "Stripe's own rules"),
        ("endpoint:we_1", "https://app.isla.link/api/webhooks/stripe"),
        ("subscription:sub_1", "does not have it"),
    ],
)
async def test_each_row_can_be_read_in_full(tmp_path: Path, row: str, said: str) -> None:
    async with console(tmp_path, CALM) as (pilot, app):
        app.program.session.drift = Drift(NOW, 3, only_stripe=(("sub_1", "active"),))
        app.program.open_row(row)
        await settle(pilot)
        assert said in screen_text(app)


async def test_without_a_poller_of_its_own_a_comparison_says_what_to_set(tmp_path: Path) -> None:
    async with console(tmp_path, CALM, size=(140, 60)) as (pilot, app):
        await press(pilot, "P")
        poller: Any = app.program.session.monitor
        poller.stripe = poller.database = None
        app.program.open_row("drift:now")
        await settle(pilot)
        assert "set STRIPE_API_KEY and ISLA_DATABASE_URL to compare" in page(app)


def test_a_tie_is_said_to_be_one(tmp_path: Path) -> None:
    from isla_console.resources import resource
    from isla_console.runbook.load import load_runbook
    from isla_console.session.state import ConsoleState
    from isla_console.triage.facts import Facts, Known
    from isla_console.triage.ranking import rank
    from isla_console.ui.views.triage import mark, triage_rows

    runbook = load_runbook(resource("runbook.yaml")).runbook
    facts = Facts(
        metrics={"api-latency": Known("alert", "700 ms (> 500 ms)", NOW - timedelta(minutes=1))},
        probes={"auth-service": Known("alert", "500 instead of 200", NOW - timedelta(minutes=1))},
    )
    state = ConsoleState(NOW, runbook, "ana", "jump1", facts=facts, triage=rank(runbook.issues, facts))
    text = " ".join(" ".join(row.content.plain for row in triage_rows(state, 100)).split())
    assert "A tie: 3 Authentication Failures and 5 High Memory/CPU Usage (5 each)." in text
    assert mark(runbook.issue("high-cpu"), state).plain == "◆ tie"
    assert mark(runbook.issue("payments"), replace(state)).plain == ""


WIDE, SMALL = (140, 40), (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, SMALL], ids=["140x40", "80x24"])


def pressing(*keys: str) -> Callable[[Pilot[int]], Any]:
    async def run(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await press(pilot, *keys)

    return run


@SIZES
def test_picture_overview(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    app = outside_app(tmp_path, OUTAGE, vendors=vendors(stripe=("degraded", "api: degraded")))
    assert snap_compare(app, terminal_size=size, run_before=pressing())


@SIZES
def test_picture_deployments(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(outside_app(tmp_path, OUTAGE), terminal_size=size, run_before=pressing("D"))


@SIZES
def test_picture_payments(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(outside_app(tmp_path, OUTAGE), terminal_size=size, run_before=pressing("P"))
