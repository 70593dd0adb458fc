"""The timeline page: everything that happened, in order."""

from __future__ import annotations

import json

from textual.content import Content

from isla_console.incident.record.events import Event
from isla_console.session.state import ConsoleState
from isla_console.text.plain import plain_block
from isla_console.text.times import clock_text, day_text, utc_text
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.theme import MUTED
from isla_console.ui.views.describe import describe

LIMIT = 400
"""The most entries on the page; older ones are counted, exported and reported, but not listed."""

FILTERS: dict[str, frozenset[str]] = {
    "": frozenset(),
    "people": frozenset(),
    "ladder": frozenset(
        {
            *("level_due", "called", "acknowledged", "level_waived", "escalated"),
            *("hold_started", "hold_ended"),
        }
    ),
    "state": frozenset(
        {
            *("declared", "state_changed", "severity_changed", "impact_changed"),
            *("impact_start_adjusted", "merged", "took_in"),
        }
    ),
    "updates": frozenset({"update_drafted", "update_copied", "update_sent", "update_snoozed"}),
    "steps": frozenset({"ran", "queried", "sessions_ended", "step_done", "step_undone", "step_skipped"}),
    "notes": frozenset({"noted", "decided", "overruled"}),
    "measures": frozenset({"metric_changed", "probe_changed", "vendor_changed", "link_changed"}),
}
"""The page's filters: a name and its kinds. `people` is whatever a person did."""


def next_filter(name: str) -> str:
    """Return the filter after this one, in a circle."""
    names = list(FILTERS)
    return names[(names.index(name) + 1) % len(names)]


def timeline_rows(state: ConsoleState, width: int) -> list[Row]:
    """Draw a row for each event, newest first, with a rule where the day changes; late entries are marked."""
    incident = state.incident
    if incident is None:
        return [Row.text(Content.styled("The timeline begins when an incident is declared (d).", MUTED))]
    events = [event for event in incident.timeline if _passes(event, state.timeline_filter)]
    rows: list[Row] = []
    if state.timeline_filter:
        said = f"Only {state.timeline_filter}: {len(events)} of {len(incident.timeline)} entries   F: next"
        rows.append(Row.text(Content.styled(said, "$accent")))
    day = None
    for event in reversed(events[-LIMIT:]):
        if event.occurred_at.date() != day:
            day = event.occurred_at.date()
            rows.append(Row.heading(f"{day_text(event.occurred_at)} UTC"))
        rows.append(Row(RowKey("event", event.id), _entry(event, state, width)))
    if len(events) > LIMIT:
        older = f"{len(events) - LIMIT} older entries: isla-console incident export {incident.id}"
        rows.append(Row.text(Content.styled(older, MUTED)))
    return rows


def _passes(event: Event, name: str) -> bool:
    return not name or (event.is_human if name == "people" else event.kind in FILTERS[name])


def _entry(event: Event, state: ConsoleState, width: int) -> Content:
    late = state.incident is not None and state.incident.is_late(event)
    corrected = state.incident is not None and event.id in state.incident.corrections
    marks = " ".join(word for word, on in (("corrected", corrected), ("written late", late)) if on)
    weight = "" if event.is_human else MUTED
    left = Content.assemble(
        (f" {clock_text(event.occurred_at, state.now, seconds=True)}  ", MUTED),
        (describe(event, state), weight),
    )
    first = state.incident.originals.get(event.id) if state.incident is not None else None
    if first is not None:
        moved = first.occurred_at != event.occurred_at
        at = f"{clock_text(first.occurred_at, state.now, seconds=True)} " if moved else ""
        left = Content.assemble(left, "  ", (f"{at}{describe(first, state)}", f"{MUTED} strike"))
    return ends(left, Content.styled(marks, "$warning"), width)


def event_detail(event: Event) -> list[Content]:
    """Draw an event in full, with its data as it was journalled."""
    data = plain_block(json.dumps(dict(event.data), indent=2, ensure_ascii=False, default=str))
    return [
        Content.assemble(("Happened  ", MUTED), utc_text(event.occurred_at)),
        Content.assemble(("Recorded  ", MUTED), utc_text(event.recorded_at)),
        Content.assemble(("By        ", MUTED), f"{event.actor} on {event.host}"),
        Content.assemble(("Id        ", MUTED), event.id),
        Content(""),
        *(Content(line) for line in data.splitlines()),
    ]
