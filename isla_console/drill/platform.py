"""The running platform: the database's users and the HTTP services, in one event loop."""

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

from isla_console.drill import google, services, status_pages, stripe, supabase_management, traffic, vercel
from isla_console.drill.connections import Holder, open_pool
from isla_console.drill.control_service import control_service
from isla_console.drill.database import Database
from isla_console.drill.faults import SERVICES, Faults
from isla_console.drill.neighbour import Neighbour
from isla_console.drill.pile_up import PileUp
from isla_console.drill.postgres import SUPERUSER
from isla_console.drill.record import Record, write
from isla_console.drill.redirects import TEST_SLUG, Redirects
from isla_console.drill.scenario import Scenario
from isla_console.drill.speed import window
from isla_console.drill.story import Story
from isla_console.drill.totals import Totals
from isla_console.drill.watch import watch


class LivePlatform:
    """Everything of the platform but PostgreSQL itself.

    `start` returns the console's environment; `stop` ends all of it. Random numbers come from
    `seed`, so that two runs of a scenario are alike.
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
        self._speed = speed
        self._faults = Faults()
        self._story = Story(
            scenario,
            self._faults,
            lambda: datetime.now(UTC),
            healthy_s=healthy_s,
            by_hand=by_hand,
            speed=speed,
            quiet=quiet,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._pools: list[asyncpg.Pool[Any]] = []

    def keep_record(self, record: Record, path: Path, journal: Path) -> None:
        """Keep a record of the drill in `path`, and take the steps in the console's `journal` for deeds."""
        self._story.on_log(lambda log: write(record.with_log(log), path))
        self._keep(watch(journal, record.began, self._story.did))

    async def start(self) -> dict[str, str]:
        """Open everything on free ports of 127.0.0.1.

        Raises:
            OSError, asyncpg.PostgresError: a port or the database cannot be had.
        """
        edge = await self._pool("edge-redirect", 4)
        web = await self._pool("isla-app", 4)
        holder = Holder(
            self._database,
            self._faults.held,
            self._faults.leaked,
            lambda name: self._story.did(f"sessions:{name}"),
            lambda name: self._story.did(f"pool:{name}"),
        )
        await holder.settle()
        self._faults.on_change(holder.changed)
        redirects = Redirects(edge, self._faults, self._rng)
        await redirects.load()

        anon_key = f"sb_publishable_{secrets.token_urlsafe(16)}"
        token = secrets.token_urlsafe(24)
        books = stripe.Books(self._faults, self._rng, window_s=window(stripe.WINDOW_S, self._speed))
        books.on_retry = lambda done: self._story.did("event:delivered" if done else "event:refused")
        truths = _Truths(self._database, redirects, self._faults, books)
        app_url = self._serve(services.app_service(web, self._faults, self._rng))
        redirect_url = self._serve(services.redirect_service(redirects))
        supabase_url = self._serve(services.supabase_service(anon_key, self._faults, self._rng))
        control_url = self._serve(control_service(token, self._story, truths.read))
        vercel_token = vercel.new_token()
        deployments = vercel.Deployments(self._story, now=lambda: datetime.now(UTC))
        vercel_url = self._serve(vercel.vercel_service(deployments, self._faults, self._rng, vercel_token))
        books.subscriptions = await stripe.subscriptions(web)
        stripe_key = stripe.new_key()
        stripe_url = self._serve(stripe.stripe_service(books, stripe_key))
        pages_url = self._serve(status_pages.status_service(self._faults))
        supabase_token = supabase_management.new_token()
        management_url = self._serve(
            supabase_management.management_service(web, self._faults, supabase_token)
        )
        google_url = self._serve(google.google_service())
        neighbour = Neighbour(self._faults)
        neighbour_port = await neighbour.open()

        self._keep(neighbour.run())
        self._keep(Totals(self._database, self._faults, self._day_rebuilt).run())
        self._keep(holder.run())
        self._keep(PileUp(self._database, self._faults, lambda: self._story.did("pile-up:root")).run())
        self._keep(traffic.visitors(redirects, self._rng))
        self._keep(traffic.scheduler(self._database, self._faults))
        self._keep(books.live())
        self._story.begin()
        return {
            "ISLA_APP_URL": app_url,
            "ISLA_REDIRECT_URL": redirect_url,
            "ISLA_TEST_SLUG": TEST_SLUG,
            "ISLA_SUPABASE_URL": supabase_url,
            "SUPABASE_ANON_KEY": anon_key,
            "ISLA_DATABASE_URL": self._database.url("isla_readonly"),
            "ISLA_DATABASE_ADMIN_URL": self._database.url("postgres"),
            "ISLA_VERCEL_API_URL": vercel_url,
            "VERCEL_TOKEN": vercel_token,
            "VERCEL_PROJECT_ID": vercel.PROJECT,
            "VERCEL_ORG_ID": vercel.TEAM,
            "ISLA_STRIPE_API_URL": stripe_url,
            "STRIPE_API_KEY": stripe_key,
            "ISLA_SUPABASE_API_URL": management_url,
            "SUPABASE_PROJECT_REF": supabase_management.PROJECT_REF,
            "SUPABASE_ACCESS_TOKEN": supabase_token,
            "ISLA_VERCEL_STATUS_URL": f"{pages_url}/vercel",
            "ISLA_SUPABASE_STATUS_URL": f"{pages_url}/supabase",
            "ISLA_STRIPE_STATUS_URL": f"{pages_url}/stripe",
            # Nobody of the outside is asked: no rehearsal signs in at Google.
            "ISLA_GOOGLE_OAUTH_URL": google_url,
            "ISLA_LINK_CHECK": f"127.0.0.1:{neighbour_port}",
            "ISLA_DRILL": self._scenario.id,
            "ISLA_DRILL_CONTROL": f"{control_url}/?token={token}",
        }

    def stop(self, *, cut_off: bool = False) -> None:
        """Cancel everything under way; `cut_off`: the console is gone without having left."""
        self._story.close(cut_off=cut_off)
        for task in self._tasks:
            task.cancel()
        for pool in self._pools:  # or they would try to reconnect to a server that goes away
            pool.terminate()

    def _day_rebuilt(self, days_ago: int) -> None:
        self._story.did(f"rebuilt:{days_ago}")

    async def _pool(self, application_name: str, size: int) -> "asyncpg.Pool[Any]":
        pool = await open_pool(self._database, "isla_app", application_name, size)
        self._pools.append(pool)
        return pool

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_report)
        self._tasks.append(task)

    def _serve(self, application: Starlette) -> str:
        """Serve on a free port; the URL, from which calls are taken at once."""
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
        self._keep(server.serve(sockets=[listener]))
        return f"http://127.0.0.1:{port}"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the supervisor has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Truths:
    """What is so now, from the platform's own books and the database's."""

    def __init__(self, database: Database, redirects: Redirects, faults: Faults, books: stripe.Books) -> None:
        self._books = books
        self._database = database
        self._redirects = redirects
        self._faults = faults

    async def read(self) -> dict[str, object]:
        return {
            **self._redirects.truths(),
            "added_ms": {service: self._faults.added_ms(service) for service in SERVICES},
            "stripe_requests": self._books.asked,
            "stripe_requests_most_a_second": self._books.most_a_second,
            "client_backends": await self._client_backends(),
        }

    async def _client_backends(self) -> int | None:
        """Connections from clients, less the one that asks; None when it cannot be asked."""
        try:
            connection = await self._database.connect(SUPERUSER, "drill")
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return None
        try:
            count: int = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            return count
        finally:
            await connection.close(timeout=2)


def _report(task: asyncio.Task[None]) -> None:
    """A part that fails by itself says so in the platform's log at once."""
    if not task.cancelled() and (error := task.exception()) is not None:
        traceback.print_exception(error)
