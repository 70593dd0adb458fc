from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.report.handoff import brief
from isla_console.incident.rules.communication import channel_of, fill, final_update, unfilled
from isla_console.incident.rules.next import what_now
from isla_console.incident.rules.proposal import propose
from tests.incident.story import Story, at

STATUS = (
    "We are currently investigating an issue affecting [service].\n"
    "Impact: [description of impact]\nNext update in 30 minutes.\n"
)
STATUS_PLACES = {
    "[service]": "service",
    "[description of impact]": "impact",
    "in 30 minutes": "next_update",
}
CUSTOMER = (
    "Subject: [Service] Disruption - [Date]\n\nfrom [start] to [end].\nRoot cause: [brief explanation]\n"
)
CUSTOMER_PLACES = {
    "[Service]": "service",
    "[Date]": "date",
    "[start]": "start",
    "[end]": "end",
    "[brief explanation]": "root_cause",
}


def test_the_status_page_text_promises_an_absolute_time() -> None:
    story = Story()
    filled = fill(STATUS, STATUS_PLACES, story.incident, at("14:03:20"), service="Redirects")
    assert filled.left == ("[description of impact]",)
    assert unfilled(filled.text) == ("[description of impact]",)
    assert "affecting Redirects." in filled.text
    assert "Next update by 14:33 UTC on 2026-11-23." in filled.text
    story.do(commands.change_impact, "Links answer [service] or 404", now=at("14:04"))
    filled = fill(STATUS, STATUS_PLACES, story.incident, at("14:05"), service="Redirects")
    assert filled.left == ()
    assert "Impact: Links answer [service] or 404\n" in filled.text


def test_without_a_cadence_no_time_is_promised() -> None:
    filled = fill(STATUS, STATUS_PLACES, Story("P3").incident, at("14:03"))
    assert "Next update when there is news." in filled.text


def test_the_customer_text_has_start_and_end() -> None:
    story = Story(impact_started_at=at("13:50"))
    assert "[end]" in fill(CUSTOMER, CUSTOMER_PLACES, story.incident, at("14:05")).left
    story.do(commands.resolve, now=at("14:40"), override="works")
    filled = fill(CUSTOMER, CUSTOMER_PLACES, story.incident, at("15:00"), service="links")
    assert filled.left == ("[brief explanation]",)
    assert "from 13:50 UTC on 2026-11-23 to 14:40 UTC on 2026-11-23." in filled.text
    assert final_update(story.incident, at("14:40"), service="links").startswith(
        "Resolved: the issue affecting links."
    )


@given(st.sampled_from(["", None]), st.sampled_from([STATUS, CUSTOMER]))
def test_our_own_words_never_enter_a_public_text(words: str | None, template: str) -> None:
    """Without customers' words the place stays open, and so blocks sending: the title is ours."""
    story = Story(issue="redirect-down", impact="x")
    places = {**STATUS_PLACES, **CUSTOMER_PLACES}
    text = fill(template, places, story.incident, at("14:05"), service=words).text
    last = final_update(story.incident, at("14:05"), service=words)
    for said in (text, last):
        assert "Redirects down" not in said
        assert "redirect-down" not in said
        with pytest.raises(Refused, match=r"\[[sS]ervice\]"):
            story.do(commands.send_update, "public", said, now=at("14:05"), placeholders=tuple(places))


def test_the_shipped_templates_fill() -> None:
    from isla_console.resources import resource
    from isla_console.runbook.load import load_runbook

    runbook = load_runbook(resource("runbook.yaml")).runbook
    assert all(runbook.customers_words(issue.id) for issue in runbook.issues)
    assert runbook.customers_words(None) == runbook.customers_words("gone") == ""
    story = Story(impact="Links time out", issue="redirect-down")
    templates = {t.audience: t for t in runbook.templates}
    words = runbook.customers_words("redirect-down")
    status = fill(
        templates["public"].text,
        templates["public"].placeholders,
        story.incident,
        at("14:03"),
        service=words,
    )
    assert status.left == ()
    assert "affecting short links." in status.text
    customer = fill(
        templates["customer"].text,
        templates["customer"].placeholders,
        story.incident,
        at("14:03"),
        service=words,
    )
    assert set(customer.left) == {
        "[end]",
        "[brief explanation]",
        "[what we did]",
        "[what we're doing to prevent recurrence]",
    }


def test_the_second_incident_of_a_day_has_its_own_channel() -> None:
    first, second = Story(), Story(now=at("18:00"))
    both = (second.incident, first.incident)
    assert channel_of(first.incident, both) == "#incident-2026-11-23"
    assert channel_of(second.incident, both) == "#incident-2026-11-23-2"
    assert channel_of(first.incident, ()) == "#incident-2026-11-23"


@dataclass(frozen=True)
class _Severity:
    id: str
    rule: tuple[str, ...]
    affected_from: float | None = None
    affected_below: float | None = None


SEVERITIES = (
    _Severity("P0", ("Complete outage", "data loss risk", "security breach")),
    _Severity("P1", ("Major feature broken", ">30% users affected"), affected_from=30),
    _Severity("P2", ("Minor feature broken", "<30% users affected"), affected_below=30),
    _Severity("P3", ("Cosmetic issues", "workarounds available")),
)


@pytest.mark.parametrize(
    ("trouble", "percent", "severity", "because"),
    [
        ("outage", None, "P0", "Complete outage"),
        ("data", 1, "P0", "data loss risk"),
        ("security", 0, "P0", "security breach"),
        (None, 31, "P1", ">30% users affected"),
        (None, 30, "P1", "exactly 30 % counts as P1"),
        (None, 29.9, "P2", "<30% users affected"),
        ("major", 5, "P1", "Major feature broken"),
        ("minor", 60, "P1", ">30% users affected"),
        ("minor", 5, "P2", "Minor feature broken"),
        ("cosmetic", None, "P3", "Cosmetic issues"),
        (None, None, "P1", "the share of users is not known: taken as the worse"),
    ],
)
def test_a_severity_is_proposed_with_its_rule(
    trouble: str | None, percent: float | None, severity: str, because: str
) -> None:
    found = propose(SEVERITIES, trouble=trouble, affected_percent=percent)
    assert (found.severity, found.because) == (severity, because)


def test_what_now_is_one_sentence_through_an_incident() -> None:
    story = Story(metrics={"redirect": ("alert", "1240 ms")})
    said = [what_now(story.incident, at("14:01"))]
    story.do(commands.accept_role, "commander", "ana", now=at("14:01"))
    said.append(what_now(story.incident, at("14:02")))
    said.append(what_now(story.incident, at("14:06")))
    story.do(commands.send_update, "public", "We know.", now=at("14:06"))
    said.append(what_now(story.incident, at("14:07")))
    said.append(what_now(story.incident, at("14:18")))
    story.do(commands.change_state, "monitoring", now=at("14:20"), reason="rolled back")
    story.do(commands.send_update, "public", "We watch.", now=at("14:20:30"))
    story.measure("redirect", "alert", "ok", "40 ms", at("14:21"))
    said.append(what_now(story.incident, at("14:22")))
    story.do(commands.note, "calm", now=at("14:30"))
    said.append(what_now(story.incident, at("14:36")))
    story.do(commands.resolve, now=at("14:36"))
    said.append(what_now(story.incident, at("14:37")))
    story.do(commands.send_update, "public", "Over.", now=at("14:38"))
    said.append(what_now(story.incident, at("14:39")))
    for item in story.incident.checklist:
        story.do(commands.tick, item, now=at("14:40"))
    said.append(what_now(story.incident, at("14:41")))
    story.do(commands.change_postmortem, now=at("14:42"), owner="ben")
    said.append(what_now(story.incident, at("14:43")))
    story.do(commands.close, now=at("14:44"))
    said.append(what_now(story.incident, at("14:45")))
    said.append(what_now(story.incident, at("14:45", day=26)))
    assert said == [
        "Take the lead: nobody is commander.",
        "Next, 14:05Z (in 3 min): the public update is due, the first one.",
        "Send the public update: due 14:05Z, 1 min ago, the first one.",
        "Next, 14:15Z (in 8 min): L2 (ana, ben) is due, unless it is mitigated by then.",
        "Call ana and ben (L2): due 14:15Z, 3 min ago, not acknowledged.",
        "Next, 14:36Z (in 14 min): the soak is through, if everything stays normal.",
        "Resolve it: normal since 14:21Z, the soak of 15 min is green.",
        "Send the last public update by 14:41Z: the state changed.",
        "Go on with the checklist, 3 left: Incident resolved and verified.",
        "Name an owner for the post-mortem, due 2026-11-25 14:36Z: closing wants one.",
        "Close it: the checklist is through.",
        "Write the post-mortem (ben), due 2026-11-25 14:36Z.",
        "Publish the post-mortem (ben): due 2026-11-25 14:36Z, 1 d 00 h ago.",
    ]


def test_the_brief_fits_one_screen_and_says_the_essential() -> None:
    story = Story(issue="redirect-down", metrics={"redirect": ("alert", "1240 ms")})
    story.do(commands.accept_role, "commander", "ana", now=at("14:01"))
    story.do(commands.offer_role, "commander", "ben", now=at("14:16"))
    story.do(commands.decide, "roll back\x1b[2J " + "x" * 200, now=at("14:17"))
    for number in range(40):
        story.do(commands.note, f"note {number}", now=at("14:18"))
    text = brief(story.incident, at("14:20"))
    lines = text.split("\n")
    assert len(lines) <= 22
    assert max(map(len, lines)) <= 78
    assert "\x1b" not in text
    for part in (
        "P0 Redirects down · declared",
        "redirect-down",
        "commander ana (offered to ben)",
        "L2 ana: nobody yet, ben: nobody yet; L3 at",
        "public nothing sent, due 14:05Z OVERDUE",
        "redirect alert 1240 ms",
        "Decided 14:17Z: roll back␛",
        "Next: Call ana and ben (L2)",
        "note 39",
    ):
        assert part in text
    assert len(brief(story.incident, at("14:20"), height=8).split("\n")) == 8


@pytest.mark.parametrize("width", [70, 50])  # what a sheet has on a terminal of 80 and of 60 columns
def test_the_brief_wraps_who_and_what_comes_next(width: int) -> None:
    story = Story(issue="redirect-down")
    story.do(commands.accept_role, "commander", "ana-maria.lindqvist", now=at("14:01"))
    story.do(commands.accept_role, "investigator", "bartholomew.osei", now=at("14:01"))
    story.do(commands.acknowledge, "L2", "ana", now=at("14:16"))
    story.do(commands.decide, "y" * 3 * width, now=at("14:17"))
    text = brief(story.incident, at("14:20"), width=width, height=18)
    lines = text.split("\n")
    assert len(lines) <= 18
    assert max(map(len, lines)) <= width
    said = " ".join(text.split())
    for whole in (
        "Roles: commander ana-maria.lindqvist, investigator bartholomew.osei, communicator nobody",
        "Ladder: L2 ana: ana on it 14:16Z, ben: nobody yet; L3 at 14:30Z",
        f"Next: {what_now(story.incident, at('14:20'))}",
    ):
        assert whole in said


def test_a_full_brief_keeps_what_comes_next() -> None:
    story = Story(issue="redirect-down")
    for number in range(3):
        story.do(commands.decide, f"{number} " + "word " * 60, now=at("14:17"))
    text = brief(story.incident, at("14:20"), width=50, height=12)
    assert len(text.split("\n")) == 12
    assert f"Next: {what_now(story.incident, at('14:20'))}" in " ".join(text.split())
