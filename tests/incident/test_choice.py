"""Which issue it is, decided by a person after the declaration."""

from __future__ import annotations

from isla_console.incident import commands
from tests.incident.story import Story, at


def test_a_decision_can_say_which_issue_it_is() -> None:
    story = Story(issue="redirect-down")
    story.do(
        commands.decide, "this is 2 Database, not 1 Redirect", issue="db-connections", now=at("14:05:00")
    )
    assert story.incident.issue == "db-connections"
    assert story.incident.notes[-1].text == "this is 2 Database, not 1 Redirect"
    assert story.incident.timeline[0].data["issue"] == "redirect-down", "what was declared stays as it was"


def test_a_decision_without_an_issue_changes_none() -> None:
    story = Story(issue="redirect-down")
    story.do(commands.decide, "we roll back", now=at("14:05:00"))
    assert story.incident.issue == "redirect-down"
    assert "issue" not in story.incident.timeline[-1].data
