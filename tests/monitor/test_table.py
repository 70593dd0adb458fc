"""What is measured for a runbook and a configuration, and what is said about the rest."""

from __future__ import annotations

from typing import Any, get_args

from isla_console.database.session import SessionReading
from isla_console.monitor.link import LinkReading
from isla_console.monitor.sources.probe import HttpProbe
from isla_console.monitor.table import METRIC_SOURCES
from isla_console.runbook.watch import MetricKind
from tests.support.servers import START
from tests.support.sources import a_context, all_sources, shipped

LINK = LinkReading("ok", 1.0, "", START)


def build(environ: dict[str, str], **parts: Any) -> Any:
    """Everything that is watched, as its own class each."""
    return all_sources(a_context(environ, **parts), **parts)


EVERYTHING = {
    "ISLA_APP_URL": "https://app.example/",
    "ISLA_REDIRECT_URL": "https://example",
    "ISLA_SUPABASE_URL": "https://ref.example",
    "ISLA_DATABASE_URL": "postgresql://a:b@db/x",
    "ISLA_LINK_CHECK": "127.0.0.1:53,127.0.0.1:54",
    "SUPABASE_ANON_KEY": "sb_publishable_x",
    "SUPABASE_PROJECT_REF": "abcdefghijklmnopqrst",
    "SUPABASE_ACCESS_TOKEN": "sbp_x",
    "STRIPE_API_KEY": "rk_live_x",
    "VERCEL_PROJECT_ID": "prj_1",
    "VERCEL_TOKEN": "vcp_secret",
}


def test_with_nothing_set_each_says_which_variable() -> None:
    found = build({})
    assert not [source.id for source in found if source.is_asked]
    assert all(probe.check is None for probe in found.probes if isinstance(probe, HttpProbe))
    unknown = {source.id.removeprefix("metric:"): source.unset for source in (*found.probes, *found.metrics)}
    assert unknown["app-health"] == "set ISLA_APP_URL"
    assert unknown["redirect-link"] == "set ISLA_REDIRECT_URL"
    assert unknown["redirect-latency"] == "set ISLA_REDIRECT_URL"
    assert unknown["error-rate"] == "set ISLA_APP_URL; set ISLA_REDIRECT_URL; set ISLA_SUPABASE_URL"
    assert unknown["db-connections"] == "set ISLA_DATABASE_URL"
    assert unknown["scheduled-jobs"] == "set ISLA_DATABASE_URL"
    assert unknown["payment-success"] == "set STRIPE_API_KEY"
    assert found.ping is None
    assert found.probes[0].reading(START).needs == ("ISLA_APP_URL",)
    snapshot = found.snapshot(START, LINK, SessionReading("unknown", ""), blind=True)
    assert {reading.state for reading in (*snapshot.probes, *snapshot.metrics)} == {"unknown"}


def test_with_everything_set_all_is_measured() -> None:
    found = build(EVERYTHING)
    assert not [source.id for source in found if source.unset]
    requests = [probe for probe in found.probes if isinstance(probe, HttpProbe)]
    urls = {probe.id: probe.check.url.reveal() for probe in requests if probe.check}
    assert len(urls) == len(requests) == len(found.probes) - len(shipped()["database_checks"])
    assert urls["app-health"] == "https://app.example/api/health"
    assert urls["redirect-link"] == "https://example/test-slug"
    assert all(probe.check.timeout_s < probe.every_s for probe in requests if probe.check)
    gateway = next(probe for probe in found.probes if probe.id == "database-gateway")
    assert gateway.check is not None
    assert gateway.check.expect_status == (200, 401)


def test_a_file_that_cannot_be_read_is_named() -> None:
    found = build({"ISLA_DATABASE_URL_FILE": "/nowhere"})
    reason = "ISLA_DATABASE_URL_FILE: /nowhere: no such file"
    assert reason in {metric.unset for metric in found.metrics}
    assert found.probes[-1].unset == reason


def test_values_are_encoded_for_where_they_stand() -> None:
    probe = {
        "id": "slug",
        "title": "One redirect",
        "url": "${REDIRECT_URL}/${TEST_SLUG}?k=${SUPABASE_ANON_KEY}",
        "headers": {"apikey": "Bearer ${SUPABASE_ANON_KEY}", "X-Org": "${VERCEL_ORG_ID}"},
        "every_s": 2,
        "timeout_s": 30,
    }
    environ = EVERYTHING | {"ISLA_TEST_SLUG": "a/../b?c#d", "SUPABASE_ANON_KEY": "key +1"}
    inputs = shipped()["inputs"] | {
        "VERCEL_ORG_ID": shipped()["inputs"]["VERCEL_ORG_ID"] | {"optional": True}
    }
    found = build(environ, health_checks=[probe], inputs=inputs)
    check = found.probes[0].check
    assert check is not None
    assert check.url.reveal() == "https://example/a%2F..%2Fb%3Fc%23d?k=key%20%2B1"
    assert [(name, value.reveal()) for name, value in check.headers] == [("apikey", "Bearer key +1")]
    assert "key +1" in [secret.reveal() for secret in check.hidden]
    assert check.timeout_s == 1.8
    assert "key" not in repr(check.headers).replace("apikey", "")


def metric(**source: Any) -> dict[str, Any]:
    return {
        "id": "queue",
        "title": "Queue",
        "short": "Queue",
        "better": "lower",
        "normal": "< 5",
        "alert": "> 9",
        "every_s": 10,
        "source": {"aggregate": "last", "window_s": 60} | source,
    }


def test_a_team_can_rebind_a_metric() -> None:
    metrics = [
        metric(
            kind="http_json", url="${APP_URL}/queue", select="depth", headers={"X-Key": "${STRIPE_API_KEY}"}
        ),
        metric(kind="prometheus", url="${APP_URL}/", query='rate(x{a="b"}[5m])') | {"id": "prom"},
    ]
    without = {name: value for name, value in EVERYTHING.items() if name != "STRIPE_API_KEY"}
    (first, second) = build(without, metrics=metrics).metrics
    assert (first.request, first.unset) == (None, "set STRIPE_API_KEY")
    assert second.request is not None
    address = "https://app.example/api/v1/query?query=rate%28x%7Ba%3D%22b%22%7D%5B5m%5D%29"
    assert second.request.url.reveal() == address


def test_payments_say_which_mode_the_key_is_of() -> None:
    for key, shown in (
        ("rk_live_x", "stripe LIVE · 1 h"),
        ("sk_test_x", "stripe TEST · 1 h"),
        ("x", "stripe · 1 h"),
    ):
        found = build(EVERYTHING | {"STRIPE_API_KEY": key})
        assert found.metrics[-1].reading(START).source == shown
        assert found.payments.reading(START).mode == shown.split(" ")[1].replace("·", "")
        assert a_context({"STRIPE_API_KEY": key}).stripe._url == "https://api.stripe.com"


def test_where_nothing_is_configured_not_even_a_status_page_is_asked() -> None:
    found = build({})
    assert {one.unset for one in found.vendors} == {"nothing is configured yet"}
    assert not [one for one in found.vendors if one.is_asked]


def test_status_pages_need_no_setting_of_their_own() -> None:
    found = build(EVERYTHING | {"ISLA_STRIPE_STATUS_URL": "http://127.0.0.1:9/"})
    assert {one.id.removeprefix("vendor:"): one.check.url.reveal() for one in found.vendors} == {
        "vercel": "https://www.vercel-status.com/api/v2/summary.json",
        "supabase": "https://status.supabase.com/api/v2/summary.json",
        "stripe": "http://127.0.0.1:9/current",
    }


def test_the_connection_is_kept_open_where_no_metric_does() -> None:
    environ = {"ISLA_DATABASE_URL": "postgresql://a:b@db/x"}
    assert build(environ).ping is None
    alone = build(environ, metrics=[metric(kind="http_json", url="${APP_URL}", select="a")])
    assert [source.id for source in alone if source.is_asked][-4] == "database:ping"


def test_every_kind_of_metric_source_has_a_class() -> None:
    assert list(METRIC_SOURCES) == list(get_args(MetricKind))
