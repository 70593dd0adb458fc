"""Triage on the screen: which issue it is and whose, on the overview, an issue's page and the sidebar."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from isla_console.incident.rules.proposal import propose
from isla_console.monitor.metrics.sample import State
from isla_console.monitor.sources.vendors import VendorReading
from isla_console.runbook.model import Issue
from isla_console.session.state import ConsoleState
from isla_console.text.plain import plain
from isla_console.text.times import clock_text
from isla_console.triage.blame import blame
from isla_console.triage.check import next_check
from isla_console.triage.ranking import Candidate, names
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.theme import GLYPHS, MUTED, STYLES

OFFER_FROM = 2
"""The number of confirmed alerts from which on declaring is offered."""
_PLACES = ("", "1st", "2nd", "3rd")
_MARKS: tuple[State, ...] = ("unknown", "alert", "elevated", "ok")
_VENDOR_STATES: dict[str, State] = {"degraded": "elevated", "down": "alert"}
_SIDES = {"us": STYLES["alert"], "they": STYLES["elevated"], "me": STYLES["elevated"]}


def triage_rows(state: ConsoleState, width: int) -> Iterator[Row]:
    """Draw the likeliest issue with its reasons, the next ones, the next check, and whose trouble it is."""
    ranking = state.triage
    first = ranking.first
    if first is not None:
        yield from _paragraph(_likeliest(state), width, lines=5)
    sentence = blame(state.runbook, state.facts, ranking, state.health)
    if first is not None or sentence.side in {"they", "us"} or state.facts.vendors:
        # The colour stands on whose it is; the rest is to be read.
        head, colon, rest = plain(sentence.sentence).partition(":")
        style = _SIDES.get(sentence.side, MUTED)
        said = Content.assemble((head + colon, style), rest) if colon else Content.styled(head, style)
        yield from _paragraph(said, width, lines=2)
    if first is not None:
        yield Row.text("")
        yield from _actions(state, first, width)


def offered(state: ConsoleState) -> Candidate | None:
    """Return the issue to offer for declaring: two alerts stand and nobody has declared anything."""
    ranking = state.triage
    if state.incident is not None or ranking.alerts < OFFER_FROM:
        return None
    return ranking.first


def proposed_issue(state: ConsoleState, page_issue: str | None) -> str | None:
    """Return the issue a declaration begins with: the page's, else the likeliest."""
    if page_issue is not None:
        return page_issue
    return state.triage.first.issue if state.triage.first else None


def proposed_trouble(state: ConsoleState, issue_id: str | None) -> str:
    """Return the answer to "what is it?" that gives the severity the runbook proposes for the issue."""
    severity = state.runbook.issue(issue_id).severity if issue_id else None
    for trouble in ("major", "minor", "cosmetic", "outage"):
        if propose(state.runbook.severities, trouble=trouble, affected_percent=None).severity == severity:
            return trouble
    return "major"


def mark(issue: Issue, console_state: ConsoleState) -> Content:
    """Draw an issue's mark in the sidebar: that it was chosen, else its rank."""
    if console_state.incident is not None and console_state.incident.issue == issue.id:
        return Content.styled("◆ this", "$accent")
    place = console_state.triage.place(issue.id)
    if not place:
        return Content("")
    if place <= console_state.triage.tied:
        return Content.styled(
            f"{GLYPHS['alert']} {'1st' if console_state.triage.tied == 1 else 'tie'}", STYLES["alert"]
        )
    state = _MARKS[min(place, 3)]
    glyph = f"{GLYPHS[state]} " if place == 2 else ""
    return Content.styled(f"{glyph}{_PLACES[place]}", STYLES["elevated"] if place == 2 else MUTED)


def why_rows(issue: Issue, state: ConsoleState, width: int) -> list[Row]:
    """Draw, for an issue's page, the evidence for it now."""
    found = next((one for one in state.triage.candidates if one.issue == issue.id), None)
    if found is None:
        return []
    place = state.triage.place(issue.id)
    tie = state.triage.tied > 1 and place <= state.triage.tied
    head = Content.styled(
        f" {'tied for 1st' if tie else _PLACES[place]} ", STYLES["alert" if place == 1 else "elevated"]
    )
    because = Content.assemble(head, (f"because {plain(found.because)}", ""))
    if found.under:
        above = state.runbook.issue(found.under)
        because = Content.assemble(because, (f" · may follow from {above.number} {above.title}", MUTED))
    return [*_paragraph(because, width, lines=3), Row.text("")]


def vendor_rows(console_state: ConsoleState, width: int) -> list[Row]:
    """Draw each vendor's status page: its state, since when, and what it says."""
    if console_state.snapshot is None or not console_state.snapshot.vendors:
        return []
    rows = [Row.text(""), Row.heading("Vendors")]
    for vendor in console_state.snapshot.vendors:
        state = glyph_state(vendor)
        since = (
            f" since {clock_text(vendor.since, console_state.now)}"
            if vendor.since is not None and vendor.known
            else ""
        )
        left = Content.assemble(
            " ", (GLYPHS[state], STYLES[state]), f" {vendor.title:<10} ", (f"{vendor.state}{since}", "")
        )
        rows.append(
            Row(RowKey("vendor", vendor.id), ends(left, Content.styled(plain(vendor.text), MUTED), width))
        )
    return rows


def glyph_state(vendor: VendorReading) -> State:
    """Return the state whose glyph and colour a vendor's state takes."""
    found: State = _VENDOR_STATES.get(vendor.state, vendor.state)  # type: ignore[arg-type]
    return found


def _likeliest(state: ConsoleState) -> Content:
    ranking = state.triage
    first, rest = ranking.candidates[0], ranking.candidates[1:]
    if ranking.tied > 1:
        tied = ranking.candidates[: ranking.tied]
        said = Content.assemble(
            ("A tie: ", STYLES["alert"]),
            (names(tied), "bold"),
            f" ({first.score} each). {first.number}: {plain(first.because)}.",
        )
        for other in tied[1:]:
            said = Content.assemble(said, f" {other.number}: {plain(other.because)}.")
        rest = ranking.candidates[ranking.tied :]
    else:
        said = Content.assemble(
            ("Most likely ", STYLES["alert"]),
            (f"{first.number} {first.title}", "bold"),
            f" ({first.score}), because {plain(first.because)}.",
        )
    for number, other in enumerate(rest):
        word = "Next" if number == 0 else "Then"
        under = ""
        if other.under:
            under = f", may follow from {state.runbook.issue(other.under).number}"
        said = Content.assemble(
            said, (f" {word} {other.number} {other.title} ({other.score}{under}).", MUTED)
        )
    return said


def _actions(state: ConsoleState, first: Candidate, width: int) -> Iterator[Row]:
    """Draw what to do about it: declare, look, check."""
    severity = state.runbook.issue(first.issue).severity
    if offered(state) is not None:
        what = " · ".join(part for part in (severity or "", f"{first.number} {first.title}") if part)
        text = Content.assemble((" d ", "$accent bold"), (f" declare an incident? ({what})", "bold"))
        yield Row(RowKey("command", "declare"), text.truncate(width, ellipsis=True))
    chosen = state.incident is not None and state.incident.issue == first.issue
    if not chosen:
        look = "look at it" if state.incident is not None else "look at the issue first"
        yield Row(
            RowKey("command", "likeliest"),
            Content.assemble((" j ", "$accent bold"), f" {look}: {first.title}"),
        )
    check = next_check(state.runbook, state.triage, state.facts)
    if check is not None:
        target = f"issue:{check.issue}#"
        target += f"step:{check.id}" if check.kind == "step" else f"symptom:{check.issue}/{check.id}"
        what = f"check next: {check.title}" if check.kind == "step" else f"ask next: {check.title}?"
        line = Content.assemble((" ↵ ", "$accent bold"), f" {what}", (f"  {check.tells}", MUTED))
        yield Row(RowKey("look", target), line.truncate(width, ellipsis=True))


def _paragraph(content: Content, width: int, *, lines: int) -> list[Row]:
    room = max(10, width - 1)
    wrapped = content.wrap(room)
    kept = wrapped[:lines]
    if len(wrapped) > lines:
        kept[-1] = Content.assemble(kept[-1], " …").truncate(room, ellipsis=True)
    return [Row.text(line) for line in kept]
