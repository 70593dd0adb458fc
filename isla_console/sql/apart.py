"""Work on a statement's text away from the event loop.

PostgreSQL's grammar reads most statements in a millisecond, and a list of 33,000 ids in seconds. A thread
would not do for such a one: the parsed tree is built in one piece that lets nothing else run. So a long text
is worked on in a process of its own, which is ended as soon as nobody waits for it any more, and whose end by
any cause is no more than a refusal.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Final, TypeVar

IN_THREAD: Final = 2_000
"""The longest text in characters that is worked on in a thread: a few milliseconds in one piece."""
LIMIT_S: Final = 60.0
"""Seconds of work after which a text is given up."""
_KEPT: Final = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"})
"""The variables that the process gets: it needs none of the console's settings, and no secret."""

Result = TypeVar("Result")


class NotRead(Exception):
    """The text could not be worked on; the exception's text is a sentence that says why."""


async def apart(function: Callable[[str], Result], text: str) -> Result:
    """Return `function(text)`, worked out where it holds nothing up.

    Args:
        function: A function of a module, whose result can be pickled.
        text: A statement.

    Raises:
        NotRead: The process took too long or died.
        Exception: Whatever the function raises, as far as it can be pickled.
    """
    if len(text) <= IN_THREAD:
        return await asyncio.to_thread(function, text)
    return await _in_process(function, text)


async def _in_process(function: Callable[[str], Result], text: str) -> Result:
    try:
        # `-P`: nothing is imported from the folder that the console was started in.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", __name__, f"{function.__module__}:{function.__qualname__}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name in _KEPT},
        )
    except OSError as error:
        raise NotRead(f"no process to read it in: {error.strerror}") from None
    try:
        async with asyncio.timeout(LIMIT_S):
            answer, _ = await process.communicate(text.encode("utf-8", "surrogatepass"))
    except TimeoutError:
        raise NotRead(f"it took longer than {LIMIT_S:g} s to read") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise NotRead("reading it ended before its end: it is nested too deeply, or memory is short")
    result: Result | Exception = pickle.loads(answer)
    if isinstance(result, Exception):
        raise result
    return result


def _main(name: str) -> None:
    """Work on the text from standard input, and write the pickled result to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal, which is the console's business
    os.nice(5)  # keys and probes first
    module, _, function = name.partition(":")
    text = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    try:
        result: object = getattr(import_module(module), function)(text)
    except Exception as error:
        result = error
    sys.stdout.buffer.write(pickle.dumps(result))


if __name__ == "__main__":
    _main(sys.argv[1])
