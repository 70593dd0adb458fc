"""A step that writes 2 GB at full speed: how much memory grows, and how soon a key is answered.

`python -m tests.benchmarks.step_stream [MEGABYTES]` prints both; the promises are 50 MiB and 100 ms at p95.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from isla_console.ui.widgets.rows import RowList
from tests.support.pilot import settle
from tests.ui.test_steps import app_with, at, shell


def rss_mib() -> float:
    """This process's resident memory."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


async def measure(megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        steps = shell("small", "echo small") + shell(
            "flood", f"yes 'a line of the flood, some forty characters' | head -c {megabytes}000000"
        )
        app = app_with(Path(folder), steps)
        async with app.run_test(size=(140, 40)) as pilot:
            await settle(pilot)
            await at(app, pilot, "small")
            await pilot.press("enter")
            await asyncio.sleep(1)
            await at(app, pilot, "flood")
            rows = app.main.query_one("#page", RowList)
            before, peak = rss_mib(), 0.0
            waits: list[float] = []
            began = time.perf_counter()
            await pilot.press("enter")
            await asyncio.sleep(0.3)
            run = app.toolbox.runner.runs["flood"]
            while run.is_running:
                at_row = rows.highlighted
                pressed = time.perf_counter()
                app.simulate_key("down" if len(waits) % 2 == 0 else "up")
                while rows.highlighted == at_row and run.is_running:  # noqa: ASYNC110
                    await asyncio.sleep(0)
                waits.append((time.perf_counter() - pressed) * 1000)
                peak = max(peak, rss_mib())
                await asyncio.sleep(0.03)
            took = time.perf_counter() - began
            size = run.capture.size
    waits = waits[:-1]
    p95 = statistics.quantiles(waits, n=20)[-1] if len(waits) > 1 else float("nan")
    print(f"{size / 1e6:,.0f} MB in {took:.1f} s: {size / 1e6 / took:,.0f} MB/s")
    print(f"memory grew by {peak - before:.1f} MiB at most (promised: 50)")
    print(f"a key was answered in {p95:.1f} ms at p95 of {len(waits)} (promised: 100)")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
