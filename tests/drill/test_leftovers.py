"""What an earlier drill left open is ended before the next one begins, and by its right name."""

from __future__ import annotations

from pathlib import Path

from isla_console.drill.leftovers import cancelled
from isla_console.incident import commands
from isla_console.incident.record.state import fold
from isla_console.journal.local import LocalJournal
from tests.incident.story import Story, at


def test_what_was_resolved_was_an_incident(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    left, resolved, ended = Story("P3"), Story("P3"), Story("P3")
    for story in (resolved, ended):
        story.do(commands.resolve, now=at("14:10"))
    ended.do(commands.reopen, "not over", now=at("14:11"))
    ended.do(commands.cancel, "none", now=at("14:12"))
    with LocalJournal.open(path) as journal:
        for story in (left, resolved, ended):
            journal.append(story.events)
    with cancelled(path):
        pass
    found = {}
    with LocalJournal.open(path) as journal:
        for name, story in (("left", left), ("resolved", resolved), ("ended", ended)):
            incident = fold(journal.events(story.incident.id))
            assert incident is not None
            found[name] = (incident.state, incident.states[-1].by, incident.states[-1].reason)
    assert found == {
        "left": ("cancelled", "drill", "its drill is over"),
        "resolved": ("closed", "drill", "its drill is over"),
        "ended": ("cancelled", "ana", "none"),
    }
