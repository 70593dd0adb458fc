"""They or me, in one sentence; and the check that tells two issues apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from isla_console.triage.blame import blame
from isla_console.triage.check import next_check
from isla_console.triage.facts import Facts, Known
from isla_console.triage.health import Health, Part
from isla_console.triage.ranking import rank
from tests.triage.test_ranking import RUNBOOK, VENDORS

NOW = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
GREEN = dict.fromkeys(VENDORS, Known("ok"))
DATABASE = Facts(metrics={"db-connections": Known("alert", "92 (> 80)", NOW)}, vendors=GREEN)
REDIRECT = Facts(probes={"redirect-link": Known("alert", "timed out after 2 s", NOW)}, vendors=GREEN)
DOWN = Known("down", "Edge Functions: major outage", NOW)


def health(facts: Facts) -> Health:
    """Everything declared is well but for what the facts say; a vendor that they lack is not known."""
    parts: list[Part] = []
    for kind, declared, known in (
        ("measure", RUNBOOK.metrics, facts.metrics),
        ("probe", RUNBOOK.all_probes(), facts.probes),
        ("vendor", RUNBOOK.vendors, facts.vendors),
    ):
        for one in declared:
            found = known.get(one.id, Known("unknown" if kind == "vendor" else "ok"))
            parts.append(Part(kind, one.id, one.title, found.state, found.text))
    return Health(tuple(parts), link="blind" if facts.blind else "ok")


def said(facts: Facts) -> tuple[str, str, str]:
    found = blame(RUNBOOK, facts, rank(RUNBOOK.issues, facts), health(facts))
    return found.side, found.sentence, found.words


def test_all_well() -> None:
    calm = Facts(metrics={"api-latency": Known("ok")}, vendors=GREEN)
    assert said(calm) == ("nobody", "Our endpoints answer, vendors are green.", "all green")


def test_no_alert_is_not_all_well() -> None:
    raised = Facts(metrics={"api-latency": Known("elevated", "420 ms")}, vendors=GREEN)
    assert said(raised) == (
        "nobody",
        "No alert of ours, but API Response Time is elevated, vendors are green.",
        "API Response Time elevated",
    )
    unread = Facts(metrics={"api-latency": Known("ok")}, vendors={"vercel": Known("ok")})
    assert said(unread) == (
        "nobody",
        "Our endpoints answer, Supabase and Stripe: not known.",
        "2 vendors not known",
    )
    stale = Facts(metrics={"api-latency": Known("ok"), "error-rate": Known("stale")}, vendors=GREEN)
    assert said(stale)[1:] == (
        "No alert of ours, but not all is known (1 measure not known), vendors are green.",
        "1 measure not known",
    )


def test_without_a_vendor_none_is_called_green() -> None:
    facts = Facts(metrics={"api-latency": Known("ok")})
    found = health(facts)
    alone = replace(found, parts=tuple(one for one in found.parts if one.kind != "vendor"))
    told = blame(RUNBOOK, facts, rank(RUNBOOK.issues, facts), alone)
    assert told.sentence == "Our endpoints answer, no vendor is watched."


def test_only_we_see_it() -> None:
    assert said(DATABASE) == (
        "us",
        "Only we see it: vendors green, DB connections 92 (> 80).",
        "us, not them",
    )


def test_a_vendors_outage_moves_the_sentence_to_they() -> None:
    facts = replace(REDIRECT, vendors=GREEN | {"vercel": DOWN})
    assert said(facts) == (
        "they",
        "They: Vercel reports trouble since 14:02Z (Edge Functions: major outage); "
        "we see One redirect timed out after 2 s.",
        "they: Vercel",
    )


def test_a_vendor_that_the_issue_does_not_stand_on_is_not_blamed() -> None:
    side, sentence, words = said(replace(REDIRECT, vendors=GREEN | {"stripe": DOWN}))
    assert (side, words) == ("us", "likely us")
    assert sentence.startswith(
        "Likely us: One redirect timed out after 2 s. Beside it Stripe reports trouble"
    )


def test_a_page_that_cannot_be_read_is_not_green() -> None:
    vendors = {id: known for id, known in GREEN.items() if id != "stripe"}
    assert "vendors green but for Stripe, not known" in said(replace(DATABASE, vendors=vendors))[1]
    assert said(replace(DATABASE, vendors={}))[0] == "unknown"


def test_blind_it_is_our_own_link() -> None:
    assert said(replace(DATABASE, blind=True))[0] == "me"


def test_a_vendors_trouble_alone_is_no_alert_of_ours() -> None:
    facts = Facts(
        metrics={"api-latency": Known("ok")}, vendors=GREEN | {"vercel": Known("degraded", "Builds")}
    )
    assert said(facts)[:2] == (
        "nobody",
        "Vercel reports trouble (Builds); our endpoints answer all the same.",
    )


def test_the_next_check_reads_a_log_rather_than_asks_people_and_is_not_proposed_again() -> None:
    facts = replace(DATABASE, probes={"auth-service": Known("alert", "500", NOW)})
    found = next_check(RUNBOOK, rank(RUNBOOK.issues, facts), facts)
    assert found is not None
    # "Users can't sign in" weighs 5, and no step shows it.
    assert (found.kind, found.id, found.gain) == ("symptom", "auth-no-sign-in", 5)
    asked = replace(facts, symptoms={"auth-no-sign-in": Known("denied")})
    found = next_check(RUNBOOK, rank(RUNBOOK.issues, asked), asked)
    assert found is not None
    assert (found.kind, found.issue) == ("step", "auth-failing")
    assert found.id == "auth-google-token" or found.gain == 4


def test_a_step_that_was_done_is_no_next_check() -> None:
    seen: set[str] = set()
    facts = REDIRECT
    for _ in range(20):
        found = next_check(RUNBOOK, rank(RUNBOOK.issues, facts), facts)
        if found is None:
            break
        assert found.id not in seen
        seen.add(found.id)
        if found.kind == "step":
            facts = replace(facts, done=facts.done | {found.id})
        else:
            facts = replace(facts, symptoms={**facts.symptoms, found.id: Known("denied")})
    else:
        pytest.fail("the checks never end")
    assert "redirect-reports" in seen


def test_nothing_ranked_nothing_to_check() -> None:
    assert next_check(RUNBOOK, rank(RUNBOOK.issues, Facts()), Facts()) is None
