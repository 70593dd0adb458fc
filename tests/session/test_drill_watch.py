"""A drill's platform that is gone is said: what is red then is no part of the story."""

from __future__ import annotations

import socket
from pathlib import Path

from isla_console.clock import Clock
from isla_console.session.drill import LOST_AFTER, DrillWatch
from isla_console.session.session import Session
from isla_console.settings.resolve import Settings
from isla_console.ui.views.bar import banner_lines


async def test_a_platform_that_is_gone_is_said(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        "HOME": str(tmp_path),
        "ISLA_ACTOR": "ana",
        "ISLA_STATE_DIR": str(tmp_path / "state"),
        "ISLA_DRILL": "redirect-down",
        "ISLA_DRILL_CONTROL": f"http://127.0.0.1:{port}/?token=t",
    }
    session = Session(Settings.load(environ), Clock())
    await session.load_runbook()
    watch = DrillWatch.of(session)
    assert watch is not None

    def banners() -> str:
        state = session.state(session.clock.now())
        assert state is not None
        return "\n".join(line.plain for line in banner_lines(state, 140))

    for _ in range(LOST_AFTER):
        assert "no part of it" not in banners()
        await watch.look(None)
    assert "The drill's platform is not running: what is red from now on is no part of it." in banners()
    await session.close()
