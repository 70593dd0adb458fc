"""Opening the console on an incident of 10,000 entries, against one of ten.

    python -m tests.benchmarks.open_console [ENTRIES]

Prints seconds from start to the incident on the screen, headless Textual, each in a process of its own.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

RUNS = 5


async def opened(home: Path) -> float:
    """Seconds until the incident stands on the screen."""
    from tests.support.frozen import NOW, OUTAGE, Moment, frozen_app
    from tests.support.pilot import settle

    start = time.perf_counter()
    app = frozen_app(home, OUTAGE, moment=Moment(NOW + timedelta(hours=4)))
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        assert app.program.session.incident is not None
        return time.perf_counter() - start


def fill(home: Path, entries: int) -> None:
    """A journal with one open incident of so many entries."""
    from isla_console.incident import commands as act
    from isla_console.incident.record.events import Author, event
    from isla_console.journal.local import FILE_NAME, LocalJournal
    from isla_console.resources import resource
    from isla_console.runbook.load import load_runbook
    from tests.support.frozen import NOW

    author = Author("ana", "jump1")
    loaded = load_runbook(resource("runbook.yaml"))
    events = act.declare(
        title="Redirect Service Down",
        severity="P1",
        issue="redirect-down",
        policy=loaded.runbook.policy(),
        runbook_sha256=loaded.sha256,
        author=author,
        now=NOW,
    )
    incident = events[0].incident
    for number in range(entries):
        at = NOW + timedelta(seconds=number)
        data = {"text": f"entry {number}"}
        events.append(event("noted", data, incident=incident, author=author, now=at))
    (home / "state").mkdir(parents=True)
    journal = LocalJournal.open(home / "state" / FILE_NAME)
    journal.append(events)
    journal.close()


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    medians = {}
    for entries in (10, many):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            fill(home, entries)
            runs = [
                float(
                    subprocess.run(
                        [sys.executable, "-m", __spec__.name, "--once", str(home)],
                        capture_output=True,
                        text=True,
                        check=True,
                    ).stdout
                )
                for _ in range(RUNS)
            ]
        medians[entries] = statistics.median(runs)
        print(f"{entries:>7} entries: median {medians[entries]:.3f} s of {RUNS} runs")
    print(f"added: {medians[many] - medians[10]:.3f} s (aim: under 0.3 s)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--once"]:
        print(asyncio.run(opened(Path(sys.argv[2]))))
    else:
        main()
