"""A row that is not as it was written is set aside, named and counted; all others are events."""

import hashlib
import json
from pathlib import Path

import pytest

from isla_console.incident.record.events import Event
from isla_console.journal.local import LocalJournal
from isla_console.journal.rows import CHANGED, COLUMNS, checksum, read_rows, to_row
from tests.incident.story import Story
from tests.journal.support import filled, note, notes, sql


def test_the_checksum_is_that_of_the_canonical_json() -> None:
    for event in (Story(impact="Ümlaut “x”\x00 \\ /").events[0], note(Story(), "q\"uo'te ␛ \x1b")):
        canonical = json.dumps(
            json.loads(event.to_json()), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        assert checksum(event) == hashlib.sha256(canonical.encode()).digest()
        assert to_row(event)[-1] == checksum(event)


def test_a_policys_severities_keep_their_order() -> None:
    story = Story(policy={**Story().events[0].data["policy"]})
    rules = dict(reversed(list(story.events[0].data["policy"]["severities"].items())))
    story = Story(policy={**story.events[0].data["policy"], "severities": rules})
    (read,) = read_rows([(1, *to_row(story.events[0]))]).events
    assert list(read.data["policy"]["severities"]) == ["P3", "P2", "P1", "P0"]


@pytest.mark.parametrize("column", COLUMNS)
def test_any_change_of_a_row_is_found(column: str) -> None:
    story = Story()
    events = [*story.events, *notes(story, 3)]
    rows = [[number, *to_row(event)] for number, event in enumerate(events)]
    place = 1 + COLUMNS.index(column)
    value = str(rows[2][place])
    rows[2][place] = value.replace("14", "15") if "_at" in column else value.replace("1", "2", 1) + " "
    if rows[2][place] == value + " " and column == "data":
        rows[2][place] = value.replace("x", "y")
    found = read_rows(rows)
    assert found.events == [events[0], events[1], events[3]]
    assert [(one.seq, one.problem) for one in found.damaged] == [(2, CHANGED)]


ODD = ["{", "", "[]", "null", "1,2", '{"a":"', 'b"}', "[" * 10_000, None, 7, b"\xff", "\x00"]


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_nothing_in_a_row_raises_or_shifts_its_neighbours(value: object) -> None:
    events = notes(Story(), 5)
    for place in range(len(COLUMNS) + 1):
        rows = [[number, *to_row(event)] for number, event in enumerate(events)]
        rows[1][1 + place] = rows[3][1 + place] = value
        found = read_rows(rows)
        assert found.events == [events[0], events[2], events[4]]
        assert [one.seq for one in found.damaged] == [1, 3]


def test_data_that_spells_its_neighbours_differently_still_parses_on_its_own() -> None:
    """A row's text is JSON by itself, whatever comes before and after it."""
    events = notes(Story(), 3)
    rows = [[number, *to_row(event)] for number, event in enumerate(events)]
    rows[0][8], rows[1][8] = '{"text":"a', 'b"}'
    found = read_rows(rows)
    assert found.events == [events[2]]
    assert len(found.damaged) == 2


def test_a_row_without_a_checksum_is_looked_at_closely() -> None:
    event = note(Story(), "x")
    row = [1, *to_row(event)[:-1], b""]
    assert (read_rows([row]).events, read_rows([row]).positions) == ([event], [1])
    row[3] = "2026-11-23T14:05:00"
    assert "naive time" in read_rows([row]).damaged[0].problem


def damage(path: Path, events: list[Event]) -> None:
    with sql(path) as other:
        other.execute("UPDATE events SET data = replace(data, 'x', 'y') WHERE id = ?", (events[2].id,))


def test_the_journal_reads_around_it_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    events = filled(path, 3, size=5)
    damage(path, events)
    with LocalJournal.open(path) as journal:
        good = [events[0], events[1], events[3]]
        assert [event for _, event in journal.since(0)] == good
        assert journal.events(events[0].incident) == good
        assert journal.find(events[2].id) is None
        assert journal.find(events[1].id) == events[1]
        assert journal.append(notes(Story(), 1)) == 1
        assert [str(one) for one in journal.damaged] == [
            f"entry 3 (id {events[2].id}, of {events[2].incident}): {CHANGED}"
        ]
