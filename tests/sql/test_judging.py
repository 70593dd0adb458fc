"""The guard's grammar away from the event loop: nothing waits for it, and nothing is read twice."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from postgast import walk

from isla_console.sql import apart, judging
from isla_console.sql.classify import MAX_LENGTH, classify, nodes_of, tree_of
from isla_console.sql.engine import SqlEngine
from isla_console.sql.judging import judged
from tests.sql import statements

IDS = f"SELECT * FROM links WHERE id IN ({', '.join(map(str, range(33_000)))})"[:MAX_LENGTH]
IDS = IDS[: IDS.rindex(",")] + ")"
ONES = "SELECT " + "1," * 99_990 + "1"
LONG = "SELECT " + "1," * 4_000 + "1"
LITERALS = {"Integer", "Float", "Boolean", "String", "BitString"}


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_kept", type(judging._kept)())
    monkeypatch.setattr(judging, "_under_way", {})


async def lags(work: Awaitable[Any]) -> list[float]:
    """How much longer than asked for each millisecond took while something was under way, in seconds."""
    found: list[float] = []
    task = asyncio.ensure_future(work)
    while not task.done():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        found.append(time.perf_counter() - before - 0.001)
    await task
    return sorted(found)


def p95(values: list[float]) -> float:
    return values[int(len(values) * 0.95)]


@pytest.mark.parametrize("sql", [IDS, ONES], ids=["33,000 ids", "100,000 ones"])
async def test_nothing_waits_while_a_long_statement_is_judged(sql: str) -> None:
    found = await lags(judged(sql))
    assert p95(found) < 0.05
    assert (await judged(sql)).kind == "read"


async def test_a_verdict_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def counted(function: Callable[[str], object], text: str) -> object:
        asked.append(text)
        await asyncio.sleep(0)
        return function(text)

    monkeypatch.setattr(judging, "apart", counted)
    both = await asyncio.gather(judged("SELECT 1"), judged("SELECT 1"))
    assert both[0] is both[1] is await judged("SELECT 1")
    assert asked == ["SELECT 1"]
    for number in range(judging.KEPT + 5):
        await judged(f"SELECT {number}")
    assert len(judging._kept) == judging.KEPT


async def test_the_process_ends_when_nobody_waits_any_more() -> None:
    """Typed over: of two who wait for one text, the last who goes ends the work."""
    first, second = (asyncio.create_task(judged(ONES)) for _ in range(2))
    while not (children := _children()):
        await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.05)
    assert _children() == children
    second.cancel()
    async with asyncio.timeout(10):
        while _children():
            await asyncio.sleep(0.01)
    assert not judging._under_way


async def test_a_process_that_dies_is_a_refusal() -> None:
    task = asyncio.create_task(judged(ONES))
    while not (children := _children()):
        await asyncio.sleep(0.01)
    os.kill(children[0], signal.SIGKILL)
    verdict = await task
    assert verdict.kind == "unknown"
    assert "memory" in verdict.reasons[0]
    assert (await judged(LONG)).kind == "read", "and the next one is judged"


async def test_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LIMIT_S", 0.05)
    verdict = await judged(ONES)
    assert (verdict.kind, verdict.reasons) == ("unknown", ("it took longer than 0.05 s to read",))


async def test_beyond_the_bound_it_says_so() -> None:
    verdict = await judged("SELECT " + "1," * MAX_LENGTH + "1")
    assert verdict.kind == "unknown"
    assert verdict.reasons == ("400,008 characters: the guard reads at most 200,000",)


async def test_the_process_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISLA_DATABASE_URL", "postgresql://me:hunter22@db/x")
    task = asyncio.create_task(judged(ONES))
    while not (children := _children()):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert "hunter22" not in environment(children[0])
    task.cancel()
    async with asyncio.timeout(10):
        while _children():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "text",
    [LONG, "SELECT 'ä\ud800'" + " " * 3000, "SELECT (" * 2000],
    ids=["ones", "no character", "brackets"],
)
async def test_apart_says_the_same(text: str) -> None:
    assert await judged(text) == classify(text)


async def test_the_engine_reads_a_statement_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(judging, "classify", lambda text: read.append(text) or classify(text))
    engine = SqlEngine.__new__(SqlEngine)
    assert (await engine.verdict("DELETE FROM t")).kind == "write"
    assert (await engine.run("DELETE FROM t")).refused
    assert read == ["DELETE FROM t"]


def test_every_node_is_looked_at() -> None:
    """Against the library's own walk: what is left out is the inside of a constant, and nothing else."""
    looked_at = 0
    for text in _texts(vars(statements)):
        try:
            tree = tree_of(text)
        except Exception:
            continue
        ours = sorted(type(node).__name__ for node in nodes_of(tree))
        missing = sorted(type(node).__name__ for _, node in walk(tree))
        for name in ours:
            missing.remove(name)
        assert set(missing) <= LITERALS, text
        looked_at += 1
    assert looked_at > 100


def _texts(found: object) -> list[str]:
    if isinstance(found, str):
        return [found]
    if isinstance(found, dict):
        return [text for name, one in found.items() if not str(name).startswith("__") for text in _texts(one)]
    if isinstance(found, list | tuple | set | frozenset):
        return [text for one in found for text in _texts(one)]
    return []


def _children() -> list[int]:
    """The processes of ours that work on a text."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    found = []
    for pid in listed:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            continue
        if "isla_console.sql.apart" in command:
            found.append(int(pid))
    return found


def environment(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text("utf-8", "replace")
