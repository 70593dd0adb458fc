"""The line at the top: what this is, how long it has lasted, what is due next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import wrap

from textual.content import Content

from isla_console.incident.record.state import Incident
from isla_console.incident.rules.ahead import ahead_sentence, begins_ahead
from isla_console.incident.rules.cadence import UpdateDue, updates
from isla_console.incident.rules.clocks import hold_until, t_seconds
from isla_console.incident.rules.escalation import ladder, next_rung
from isla_console.session.state import ConsoleState
from isla_console.text.plain import plain
from isla_console.text.spans import countdown, elapsed
from isla_console.text.times import clock_text
from isla_console.ui.lines import ends
from isla_console.ui.theme import LEVEL_GLYPHS, LEVEL_STYLES, MUTED

SEVERITY_STYLES = {"P0": "$background on $error bold", "P1": "$background on $error bold"}
OTHER_SEVERITY = "$background on $warning bold"
LATE = "$error bold"


@dataclass(frozen=True, slots=True)
class _Part:
    """One fact on the bar, in a long and a short form."""

    long: Content
    short: Content
    keep: bool = True
    """Whether it stays even on the narrowest bar."""


def bar_line(console_state: ConsoleState, width: int) -> Content:
    """Draw the incident in one line; facts are shortened first, then the title is cut."""
    incident = console_state.incident
    if incident is None:
        whole = console_state.health
        quiet = Content.assemble(
            " ",
            (console_state.runbook.platform, "bold"),
            "  ",
            ("no incident", MUTED),
            "  ",
            (f"{LEVEL_GLYPHS[whole.level]} {whole.words()}", LEVEL_STYLES[whole.level]),
        )
        return ends(quiet, _place(console_state), width)
    parts = [part for make in _PARTS if (part := make(incident, console_state)) is not None]
    badge = Content.styled(f" {incident.severity} ", SEVERITY_STYLES.get(incident.severity, OTHER_SEVERITY))
    state = Content.styled(incident.state.upper(), "bold")
    title = Content.styled(f" {incident.title}", "bold")
    for gap, forms in _shortenings(parts):
        facts = Content(" " * gap).join(form for form in forms if form.cell_length)
        room = width - badge.cell_length - state.cell_length - facts.cell_length - gap - 4
        if room >= min(title.cell_length, 24):
            break
    head = Content.assemble(badge, title.truncate(max(8, room), ellipsis=True), " · ", state)
    return ends(head, Content.assemble(facts, " "), width)


def banner_lines(state: ConsoleState, width: int) -> list[Content]:
    """Draw what must not be overlooked: that this is a drill, that something is not saved."""
    lines: list[Content] = []
    if state.replay:
        text = f" REPLAY {state.replay} · nothing is done or written · q: leave"
        lines.append(Content.styled(text, "$background on $warning bold").truncate(width, pad=True))
    if state.drill:
        speed = (
            f" ×{state.drill_speed:g} (ladder, soak: ÷{state.drill_speed:g})"
            if state.drill_speed != 1
            else ""
        )
        text = f" DRILL {state.drill}{speed} · B: briefing · f: fault · a rehearsal, on this machine alone"
        lines.append(
            Content.styled(text, "$background on $accent bold").truncate(width, ellipsis=True, pad=True)
        )
    if state.drill_lost:
        lost = f" {state.drill_lost}: what is red from now on is no part of it. q leaves; start it again."
        lines += whole(lost[:2].upper() + lost[2:], "$background on $error bold", width)
    if state.saved.reason:
        waiting = f" NOT SAVED ({state.saved.pending} waiting): " if state.saved.pending else " "
        lines += whole(f"{waiting}{state.saved.reason}", "$background on $error bold", width)
    for note in state.saved.notes:
        lines += whole(f" Journal: {note}", "$background on $warning bold", width)
    for fault in state.faults:
        lines += whole(f" {fault}", "$background on $error bold", width)
    if state.incident is not None and (wrong := ahead_sentence(state.incident, state.now)):
        lines += whole(f" ◆ {wrong}", "$background on $error bold", width)
    if state.alarms:
        said = "; ".join(alarm.text for alarm in state.alarms)
        lines += whole(f" ◆ {said}", "$background on $error bold", width)
    if state.edited_runbook:
        kept = " The incident keeps its ladder and cadence." if state.incident else ""
        text = f" runbook.yaml was edited. L: read it again.{kept}"
        lines.append(Content.styled(text, "$background on $warning bold"))
    if state.database is not None and (unlock := state.database.unlock) is not None:
        left = countdown(unlock.until - state.now)
        text = f" WRITING UNLOCKED {left} · {plain(unlock.reason)} · U on the SQL page locks it"
        lines.append(Content.styled(text, "$background on $warning bold").truncate(width, pad=True))
    if state.frozen_at is not None:
        text = f" Panels held at {clock_text(state.frozen_at, state.now, seconds=True)} · z: let them go"
        lines.append(Content.styled(text, "$background on $warning bold"))
    return lines


def whole(text: str, style: str, width: int) -> list[Content]:
    """Wrap a banner onto as many lines as it needs: whom to call, or what to do, is at its end."""
    room = max(12, width - 1)
    lines = wrap(
        text.strip(), room, initial_indent=" ", subsequent_indent="   ", max_lines=4, placeholder=" …"
    )
    return [Content.styled(line, style).truncate(width, ellipsis=True, pad=True) for line in lines]


def _shortenings(parts: list[_Part]) -> Iterator[tuple[int, list[Content]]]:
    """Yield the facts all long, then with one more shortened each time, from the right."""
    for gap in (4, 2):
        for long in range(len(parts), -1, -1):
            yield gap, [part.long if index < long else part.short for index, part in enumerate(parts)]
    yield 2, [part.short for part in parts if part.keep]


def _place(state: ConsoleState) -> Content:
    return Content.styled(f"{clock_text(state.now, seconds=True)} · {state.host} · {state.actor} ", MUTED)


def _clock(incident: Incident, state: ConsoleState) -> _Part | None:
    if begins_ahead(incident, state.now):
        return _Part(Content.styled("T+? clock", LATE), Content.styled("T+?", LATE))
    seconds = t_seconds(incident, state.now)
    short = elapsed(seconds)
    return _Part(
        Content.styled(f"T+{short}", "bold"), Content.styled(f"T+{short.removeprefix('00:')}", "bold")
    )


def _ladder(incident: Incident, state: ConsoleState) -> _Part | None:
    if not incident.is_active:
        return None
    rungs = ladder(incident, state.now)
    current = next((rung for rung in rungs if rung.status == "current"), None)
    level = current.level if current else ""
    if (until := hold_until(incident, state.now)) is not None:
        left = countdown(until - state.now)
        return _Part(
            Content.styled(f"{level} on hold {left}", "$warning"), Content.styled(f"hold {left}", "$warning")
        )
    style = LATE if current is not None and current.nag in {"nag", "red"} else ""
    who = next(iter((*current.waiting_for, *current.targets)), "") if current else ""
    following = next_rung(incident, state.now)
    if following is None or following.due_in_s is None:
        return _Part(Content.styled(f"{level} {who}", style), Content.styled(level, style))
    due = f"{following.level} in {countdown(following.due_in_s)}"
    return _Part(Content.assemble((f"{level} {who}", style), f" → {due}"), Content(due))


def _update(incident: Incident, state: ConsoleState) -> _Part | None:
    """Return the update that is due next, or has been overdue the longest."""
    due = [update for update in updates(incident, state.now) if update.due_at is not None]
    if not due:
        return None
    first = min(due, key=lambda update: update.due_at or state.now)
    return _update_part(first, state)


def _update_part(update: UpdateDue, state: ConsoleState) -> _Part | None:
    if update.due_at is None:
        return None
    left = (update.due_at - state.now).total_seconds()
    if left < 0:
        late = countdown(left)
        return _Part(
            Content.styled(f"{update.label} {late} overdue", LATE),
            Content.styled(f"update -{late}", LATE),
        )
    at = clock_text(update.due_at, state.now)
    return _Part(
        Content(f"{update.label} due {at} (in {countdown(left)})"),
        Content(f"update {countdown(left)}"),
    )


def _commander(incident: Incident, state: ConsoleState) -> _Part | None:
    name = incident.commander
    return _Part(Content(f"commander {name}"), Content(f"cmd {name}"), keep=False) if name else None


_PARTS: tuple[Callable[[Incident, ConsoleState], _Part | None], ...] = (_clock, _ladder, _update, _commander)
