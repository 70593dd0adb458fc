"""The drill in a real terminal: slow redirects, diagnose, roll back, green again, all in the timeline."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.journeys.conftest import COMMAND, Launch
from tests.support.platform import assert_gone
from tests.support.runbook import shell
from tests.support.terminal import Terminal
from tests.ui.test_steps import app_with


def to_row(terminal: Terminal, title: str) -> None:
    """Move the cursor down until it stands on the row with this title.

    It looks before the next key: where a machine is slow to answer, longer in the next round of the list.
    """
    for answer_s in (0.1, 0.5, 2.0):
        for _ in range(40):
            terminal.read(answer_s)
            if stands_on(terminal, title):
                return
            terminal.send("down")
    raise AssertionError(f"no row {title!r}:\n{terminal.text}")


def stands_on(terminal: Terminal, title: str) -> bool:
    """Whether the row with this title is drawn as the one with the cursor."""
    for number, line in enumerate(terminal.screen.display):
        if title in line:
            return terminal.screen.buffer[number][line.index(title)].bg not in {"default", "0d1117"}
    return False


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [None, signal.SIGTERM, signal.SIGKILL], ids=["terminal gone", "SIGTERM", "kill -9"]
)
def test_what_runs_ends_with_the_console(
    launch: Launch, tmp_path: Path, number: signal.Signals | None
) -> None:
    """Neither a dropped link nor a console that is killed leaves a command behind."""
    app_with(tmp_path, shell("slow", "trap '' TERM HUP; echo pid $$; while :; do sleep 1; done"))
    with launch(ISLA_RUNBOOK=str(tmp_path / "runbook.yaml"), COLORTERM="truecolor") as terminal:
        terminal.wait_for("declare an incident")
        terminal.send("1")
        to_row(terminal, "Step slow")
        terminal.send("enter")
        screen = terminal.wait_for(lambda text: re.search(r"pid \d+", text) is not None)
        found = re.search(r"pid (\d+)", screen)
        assert found
        pid = int(found[1])
        if number is None:
            terminal.close()
            terminal.code = os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1])
        else:
            terminal.kill(number)
            terminal.wait()  # a console that ends still writes to its terminal, which somebody has to read
        assert_gone({pid})


@pytest.mark.slow
def test_roll_back_heals(tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "COLORTERM": "truecolor",
        "ISLA_ACTOR": "ana",
    }
    with Terminal([*COMMAND, "drill", "redirect-down"], environ) as terminal:
        terminal.wait_for("Measures", 90)
        terminal.send("1")
        terminal.wait_for("Resolution · choose a cause")
        terminal.wait_for("measured", 60)  # redirects are slow now
        to_row(terminal, "One redirect")
        terminal.send("enter")
        terminal.wait_for("as expected: status 301")
        to_row(terminal, "Roll back production")
        terminal.send("x")
        terminal.wait_for("d declares one")
        terminal.send("q")
        terminal.wait_for("Resolution · choose a cause")
        terminal.send("d")
        terminal.wait_for("What is it?")
        terminal.send("enter", "enter", "home", "enter", "f2")
        terminal.wait_for("DECLARED")
        terminal.send("1")
        to_row(terminal, "Roll back production")
        terminal.send("x")
        terminal.wait_for("Deployment to go back to  pick one")
        terminal.send("enter")
        terminal.wait_for("What it changes")
        terminal.send("dpl_5pQ9", "enter", "redirects are slow", "enter")
        terminal.wait_for("serves production")
        terminal.wait_for("Undo: promote dpl_8xK2")
        terminal.wait_for(lambda text: "1 fails" not in text and "Redirect p95" in text)
        terminal.send("t")
        timeline = terminal.wait_for("ran “Roll back production” (destroy): 201")
        assert "serves production" in timeline
        terminal.send("q")
        terminal.wait_for("ends with the drill")
        terminal.send("enter")
        assert terminal.wait() == 0
