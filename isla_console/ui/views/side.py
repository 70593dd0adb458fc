"""The right column: the ladder, the checklist, the newest of the timeline."""

from __future__ import annotations

from textual.content import Content

from isla_console.incident.rules.escalation import Rung, Target, ladder
from isla_console.runbook.model import Level
from isla_console.session.state import ConsoleState
from isla_console.text.spans import countdown
from isla_console.text.times import clock_text
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.theme import MUTED
from isla_console.ui.views.describe import describe
from isla_console.ui.views.issue import DONE, OPEN, SKIPPED

_GLYPHS = {"engaged": "▸", "current": "▸", "waived": "–", "silent": "·", "by_hand": "·", "upcoming": "○"}


def ladder_lines(state: ConsoleState, width: int) -> list[Content]:
    """Draw each level with its targets and when it is due; before an incident, as the runbook has it."""
    if state.incident is None:
        levels = state.runbook.escalation.levels
        return [
            ends(Content(f"{OPEN} {level.id} {level.targets[0]}"), Content.styled(_span(level), MUTED), width)
            for level in levels
        ]
    lines: list[Content] = []
    for rung in ladder(state.incident, state.now):
        lines += _rung(rung, state, width)
    overlay = state.incident.policy.overlay.replace("_", " ")
    lines.append(Content.styled(f"{state.incident.severity}: ladder {overlay}", MUTED))
    return lines


def checklist_rows(state: ConsoleState, width: int) -> list[Row]:
    """Draw the checklist's items: ticked, not applicable, or open."""
    if state.incident is None:
        return [
            Row.text(Content.styled(f"{OPEN} {item.text}", MUTED).truncate(width, ellipsis=True))
            for item in state.runbook.checklist
        ]
    rows = []
    for tick in state.incident.checklist.values():
        mark, style = {"ticked": (DONE, "$success"), "na": (SKIPPED, MUTED)}.get(tick.state, (OPEN, ""))
        text = Content.assemble((mark, style), " ", (tick.text, MUTED if tick.state != "open" else ""))
        rows.append(Row(RowKey("check", tick.item), text.truncate(width, ellipsis=True)))
    return rows


def event_lines(state: ConsoleState, width: int, height: int) -> list[Content]:
    """Draw the newest events, the oldest of them first."""
    if state.incident is None:
        return [Content.styled("begins with an incident", MUTED)]
    newest = state.incident.timeline[-max(1, height) :]
    return [
        Content.assemble(
            (f"{clock_text(event.occurred_at, state.now).removesuffix('Z')} ", MUTED), describe(event, state)
        ).truncate(width, ellipsis=True)
        for event in newest
    ]


def _span(level: Level) -> str:
    """Write the minutes of a level, such as `15-30` or `60+`."""
    return f"{level.from_min:g}+" if level.to_min is None else f"{level.from_min:g}-{level.to_min:g}"


def _rung(rung: Rung, state: ConsoleState, width: int) -> list[Content]:
    """Draw a level; once it is engaged, each of its targets with its own state."""
    answered = rung.is_engaged and all(target.state == "on_it" for target in rung.whom)
    head = f"{DONE if answered else _GLYPHS[rung.status]} {rung.level} "
    if not rung.is_engaged:
        lines = [ends(Content.assemble(head, rung.targets[0] if rung.targets else ""), _when(rung), width)]
        if len(rung.targets) > 1:
            lines.append(Content.styled(f"     + {', '.join(rung.targets[1:])}", MUTED))
        return lines
    return [
        ends(
            Content.assemble(
                (head if index == 0 else " " * len(head), "bold" if rung.status == "current" else ""),
                (target.target, "$error bold" if _is_hot(rung, target) else ""),
            ),
            _answer(rung, target, state),
            width,
        )
        for index, target in enumerate(rung.whom)
    ]


def _when(rung: Rung) -> Content:
    if rung.status != "upcoming":
        return Content.styled(rung.status.replace("_", " "), MUTED)
    return Content.styled("paused", MUTED) if rung.due_in_s is None else Content(countdown(rung.due_in_s))


def _is_hot(rung: Rung, target: Target) -> bool:
    return rung.nag in {"nag", "red"} and target.target in rung.waiting_for


def _answer(rung: Rung, target: Target, state: ConsoleState) -> Content:
    """Say what is known of a target of an engaged level, in a few words."""
    calls = rung.nag != "none" and target.target in rung.waiting_for
    if target.state == "on_it":
        return Content.styled(f"{target.person} on it", "$success")
    if target.at is None:
        if calls:
            return Content.styled("CALL NOW" if rung.nag == "red" else "call now", "$error bold")
        return Content.styled("open", "$warning")
    said = {"no_answer": "no answer", "message": "message"}.get(target.state, target.state)
    at = clock_text(target.at, state.now).removesuffix("Z")
    return Content.styled(f"{said} {at}", "$error bold" if calls else "$warning")
