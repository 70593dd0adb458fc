"""The drill in a real terminal: slow redirects, diagnose, roll back, green again, all in the timeline."""

import os
from pathlib import Path

import pytest

from tests.journeys.conftest import COMMAND
from tests.support.terminal import Terminal


def to_row(terminal: Terminal, title: str) -> None:
    """Move the cursor down until it stands on the row with this title."""
    for _ in range(60):
        line = next((number for number, text in enumerate(terminal.screen.display) if title in text), None)
        if line is not None:
            column = terminal.screen.display[line].index(title)
            if terminal.screen.buffer[line][column].bg not in {"default", "0d1117"}:
                return
        terminal.send("down")
    raise AssertionError(f"no row {title!r}:\n{terminal.text}")


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
        terminal.wait_for("serves production", 30)
        terminal.wait_for("Undo: promote dpl_8xK2", 30)
        terminal.wait_for(lambda text: "1 fails" not in text and "Redirect p95" in text, 30)
        terminal.send("t")
        timeline = terminal.wait_for("serves production")
        assert "ran “Roll back production” (destroy): exit 0" in timeline
        terminal.send("q")
        terminal.wait_for("goes on")
        terminal.send("enter")
        assert terminal.wait(20) == 0
