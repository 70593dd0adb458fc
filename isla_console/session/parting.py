"""What a console that could not save everything says when it ends, on the terminal it gives back."""

from __future__ import annotations

from isla_console.incident.record.events import Event
from isla_console.incident.record.words import phrase
from isla_console.journal.store import Unsaved
from isla_console.text.plain import plain
from isla_console.text.times import full_text

MOST = 200
"""How many events are printed; the rest are in the file."""


def parting(unsaved: Unsaved) -> str:
    """Name every event that was not saved, and say where it is now; "" when all were."""
    events = unsaved.events
    if not events:
        return ""
    head = f"isla-console: {_entries(len(events))} NOT SAVED: {unsaved.reason}"
    lines = [plain(head), *(f"  {event_line(event)}" for event in events[:MOST])]
    if len(events) > MOST:
        lines.append(f"  and {len(events) - MOST} more")
    if unsaved.place:
        lines.append(f"They are in {plain(unsaved.place)}: the next start of isla-console takes them in.")
    else:
        lines.append("They could not be written anywhere: copy these lines.")
    return "\n".join(lines)


def event_line(event: Event) -> str:
    """Return an event as one line, with its time and its incident."""
    return plain(f"{full_text(event.occurred_at, seconds=True)} {event.incident}: {phrase(event)}")


def _entries(count: int) -> str:
    return "1 entry is" if count == 1 else f"{count} entries are"
