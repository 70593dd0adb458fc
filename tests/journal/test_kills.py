"""kill -9 at any moment: whatever was acknowledged is there."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from isla_console.incident.record.events import Event
from isla_console.incident.record.ids import time_ordered_id
from isla_console.journal.local import LocalJournal
from tests.incident.story import START

KILLS = 200
OPENING = 40
"""How many of them come at any moment from the very start; the others once something was acknowledged."""


def _writer(path: Path, acknowledge: int, round: int) -> None:
    """Runs in a forked process until it is killed: writes, then says so."""
    journal = LocalJournal.open(path)
    number = 0
    while True:
        id = time_ordered_id(START)
        journal.append([Event(id, f"inc-{round}", START, START, "ana", "h", "noted", {"text": f"{number}"})])
        os.write(acknowledge, f"{id}\n".encode())
        number += 1


def test_two_hundred_random_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    chance = random.Random(20261123)
    acknowledged: set[str] = set()
    for round in range(KILLS):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reader)
                _writer(path, writer, round)
            finally:
                os._exit(1)
        os.close(writer)
        with os.fdopen(reader) as said:
            if round >= OPENING:
                acknowledged.update(said.readline().strip() for _ in range(chance.randint(1, 3)))
            time.sleep(chance.uniform(0.001, 0.06) if round < OPENING else chance.uniform(0, 0.02))
            os.kill(child, signal.SIGKILL)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
            # The last line may be cut: half an acknowledgement is none.
            acknowledged.update(line.strip() for line in said if line.endswith("\n"))
    assert len(acknowledged) > KILLS
    with LocalJournal.open(path) as journal:
        written = {event.id for _, event in journal.since(0)}
        assert journal._connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert acknowledged <= written
