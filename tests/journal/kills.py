"""kill -9 at many moments: what was acknowledged is there, and nothing is there twice.

    python -m tests.journal.kills [--library 1000] [--console 60] [--seed N]

The library's writer is killed while it opens the journal and while it writes; the whole console while
somebody types notes into it, in a terminal of its own. Prints how many of what was acknowledged are lost, and
how many are there twice; exit code 1 unless both are 0.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from isla_console.incident.record.events import Event
from isla_console.incident.record.ids import derived_id
from isla_console.journal.local import LocalJournal
from isla_console.journal.reading import reading
from isla_console.journal.salvage import verify
from tests.incident.story import START
from tests.support.terminal import Terminal

OPENING = 0.2
"""The share of the library's kills that come at any moment from the very start; the others come later."""
AGAIN = 3
"""How many notes each writer writes once more, as a console does that does not know whether they arrived."""


@dataclass(frozen=True)
class Outcome:
    """What a series of kills did to the journal."""

    kills: int
    acknowledged: int
    lost: int
    doubled: int
    problem: str

    @property
    def is_well(self) -> bool:
        return not (self.lost or self.doubled or self.problem)

    def __str__(self) -> str:
        wrong = f", {self.problem}" if self.problem else ""
        return (
            f"{self.kills} kills, {self.acknowledged} entries acknowledged: "
            f"{self.lost} lost, {self.doubled} doubled{wrong}"
        )


def outcome(path: Path, kills: int, acknowledged: set[str]) -> Outcome:
    with reading(path) as journal:
        events = [event for _, event in journal.since(0)]
    texts = Counter(event.data["text"] for event in events if event.kind == "noted")
    found = verify(path)
    return Outcome(
        kills,
        len(acknowledged),
        len(acknowledged - set(texts)),
        sum(1 for count in texts.values() if count > 1),
        found.problem or "; ".join(str(one) for one in found.damaged),
    )


def kill_library(path: Path, kills: int, seed: int) -> Outcome:
    """Kill a writer in a process of its own again and again."""
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    reached = 0
    for round in range(kills):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reader)
                _write(path, writer, max(0, reached - AGAIN))
            finally:
                os._exit(1)
        os.close(writer)
        early = round < kills * OPENING
        with os.fdopen(reader) as said:
            if not early:
                acknowledged.update(said.readline().strip() for _ in range(chance.randint(1, AGAIN + 3)))
            time.sleep(chance.uniform(0.001, 0.06) if early else chance.uniform(0, 0.02))
            os.kill(child, signal.SIGKILL)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
            # The last line may be cut: half an acknowledgement is none.
            acknowledged.update(line.strip() for line in said if line.endswith("\n"))
        reached = max((int(text) + 1 for text in acknowledged), default=0)
    return outcome(path, kills, acknowledged)


def _write(path: Path, acknowledge: int, number: int) -> None:
    """Runs in a forked process until it is killed: writes, then says so."""
    journal = LocalJournal.open(path)
    while True:
        id = derived_id("inc", str(number), "kill")
        journal.append([Event(id, "inc", START, START, "ana", "h", "noted", {"text": f"{number}"})])
        os.write(acknowledge, f"{number}\n".encode())
        number += 1


def kill_console(home: Path, kills: int, seed: int) -> Outcome:
    """Kill the console while notes are typed into it; what its timeline shows counts as acknowledged."""
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    number = 0
    environ = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "ISLA_ACTOR": "ana",
        "ISLA_LINK_CHECK": "127.0.0.1:9",
    }
    for round in range(kills):
        with Terminal([sys.executable, "-m", "isla_console"], environ) as terminal:
            if round == 0:
                _declare(terminal)
            terminal.wait_for("DECLARED")
            for _ in range(chance.randint(0, 3)):
                text = f"k{number:04}"
                number += 1
                _type_note(terminal, text)
                terminal.wait_for(lambda shown, text=text: text in shown and "f2: done" not in shown)
                acknowledged.add(text)
            text = f"k{number:04}"
            number += 1
            _type_note(terminal, text)
            until = time.monotonic() + chance.uniform(0, 0.15)
            while time.monotonic() < until:
                terminal.read(0.01)
            if text in terminal.text and "f2: done" not in terminal.text:
                acknowledged.add(text)
            terminal.kill(signal.SIGKILL)
            assert terminal.wait() == -signal.SIGKILL
    return outcome(home / ".local/state/isla-console/journal.sqlite3", kills, acknowledged)


def _declare(terminal: Terminal) -> None:
    terminal.wait_for("declare an incident")
    terminal.send("d")
    terminal.wait_for("What is it?")
    terminal.send("enter", "enter", "home", "enter")
    terminal.wait_for("Proposed P1")
    terminal.send("f2")


def _type_note(terminal: Terminal, text: str) -> None:
    terminal.send("n")
    terminal.wait_for("f2: done")
    terminal.send(text)
    terminal.wait_for(text)
    terminal.send("f2")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=int, default=1000, metavar="KILLS")
    parser.add_argument("--console", type=int, default=60, metavar="KILLS")
    parser.add_argument("--seed", type=int, default=20261123)
    asked = parser.parse_args()
    well = True
    with tempfile.TemporaryDirectory() as folder:
        for name, kills, work, place in (
            ("library", asked.library, kill_library, Path(folder) / "state" / "journal.sqlite3"),
            ("console", asked.console, kill_console, Path(folder) / "home"),
        ):
            if kills:
                found = work(place, kills, asked.seed)
                print(f"{name}: {found}", flush=True)
                well &= found.is_well
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
