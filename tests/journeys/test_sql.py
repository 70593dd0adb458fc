"""The SQL page while its server dies and its network hangs: keys stay quick, and it comes back by itself."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest

from tests.journeys.conftest import Launch
from tests.sql.conftest import Server, running
from tests.support.database_outage import Wire, kill, on_sql, press_around, run_statement, start_again
from tests.support.pace import slowness

pytestmark = pytest.mark.slow

QUICK_S = 1.0
"""The middle key; benchmarks/sql_outage.py measures what it is on a quiet machine."""
LONG = "SELECT pg_sleep(14), 'slow'"
SHORT = "SELECT 40 + 2 AS answer"


@pytest.fixture
def server() -> Iterator[Server]:
    with running("embedded") as found:
        yield found


def test_the_server_is_killed_and_restarted_in_the_middle_of_a_query(launch: Launch, server: Server) -> None:
    with launch(ISLA_DATABASE_URL=server.url().reveal()) as terminal:
        on_sql(terminal)
        terminal.wait_for("READ ONLY")
        run_statement(terminal, LONG)
        terminal.wait_for("Runs …")
        kill(server)
        terminal.wait_for("◆ our connection was closed")
        assert statistics.median(press_around(terminal)) < QUICK_S * slowness()
        terminal.wait_for("down: connection refused")
        start_again(server)
        terminal.wait_for("READ ONLY")  # nobody pressed a key for it
        run_statement(terminal, SHORT)
        terminal.wait_for("1 row in")


def test_the_network_hangs_in_the_middle_of_a_query(launch: Launch, server: Server) -> None:
    with Wire(server.port) as wire, launch(ISLA_DATABASE_URL=server.url(port=wire.port).reveal()) as terminal:
        on_sql(terminal)
        terminal.wait_for("READ ONLY")
        run_statement(terminal, LONG)
        terminal.wait_for("Runs …")
        wire.hang()
        terminal.wait_for("The panels get no answer either")
        assert statistics.median(press_around(terminal)) < QUICK_S * slowness()
        terminal.send("escape")
        terminal.read(0.3)
        terminal.send("X")
        # On a busy machine the statement's own time is over by now.
        terminal.wait_for(lambda text: "Stopped." in text or "Nothing runs." in text)
        terminal.wait_for(lambda text: "down: no answer" in text or "down: timed out" in text)
        wire.flow()
        terminal.wait_for("READ ONLY")
        run_statement(terminal, SHORT)
        terminal.wait_for("1 row in")


def test_leaving_does_not_wait_for_a_network_that_hangs(launch: Launch, server: Server) -> None:
    with Wire(server.port) as wire, launch(ISLA_DATABASE_URL=server.url(port=wire.port).reveal()) as terminal:
        on_sql(terminal)
        terminal.wait_for("READ ONLY")
        run_statement(terminal, LONG)
        terminal.wait_for("Runs …")
        wire.hang()
        terminal.send("escape")
        terminal.read(0.3)
        terminal.send("q")
        terminal.wait_for("Leave isla-console?")
        terminal.send("enter")
        assert terminal.wait() == 0
