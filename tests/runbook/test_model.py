"""Bounds, the helpers of a runbook, and the policy an incident freezes."""

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from isla_console.incident.record.policy import Policy
from isla_console.runbook.bound import Bound
from isla_console.runbook.load import Loaded


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("> 200 ms", 200, False),
        ("> 200 ms", 200.1, True),
        ("< 90 %", 90, False),
        ("< 90 %", 89.9, True),
        (">= 10", 10, True),
        ("<=10", 10, True),
        ("> -1.5", -1, True),
        ("> 1", float("nan"), False),
    ],
)
def test_bounds_are_strict_as_written(text: str, value: float, holds: bool) -> None:
    assert Bound.parse(text).holds(value) is holds


@pytest.mark.parametrize("text", ["< 50 ms", "> 1 %", "< 0.1 %", ">= 10", "> 1000 ms"])
def test_bound_shows_itself_as_written(text: str) -> None:
    assert str(Bound.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "50", "= 50", "< fifty", "< 1e5", "< 1 2", "<> 5", None, 5, "< 5 ms\n> 6"]
)
def test_what_is_no_bound(text: object) -> None:
    with pytest.raises(ValueError, match="a comparison with a number"):
        Bound.parse(text)


def test_models_are_frozen(shipped: Loaded) -> None:
    runbook: Any = shipped.runbook
    with pytest.raises(ValidationError):
        runbook.title = "x"


def test_inputs_know_their_names(shipped: Loaded) -> None:
    for name, item in shipped.runbook.inputs.items():
        assert item.name == name
    assert shipped.runbook.inputs["APP_URL"].env == "ISLA_APP_URL"


def test_probes_name_what_they_need(shipped: Loaded) -> None:
    needs = {probe.id: probe.needs for probe in shipped.runbook.all_requests()}
    assert needs == {
        "app-health": ("APP_URL",),
        "redirect-health": ("REDIRECT_URL",),
        "database-gateway": ("SUPABASE_URL",),
        "payment-webhook": ("APP_URL",),
        "redirect-link": ("REDIRECT_URL", "TEST_SLUG"),
        "auth-service": ("SUPABASE_URL", "SUPABASE_ANON_KEY"),
        "supabase-auth": ("SUPABASE_API_URL", "SUPABASE_PROJECT_REF", "SUPABASE_ACCESS_TOKEN"),
        "supabase-db": ("SUPABASE_API_URL", "SUPABASE_PROJECT_REF", "SUPABASE_ACCESS_TOKEN"),
        "supabase-pooler": ("SUPABASE_API_URL", "SUPABASE_PROJECT_REF", "SUPABASE_ACCESS_TOKEN"),
        "supabase-rest": ("SUPABASE_API_URL", "SUPABASE_PROJECT_REF", "SUPABASE_ACCESS_TOKEN"),
    }


def test_unknown_ids(shipped: Loaded) -> None:
    runbook = shipped.runbook
    for find in (runbook.issue, runbook.procedure, runbook.step, runbook.severity, runbook.metric):
        with pytest.raises(KeyError):
            find("nothing")


def test_contacts_for(shipped: Loaded) -> None:
    def roles(severity: str | None, issue: str | None) -> list[str]:
        return [contact.id for contact in shipped.runbook.contacts_for(severity, issue)]

    ladder = ["senior-engineer", "cto", "ceo"]
    assert roles("P0", "payments") == ["on-call", "platform-lead", "stripe-support", *ladder]
    assert roles("P2", "payments") == ["on-call", "stripe-support", "senior-engineer"]
    assert roles("P3", "payments") == ["on-call", "stripe-support"]
    assert roles("P1", "db-connections") == ["on-call", "platform-lead", "supabase-support", *ladder]
    assert len(roles(None, None)) == 8


def test_everybody_whom_the_ladder_calls_is_a_contact(shipped: Loaded) -> None:
    runbook = shipped.runbook
    found = {
        target: [contact.id for contact in runbook.contacts_of(target)]
        for level in runbook.escalation.levels
        for target in level.targets
    }
    assert found == {
        "On-call engineer": ["on-call"],
        "Platform lead": ["platform-lead"],
        "Senior engineer": ["senior-engineer"],
        "CTO": ["cto"],
        "External support (Vercel/Supabase)": ["supabase-support", "vercel-support"],
        "CEO": ["ceo"],
    }
    cto = runbook.contacts_of("CTO")[0]
    assert (cto.contact, cto.reach) == (None, "not known: the original runbook names nobody")


@pytest.mark.parametrize(
    ("updated", "following", "review", "due"),
    [
        (None, None, "Quarterly", None),
        (None, date(2026, 12, 1), "Quarterly", date(2026, 12, 1)),
        (date(2026, 1, 1), date(2026, 12, 1), "Quarterly", date(2026, 12, 1)),
        (date(2026, 1, 1), None, "quarterly", date(2026, 4, 3)),
        (date(2026, 1, 1), None, "when there is time", None),
    ],
)
def test_review_is_due(
    shipped: Loaded, updated: date | None, following: date | None, review: str, due: date | None
) -> None:
    dates = {"last_updated": updated, "next_review": following, "review": review}
    assert shipped.runbook.model_copy(update=dates).review_due == due


def test_share_of_users(shipped: Loaded) -> None:
    # Exactly 30 % is P1.
    assert shipped.runbook.severity("P1").affected_from == 30
    assert shipped.runbook.severity("P2").affected_below == 30


def test_policy_is_what_an_incident_takes(shipped: Loaded) -> None:
    frozen = json.loads(json.dumps(shipped.runbook.policy()))
    policy = Policy.from_dict(frozen)
    assert [level.id for level in policy.levels] == ["L1", "L2", "L3", "L4"]
    assert list(policy.nag_min) == [5, 10, 15]
    assert len(policy.checklist) == 7
    assert policy.rule("P2").ladder == {"L1": 0, "L2": 15, "L3": None, "L4": None}
    assert policy.rule("P2").postmortem_asked


@pytest.mark.parametrize("overlay", ["by_severity", "as_written"])
@pytest.mark.parametrize("severity", ["P0", "P1", "P2", "P3"])
def test_the_rule_shown_is_the_rule_kept(shipped: Loaded, overlay: str, severity: str) -> None:
    escalation = shipped.runbook.escalation.model_copy(update={"overlay": overlay})
    runbook = shipped.runbook.model_copy(update={"escalation": escalation})
    kept = Policy.from_dict(runbook.policy()).rule(severity)
    shown = escalation.rule(severity)
    for name in ("ladder", "first_update_min", "cadence_min", "cadence_after_first_only", "soak_min"):
        assert getattr(shown, name) == getattr(kept, name)
    assert (shown.postmortem_h, shown.postmortem_asked) == (kept.postmortem_h, kept.postmortem_asked)


@pytest.mark.parametrize(
    ("severity", "ladder", "first", "cadence", "soak", "postmortem"),
    [
        ("P0", (15, 30, 60), 5, 30, 15, 48),
        ("P1", (15, 30, 60), 10, 30, 15, 48),
        ("P2", (15, None, None), None, 60, 10, None),
        ("P3", (None, None, None), None, None, 0, None),
    ],
)
def test_what_a_severity_asks_for(
    shipped: Loaded,
    severity: str,
    ladder: tuple[float | None, ...],
    first: float | None,
    cadence: float | None,
    soak: float,
    postmortem: float | None,
) -> None:
    rule = shipped.runbook.escalation.rule(severity)
    assert tuple(rule.ladder[level] for level in ("L2", "L3", "L4")) == ladder
    assert (rule.first_update_min, rule.cadence_min, rule.soak_min, rule.postmortem_h) == (
        first,
        cadence,
        soak,
        postmortem,
    )
