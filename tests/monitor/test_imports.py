"""What importing the monitor costs: nothing heavy before the first probe needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "httpx",
    "httpcore",
    "h11",
    "asyncpg",
    "textual",
    "rich",
    "stripe",
    "jmespath",
    "pydantic",
    "yaml",
    "prometheus_client",
)


@pytest.mark.parametrize(
    "module",
    [
        "isla_console.settings.resolve",
        "isla_console.monitor.metrics.sample",
        "isla_console.monitor.metrics.window",
        "isla_console.monitor.metrics.metric",
        "isla_console.monitor.metrics.pipeline",
        "isla_console.monitor.poller",
    ],
)
def test_nothing_heavy_is_imported(module: str) -> None:
    program = f"import {module}, sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []
