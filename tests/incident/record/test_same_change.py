"""One change that two consoles measured is one; what happened twice is two."""

from datetime import timedelta
from itertools import permutations

from isla_console.incident.record.events import Author, Event, event
from isla_console.incident.record.state import Ledger, fold
from tests.incident.story import ANA, BEN, START, Story

Seen = tuple[Author, float, str, str]


def measured(story: Story, by: Author, seconds: float, before: str, after: str, **more: str) -> Event:
    data = {"name": more.get("name", "latency"), "from": before, "to": after, "value": "1 s"}
    now = START + timedelta(seconds=60 + seconds)
    return event(more.get("kind", "metric_changed"), data, incident=story.incident.id, author=by, now=now)


def changes(*seen: Seen) -> list[str]:
    """What the fold makes of it, whatever order it arrives in."""
    story = Story()
    found = [measured(story, *one) for one in seen]
    results = set()
    for order in list(permutations(found))[:24]:
        ledger = Ledger()
        ledger.add(story.events)
        for one in order:
            ledger.add([one])
        assert ledger.incident is not None
        results.add(tuple(f"{change.before}>{change.after}" for change in ledger.incident.changes))
        shown = [one for one in ledger.incident.timeline if one.kind == "metric_changed"]
        assert len(shown) == len(ledger.incident.changes)
        assert len(ledger.events) == 1 + len(found)
    assert len(results) == 1
    return list(results.pop())


def test_two_consoles_see_the_same() -> None:
    assert changes((ANA, 0, "ok", "alert"), (BEN, 3, "ok", "alert")) == ["ok>alert"]
    assert changes((ANA, 0, "ok", "alert"), (BEN, 10, "ok", "alert")) == ["ok>alert"]
    assert changes((ANA, 0, "ok", "alert"), (BEN, 10.1, "ok", "alert")) == ["ok>alert", "ok>alert"]


def test_a_console_that_lags_adds_nothing() -> None:
    both = (ANA, 0, "ok", "alert"), (ANA, 4, "alert", "ok")
    assert changes(*both, (BEN, 5, "ok", "alert"), (BEN, 9, "alert", "ok")) == ["ok>alert", "alert>ok"]


def test_what_one_console_saw_again_happened_again() -> None:
    flaps = (ANA, 0, "ok", "alert"), (ANA, 3, "alert", "ok"), (ANA, 6, "ok", "alert")
    assert changes(*flaps) == ["ok>alert", "alert>ok", "ok>alert"]


def test_another_name_or_kind_is_another_change() -> None:
    story = Story()
    found = [
        measured(story, ANA, 0, "ok", "alert"),
        measured(story, BEN, 1, "ok", "alert", name="errors"),
        measured(story, BEN, 1, "ok", "alert", kind="probe_changed"),
    ]
    incident = fold([*story.events, *found])
    assert incident is not None
    assert len(incident.changes) == 3
