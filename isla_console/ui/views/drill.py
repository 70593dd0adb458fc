"""The drill's own page: what it is about, what people said, how it goes, and what was wrong afterwards."""

from __future__ import annotations

import textwrap

from textual.content import Content

from isla_console.drill import client
from isla_console.drill.client import DrillState, EntryKind
from isla_console.session.state import ConsoleState
from isla_console.text.plain import plain
from isla_console.text.spans import countdown
from isla_console.text.times import clock_text
from isla_console.ui.lines import Row, RowKey
from isla_console.ui.theme import MUTED


def drill_rows(state: ConsoleState, width: int) -> list[Row]:
    """Draw the briefing, messages, the score so far and hints; once it is over, what was wrong."""
    drill = state.drill_state
    if not drill.entries:
        return [Row.text(Content.styled(drill.reason or "The platform has not answered yet.", MUTED))]
    rows = [*_paragraph(drill.briefing, width), Row.text("")]
    rows += [Row.text(f"{name:<10}{text}") for name, text in _how(state)]
    rows += _section("Not as it should be", "broken", _texts(drill, "broken"), width)
    said = [
        f"{clock_text(entry.at, state.now, seconds=True)} {entry.who}: {entry.text}"
        for entry in drill.entries
        if entry.kind == "message"
    ]
    rows += _section("What people say", "said", said, width)
    rows += _score(drill, state, width)
    return rows + _section("Hints", "hint", _texts(drill, "hint"), width)


def _texts(drill: DrillState, kind: EntryKind) -> list[str]:
    return [f"· {plain(entry.text)}" for entry in drill.entries if entry.kind == kind]


def speed_words(speed: float) -> str:
    """Say what a quick drill shortens, "" at normal speed."""
    return f"×{speed:g}: story, ladder, cadence and soak {speed:g} times shorter" if speed != 1 else ""


def _how(state: ConsoleState) -> list[tuple[str, str]]:
    found = [
        ("Drill", state.drill),
        ("Since", clock_text(state.drill_state.entries[0].at, state.now, seconds=True)),
    ]
    if words := speed_words(state.drill_speed):
        found.append(("Speed", words))
    found.append(("Kept", "in the drill's own journal; isla-console drill report compares"))
    return found


def _score(drill: DrillState, state: ConsoleState, width: int) -> list[Row]:
    over = any(entry.kind in {"cured", "by_hand"} for entry in drill.entries)
    scenario = client.scenario(drill.scenario)
    incidents = [*([state.incident] if state.incident else []), *state.others]
    events = [event for incident in incidents for event in incident.timeline]
    judged = client.score_so_far(drill, events, actor=state.actor, speed=state.drill_speed, now=state.now)
    rows = [Row.text(""), Row.heading("So far")]
    for mark in judged.marks:
        # Whether the cause is right would be a hint before it is over.
        seconds = mark.seconds if over or mark.title not in {"right cause", "mitigated"} else None
        done = countdown(round(seconds)) if seconds is not None else "–"
        limit = f"of {countdown(round(mark.limit_s))}" if mark.limit_s is not None else ""
        style = "" if seconds is None or mark.in_time else "$warning"
        line = Content.assemble((f"{mark.title:<14}", MUTED), (f"{done:>7}  {limit}", style))
        rows.append(Row(RowKey("mark", mark.title), line))
    if not over:
        return rows
    rows += _section("What it was", "truth", [f"· {text}" for text in scenario.truths], width)
    cures = [f"· {cure.title}. {cure.text}" for cure in scenario.cures]
    rows += _section("What cures it", "cure", cures, width)
    turns = [f"· {text}" for text in (*judged.dangerous, *judged.stopped, *judged.wrong)]
    rows += _section("Wrong turns", "turn", turns, width)
    return [
        *rows,
        Row.text(""),
        Row.text(Content.styled("The whole score is printed when you leave.", MUTED)),
    ]


def _paragraph(text: str, width: int, key: RowKey | None = None) -> list[Row]:
    """Wrap a text; with a key the cursor can go to its first line, so that a small screen scrolls to it."""
    indent = "  " if text.startswith("·") else ""
    lines = textwrap.wrap(text, max(20, width - 1), subsequent_indent=indent)
    return [Row(key if index == 0 else None, Content(line)) for index, line in enumerate(lines)]


def _section(title: str, kind: str, texts: list[str], width: int) -> list[Row]:
    if not texts:
        return []
    lines = [row for n, text in enumerate(texts) for row in _paragraph(text, width, RowKey(kind, str(n)))]
    return [Row.text(""), Row.heading(title), *lines]
