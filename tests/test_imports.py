"""What the command line imports: quick answers stay quick, and the first frame waits for nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("textual", "httpx", "asyncpg", "stripe", "starlette", "uvicorn")
NOT_BEFORE_THE_FIRST_FRAME = (
    *HEAVY[1:],
    "pydantic",
    "yaml",
    "jmespath",
    "sqlite3",
    "httpcore",
    "isla_console.runbook.model",
    "isla_console.monitor.poller",
    "isla_console.incident.record.state",
    "isla_console.monitor.metrics.metric",
    "isla_console.triage.health",
    "textual.widgets._text_area",
)
REPORT = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
"""
NO_NETWORK = """
import socket
def refuse(*arguments, **options):
    raise AssertionError("the network was asked")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
"""


def loaded(code: str, home: Path) -> tuple[set[str], str]:
    """The modules that a piece of code leaves loaded, and what it printed."""
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", REPORT + NO_NETWORK + code],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1])), done.stdout


@pytest.mark.parametrize("arguments", [["--version"], ["check"], ["schema"], ["incident", "list"]])
def test_commands_import_what_they_need(arguments: list[str], tmp_path: Path) -> None:
    """Neither the screen nor a network client; and no network is used."""
    modules, printed = loaded(f"from isla_console.cli import main\nsys.exit(main({arguments!r}))", tmp_path)
    assert not modules & set(HEAVY)
    assert printed or arguments[0] == "incident"


def test_the_first_frame_comes_before_the_rest(tmp_path: Path) -> None:
    """Rules, runbook and monitor are loaded once there is something to look at."""
    modules, _ = loaded("import isla_console.ui.start", tmp_path)
    assert "textual.app" in modules
    assert not modules & set(NOT_BEFORE_THE_FIRST_FRAME)


def test_the_version_needs_the_parser_alone(tmp_path: Path) -> None:
    modules, printed = loaded("from isla_console.cli import main\nsys.exit(main(['--version']))", tmp_path)
    assert printed.startswith("isla-console ")
    assert not modules & {"yaml", "pydantic", "sqlite3", "isla_console.settings"}
