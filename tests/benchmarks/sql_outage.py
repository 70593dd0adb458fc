"""From a key to the changed screen on the SQL page: calm, with its server killed, with its network hung.

    python -m tests.benchmarks.sql_outage [ROUNDS]

A real console in a real terminal, a query under way each time. A round presses ten keys: pages, the cursor,
letters typed.
"""

import os
import statistics
import sys
import tempfile

from tests.sql.conftest import running
from tests.support.database_outage import Wire, kill, on_sql, press_around, run_statement, start_again
from tests.support.terminal import Terminal

LONG = "SELECT pg_sleep(14), 'slow'"


def measure(name: str, terminal: Terminal, rounds: int) -> None:
    times = [1000 * seconds for _ in range(rounds) for seconds in press_around(terminal)]
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"{name:<16} {len(times):>4} keys: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms, "
          f"worst {max(times):.0f} ms")  # fmt: skip


def begin(terminal: Terminal) -> None:
    terminal.wait_for("READ ONLY", 60)
    run_statement(terminal, LONG)
    terminal.wait_for("Runs …")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    with tempfile.TemporaryDirectory() as home, running("embedded") as server, Wire(server.port) as wire:
        environ = {
            "HOME": home,
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "ISLA_LINK_CHECK": "127.0.0.1:9",
            "ISLA_DATABASE_URL": server.url(port=wire.port).reveal(),
        }
        with Terminal([sys.executable, "-m", "isla_console"], environ) as terminal:
            on_sql(terminal)
            begin(terminal)
            measure("a query runs", terminal, rounds)
            terminal.wait_for("1 row in", 40)
            begin(terminal)
            kill(server)
            measure("server killed", terminal, rounds)
            start_again(server)
            begin(terminal)
            wire.hang()
            measure("network hung", terminal, rounds)
            wire.flow()


if __name__ == "__main__":
    main()
