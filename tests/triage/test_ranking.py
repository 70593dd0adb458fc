"""The ranking: evidence adds up, order is stable, downstream waits, nothing is said without evidence."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.runbook.model import Issue, Runbook, Signal
from isla_console.triage.facts import Facts, Known, Live
from isla_console.triage.ranking import Ranking, rank, weigh

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
RUNBOOK: Runbook = load_runbook(resource("runbook.yaml")).runbook
METRICS = [metric.id for metric in RUNBOOK.metrics]
PROBES = [probe.id for probe in RUNBOOK.all_probes()]
VENDORS = [vendor.id for vendor in RUNBOOK.vendors]
SYMPTOMS = [symptom.id for issue in RUNBOOK.issues for symptom in issue.symptoms]


def known(states: tuple[str, ...]) -> st.SearchStrategy[Known]:
    minutes = st.integers(0, 60).map(lambda minutes: NOW - timedelta(minutes=minutes))
    return st.builds(Known, st.sampled_from(states), st.just("x"), minutes)


def some(ids: list[str], *states: str) -> st.SearchStrategy[dict[str, Known]]:
    return st.dictionaries(st.sampled_from(ids), known(states))


FACTS = st.builds(
    Facts,
    metrics=some(METRICS, "ok", "elevated", "alert", "stale"),
    probes=some(PROBES, "ok", "alert", "stale"),
    vendors=some(VENDORS, "ok", "degraded", "down"),
    symptoms=some(SYMPTOMS, "seen", "denied"),
    deployments=st.lists(
        st.builds(Live, st.just("dpl_1"), st.integers(0, 90).map(lambda n: NOW - timedelta(minutes=n))),
        max_size=3,
    ),
)


def place(ranking: Ranking, issue: str) -> int:
    """1 is best; an issue that is not shown is last."""
    return ranking.place(issue) or 99


def issue(id: str, number: int, *signals: Signal, below: tuple[str, ...] = ()) -> Issue:
    return Issue(
        id=id,
        number=number,
        title=id.title(),
        short=id[:14],
        area="a",
        symptoms=(),
        signals=signals,
        downstream_of=below,
    )


def signal(weight: int = 3, **about: Any) -> Signal:
    return Signal(weight=weight, because="because", **about)


ALERT: Mapping[str, Known] = {"m": Known("alert", "9 (> 5)", NOW)}


@settings(max_examples=300, deadline=None)
@given(facts=FACTS, number=st.integers(0, 5), weight=st.integers(1, 10))
def test_adding_evidence_for_an_issue_never_lowers_it(facts: Facts, number: int, weight: int) -> None:
    """A symptom that speaks for one issue alone is seen: it ranks at least as high, the score is no lower."""
    issues = list(RUNBOOK.issues)
    old = issues[number]
    extra = Signal(symptom="seen-just-now", state="seen", weight=weight, because="somebody says so")
    issues[number] = old.model_copy(update={"signals": (*old.signals, extra)})
    before = rank(issues, facts)
    more = replace(facts, symptoms={**facts.symptoms, "seen-just-now": Known("seen")})
    after = rank(issues, more)
    assert place(after, old.id) <= place(before, old.id)
    assert sum(e.weight for e in weigh(issues[number], more)) == weight + sum(
        e.weight for e in weigh(issues[number], facts)
    )


@settings(max_examples=300, deadline=None)
@given(facts=FACTS, id=st.sampled_from(METRICS))
def test_a_worse_measurement_never_weighs_less(facts: Facts, id: str) -> None:
    better = replace(facts, metrics={**facts.metrics, id: Known("elevated", "x", NOW)})
    worse = replace(facts, metrics={**facts.metrics, id: Known("alert", "x", NOW)})
    for one in RUNBOOK.issues:
        assert sum(e.weight for e in weigh(one, worse)) >= sum(e.weight for e in weigh(one, better))


@settings(max_examples=200, deadline=None)
@given(facts=FACTS, seed=st.integers(0, 1000))
def test_the_order_depends_on_nothing_but_the_evidence(facts: Facts, seed: int) -> None:
    shuffled = [
        one.model_copy(update={"signals": tuple(random.Random(seed).sample(one.signals, len(one.signals)))})
        for one in RUNBOOK.issues
    ]
    random.Random(seed).shuffle(shuffled)
    assert rank(shuffled, facts) == rank(RUNBOOK.issues, facts)


@settings(max_examples=200, deadline=None)
@given(facts=FACTS)
def test_whatever_is_shown_has_a_reason_and_at_most_three_are(facts: Facts) -> None:
    found = rank(RUNBOOK.issues, facts)
    assert len(found.candidates) <= 3
    assert found.tied >= 1
    for one in found.candidates:
        assert one.because
        assert one.score == sum(proof.weight for proof in one.evidence) > 0
        assert any(proof.strong for proof in one.evidence)


@settings(max_examples=100, deadline=None)
@given(facts=FACTS)
def test_blind_nothing_is_ranked(facts: Facts) -> None:
    found = rank(RUNBOOK.issues, replace(facts, blind=True))
    assert found.candidates == ()
    assert "nothing is known" in found.silent


@settings(max_examples=200, deadline=None)
@given(facts=FACTS)
def test_while_the_database_is_in_alert_what_it_brings_about_ranks_below_it(facts: Facts) -> None:
    hot = replace(facts, metrics={**facts.metrics, "db-connections": Known("alert", "92 (> 80)", NOW)})
    first = rank(RUNBOOK.issues, hot).first
    assert first is not None
    assert first.issue == "db-connections"


def test_healthy_says_nothing_even_right_after_a_deployment() -> None:
    facts = Facts(
        metrics=dict.fromkeys(METRICS, Known("ok")),
        probes=dict.fromkeys(PROBES, Known("ok")),
        vendors=dict.fromkeys(VENDORS, Known("degraded")),
        deployments=(Live("dpl_1", NOW),),
    )
    assert rank(RUNBOOK.issues, facts).candidates == ()


def test_what_is_only_elevated_says_nothing() -> None:
    facts = Facts(metrics=dict.fromkeys(METRICS, Known("elevated")))
    assert rank(RUNBOOK.issues, facts).candidates == ()


def test_a_tie_is_said_and_the_runbooks_order_decides() -> None:
    issues = [
        issue("b", 2, signal(metric="m", state="alert")),
        issue("a", 1, signal(metric="m", state="alert")),
    ]
    found = rank(issues, Facts(metrics=ALERT))
    assert [one.issue for one in found.candidates] == ["a", "b"]
    assert found.tied == 2


def test_what_hangs_below_another_is_no_tie_with_it() -> None:
    issues = [
        issue("top", 1, signal(metric="m", state="alert")),
        issue("under", 2, signal(metric="m", state="alert"), below=("top",)),
    ]
    found = rank(issues, Facts(metrics=ALERT))
    assert found.tied == 1
    assert found.candidates[1].under == "top"


def test_a_deployment_counts_only_before_the_alert_and_not_too_long() -> None:
    one = issue("a", 1, signal(metric="m", state="alert"), signal(2, deployed_within_min=30))

    def score(minutes_before: float) -> int:
        live = Live("dpl_8xK2", NOW - timedelta(minutes=minutes_before))
        first = rank([one], Facts(metrics=ALERT, deployments=(live,))).first
        assert first is not None
        return first.score

    assert score(4) == 5
    assert score(30) == 5
    assert score(31) == 3
    assert score(-1) == 3


def test_a_deployment_is_named_with_its_distance() -> None:
    one = issue("a", 1, signal(metric="m", state="alert"), signal(2, deployed_within_min=30))
    live = Live("dpl_8xK2", NOW - timedelta(minutes=4, seconds=20))
    first = rank([one], Facts(metrics=ALERT, deployments=(live,))).first
    assert first is not None
    assert first.because == "because: 9 (> 5); because: dpl_8xK2 4 min before"


def test_gone_stale_counts_only_while_something_else_is_still_measured() -> None:
    one = issue("a", 1, signal(metric="m", state="stale"))
    stale = {"m": Known("stale", "12", NOW)}
    assert rank([one], Facts(metrics=stale)).first is None
    assert rank([one], Facts(metrics=stale, probes={"p": Known("ok")})).first is not None


def test_a_denied_symptom_speaks_for_nothing() -> None:
    one = issue("a", 1, signal(symptom="s", state="seen"))
    assert rank([one], Facts(symptoms={"s": Known("denied")})).first is None
    assert rank([one], Facts(symptoms={"s": Known("seen")})).first is not None


def test_a_failing_job_alone_is_analytics_and_below_the_database_whose_failure_it_may_be() -> None:
    said = "aggregate-clicks failed at 14:00Z"
    job = Facts(
        metrics={"click-lag": Known("ok", "0.2 s (< 1 s)", NOW)},
        probes={"scheduled-jobs": Known("alert", said, NOW)},
    )
    first = rank(RUNBOOK.issues, job).first
    assert first is not None
    assert (first.issue, first.because) == ("analytics", f"a scheduled job fails or is late: {said}")
    full = replace(job, metrics={"db-connections": Known("alert", "92 (> 80)", NOW)})
    assert [one.issue for one in rank(RUNBOOK.issues, full).candidates] == ["db-connections", "analytics"]
