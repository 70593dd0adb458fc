"""The post-mortem document while it is being written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from isla_console.incident.record.state import Incident
from isla_console.text.times import span_text

ASKED = "_For a person to write:_"
"""The mark of what the journal cannot know."""


@dataclass(slots=True)
class Page:
    """The document while it is being written; `until` is the time of the last thing known."""

    incident: Incident
    until: datetime
    lines: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def heading(self, title: str) -> None:
        """Begin a section."""
        self.lines += ["", f"## {title}", ""]

    def add(self, *lines: str) -> None:
        """Add lines of Markdown."""
        self.lines += lines

    def ask(self, section: str, question: str) -> None:
        """Leave a marked place for a person, and list its question at the end."""
        self.lines.append(f"> {ASKED} {question}")
        self.asked.append(f"{section}: {question}")

    def clock(self, when: datetime) -> str:
        """Return a time to the second, with the date unless it is the day of the declaration."""
        day = "" if when.date() == self.incident.declared_at.date() else f"{when:%Y-%m-%d} "
        return f"{day}{when:%H:%M:%S}Z"


def full_time(when: datetime | None) -> str:
    """Return a date and time to the second, "" for None."""
    return "" if when is None else f"{when:%Y-%m-%d %H:%M:%S}Z"


def after(began: datetime, at: datetime) -> str:
    """Return how long after `began` a time is, or how long before it."""
    apart = at - began
    if apart < timedelta():
        return f"{span_text(apart.total_seconds())} before"
    return span_text(apart.total_seconds())
