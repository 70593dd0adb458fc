"""The runbook is read again while it is in use: what it no longer has never ends the console."""

from __future__ import annotations

import re
from pathlib import Path

from textual.screen import ModalScreen

from isla_console.resources import resource
from isla_console.ui.commands import COMMANDS
from tests.support.frozen import OUTAGE, frozen_app
from tests.support.pilot import settle


def renamed(text: str) -> str:
    """The runbook with another id for the issue of the incident, a step, a measure, a probe and a contact."""
    for id in ("redirect-down", "redirect-latency", "redirect-rollback", "edge-health", "auth-down"):
        text = re.sub(rf"\b{id}\b(?![/.])", f"new-{id}", text)
    return text


async def test_what_is_gone_from_the_runbook_does_not_end_the_console(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    text = resource("runbook.yaml").read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    app = frozen_app(tmp_path, OUTAGE, environ={"ISLA_RUNBOOK": str(path)})
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await pilot.press("1", "d")
        await settle(pilot)
        await pilot.press("enter", "enter", "home", "enter", "f2")
        await settle(pilot)
        session = app.program.session
        assert session.incident is not None
        assert session.incident.issue == "redirect-down"
        path.write_text(renamed(text), encoding="utf-8")
        await pilot.press("L")
        await settle(pilot)
        assert "new-redirect-down" in {issue.id for issue in session.runbook.issues}
        for command in COMMANDS:
            if command.id in {"quit", "palette", "mouse"}:
                continue
            app.program.run_command(command.id, command.keys.split(",")[0])
            await settle(pilot)
            while isinstance(app.screen, ModalScreen):
                await pilot.press("escape")
                await settle(pilot)
            await app.program.tick()
            assert "internal fault" not in session.state(session.clock.now()).saved.reason  # type: ignore[union-attr]
        # What is measured keeps its names and bounds, because the monitor that runs measures by them.
        assert app.main.state is not None
        assert app.main.state.runbook.metrics[0].id == app.main.state.snapshot.metrics[0].id  # type: ignore[union-attr]
        assert app.is_running
    again = frozen_app(tmp_path, OUTAGE, environ={"ISLA_RUNBOOK": str(path)})
    async with again.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        assert again.main.page == "home", "the incident's issue is no longer in the runbook"
        assert again.program.session.incident is not None
