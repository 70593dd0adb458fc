"""How soon the first of 500,000 rows is here, what they cost in memory, how soon a cancel frees the server.

python -m tests.benchmarks.sql_rows [embedded|system]
"""

import asyncio
import contextlib
import os
import resource
import shutil
import subprocess
import sys
from time import monotonic
from typing import Any

from tests.sql.conftest import Server, running

SQL = "SELECT i, md5(i::text) AS hash, now() AS at FROM generate_series(1, 500000) i"
SLEEP = "SELECT pg_sleep(60)"


def peak_mib() -> float:
    """The most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def own(server: Server) -> float:
    """Milliseconds until the server's own first row: a bare cursor, nothing of ours around it."""
    connection = await server.connect()
    times = []
    for _ in range(5):
        async with connection.transaction(readonly=True):
            started = monotonic()
            cursor = await connection.cursor(SQL)
            await cursor.fetch(1)
            times.append((monotonic() - started) * 1000)
    await connection.close()
    return min(times)


async def until(admin: Any, *, busy: bool) -> None:
    """Wait until the server is, or is no more, at the sleep."""
    asked = "SELECT count(*) > 0 FROM pg_stat_activity WHERE query = $1 AND state = 'active'"
    while await admin.fetchval(asked, SLEEP) is not busy:  # noqa: ASYNC110
        await asyncio.sleep(0.002)


async def measure(server: Server) -> None:
    engine, admin = server.engine(), await server.connect(name="admin")
    await engine.run("SELECT 1")
    bare = await own(server)
    results = [await engine.run(SQL) for _ in range(5)]
    first = min(result.first_row_ms for result in results)
    print(f"first row: server's own {bare:.0f} ms, the pane's {first:.0f} ms ({first - bare:+.0f} ms)")
    before, rows = peak_mib(), 0

    def take(columns: object, batch: object) -> None:
        nonlocal rows
        rows += len(batch)  # type: ignore[arg-type]

    started = monotonic()
    await engine.stream(SQL, (), take, 120)
    print(f"{rows} rows in {monotonic() - started:.1f} s, peak memory {peak_mib() - before:+.1f} MiB")
    for _ in range(3):
        running_one = asyncio.create_task(engine.run(SLEEP, timeout_s=60))
        await until(admin, busy=True)
        started = monotonic()
        running_one.cancel()
        await until(admin, busy=False)
        print(f"cancel freed the server after {(monotonic() - started) * 1000:.0f} ms")
        with contextlib.suppress(asyncio.CancelledError):
            await running_one
    await engine.close()
    await admin.close()


def beside(server: Server) -> None:
    """The same rows by psql and pgcli, where they are installed: all of them, into nowhere."""
    address = server.url().reveal()
    commands = {
        "psql": ("psql", address, "-qAtc", SQL),
        "psql, by a cursor": ("psql", address, "-qAt", "-v", "FETCH_COUNT=1000", "-c", SQL),
        "pgcli": ("pgcli", address, "--warn", "off", "--row-limit", "0", "--less-chatty", "-c", SQL),
    }
    for name, (program, *arguments) in commands.items():
        if (found := shutil.which(program)) is None:
            print(f"{name}: not installed")
            continue
        started = monotonic()
        done = subprocess.Popen(
            [found, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PAGER": "cat", "TERM": "dumb"},
        )
        assert done.stdout is not None
        first = None
        while done.stdout.read(65536):
            first = first or monotonic() - started
        _, status, usage = os.wait4(done.pid, 0)
        done.returncode = os.waitstatus_to_exitcode(status)
        print(
            f"{name}: first bytes after {(first or 0) * 1000:.0f} ms, all after {monotonic() - started:.1f} s"
            f", peak memory {usage.ru_maxrss / 1024:.0f} MiB (exit {done.returncode})"
        )


if __name__ == "__main__":
    with running(sys.argv[1] if len(sys.argv) > 1 else "embedded") as found:
        asyncio.run(measure(found))
        beside(found)
