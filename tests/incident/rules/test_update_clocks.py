"""Each text that people are told by has its own clock, unless two share one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.incident import commands
from isla_console.incident.record.policy import Policy
from isla_console.incident.rules.cadence import update_due, updates
from tests.incident.rules.test_evidence import CLOCKS
from tests.incident.story import RULES, Story, at

AUDIENCES = {"status-page": "public", "mail": "customer", "internal": "internal"}
SHARED: dict[str, Any] = {
    **CLOCKS,
    "texts": [
        *CLOCKS["texts"],
        {"id": "over", "title": "Over", "audience": "public", "clock": "status-page"},
    ],
}


def _dues(story: Story, clock: str) -> dict[str, Any]:
    return {
        due.clock: (due.due_at, due.last_sent_at, due.stage) for due in updates(story.incident, at(clock))
    }


@given(st.sampled_from(sorted(AUDIENCES)))
def test_sending_one_moves_no_other(sent: str) -> None:
    story = Story(policy=CLOCKS)
    before = _dues(story, "14:04")
    story.do(commands.send_update, AUDIENCES[sent], "We know.", now=at("14:04"), template=sent)
    after = _dues(story, "14:04")
    assert {clock for clock in before if before[clock] != after[clock]} == {sent}
    assert after[sent][:2] == (at("14:34"), at("14:04"))


def test_the_customers_mail_does_not_stand_for_the_status_page() -> None:
    story = Story(policy=CLOCKS)
    story.do(commands.send_update, "customer", "We know.", now=at("14:03"), template="mail")
    assert update_due(story.incident, "status-page", at("14:06")).overdue_s == 60


def test_a_snooze_is_of_one_clock() -> None:
    story = Story(policy=CLOCKS)
    story.do(commands.send_update, "customer", "We know.", now=at("14:01"), template="mail")
    story.do(commands.snooze_update, "status-page", 10, "writing it", now=at("14:06"))
    stages = {due.clock: due.stage for due in updates(story.incident, at("14:07"))}
    assert stages == {"status-page": "snoozed", "mail": "none", "internal": "none"}


def test_a_text_for_during_and_one_for_after_share_a_clock() -> None:
    story = Story(policy=SHARED)
    assert [due.clock for due in updates(story.incident, at("14:01"))] == ["status-page", "mail", "internal"]
    story.do(commands.send_update, "public", "Over.", now=at("14:04"), template="over")
    assert update_due(story.incident, "status-page", at("14:05")).last_sent_at == at("14:04")


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (CLOCKS["texts"], ["public update", "customer update", "internal update"]),
        (SHARED["texts"], ["public update", "customer update", "internal update"]),
        (
            [*CLOCKS["texts"], {"id": "feed", "title": "Feed", "audience": "public"}],
            ["Status Page Update", "customer update", "Feed", "internal update"],
        ),
        (None, ["public update", "internal update"]),
    ],
)
def test_a_clock_is_called_by_its_audience_or_else_by_its_title(texts: Any, labels: list[str]) -> None:
    policy = Policy.from_dict({**RULES, "texts": texts})
    assert [policy.clock_label(clock.id) for clock in policy.clocks] == labels
    assert Policy.from_dict(policy.to_dict()) == policy
