"""One incident from alarm to report, through a real terminal, by keys alone."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.journeys.conftest import COMMAND, Launch
from tests.support.terminal import Terminal

SHIPPED = Path(__file__).parents[2] / "runbook.yaml"
pytestmark = pytest.mark.slow


def ask(terminal: Terminal, key: str, sheet: str, *keys: str) -> None:
    """Press a key, wait for the sheet it opens, answer it."""
    terminal.send(key)
    terminal.wait_for(sheet)
    terminal.send(*keys)


def headless(home: Path, *arguments: str) -> str:
    """What a headless command prints."""
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "ISLA_ACTOR": "ana"}
    done = subprocess.run(
        [*COMMAND, *arguments], env=environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_from_declare_to_report(launch: Launch, tmp_path: Path) -> None:
    """Declare, hand over, escalate, update, monitor, soak, resolve, checklist, report."""
    runbook = tmp_path / "runbook.yaml"
    # The rules are the shipped ones but for the soak, which a test does not sit through.
    runbook.write_text(SHIPPED.read_text().replace("soak_min: 15", "soak_min: 0.1"))
    with launch(ISLA_RUNBOOK=str(runbook)) as terminal:
        terminal.wait_for("declare an incident")
        ask(terminal, "d", "What is it?", "enter", "enter", "home", "enter")
        terminal.wait_for("Proposed P1")
        terminal.send("f2")
        terminal.wait_for("DECLARED")

        ask(terminal, "R", "Roles", "f2")
        terminal.wait_for("made ana")
        ask(terminal, "k", "Who is on it", "enter", "down", "f2")
        terminal.wait_for("ana on it")
        ask(terminal, "n", "Note", "first complaint in the support channel", "f2")
        terminal.wait_for("ana noted")
        ask(terminal, "e", "Escalate now", "enter", "needs a second pair of eyes", "enter")
        terminal.wait_for("escalated to L2")

        ask(terminal, "i", "What users experience", "short links answer slowly", "f2")
        terminal.wait_for("said the impact")
        terminal.send("c")
        terminal.wait_for("Nothing is left to fill in")
        ask(terminal, "S", "It went out by", "down", "enter")
        terminal.wait_for("sent the public")

        ask(terminal, "m", "State, now", "f2")
        terminal.wait_for("INVESTIGATING")
        ask(terminal, "m", "State, now", "f2")
        terminal.wait_for("IDENTIFIED")
        ask(terminal, "m", "State, now", "enter", "rolled back to the build before", "enter")
        terminal.wait_for("MITIGATING")
        ask(terminal, "m", "State, now", "f2")
        terminal.wait_for("MONITORING")

        # Handing over: offered by one, accepted by the other.
        ask(terminal, "R", "Roles", "enter", "down", "enter", "\x15", "ben", "enter")
        terminal.wait_for("ana offered")
        ask(terminal, "U", "Handoff", "escape")
        terminal.wait_for(lambda text: "Handoff" not in text)
        ask(terminal, "R", "Roles", "enter", "home", "enter", "\x15", "ben", "enter")
        terminal.wait_for("made ben")

        # Nothing is measured here, so that no soak is green: it is resolved with a reason.
        ask(terminal, "m", "State, now", "f2")
        terminal.wait_for("nothing is measured here")
        terminal.send("escape")
        terminal.wait_for(lambda text: "State, now" not in text)
        ask(terminal, "m", "State, now", "enter", "seen by hand", "enter")
        terminal.wait_for("RESOLVED")

        ask(terminal, "A", "Action item", "probe redirects from two regions", "f2")
        terminal.wait_for("ana added")
        ask(terminal, "O", "Owner", "f2")
        terminal.wait_for("ana set the post")
        terminal.send("c")
        terminal.wait_for("Nothing is left to fill in")
        ask(terminal, "S", "It went out by", "down", "enter")
        terminal.wait_for(lambda text: "It went out by" not in text)
        terminal.send("h", "tab")
        # Nothing is measured here, and no customer was written to: that is overruled with a reason.
        contradicted = {1, 3, 4}
        for count in range(1, 8):
            terminal.send("space")
            if count in contradicted:
                terminal.wait_for("It is so all the same")
                terminal.send("seen by hand", "enter")
            terminal.wait_for(f"Checklist {count}/7")
            terminal.send("down")
        ask(terminal, "m", "State, now", "f2")
        terminal.wait_for("no incident")
        ask(terminal, "q", "Leave isla-console?", "enter")
        assert terminal.wait() == 0

    shown = json.loads(headless(tmp_path, "incident", "show", "--json"))
    assert shown["state"] == "closed"
    assert shown["roles"]["commander"] == "ben"
    assert shown["postmortem"]["owner"] == "ana"
    assert {item["state"] for item in shown["checklist"]} == {"ticked"}
    text = headless(tmp_path, "report")
    for wanted in (
        "# Post-mortem: Redirect Service Down",
        "short links answer slowly",
        "rolled back to the build before",
        "probe redirects from two regions",
        "first complaint in the support channel",
        "Claimed against the evidence",
        "ana on it",
    ):
        assert wanted in text
    assert headless(tmp_path, "report") == text
    (tmp_path / "export.jsonl").write_text(headless(tmp_path, "incident", "export"))
    other = tmp_path / "other"
    headless(other, "incident", "import", str(tmp_path / "export.jsonl"))
    assert headless(other, "report") == text


def test_example_is_what_the_console_writes(tmp_path: Path) -> None:
    """docs/ shows a journal and the report made of it: the same journal gives the same bytes."""
    docs = SHIPPED.parent / "docs"
    headless(tmp_path, "incident", "import", str(docs / "example-incident.jsonl"))
    assert headless(tmp_path, "report") == (docs / "example-postmortem.md").read_text()
