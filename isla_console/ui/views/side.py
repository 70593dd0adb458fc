"""The right column: the ladder, the checklist, the newest of the timeline."""

from __future__ import annotations

from textual.content import Content

from isla_console.incident.rules.escalation import Rung, ladder
from isla_console.runbook.model import Level
from isla_console.session.state import ConsoleState
from isla_console.text.spans import countdown
from isla_console.text.times import clock_text
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.theme import MUTED
from isla_console.ui.views.describe import describe
from isla_console.ui.views.issue import DONE, OPEN, SKIPPED

_GLYPHS = {"engaged": "●", "current": "▸", "waived": "–", "silent": "·", "by_hand": "·", "upcoming": "○"}


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
    hot = rung.nag in {"nag", "red"}
    style = "$error bold" if hot else ("bold" if rung.status == "current" else "")
    name = Content.assemble((f"{_GLYPHS[rung.status]} {rung.level} ", style), (rung.targets[0], style))
    lines = [ends(name, _when(rung, state), width)]
    if len(rung.targets) > 1:
        lines.append(Content.styled(f"     + {', '.join(rung.targets[1:])}", MUTED))
    if rung.acknowledged_by:
        lines.append(Content.styled(f"     ack {', '.join(rung.acknowledged_by)}", "$success"))
    return lines


def _when(rung: Rung, state: ConsoleState) -> Content:
    if rung.status == "upcoming":
        if rung.due_in_s is None:
            return Content.styled("paused", MUTED)
        return Content(countdown(rung.due_in_s))
    if rung.is_engaged and rung.due_at is not None:
        if rung.nag in {"nag", "red", "due"} and rung.waiting_for:
            return Content.styled("call now" if rung.nag != "red" else "NO ANSWER", "$error bold")
        if not rung.from_min:
            return Content.styled("now" if rung.status == "current" else "", MUTED)
        late = " late" if rung.late else ""
        return Content.styled(f"{clock_text(rung.due_at, state.now)}{late}", "$warning" if late else MUTED)
    return Content.styled(rung.status.replace("_", " "), MUTED)
