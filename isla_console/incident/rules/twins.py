"""Two incidents of one issue that were declared at once, each before its console had read of the other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from isla_console.incident.record.state import Incident

AT_ONCE = timedelta(minutes=2)
"""Two declarations of one issue within this time are asked to be one."""


def twin_of(mine: Incident, others: Iterable[Incident]) -> Incident | None:
    """Return the other open incident of the same issue that was declared at most two minutes before this one.

    Of two, only the later one has such a twin: its people are asked to join the earlier. Where both were
    declared in the same millisecond, the id decides.
    """
    if mine.issue is None or not mine.is_open:
        return None
    earlier = [
        other
        for other in others
        if other.is_open
        and other.id != mine.id
        and other.issue == mine.issue
        and (other.declared_at, other.id) < (mine.declared_at, mine.id)
        and mine.declared_at - other.declared_at <= AT_ONCE
    ]
    return min(earlier, key=lambda other: (other.declared_at, other.id), default=None)
