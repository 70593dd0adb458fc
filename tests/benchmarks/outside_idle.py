"""An idle console with everything live: its CPU, what it asks of Stripe, and that it suggests nothing.

    python -m tests.benchmarks.outside_idle [seconds]

Six panels, the probes, three vendors, deployments and payments, on a drill's platform where nothing is wrong.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from isla_console.drill import client
from tests.support.platform import running_platform
from tests.support.terminal import Terminal

SECONDS = 600.0
WARM_UP_S = 20.0


def main(seconds: float = SECONDS) -> None:
    """Print CPU as a share of one core, requests to Stripe, and every suggestion that was on the screen."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_platform(Path(folder)) as platform,
        Terminal([sys.executable, "-m", "isla_console"], platform.environ) as terminal,
    ):
        terminal.read(WARM_UP_S)
        cpu, asked, began = _cpu_s(terminal.pid), _stripe(platform.control_url)[0], time.monotonic()
        suggestions: set[str] = set()
        while (passed := time.monotonic() - began) < seconds:
            terminal.read(min(5.0, seconds - passed))
            suggestions |= {line for line in terminal.text.splitlines() if "Most likely" in line}
        passed = time.monotonic() - began
        share = (_cpu_s(terminal.pid) - cpu) / passed
        total, most = _stripe(platform.control_url)
        print(terminal.text)
        print(f"{passed:.0f} s: {share:.2%} of a core")
        print(f"Stripe: {total - asked} requests, at most {most} in a second")
        print(f"suggestions: {sorted(suggestions) or 'none'}")


def _cpu_s(pid: int) -> float:
    """User and system time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stripe(control_url: str) -> tuple[int, int]:
    truths = asyncio.run(client.state(control_url)).truths
    return int(truths["stripe_requests"]), int(truths["stripe_requests_most_a_second"])


if __name__ == "__main__":
    main(*(float(value) for value in sys.argv[1:]))
