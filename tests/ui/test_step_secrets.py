"""The corpus of secrets through a step of the real console: in no file, report, log or cell of the screen."""

import logging
from pathlib import Path

import pytest

from isla_console.incident.report import report
from tests.support.pilot import settle
from tests.support.runbook import shell
from tests.text.test_redact import DECLARED, LOOKS
from tests.ui.test_steps import app_with, at, declare, ended, screen_text


async def test_no_byte_of_a_secret_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Printed to both outputs by a step that fails: shown live, in full, in the timeline, in the report."""
    caplog.set_level(logging.DEBUG)
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(text for text, _ in LOOKS.values()))
    token, key = DECLARED["specials"], DECLARED["plain"]
    run = f'cat {corpus}; cat {corpus} >&2; echo "$VERCEL_TOKEN"; echo "$SUPABASE_ACCESS_TOKEN" >&2; exit 3'
    app = app_with(tmp_path, shell("leak", run), VERCEL_TOKEN=token, SUPABASE_ACCESS_TOKEN=key)
    secrets = [*(secret for _, secret in LOOKS.values()), token, key]
    screens = []
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await declare(app, pilot)
        await at(app, pilot, "leak")
        await pilot.press("enter")
        await ended(app, "leak")
        await settle(pilot)
        screens.append(screen_text(app))
        for keys in (("right",), ("pagedown",), ("escape", "t"), ("home", "enter"), ("escape", "p")):
            await pilot.press(*keys)
            await settle(pilot)
            screens.append(screen_text(app))
        incident = app.program.session.incident
        assert incident is not None
        ran = [event for event in incident.timeline if event.kind == "ran"]
        assert len(ran) == 1
        assert "••" in ran[0].data["output"]
        texts = [*screens, report(incident), *(event.to_json() for event in incident.timeline), caplog.text]
    files = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert any(b"leak" in data for data in files)
    for secret in secrets:
        assert not [text for text in texts if secret in text], secret
        assert not [data for data in files if secret.encode() in data], secret
