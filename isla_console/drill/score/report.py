"""Scores as plain text for a terminal or a file: one drill in full, all drills in a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isla_console.drill.scenario.entry import Entry
from isla_console.drill.scenario.model import Scenario, ScenarioError, load
from isla_console.drill.score.record import Record, read_all
from isla_console.drill.score.scoring import Score, score
from isla_console.incident.record.events import Event
from isla_console.journal.place import FILE_NAME, JournalError, exists
from isla_console.journal.reading import reading
from isla_console.text.plain import plain
from isla_console.text.spans import countdown
from isla_console.text.times import clock_text, full_text


def report(state: Path) -> tuple[str, list[str]]:
    """Return the newest drill in full with a table of all drills, and what could not be read.

    `state` is the drill's state directory.
    """
    records, wrong = read_all(state)
    if not records:
        return "No drill yet: isla-console drill --list\n", wrong
    scores, problems = _scores(records, state)
    if not scores:
        return "No drill can be judged.\n", wrong + problems
    newest = scores[-1]
    lines = [*_in_full(newest), "", *_comparison(newest, scores), "", *table(scores)]
    return "\n".join(lines) + "\n", wrong + problems


def score_of(id: str, state: Path) -> str | None:
    """Return one drill's score in full, or None when its record cannot be read."""
    scores, _ = _scores(read_all(state)[0], state)
    found = next((one for one in scores if one.record.id == id), None)
    return (
        "\n".join([*_in_full(found), "", *_comparison(found, scores)]) + "\n" if found is not None else None
    )


def in_full(judged: Score, scenario: Scenario) -> list[str]:
    """Return a score in lines, with what the outage was and what cures it."""
    record = judged.record
    how = [f"×{record.speed:g}: story, ladder and soak that much shorter"] if record.speed != 1 else []
    how += ["quiet"] if record.quiet else []
    how += ["cut off: its console or its platform was gone before anybody left it"] if record.cut_off else []
    if any(entry.kind == "broken" for entry in record.log):
        how.append("a part of the platform failed during the drill: its score says little")
    lines = [
        f"{scenario.title} ({record.scenario}), {full_text(record.began)}, {plain(record.actor)}",
        *how,
        f"{judged.points} of 100 points",
        "",
    ]
    for mark in judged.marks:
        limit = f"of {span(mark.limit_s)}" if mark.limit_s is not None else ""
        points = f"{mark.points}/{mark.worth}" if mark.worth else ""
        lines.append(f"  {mark.title:<14}{span(mark.seconds):>9}  {limit:<12}{points:>6}")
    lines += [
        f"  {'updates':<14}{_counted(judged.updates):>9}  on time",
        f"  {'levels':<14}{_counted(judged.levels):>9}  answered in time",
    ]
    for title, found in (
        ("Dangerous", judged.dangerous),
        ("Dangerous, and stopped", judged.stopped),
        ("Wrong turns", judged.wrong),
        ("Skipped", judged.skipped),
    ):
        if found:
            lines += ["", title, *(f"  - {plain(text)}" for text in found)]
    if judged.by_hand:
        lines += ["", "The fault was switched off by hand: nobody mitigated it."]
    lines += ["", "What it was", *(f"  - {text}" for text in scenario.truths)]
    if scenario.red_herrings:
        lines += ["What it was not", *(f"  - {text}" for text in scenario.red_herrings)]
    lines += ["What cures it", *(f"  - {_cure(cure.title, cure.text)}" for cure in scenario.cures)]
    return lines


def table(scores: Sequence[Score]) -> list[str]:
    """Return a table with a line for each drill, oldest first."""
    head = ("Drill", "When", "Who", "Speed", "Declared", "Update", "Mitigated", "Verified", "Wrong", "Points")
    rows = [head, *(_row(one) for one in scores)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def span(seconds: float | None) -> str:
    """Return a duration as `01:05` (minutes and seconds); None is `never`."""
    return "never" if seconds is None else countdown(round(seconds))


def log_lines(log: Sequence[Entry]) -> list[str]:
    """Return the platform's log, a line for each entry."""
    return [
        f"{clock_text(entry.at, seconds=True)}  {f'{entry.who}: ' if entry.who else ''}{entry.text}"
        for entry in log
    ]


def _in_full(judged: Score) -> list[str]:
    return in_full(judged, load(judged.record.scenario))


def _comparison(judged: Score, scores: Sequence[Score]) -> list[str]:
    record = judged.record
    earlier = [
        one for one in scores if one.record.scenario == record.scenario and one.record.began < record.began
    ]
    if not earlier:
        return ["The first drill of this outage here."]
    best = max(earlier, key=lambda one: one.points)
    moved = judged.points - earlier[-1].points
    return [
        f"Against {len(earlier)} earlier: {moved:+d} points since the last,"
        f" best {best.points} ({plain(best.record.actor)}, {best.record.began:%Y-%m-%d})."
    ]


def _row(one: Score) -> tuple[str, ...]:
    record = one.record
    return (
        record.scenario,
        f"{full_text(record.began)}",
        plain(record.actor),
        f"×{record.speed:g}",
        *(span(one.mark(title).seconds) for title in ("declared", "first update", "mitigated", "verified")),
        str(len(one.wrong) + len(one.dangerous) + len(one.stopped)),
        str(one.points),
    )


def _scores(records: Sequence[Record], state: Path) -> tuple[list[Score], list[str]]:
    """Score each record; return also which have no score because their scenario is gone."""
    try:
        events = _events(state / FILE_NAME)
    except JournalError as error:
        return [], [str(error)]
    scores, wrong = [], []
    for record in records:
        try:
            scores.append(score(record, load(record.scenario), events))
        except ScenarioError as error:
            wrong.append(f"{record.id}: {error}")
    return scores, wrong


def _events(path: Path) -> list[Event]:
    if not exists(path):
        return []
    with reading(path) as journal:
        return [event for _, event in journal.since(0)]


def _counted(counted: tuple[int, int]) -> str:
    done, due = counted
    return f"{done} of {due}"


def _cure(title: str, text: str) -> str:
    return f"{title}: {text}" if text else title
