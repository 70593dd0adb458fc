"""A claim meets its evidence: what contradicts it is overruled only with a reason, and the report says so."""

from __future__ import annotations

from typing import Any

import pytest

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.report import report
from isla_console.incident.rules.evidence import contradictions, evidence_for, unsent
from tests.incident.story import RULES, Story, at

ITEMS = {
    "resolved": "soak",
    "measures": "measures",
    "page": "status_update",
    "customers": "customer_update",
    "owner": "postmortem",
    "actions": "actions",
    "runbook": "runbook",
    "word": "none",
}
CLOCKS: dict[str, Any] = {
    **RULES,
    "checklist": [{"id": id, "text": f"Item {id}", "evidence": kind} for id, kind in ITEMS.items()],
    "texts": [
        {"id": "status-page", "title": "Status Page Update", "audience": "public", "clock": "status-page"},
        {"id": "mail", "title": "Customer Mail", "audience": "customer", "clock": "mail"},
    ],
}
DRAFT = "no public update was sent since it was resolved 14:30Z; there is only what was drafted 14:30Z"
RED = ("Error rate: alert, 5.5 %",)


def _resolved() -> Story:
    story = Story(policy=CLOCKS)
    story.do(commands.change_state, "monitoring", now=at("14:05"), reason="rolled back")
    story.do(commands.resolve, now=at("14:30"), final_update="Resolved.")
    return story


@pytest.mark.parametrize(
    ("item", "against", "found"),
    [
        ("measures", RED, RED),
        ("measures", None, ("nothing is measured",)),
        ("measures", (), ()),
        ("resolved", RED, RED),
        ("page", (), (DRAFT,)),
        ("customers", (), ("no customer update was sent since it was resolved 14:30Z",)),
        ("owner", (), ("nobody owns the post-mortem",)),
        ("actions", (), ("no action item is written down",)),
        ("runbook", RED, ()),
        ("word", RED, ()),
    ],
)  # fmt: skip
def test_what_speaks_against_an_item(item: str, against: Any, found: tuple[str, ...]) -> None:
    story = _resolved()
    got = contradictions(story.incident, item, at("14:31"), None, against)
    assert got == found
    if found:
        with pytest.raises(Refused) as refused:
            story.do(commands.tick, item, now=at("14:31"), against=got)
        assert refused.value.about == "reason"
        assert all(line in str(refused.value) for line in found)


def test_before_the_resolve_nothing_is_resolved_and_no_last_update_was_sent() -> None:
    story = Story(policy=CLOCKS)
    story.do(commands.send_update, "public", "We know.", now=at("14:02"), template="status-page")
    assert "it is declared, not resolved" in contradictions(story.incident, "resolved", at("14:03"), None, ())
    assert contradictions(story.incident, "page", at("14:03"), None, ()) == (
        "no last public update was sent: it is declared, not resolved",
    )


def test_evidence_and_contradiction_exclude_each_other() -> None:
    story = _resolved()
    story.do(commands.send_update, "public", "Over.", now=at("14:32"), template="status-page")
    story.do(commands.send_update, "customer", "Over.", now=at("14:33"), template="mail")
    story.do(commands.change_postmortem, now=at("14:34"), owner="ben")
    story.do(commands.add_action, "Alert", "detect", now=at("14:34"))
    for item in ("measures", "page", "customers", "owner", "actions"):
        for against in ((), RED, None):
            shown = evidence_for(story.incident, item, at("14:35"), None, against)
            got = contradictions(story.incident, item, at("14:35"), None, against)
            assert bool(shown) != bool(got), (item, against)


def test_an_overruled_tick_is_told_with_its_reason() -> None:
    story = _resolved()
    story.do(commands.tick, "measures", now=at("14:31"), against=RED, reason="that probe | is broken")
    tick = story.incident.checklist["measures"]
    assert (tick.state, story.incident.overruled[0].item) == ("ticked", "measures")
    text = report(story.incident)
    assert (
        "- [x] Item measures · done 14:31:00Z by ana · **against the evidence** (Error rate: alert, 5.5 %): "
        "that probe \\| is broken" in text
    )
    assert "## Claimed against the evidence" in text
    assert "| 14:31:00Z | ana | Item measures | Error rate: alert, 5.5 % | that probe \\| is broken |" in text
    story.do(commands.tick, "word", now=at("14:32"), against=())
    assert len(story.incident.overruled) == 1, "nothing speaks against a person's word"


def test_resolving_against_the_soak_takes_a_reason_and_is_told() -> None:
    story = Story("P1", policy=CLOCKS, metrics={"errors": ("alert", "5.5 %")})
    with pytest.raises(Refused, match="errors is alert") as refused:
        story.do(commands.resolve, now=at("14:10"))
    assert refused.value.about == "reason"
    story.do(commands.resolve, now=at("14:10"), override="the probe is broken")
    [claim] = story.incident.overruled
    assert (claim.state, claim.evidence, claim.reason) == (
        "resolved",
        ("errors is alert",),
        "the probe is broken",
    )
    assert "| ana | resolved | errors is alert | the probe is broken |" in report(story.incident)


def test_closing_with_the_last_update_unsent_takes_a_reason_and_is_told() -> None:
    story = _resolved()
    for item in ITEMS:
        story.do(commands.not_applicable, item, "a test", now=at("14:31"))
    story.do(commands.change_postmortem, now=at("14:32"), owner="ben")
    assert unsent(story.incident, at("14:33")) == ("the last public update, due 14:05Z, was not sent",)
    with pytest.raises(Refused, match="the last public update") as refused:
        story.do(commands.close, now=at("14:33"))
    assert refused.value.about == "reason"
    story.do(commands.close, now=at("14:33"), reason="nobody noticed it")
    text = report(story.incident)
    assert "the last public update, due 14:05Z, was not sent" in text
    assert "It was closed all the same by ana: nobody noticed it" in text


def test_the_shipped_checklist_names_its_evidence() -> None:
    from isla_console.resources import resource
    from isla_console.runbook.load import load_runbook

    runbook = load_runbook(resource("runbook.yaml")).runbook
    kinds = {item.id: item.evidence for item in runbook.checklist}
    assert kinds["metrics"] == "measures"
    assert kinds["status-page"] == "status_update"
    assert kinds["customers"] == "customer_update"
