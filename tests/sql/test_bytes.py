"""Bytes are bounded as rows are: what a process grows by, reading more than it could hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from isla_console.sql.engine import SqlEngine
from isla_console.sql.export import ExportFile
from isla_console.sql.rows import KEPT, READ
from isla_console.sql.values import Cut
from tests.sql.conftest import Server

pytestmark = pytest.mark.slow

ALONE = """
import asyncio, json, sys
from pathlib import Path
from isla_console.net.lookup import Resolver
from isla_console.settings.secret import Secret
from isla_console.sql.engine import SqlEngine, pane_session
from isla_console.sql.export import ExportFile

def peak_mib():
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

async def main(url, sql, export):
    engine = SqlEngine(pane_session(Secret(url), "isla-console/ana@jump1", "X"))
    await engine.run("SELECT 1")
    before = peak_mib()
    if export:
        file = ExportFile(Path(export), "csv")
        result = await engine.stream(sql, (), file.take, 300)
        file.finish()
    else:
        result = await engine.run(sql, timeout_s=300)
    print(json.dumps({"mib": peak_mib() - before, "rows": result.row_count, "cut": result.cut,
                      "error": str(result.error or result.refused), "more": result.truncated}))
    await engine.close()

asyncio.run(main(*sys.argv[1:]))
"""
EIGHT_MB = "SELECT i, repeat(chr(9731), 2700000) AS big FROM generate_series(1, 60) i"
ONE_OF_500_MB = "SELECT 1 AS i, repeat('x', 500000000) AS big"
DOCUMENTS = "SELECT i, repeat('d', 60000) AS doc FROM generate_series(1, 5000) i"
MANY_COLUMNS = (
    f"SELECT {', '.join(f'''repeat('c', 3000000) AS c{n}''' for n in range(40))} FROM generate_series(1, 30)"
)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="VmHWM is Linux's")
@pytest.mark.parametrize(
    ("sql", "export", "mib"),
    [
        (EIGHT_MB, False, 48),
        (ONE_OF_500_MB, False, 24),
        (DOCUMENTS, False, 80),
        (MANY_COLUMNS, False, 64),
        (DOCUMENTS, True, 64),
        (ONE_OF_500_MB, True, 160),
    ],
    ids=["60 rows of 8 MB", "a cell of 500 MB", "documents", "wide rows", "export", "export of 500 MB"],
)
def test_a_process_stays_small(server: Server, tmp_path: Path, sql: str, *, export: bool, mib: int) -> None:
    target = str(tmp_path / "all.csv") if export else ""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, server.url().reveal(), sql, target],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["error"] == ""
    assert found["mib"] < mib, found
    if not export:
        assert found["rows"] > 0


async def test_a_cut_cell_says_how_long_it_is(engine: SqlEngine) -> None:
    result = await engine.run("SELECT 1, repeat('é', 100000) AS long, 'short' AS s, NULL AS n")
    [(one, long, short, nothing)] = result.rows
    assert isinstance(long, Cut)
    assert (long, long.whole) == ("é" * 32768, 200_000)
    assert (one, short, nothing) == ("1", "short", None)
    assert (result.cut, result.truncated, result.too_long) == (1, False, 0)


async def test_reading_ends_after_so_many_bytes_and_says_so(engine: SqlEngine) -> None:
    result = await engine.run(EIGHT_MB)
    assert result.ok
    assert 1 <= result.row_count < 60
    assert result.truncated
    assert READ <= result.too_long < READ + 17_000_000
    assert result.cut == result.row_count
    documents = await engine.run(DOCUMENTS)
    assert documents.truncated
    assert documents.cut == 0
    assert 250 < documents.row_count < 350
    assert sum(len(row[1] or "") for row in documents.rows) < KEPT + 4_500_000
    small = await engine.run("SELECT i, repeat('s', 100) FROM generate_series(1, 499) i")
    assert (small.row_count, small.truncated, small.too_long) == (499, False, 0)


async def test_rows_that_grow_are_still_all_there_in_order(engine: SqlEngine, tmp_path: Path) -> None:
    sql = "SELECT i, repeat('g', i * i) AS g FROM generate_series(1, 400) i"
    result = await engine.run(sql)
    assert [row[0] for row in result.rows] == [str(n) for n in range(1, result.row_count + 1)]
    assert result.row_count == 400
    file = ExportFile(tmp_path / "all.csv", "csv")
    exported = await engine.stream(f"{sql} UNION ALL SELECT 401, repeat('h', 20000000)", (), file.take, 30)
    file.finish()
    assert exported.ok
    assert (file.rows, exported.cut) == (401, 1)
    lines = file.path.read_text().splitlines()
    assert len(lines) == 402
    assert [len(line.split(",")[1]) for line in lines[1:-1]] == [n * n for n in range(1, 401)]
    assert len(lines[-1]) == 16 * 1024**2 + 4


async def test_a_change_that_returns_much_is_bounded_too(server: Server) -> None:
    from isla_console.sql.engine import pane_session
    from isla_console.sql.writing import PendingWrite, Writer

    writer = Writer(pane_session(server.url(), "isla-console/ana@jump1", "X"), decide_s=5)
    admin = await server.connect()
    await admin.execute("DROP TABLE IF EXISTS big; CREATE TABLE big (id int, doc text)")
    seen: list[PendingWrite] = []

    def show(change: PendingWrite) -> None:
        seen.append(change)
        writer.decide(False)

    rows = "SELECT i, repeat('x', 1000000) FROM generate_series(1, 60) i"
    sql = f"WITH x AS (SELECT 1) INSERT INTO big {rows} RETURNING *"
    result = await writer.write(sql, (), 30, show)
    assert result.refused == "rolled back", result
    assert seen[0].affected == 60
    assert all(isinstance(row[1], Cut) for row in seen[0].after.rows)
    await writer.session.close()
    await admin.execute("DROP TABLE big")
    await admin.close()
