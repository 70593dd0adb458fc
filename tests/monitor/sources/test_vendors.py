"""Status pages: read tolerantly, never green without having been read, each refusal with its sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.drill.platform.services.status_pages import status_service
from isla_console.drill.scenario.faults import Faults, VendorTrouble
from isla_console.monitor.http.answers import NoAnswer, Polite
from isla_console.monitor.http.prober import HttpProber
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.vendors import StatusPage, VendorStatus, read
from isla_console.net.lookup import Resolver
from isla_console.runbook.model import Vendor
from tests.support.asgi import served
from tests.support.servers import check, utcnow
from tests.support.sources import a_context

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def page(indicator: object, **more: Any) -> dict[str, Any]:
    return {"status": {"indicator": indicator, "description": "d"}, **more}


def test_the_indicators() -> None:
    states = {word: read(page(word), "statuspage").state for word in ("none", "minor", "major", "critical")}
    assert states == {"none": "ok", "minor": "degraded", "major": "down", "critical": "down"}


def test_what_is_in_trouble_and_since_when() -> None:
    found = read(
        page(
            "major",
            components=[
                {"name": "Edge Functions", "status": "major_outage", "updated_at": "2026-11-23T13:59:00Z"},
                {"name": "Group", "status": "major_outage", "group": True},
                {"name": "Builds", "status": "operational"},
                {"name": "Logs", "status": "degraded_performance"},
                {"name": "Domains", "status": "partial_outage"},
            ],
            incidents=[
                {"name": "old", "status": "resolved", "created_at": "2026-11-22T00:00:00Z"},
                {"name": "new", "status": "investigating", "created_at": "2026-11-23T13:55:00.000Z"},
            ],
        ),
        "statuspage",
    )
    text = "Edge Functions: major outage, Logs: degraded performance and 1 more"
    assert found == VendorStatus("down", text, datetime(2026, 11, 23, 13, 55, tzinfo=UTC))


def test_stripes_own_shape() -> None:
    assert read({"largestatus": "up", "statuses": {"api": "up"}}, "stripe").state == "ok"
    found = read({"largestatus": "down", "statuses": {"api": "down", "dashboard": "up"}}, "stripe")
    assert (found.state, found.text) == ("down", "api: down")
    assert read({"statuses": {"api": "degraded", "checkoutjs": "up"}}, "stripe").state == "degraded"


OPEN = {"name": "Elevated errors", "status": "identified", "impact": "critical"}
PARTS = [
    {"name": "Edge Functions", "status": "major_outage"},
    {"name": "Builds", "status": "operational"},
    {"name": "Logs", "status": "operational"},
]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (page("none", incidents=[OPEN]), "Elevated errors"),
        (page("none", components=PARTS), "1 of 3 parts, Edge Functions: major outage"),
        (
            page("none", components=PARTS, incidents=[OPEN]),
            "Elevated errors; 1 of 3 parts, Edge Functions: major outage",
        ),
        (page("none", components=PARTS[:1]), "Edge Functions: major outage"),
        (page("none", components=[{"name": "A", "status": "a_new_word"}]), "A: a new word"),
        ({"largestatus": "up", "statuses": {"api": "down", "dashboard": "up"}}, "1 of 2 parts, api: down"),
        ({"largestatus": "up", "statuses": {"api": "degraded"}}, "api: degraded"),
    ],
)
def test_the_pages_one_word_is_not_believed_alone(answer: dict[str, Any], text: str) -> None:
    found = read(answer, "statuspage")
    assert (found.state, found.text) == ("degraded", text)


@pytest.mark.parametrize(
    "answer",
    [
        page("none", incidents=[OPEN | {"status": "resolved"}]),
        page("none", incidents=[OPEN | {"status": "postmortem"}], components=PARTS[1:]),
        page("none", components=[{"name": "all", "status": "major_outage", "group": True}, *PARTS[1:]]),
        {"largestatus": "up", "statuses": {"api": "up"}},
    ],
)
def test_what_is_over_or_only_a_group_is_no_trouble(answer: dict[str, Any]) -> None:
    assert read(answer, "statuspage") == VendorStatus("ok")


def test_a_page_that_took_the_other_shape_is_still_read() -> None:
    assert read(page("minor"), "stripe").state == "degraded"
    assert read({"largestatus": "up"}, "statuspage").state == "ok"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({}, "its status page has changed its shape"),
        ([], "its status page has changed its shape"),
        ({"status": "ok"}, "its status page has changed its shape"),
        (page(None), "its status page has changed its shape"),
        (page("splendid"), "its status page says splendid, which is not known"),
        ({"largestatus": "wobbly"}, "its status page says wobbly, which is not known"),
        # What would name the trouble has another shape: the one word alone is not believed.
        (page("none", components={"a": PARTS[0]}), "its status page has changed its shape"),
        (page("none", components=[PARTS[1], "Logs"]), "its status page has changed its shape"),
        (page("none", components=[{"name": "Logs", "status": {"is": "out"}}]), "its status page has changed"),
        (page("none", components=[{"name": "Logs"}]), "its status page has changed its shape"),
        (page("none", incidents="one"), "its status page has changed its shape"),
        (page("none", incidents=[7]), "its status page has changed its shape"),
        ({"largestatus": "up", "statuses": ["api"]}, "its status page has changed its shape"),
        ({"largestatus": "up", "statuses": {"api": {"is": "down"}}}, "its status page has changed its shape"),
    ],
)
def test_what_is_not_known_is_never_green(answer: object, sentence: str) -> None:
    with pytest.raises(NoAnswer, match=sentence):
        read(answer, "statuspage")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["status", "indicator", "components", "incidents", "largestatus", "statuses", "name"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(answer=JSON, format=st.sampled_from(["statuspage", "stripe"]))
def test_any_json_is_read_or_refused(answer: Any, format: str) -> None:
    try:
        found = read(answer, format)
    except NoAnswer:
        return
    assert found.state in {"ok", "degraded", "down"}


def page_of_vercel(environ: dict[str, str] | None = None) -> StatusPage:
    context = a_context({"ISLA_DATABASE_URL": "postgresql://a:b@db/x"} if environ is None else environ)
    return StatusPage(Vendor(id="v", title="Vercel", url="https://status.example/"), context)


def sample(detail: object = None, *, at: datetime = NOW, reason: str = "") -> Sample:
    return Sample("vendor:v", at, detail is not None, reason, detail=detail)


def test_an_unreadable_page_is_unknown_at_once_and_says_why() -> None:
    tracker = page_of_vercel()
    assert tracker.reading(NOW).text == "waiting for the first sample"
    tracker.observe(sample(VendorStatus("ok")))
    assert tracker.reading(NOW).state == "ok"
    tracker.observe(sample(reason="answered with a web page, not with data", at=NOW + timedelta(minutes=1)))
    found = tracker.reading(NOW + timedelta(minutes=1))
    assert (found.state, found.text) == ("unknown", "answered with a web page, not with data")
    assert not found.known


def test_since_stale_and_blind() -> None:
    tracker = page_of_vercel()
    tracker.observe(sample(VendorStatus("ok")))
    tracker.observe(sample(VendorStatus("ok"), at=NOW + timedelta(minutes=1)))
    assert tracker.reading(NOW).since == NOW
    assert tracker.reading(NOW, blind=True).state == "blind"
    late = tracker.reading(NOW + timedelta(minutes=5))
    assert (late.state, late.text) == ("stale", "not read since 14:01Z")


async def test_the_drills_pages_are_read_in_each_of_their_states(prober: HttpProber) -> None:
    faults = Faults()
    async with served(status_service(faults)) as url:
        for vendor, path, format in (
            ("vercel", "/vercel/api/v2/summary.json", "statuspage"),
            ("supabase", "/supabase/api/v2/summary.json", "statuspage"),
            ("stripe", "/stripe/current", "stripe"),
        ):
            polite = Polite(HttpProber(Resolver(), utcnow), lambda: 0.0)
            for state in (None, "degraded", "down"):
                faults.replace([VendorTrouble(vendor=vendor, state=state)] if state else [])  # type: ignore[arg-type]
                _, answer = await polite.ask(check(url + path), utcnow())
                assert read(answer, format).state == (state or "ok")
            faults.replace([VendorTrouble(vendor=vendor, state="unreadable")])  # type: ignore[arg-type]
            found, answer = await polite.ask(check(url + path), utcnow())
            assert (answer, found.reason) == (None, "answered with a web page, not with data")


def test_where_nothing_is_configured_it_is_not_asked() -> None:
    page = page_of_vercel({})
    assert not page.is_asked
    found = page.reading(NOW, blind=True)
    assert (found.state, found.text) == ("unknown", "nothing is configured yet")
