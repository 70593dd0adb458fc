"""What is measured for a runbook and a configuration, and what is said about the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from isla_console.monitor.plan import Plan, plan
from isla_console.resources import resource
from isla_console.runbook.model import Runbook
from isla_console.settings import Settings


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The shipped runbook as plain data, to be changed by a test."""
    found: dict[str, Any] = yaml.load(resource("runbook.yaml").read_text(), yaml.CSafeLoader)
    return found


def build(document: dict[str, Any], home: Path, environ: dict[str, str], **parts: Any) -> Plan:
    runbook = Runbook.model_validate(document | parts)
    return plan(runbook, Settings.load({"HOME": str(home)} | environ))


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


def test_with_nothing_set_each_says_which_variable(document: dict[str, Any], tmp_path: Path) -> None:
    found = build(document, tmp_path, {})
    assert all(probe.check is None for probe in found.probes)
    unknown = {probe.id: probe.unknown for probe in found.probes}
    unknown |= {metric.rule.id: metric.unknown for metric in found.metrics}
    assert unknown["app-health"] == "set ISLA_APP_URL"
    assert unknown["redirect-link"] == "set ISLA_REDIRECT_URL"
    assert unknown["redirect-latency"] == "set ISLA_REDIRECT_URL"
    assert unknown["error-rate"] == "set ISLA_APP_URL; set ISLA_REDIRECT_URL; set ISLA_SUPABASE_URL"
    assert unknown["db-connections"] == "set ISLA_DATABASE_URL"
    assert unknown["scheduled-jobs"] == "set ISLA_DATABASE_URL"
    assert unknown["payment-success"] == "set STRIPE_API_KEY"
    assert found.database is None
    assert found.probes[0].needs == ("ISLA_APP_URL",)


def test_with_everything_set_all_is_measured(document: dict[str, Any], tmp_path: Path) -> None:
    found = build(document, tmp_path, EVERYTHING)
    assert not [probe.id for probe in found.probes if probe.check is None and not probe.sql]
    assert not [metric.rule.id for metric in found.metrics if metric.unknown]
    urls = {probe.id: probe.check.url.reveal() for probe in found.probes if probe.check}
    assert urls["app-health"] == "https://app.example/api/health"
    assert urls["redirect-link"] == "https://example/test-slug"
    assert found.link.targets == (("127.0.0.1", 53), ("127.0.0.1", 54))
    assert all(probe.check.timeout_s < probe.every_s for probe in found.probes if probe.check)
    gateway = next(probe for probe in found.probes if probe.id == "database-gateway")
    assert gateway.check is not None
    assert gateway.check.expect_status == (200, 401)


def test_a_file_that_cannot_be_read_is_named(document: dict[str, Any], tmp_path: Path) -> None:
    found = build(document, tmp_path, {"ISLA_DATABASE_URL_FILE": "/nowhere"})
    assert found.database_unknown == "ISLA_DATABASE_URL_FILE: /nowhere: no such file"


def test_values_are_encoded_for_where_they_stand(document: dict[str, Any], tmp_path: Path) -> None:
    probe = {
        "id": "slug",
        "title": "One redirect",
        "url": "${REDIRECT_URL}/${TEST_SLUG}?k=${SUPABASE_ANON_KEY}",
        "headers": {"apikey": "Bearer ${SUPABASE_ANON_KEY}", "X-Org": "${VERCEL_ORG_ID}"},
        "every_s": 2,
        "timeout_s": 30,
    }
    environ = EVERYTHING | {"ISLA_TEST_SLUG": "a/../b?c#d", "SUPABASE_ANON_KEY": "key +1"}
    inputs = document["inputs"] | {"VERCEL_ORG_ID": document["inputs"]["VERCEL_ORG_ID"] | {"optional": True}}
    found = build(document, tmp_path, environ, health_checks=[probe], inputs=inputs)
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
        "normal": "< 5",
        "alert": "> 9",
        "every_s": 10,
        "source": {"aggregate": "last", "window_s": 60} | source,
    }


def test_a_team_can_rebind_a_metric(document: dict[str, Any], tmp_path: Path) -> None:
    metrics = [
        metric(
            kind="http_json", url="${APP_URL}/queue", select="depth", headers={"X-Key": "${STRIPE_API_KEY}"}
        ),
        metric(kind="prometheus", url="${APP_URL}/", query='rate(x{a="b"}[5m])') | {"id": "prom"},
    ]
    without = {name: value for name, value in EVERYTHING.items() if name != "STRIPE_API_KEY"}
    (first, second) = build(document, tmp_path, without, metrics=metrics).metrics
    assert (first.request, first.unknown) == (None, "set STRIPE_API_KEY")
    assert second.request is not None
    address = "https://app.example/api/v1/query?query=rate%28x%7Ba%3D%22b%22%7D%5B5m%5D%29"
    assert second.request.url.reveal() == address


@pytest.mark.parametrize(
    ("given", "unknown"),
    [("", "set ISLA_LINK_CHECK"), ("nonsense", "ISLA_LINK_CHECK: nonsense is no host:port")],
)
def test_a_link_without_targets_is_unknown(
    document: dict[str, Any], tmp_path: Path, given: str, unknown: str
) -> None:
    found = build(document, tmp_path, {"ISLA_LINK_CHECK": given}, link_check={"targets": []})
    assert (found.link.targets, found.link.unknown) == ((), unknown)


def test_payments_say_which_mode_the_key_is_of(document: dict[str, Any], tmp_path: Path) -> None:
    for key, shown in (
        ("rk_live_x", "stripe LIVE · 1 h"),
        ("sk_test_x", "stripe TEST · 1 h"),
        ("x", "stripe · 1 h"),
    ):
        found = build(document, tmp_path, EVERYTHING | {"STRIPE_API_KEY": key})
        assert found.metrics[-1].rule.source == shown
        assert found.stripe.url == "https://api.stripe.com"


def test_where_nothing_is_configured_not_even_a_status_page_is_asked(
    document: dict[str, Any], tmp_path: Path
) -> None:
    found = build(document, tmp_path, {})
    assert {one.unknown for one in found.vendors} == {"nothing is configured yet"}
    assert not [one for one in found.vendors if one.check]


def test_status_pages_need_no_setting_of_their_own(document: dict[str, Any], tmp_path: Path) -> None:
    found = build(document, tmp_path, EVERYTHING | {"ISLA_STRIPE_STATUS_URL": "http://127.0.0.1:9/"})
    assert {one.id: one.check.url.reveal() for one in found.vendors if one.check} == {
        "vercel": "https://www.vercel-status.com/api/v2/summary.json",
        "supabase": "https://status.supabase.com/api/v2/summary.json",
        "stripe": "http://127.0.0.1:9/current",
    }


def test_deployments_are_asked_for_with_the_team_only_where_there_is_one(
    document: dict[str, Any], tmp_path: Path
) -> None:
    without = build(document, tmp_path, EVERYTHING).deployments
    assert without is not None
    assert without.recent is not None
    assert without.recent.url.reveal() == (
        "https://api.vercel.com/v7/deployments?projectId=prj_1&target=production&limit=20"
    )
    assert without.credential == "VERCEL_TOKEN"
    team = build(document, tmp_path, EVERYTHING | {"VERCEL_ORG_ID": "team_1"}).deployments
    assert team is not None
    assert team.recent is not None
    assert "teamId=team_1" in team.recent.url.reveal()
    unset = build(document, tmp_path, {}).deployments
    assert unset is not None
    assert unset.recent is None
    assert unset.unknown == "set VERCEL_TOKEN and VERCEL_PROJECT_ID"
