"""A hundred thousand subscriptions: the drill's Stripe, a real database, the real reader, the screen."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from isla_console.drill.platform.services.stripe_account import StripeAccount
from isla_console.drill.platform.services.stripe_api import new_key, stripe_service
from isla_console.drill.scenario.faults import Faults
from isla_console.monitor.stripe import client as stripe
from isla_console.monitor.stripe.client import StripeReader
from isla_console.session import compare
from isla_console.settings.resolve import Settings
from isla_console.ui.shell import Shell
from tests.sql.conftest import Server, running
from tests.support.asgi import Recorded, served
from tests.support.console import console_app
from tests.support.pilot import settle
from tests.support.subscriptions import at_stripe
from tests.support.waiting import until
from tests.ui.test_command import press
from tests.ui.test_triage import page

pytestmark = pytest.mark.slow

MANY = 100_000
PAGE = 1_000
"""Ten times Stripe's, so that ten times fewer are to be asked for."""
SCHEMA = f"""
CREATE TABLE subscriptions (stripe_subscription_id text UNIQUE, status text);
INSERT INTO subscriptions
SELECT 'sub_' || lpad(n::text, 6, '0'), CASE n WHEN 70000 THEN 'past_due' ELSE 'active' END
FROM generate_series(0, {MANY} - 1) n WHERE n <> 90000;
INSERT INTO subscriptions VALUES ('sub_gone', 'trialing');
ANALYZE subscriptions;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    async def fill(found: Server) -> None:
        connection = await found.connect()
        await connection.execute(SCHEMA)
        await connection.close()

    with running("embedded") as found:
        asyncio.run(fill(found))
        yield found


@asynccontextmanager
async def console(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch, *, pace_s: float = 0.0
) -> AsyncIterator[tuple[Pilot[int], Shell, Recorded]]:
    """The console at the payments page, in front of an account with so many."""
    monkeypatch.setattr(stripe, "PACE_S", pace_s)
    monkeypatch.setattr(compare, "QUICK_PAGES", 5)
    monkeypatch.setitem(StripeReader.__init__.__kwdefaults__ or {}, "page", PAGE)
    account, key = StripeAccount(Faults(), random.Random(1), quiet=True), new_key()
    account.subscriptions = at_stripe(MANY)
    record = Recorded(stripe_service(account, key, rate_per_s=100_000, most=PAGE))
    async with served(record) as url:
        environ = {"HOME": str(home), "STRIPE_API_KEY": key, "ISLA_STRIPE_API_URL": url}
        app = console_app(Settings.load({**environ, "ISLA_DATABASE_URL": server.url().reveal()}))
        async with app.run_test(size=(140, 60)) as pilot:
            await settle(pilot)
            await press(pilot, "P")
            yield pilot, app, record


async def says(app: Shell, sentence: str) -> None:
    """Wait until the page says so."""
    await until(lambda: sentence in page(app))


async def test_the_newest_are_compared_quickly_and_all_on_request(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(server, tmp_path, monkeypatch) as (_, app, _):
        assert "compare all" not in page(app), "the quick answer comes first"
        app.program.open_row("drift:now")
        await says(app, "5,000 compared, no difference · the newest 5,000 of more")
        assert "compare all in the background, 1 min for 12,000" in page(app)
        app.program.open_row("drift:all")
        await says(app, "3 of 100,000 differ · all")
        said = page(app)
        assert "sub_070000 database past_due, Stripe active" in said
        assert "sub_090000 only Stripe has it, active" in said
        assert "sub_gone only the database has it, trialing" in said
        assert "compare all" not in said, "there is no more to compare"


async def test_comparing_all_goes_on_elsewhere_and_x_stops_it(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(server, tmp_path, monkeypatch) as (pilot, app, record):
        app.program.open_row("drift:now")
        await says(app, "no difference · the newest 5,000 of more")
        assert app.program.session.monitor is not None
        assert app.program.session.monitor.stripe is not None
        # Slow enough that it cannot end before this test does.
        app.program.session.monitor.stripe._limiter._every_s = 0.5
        app.program.open_row("drift:all")
        await says(app, "read, ")
        assert "5,000 compared, no difference" in page(app), "the last result stays until there is another"
        assert "X stops it" in page(app)
        before = len(record.paths)
        await press(pilot, "h")
        await until(lambda: len(record.paths) >= before + 3)
        await press(pilot, "P")
        # A second one is not begun beside it.
        app.program.open_row("drift:now")
        await says(app, "left")
        await press(pilot, "X")
        await says(app, "ended early: stopped by hand")
        assert "compared, no difference · the newest" in page(app)
        assert "compare all" in page(app)
        # Quitting ends it: left running here, it would keep the context from closing.
        app.program.open_row("drift:all")
        await says(app, "X stops it")
    await until(lambda: not any(worker.is_running for worker in app.workers))


async def test_a_key_that_loses_its_right_on_the_way_leaves_what_was_found(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = 0
    ask = StripeReader._ask

    async def refused(self: StripeReader, what: str, request: object) -> object:
        nonlocal pages
        pages += what == "subscriptions"
        if pages > 6 and what == "subscriptions":
            raise stripe.StripeUnavailable("the key lacks the permission rak_subscription_read (403)")
        return await ask(self, what, request)  # type: ignore[arg-type]

    monkeypatch.setattr(StripeReader, "_ask", refused)
    async with console(server, tmp_path, monkeypatch) as (pilot, app, _):
        await press(pilot, "h")
        app.program.open_row("drift:all")
        said = "Subscriptions: 6,000 compared, no difference"
        await until(lambda: app.notice is not None and app.notice.text == said)
        assert app.program.session.drift is not None
        assert not app.program.session.comparing
        await press(pilot, "P")
        assert "6,000 compared, no difference · the newest 6,000 of more" in page(app)
        assert "ended early: the key lacks the permission rak_subscription_read (403)" in page(app)
