"""The guard's verdict by the grammar, kept: each text is judged once, away from the event loop."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from isla_console.sql.apart import NotRead, apart
from isla_console.sql.classify import classify
from isla_console.sql.verdict import Verdict

KEPT: Final = 64
"""How many verdicts are kept, the newest ones."""


@dataclass(slots=True)
class _Work:
    """A text that is being judged, and how many wait for that."""

    task: asyncio.Task[Verdict]
    waiting: int = 0


_kept: OrderedDict[str, Verdict] = OrderedDict()
_under_way: dict[str, _Work] = {}


async def judged(sql: str) -> Verdict:
    """Return `classify(sql)`, not settled. A text that cannot be judged is unknown, which does not run.

    Whoever asks for a text that is being judged waits for the same work; when all have gone away, it ends.
    """
    if (found := _kept.get(sql)) is not None:
        _kept.move_to_end(sql)
        return found
    work = _under_way.get(sql)
    if work is None or work.task.done() or work.task.get_loop() is not asyncio.get_running_loop():
        work = _under_way[sql] = _Work(asyncio.create_task(_judge(sql), name="judge"))
    work.waiting += 1
    try:
        return await asyncio.shield(work.task)
    finally:
        work.waiting -= 1
        if not work.waiting:
            work.task.cancel()
            if _under_way.get(sql) is work:
                del _under_way[sql]


async def _judge(sql: str) -> Verdict:
    try:
        verdict = await apart(classify, sql)
    except NotRead as error:
        return Verdict("unknown", "text", (str(error),))
    _kept[sql] = verdict
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return verdict
