"""Everything that happened, in order."""

import json

from textual.content import Content

from isla_console.incident.events import Event
from isla_console.plain import plain_block
from isla_console.ui.board import Board
from isla_console.ui.format import hms
from isla_console.ui.theme import MUTED
from isla_console.ui.views.told import told
from isla_console.ui.widgets.rows import Row
from isla_console.ui.widgets.text_block import ends


def timeline_rows(board: Board, width: int) -> list[Row]:
    """One row an event, newest first, with a rule where the day changes; late entries are marked."""
    incident = board.incident
    if incident is None:
        return [Row.text(Content.styled("The timeline begins when an incident is declared (d).", MUTED))]
    rows: list[Row] = []
    day = None
    for event in reversed(incident.timeline):
        if event.occurred_at.date() != day:
            day = event.occurred_at.date()
            rows.append(Row.heading(f"{day:%Y-%m-%d} UTC"))
        late = Content.styled("written late" if incident.is_late(event) else "", "$warning")
        weight = "" if event.is_human else MUTED
        left = Content.assemble((f" {hms(event.occurred_at)}  ", MUTED), (told(event, board), weight))
        rows.append(Row(f"event:{event.id}", ends(left, late, width)))
    return rows


def event_detail(event: Event) -> list[Content]:
    """An event in full, its data as it was journalled."""
    data = plain_block(json.dumps(dict(event.data), indent=2, ensure_ascii=False, default=str))
    return [
        Content.assemble(("Happened  ", MUTED), event.occurred_at.isoformat()),
        Content.assemble(("Recorded  ", MUTED), event.recorded_at.isoformat()),
        Content.assemble(("By        ", MUTED), f"{event.actor} on {event.host}"),
        Content.assemble(("Id        ", MUTED), event.id),
        Content(""),
        *(Content(line) for line in data.splitlines()),
    ]
