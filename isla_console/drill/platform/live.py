"""The running platform: the services and what goes on in the database, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
import traceback
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import uvicorn
from starlette.applications import Starlette

from isla_console.drill.platform.control_service import control_service
from isla_console.drill.platform.journal_watch import watch_journal
from isla_console.drill.platform.postgres.database import Database
from isla_console.drill.platform.services import (
    app,
    google,
    status_pages,
    stripe_account,
    stripe_api,
    supabase,
    supabase_management,
    vercel,
)
from isla_console.drill.platform.services.neighbour import Neighbour
from isla_console.drill.platform.services.redirects import TEST_SLUG, Redirects
from isla_console.drill.platform.services.stripe_account import StripeAccount
from isla_console.drill.platform.truths import Truths
from isla_console.drill.platform.workload import traffic
from isla_console.drill.platform.workload.analytics import AnalyticsFaults
from isla_console.drill.platform.workload.lock_queue import LockQueue
from isla_console.drill.platform.workload.sessions import SessionHolder, open_pool
from isla_console.drill.scenario.faults import Faults
from isla_console.drill.scenario.model import Scenario
from isla_console.drill.scenario.runner import ScenarioRunner
from isla_console.drill.scenario.speed import window
from isla_console.drill.score.record import Record, write


class LivePlatform:
    """The whole platform except PostgreSQL itself.

    `start` returns the console's environment; `stop` ends everything. Random numbers come from `seed`, so
    that two runs of a scenario are alike.
    """

    def __init__(
        self,
        database: Database,
        scenario: Scenario,
        *,
        seed: int,
        healthy_s: float | None,
        by_hand: bool,
        speed: float = 1,
        quiet: bool = False,
    ) -> None:
        self._database = database
        self._scenario = scenario
        self._rng = random.Random(seed)
        self._faults = Faults()
        self._runner = ScenarioRunner(
            scenario,
            self._faults,
            _now,
            healthy_s=healthy_s,
            by_hand=by_hand,
            speed=speed,
            quiet=quiet,
        )
        self._payments_window_s = window(stripe_account.WINDOW_S, speed)
        self._tasks: list[asyncio.Task[None]] = []
        self._pools: list[asyncpg.Pool[Any]] = []
        self._stopping = False

    def keep_record(self, record: Record, path: Path, journal: Path) -> None:
        """Keep a record of the drill in `path`; the steps in the console's `journal` count as actions."""
        self._runner.on_log(lambda log: write(record.with_log(log), path))
        self._run(watch_journal(journal, record.began, self._runner.observe))

    async def start(self) -> dict[str, str]:
        """Open everything on free ports of 127.0.0.1, and begin the scenario.

        Raises:
            OSError, asyncpg.PostgresError: A port is not free, or the database cannot be asked.
        """
        edge = await self._open_pool("edge-redirect", 4)
        web = await self._open_pool("isla-app", 4)
        sessions = SessionHolder(
            self._database,
            wanted=self._faults.held,
            leaked=self._faults.leaked,
            on_leak_ended=lambda name: self._runner.observe(f"sessions:{name}"),
            on_needed_ended=lambda name: self._runner.observe(f"pool:{name}"),
        )
        await sessions.settle()
        self._faults.on_change(sessions.wake)
        redirects = Redirects(edge, self._faults, self._rng)
        await redirects.load()
        account = StripeAccount(self._faults, self._rng, window_s=self._payments_window_s)
        account.on_retry = lambda done: self._runner.observe("event:delivered" if done else "event:refused")
        account.subscriptions = await stripe_account.subscriptions(web)
        neighbour = Neighbour(self._faults)
        neighbour_port = await neighbour.open()
        variables = {
            "ISLA_DRILL": self._scenario.id,
            "ISLA_LINK_CHECK": f"127.0.0.1:{neighbour_port}",
            **self._serve_isla(web, redirects),
            **self._serve_supabase(web),
            **self._serve_vercel(),
            **self._serve_stripe(account),
            **self._serve_pages(),
            **self._serve_control(Truths(self._database, redirects, self._faults, account)),
        }
        self._run(neighbour.run())
        self._run(sessions.run())
        self._run(
            AnalyticsFaults(
                self._database, self._faults, lambda days_ago: self._runner.observe(f"rebuilt:{days_ago}")
            ).run()
        )
        self._run(LockQueue(self._database, self._faults, lambda: self._runner.observe("pile-up:root")).run())
        self._run(traffic.visitors(redirects, self._rng))
        self._run(traffic.scheduler(self._database, self._faults))
        self._run(account.live())
        self._runner.begin()
        return variables

    def stop(self, *, cut_off: bool = False) -> None:
        """End everything; `cut_off` says that the console ended without being left."""
        self._stopping = True
        self._runner.close(cut_off=cut_off)
        for task in self._tasks:
            task.cancel()
        for pool in self._pools:  # otherwise they try to reconnect to a server that is ending
            pool.terminate()

    def _serve_isla(self, web: asyncpg.Pool[Any], redirects: Redirects) -> dict[str, str]:
        return {
            "ISLA_APP_URL": self._serve(app.app_service(web, self._faults, self._rng)),
            "ISLA_REDIRECT_URL": self._serve(app.redirect_service(redirects)),
            "ISLA_TEST_SLUG": TEST_SLUG,
            "ISLA_DATABASE_URL": self._database.url("isla_readonly"),
            "ISLA_DATABASE_ADMIN_URL": self._database.url("postgres"),
        }

    def _serve_supabase(self, web: asyncpg.Pool[Any]) -> dict[str, str]:
        anon_key = f"sb_publishable_{secrets.token_urlsafe(16)}"
        token = supabase_management.new_token()
        return {
            "ISLA_SUPABASE_URL": self._serve(supabase.supabase_service(anon_key, self._faults, self._rng)),
            "SUPABASE_ANON_KEY": anon_key,
            "ISLA_SUPABASE_API_URL": self._serve(
                supabase_management.management_service(web, self._faults, token)
            ),
            "SUPABASE_PROJECT_REF": supabase_management.PROJECT_REF,
            "SUPABASE_ACCESS_TOKEN": token,
        }

    def _serve_vercel(self) -> dict[str, str]:
        deployments = vercel.Deployments(self._runner.observe, now=_now)
        token = vercel.new_token()
        service = vercel.vercel_service(deployments, self._faults, self._rng, token)
        return {
            "ISLA_VERCEL_API_URL": self._serve(service),
            "VERCEL_TOKEN": token,
            "VERCEL_PROJECT_ID": vercel.PROJECT,
            "VERCEL_ORG_ID": vercel.TEAM,
        }

    def _serve_stripe(self, account: StripeAccount) -> dict[str, str]:
        key = stripe_api.new_key()
        return {
            "ISLA_STRIPE_API_URL": self._serve(stripe_api.stripe_service(account, key)),
            "STRIPE_API_KEY": key,
        }

    def _serve_pages(self) -> dict[str, str]:
        pages_url = self._serve(status_pages.status_service(self._faults))
        return {
            "ISLA_VERCEL_STATUS_URL": f"{pages_url}/vercel",
            "ISLA_SUPABASE_STATUS_URL": f"{pages_url}/supabase",
            "ISLA_STRIPE_STATUS_URL": f"{pages_url}/stripe",
            # Served here too, so that nothing outside is asked.
            "ISLA_GOOGLE_OAUTH_URL": self._serve(google.google_service()),
        }

    def _serve_control(self, truths: Truths) -> dict[str, str]:
        token = secrets.token_urlsafe(24)
        url = self._serve(control_service(token, self._runner, truths.read))
        return {"ISLA_DRILL_CONTROL": f"{url}/?token={token}"}

    async def _open_pool(self, application_name: str, size: int) -> asyncpg.Pool[Any]:
        pool = await open_pool(self._database, "isla_app", application_name, size)
        self._pools.append(pool)
        return pool

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=getattr(work, "__qualname__", "a part"))
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Write the exception of a part that failed to platform.log at once, and say so in the drill's."""
        if not task.cancelled() and (error := task.exception()) is not None:
            traceback.print_exception(error)
            if not self._stopping:
                self._runner.broke(task.get_name(), error)

    def _serve(self, application: Starlette) -> str:
        """Serve on a free port, and return the URL; requests are accepted at once."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        port = listener.getsockname()[1]
        server = _Server(
            uvicorn.Config(
                application,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=0,
            )
        )
        self._run(server.serve(sockets=[listener]))
        return f"http://127.0.0.1:{port}"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the supervisor has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _now() -> datetime:
    return datetime.now(UTC)
