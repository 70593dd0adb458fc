"""Steps that put out all they can: how much memory grows, and how soon a key is answered meanwhile.

`python -m tests.benchmarks.step_stream [MEGABYTES]` floods the console with that much (20,000) of a command's
output, then for half a minute with an HTTP answer of JSON lines as fast as the console takes them, its page
open. The promises are 50 MiB and 100 ms at p95.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from textual.pilot import Pilot

from isla_console.steps.runner import Run
from isla_console.ui.pages.streams import StreamsPage
from isla_console.ui.shell import Shell
from isla_console.ui.widgets.rows import RowList
from tests.support.pilot import settle
from tests.support.runbook import shell
from tests.ui.test_steps import app_with, at

STREAM_S = 30.0
_SERVER = """
import socket, sys
lines = sys.stdin.buffer.read()
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
one, _ = server.accept()
one.recv(65536)
one.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/x-ndjson\\r\\nConnection: close\\r\\n\\r\\n")
while True:
    one.sendall(lines)
"""


def rss_mib() -> float:
    """This process's resident memory."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


async def command(megabytes: int) -> None:
    """A shell step; the cursor goes up and down on its page."""
    steps = shell("small", "echo small") + shell(
        "flood", f"yes 'a line of the flood, some forty characters' | head -c {megabytes}000000"
    )
    with tempfile.TemporaryDirectory() as folder:
        app = app_with(Path(folder), steps)
        async with app.run_test(size=(140, 40)) as pilot:
            await _warm(app, pilot)
            rows = app.main.query_one("#page", RowList)
            await _flood(app, pilot, "enter", ["down", "up"], lambda: rows.highlighted)


async def stream() -> None:
    """An HTTP step that follows; its page is paused and goes on."""
    with _server() as port, tempfile.TemporaryDirectory() as folder:
        call = (
            f'http: {{url: "http://127.0.0.1:{port}/"}}\n        table: "{{time: at, level: level, text: m}}"'
        )
        steps = shell("small", "echo small") + (
            f"      - id: flood\n        title: Step flood\n        kind: http\n        effect: stream\n"
            f"        {call}\n        seen: [{{pattern: never-there, symptom: redirect-reports}}]\n"
        )
        app = app_with(Path(folder), steps)
        async with app.run_test(size=(140, 40)) as pilot:
            await _warm(app, pilot)

            def paused() -> object:
                pages = app.main.query(StreamsPage)
                return bool(pages) and pages.first()._paused is not None

            await _flood(app, pilot, "x", ["space"], paused)


async def _warm(app: Shell, pilot: Pilot[int]) -> None:
    """What a first step loads is no growth."""
    await settle(pilot)
    await at(app, pilot, "small")
    await pilot.press("enter")
    await asyncio.sleep(1)
    await at(app, pilot, "flood")


async def _flood(
    app: Shell, pilot: Pilot[int], start: str, keys: list[str], state: Callable[[], object]
) -> None:
    before, peak = rss_mib(), 0.0
    waits: list[float] = []
    began = time.perf_counter()
    await pilot.press(start)
    while "flood" not in app.program.steps.step_services.runner.runs:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await asyncio.sleep(1)
    run: Run = app.program.steps.step_services.runner.runs["flood"]
    while run.is_running and time.perf_counter() - began < STREAM_S:
        was, pressed = state(), time.perf_counter()
        app.simulate_key(keys[len(waits) % len(keys)])
        while state() == was and run.is_running:  # noqa: ASYNC110
            await asyncio.sleep(0)
        waits.append((time.perf_counter() - pressed) * 1000)
        peak = max(peak, rss_mib())
        await asyncio.sleep(0.03)
    took = time.perf_counter() - began
    app.program.steps.step_services.runner.stop("flood")
    size = run.capture.size
    waits = waits[:-1]
    p95 = statistics.quantiles(waits, n=20)[-1] if len(waits) > 1 else float("nan")
    lines = f", {run.received:,} lines" if run.received else ""
    print(f"{size / 1e6:,.0f} MB{lines} in {took:.1f} s: {size / 1e6 / took:,.0f} MB/s")
    print(f"memory grew by {peak - before:.1f} MiB at most (promised: 50)")
    print(f"a key was answered in {p95:.1f} ms at p95 of {len(waits)} (promised: 100)")


@contextmanager
def _server() -> Iterator[int]:
    """Sends log lines without end to the first who asks, in a process of its own."""
    line = {"at": 1_790_000_000_000, "level": "info", "m": "GET /aB3 302 in 12 ms", "id": "x" * 60}
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write((json.dumps(line) + "\n").encode() * 1000)
        process.stdin.close()
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    print("a command's output")
    asyncio.run(command(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
    print("an HTTP stream")
    asyncio.run(stream())
