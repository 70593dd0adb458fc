"""How long an event takes to be on disk, and how long a long incident takes to be shown.

    python -m tests.benchmarks.journal_append [DIRECTORY]

DIRECTORY is where to write (a temporary one by default): a tmpfs says nothing about a disk.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from isla_console.incident.record.events import event
from isla_console.incident.record.state import Incident, fold
from isla_console.incident.report import report
from isla_console.incident.report.view import show
from isla_console.journal.local import LocalJournal
from tests.incident.story import ANA, START, Story

APPENDS = 500
EVENTS = 10_000


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _open_and_show(path: Path, id: str) -> Incident:
    with LocalJournal.open(path) as journal:
        incident = fold(journal.events(id))
    assert incident is not None
    show(incident, START + timedelta(hours=3))
    return incident


def main(directory: Path) -> None:
    small = Story()
    id = small.incident.id
    path = directory / "append.sqlite3"
    with LocalJournal.open(path) as journal:
        journal.append(small.events)
        taken = []
        for number in range(APPENDS):
            note = event("noted", {"text": f"note {number}"}, incident=id, author=ANA, now=START)
            taken.append(_ms(lambda note=note: journal.append([note])))  # type: ignore[misc]
    cuts = statistics.quantiles(taken, n=100)
    print(f"append, on disk    p50 {cuts[49]:7.2f} ms   p99 {cuts[98]:7.2f} ms   ({APPENDS} events)")

    one, many = directory / "one.sqlite3", directory / "many.sqlite3"
    with LocalJournal.open(one) as journal:
        journal.append(small.events)
    noise = []
    for number in range(EVENTS):
        data = {"name": f"m{number % 6}", "from": "ok", "to": ("alert", "ok")[number % 2], "value": "12 ms"}
        now = START + timedelta(seconds=number)
        noise.append(event("metric_changed", data, incident=id, author=ANA, now=now))
    with LocalJournal.open(many) as journal:
        journal.append([*small.events, *noise])
    for name, file in (("1 event", one), (f"{EVENTS} events", many)):
        best = min(_ms(lambda file=file: _open_and_show(file, id)) for _ in range(3))  # type: ignore[misc]
        print(f"open, fold, show   {best:7.1f} ms   ({name})")
    incident = _open_and_show(many, id)
    print(f"report             {_ms(lambda: report(incident)):7.1f} ms   ({EVENTS} events)")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
