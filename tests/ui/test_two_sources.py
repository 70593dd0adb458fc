"""What is shown together was read together, or says when and of what it is."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import TextArea

from isla_console.ui.pages.communication import CommunicationPage
from isla_console.ui.pages.sessions import SessionsPage
from isla_console.ui.shell import Shell
from isla_console.ui.widgets.text_block import TextBlock
from tests.support.frozen import Moment, frozen_app
from tests.support.pilot import settle
from tests.support.waiting import until
from tests.ui.test_sql_pictures import CROWD, FrozenDatabase


async def declared(app: Shell, pilot: object) -> str:
    await pilot.press("d")  # type: ignore[attr-defined]
    await settle(pilot)  # type: ignore[arg-type]
    await pilot.press("enter", "enter", "home", "enter", "f2")  # type: ignore[attr-defined]
    await settle(pilot)  # type: ignore[arg-type]
    assert app.program.session.incident_id is not None
    return app.program.session.incident_id


async def test_a_text_typed_for_one_incident_is_not_anothers(tmp_path: Path) -> None:
    moment = Moment()
    app = frozen_app(tmp_path, moment=moment)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        first = await declared(app, pilot)
        await pilot.press("c")
        await settle(pilot)
        page = app.screen.query_one(CommunicationPage)
        await pilot.press("enter", *"only about the first one ", "escape")
        await settle(pilot)
        assert "only about" in page.query_one(TextArea).text
        moment.pass_by(minutes=5)  # declared at once, they would be offered as one
        second = await declared(app, pilot)
        assert second != first
        await pilot.press("c")
        await settle(pilot)
        assert page.draft is not None
        assert "only about" not in page.draft.text
        assert "only about" not in page.query_one(TextArea).text
        app.program.session.work_on(first)
        app.program.console.refresh_state()
        await until(lambda: page.draft is not None and "only about" in page.draft.text)


async def test_sessions_that_can_no_longer_be_read_say_of_when_they_are(tmp_path: Path) -> None:
    moment = Moment()
    app = frozen_app(tmp_path, moment=moment)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        app.program.session.database = FrozenDatabase(None)
        app.program.sessions.server_sessions.is_looking = True  # nobody asks: what is shown is put there
        await pilot.press("a")
        await settle(pilot)
        page = app.screen.query_one(SessionsPage)
        page.seen(CROWD, "")
        moment.pass_by(seconds=30)
        page.seen((), "not seen now: the server does not answer")
        app.program.console.refresh_state()
        await settle(pilot)
        head = page.query_one("#sessions-head", TextBlock).lines[-1].plain
        assert "not seen now: the server does not answer" in head
        assert "below: as they were at 14:12:41Z, 30s ago" in head
