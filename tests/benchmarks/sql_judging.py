"""How long the guard takes to judge a statement, and how long keys wait meanwhile.

    python -m tests.benchmarks.sql_judging [embedded|system]

Every plain read of the tests, warm, on a server of its own: the grammar, the server's tree, the catalogue.
Then one statement of 200 kB. Aims: p95 at most 60 ms, the long one at most 2 s, and no look at the event
loop that waits for 50 ms.
"""

import asyncio
import statistics
import sys
import time

from isla_console.sql.classify import MAX_LENGTH
from isla_console.sql.engine import SqlEngine
from tests.sql.conftest import Server, running
from tests.sql.corpus import EVERYDAY, INSPECT
from tests.sql.statements import READS, SCHEMA

IDS = f"SELECT * FROM t WHERE id IN ({', '.join(map(str, range(33_000)))})"[: MAX_LENGTH - 10]
LONG = IDS[: IDS.rindex(",")] + ")"


async def _judge(engine: SqlEngine, sql: str) -> float:
    engine._proved.clear()
    began = time.perf_counter()
    await engine.verdict(sql)
    return (time.perf_counter() - began) * 1000


async def _lags(found: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        found.append((time.perf_counter() - before - 0.001) * 1000)


async def _measure(server: Server) -> None:
    admin = await server.connect()
    await admin.execute(SCHEMA)
    await admin.close()
    engine = server.engine()
    statements = [*READS, *INSPECT, *EVERYDAY]
    for sql in statements:
        await _judge(engine, sql)
    lags: list[float] = []
    watch = asyncio.create_task(_lags(lags))
    taken = [await _judge(engine, sql) for sql in statements for _ in range(3)]
    cuts = statistics.quantiles(taken, n=100)
    print(f"{len(statements)} statements   p50 {cuts[49]:6.1f} ms   p95 {cuts[94]:6.1f} ms")
    print(f"200 kB          {await _judge(engine, LONG):8.1f} ms   {(await engine.verdict(LONG)).kind}")
    watch.cancel()
    lags.sort()
    print(f"loop            p99 {lags[int(len(lags) * 0.99)]:6.1f} ms   worst {lags[-1]:6.1f} ms")
    await engine.close()


if __name__ == "__main__":
    with running(sys.argv[1] if len(sys.argv) > 1 else "embedded") as server:
        asyncio.run(_measure(server))
