"""Deployments: who went live when, by their clock; what serves now; and what is said when none is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from isla_console.monitor.http.answers import NoAnswer
from isla_console.monitor.metrics.sample import Phases, Sample
from isla_console.monitor.sources.deployments import DeploymentsSource, read
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.runbook.model import Deployments
from tests.support.sources import a_context

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def spec() -> Deployments:
    """As the shipped runbook reads Vercel's answer."""
    found = load_runbook(resource("runbook.yaml")).runbook.deployments
    assert found is not None
    return found


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def deployment(uid: str, age: timedelta, **more: Any) -> dict[str, Any]:
    return {
        "uid": uid,
        "createdAt": ms(NOW - age - timedelta(minutes=2)),
        "ready": ms(NOW - age),
        "readyState": "READY",
        "readySubstate": "PROMOTED",
        "creator": {"username": "ana"},
        "meta": {"githubCommitSha": "9f31c0a", "githubCommitMessage": "cache: inline"},
        **more,
    }


def source(spec: Deployments, environ: dict[str, str] | None = None) -> DeploymentsSource:
    given = {"VERCEL_TOKEN": "vcp_x", "VERCEL_PROJECT_ID": "prj_1"} if environ is None else environ
    return DeploymentsSource(spec, a_context(given, clock=lambda: NOW))


def sample(server_time: datetime | None = NOW, at: datetime = NOW) -> Sample:
    return Sample("deployments", at, True, phases=Phases(status=200, server_time=server_time))


ANSWER = {
    "deployments": [
        deployment("dpl_new", timedelta(minutes=4)),
        deployment("dpl_broken", timedelta(minutes=9), readyState="ERROR"),
        deployment("dpl_staged", timedelta(minutes=12), readySubstate="STAGED"),
        deployment("dpl_old", timedelta(hours=5), aliasAssigned=True),
    ]
}


def test_when_each_went_live(spec: Deployments) -> None:
    found = read(sample(), ANSWER, spec.rows, whose="Vercel")
    live = {one.id: one.live_since for one in found.rows}
    assert live == {
        "dpl_new": NOW - timedelta(minutes=4),
        "dpl_broken": None,
        "dpl_staged": None,
        "dpl_old": NOW - timedelta(hours=5),
    }
    assert [one.id for one in found.rows if one.serving] == ["dpl_new"]
    assert (found.rows[0].author, found.rows[0].commit) == ("ana", "9f31c0a")


def test_the_moment_the_domain_was_given_to_it_counts_where_it_is_told(spec: Deployments) -> None:
    promoted = NOW - timedelta(minutes=1)
    answer = {"deployments": [deployment("dpl_1", timedelta(hours=2), aliasAssigned=ms(promoted))]}
    assert read(sample(), answer, spec.rows, whose="Vercel").rows[0].live_since == promoted


def test_after_a_rollback_the_older_one_serves_since_the_rollback(spec: Deployments) -> None:
    rolled_back = NOW - timedelta(minutes=2)
    serving = {
        "targets": {"production": {"id": "dpl_old"}},
        "lastAliasRequest": {"toDeploymentId": "dpl_old", "requestedAt": ms(rolled_back), "type": "rollback"},
    }
    found = read(sample(), ANSWER, spec.rows, serving=serving, serves=spec.serves, whose="Vercel")
    (old,) = [one for one in found.rows if one.serving]
    assert (old.id, old.live_since) == ("dpl_old", rolled_back)


@pytest.mark.parametrize(("minutes", "side"), [(5, "behind"), (-5, "ahead of")])
def test_a_clock_five_minutes_off_is_said_and_corrected(spec: Deployments, minutes: int, side: str) -> None:
    theirs = NOW + timedelta(minutes=minutes)
    found = read(sample(theirs), ANSWER, spec.rows, whose="Vercel")
    assert found.clock == f"our clock is 5 min {side} Vercel's: times are corrected"
    assert found.rows[0].live_since == NOW - timedelta(minutes=4 + minutes)


def test_a_clock_a_little_off_is_nothing(spec: Deployments) -> None:
    assert read(sample(NOW + timedelta(seconds=30)), ANSWER, spec.rows, whose="Vercel").clock == ""
    assert read(sample(None), ANSWER, spec.rows, whose="Vercel").clock == ""


def test_no_deployment_is_an_empty_list(spec: Deployments) -> None:
    assert read(sample(), {"deployments": []}, spec.rows, whose="Vercel").rows == ()


@pytest.mark.parametrize(
    "answer", [{}, [], {"deployments": {}}, {"deployments": [{"name": "x"}]}, {"deployments": [1, 2]}]
)
def test_another_shape_is_refused(spec: Deployments, answer: object) -> None:
    with pytest.raises(NoAnswer, match="the list of deployments has changed its shape"):
        read(sample(), answer, spec.rows, whose="Vercel")


def test_hostile_texts_are_made_harmless(spec: Deployments) -> None:
    meta = {"githubCommitMessage": "\x1b[2J" + "x" * 500, "githubCommitSha": None}
    found = read(
        sample(), {"deployments": [deployment("dpl_1", timedelta(), meta=meta)]}, spec.rows, whose="Vercel"
    )
    assert found.rows[0].message.startswith("␛[2J")
    assert len(found.rows[0].message) == 200


def test_an_old_list_stays_marked_as_old(spec: Deployments) -> None:
    tracker = source(spec)
    assert tracker.reading(NOW).state == "unknown"
    found = read(sample(), ANSWER, spec.rows, whose="Vercel")
    tracker.observe(Sample("deployments", NOW, True, detail=found))
    assert tracker.reading(NOW).state == "ok"
    tracker.observe(
        Sample("deployments", NOW + timedelta(minutes=5), False, "401, it does not accept our token")
    )
    late = tracker.reading(NOW + timedelta(minutes=5))
    assert (late.state, late.reason, len(late.rows)) == ("stale", "401, it does not accept our token", 4)
    assert tracker.reading(NOW, blind=True).state == "blind"


def test_they_are_asked_for_with_the_team_only_where_there_is_one(spec: Deployments) -> None:
    found = source(spec)
    assert found.recent is not None
    assert found.recent.url.reveal() == (
        "https://api.vercel.com/v7/deployments?projectId=prj_1&target=production&limit=20"
    )
    assert found.credential == "VERCEL_TOKEN"
    team = source(spec, {"VERCEL_TOKEN": "v", "VERCEL_PROJECT_ID": "prj_1", "VERCEL_ORG_ID": "team_1"})
    assert team.recent is not None
    assert "teamId=team_1" in team.recent.url.reveal()


def test_what_is_not_set_is_said_also_while_blind(spec: Deployments) -> None:
    unset = source(spec, {})
    assert (unset.recent, unset.is_asked) == (None, False)
    reading = unset.reading(NOW, blind=True)
    assert (reading.state, reading.reason) == ("unknown", "set VERCEL_TOKEN and VERCEL_PROJECT_ID")
