"""The post-mortem document while it is being written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from isla_console.incident.record.state import Incident
from isla_console.text.spans import span_text
from isla_console.text.times import clock_text, full_text

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
        return clock_text(when, self.incident.declared_at, seconds=True)


def full_time(when: datetime | None) -> str:
    """Return a date and time to the second, "" for None."""
    return "" if when is None else full_text(when, seconds=True)


def after(began: datetime, at: datetime) -> str:
    """Return how long after `began` a time is, or how long before it."""
    apart = at - began
    if apart < timedelta():
        return f"{span_text(apart)} before"
    return span_text(apart)
