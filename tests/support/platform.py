"""The drill's platform for tests: started once, shared, its files in a folder of the test's."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from isla_console.drill import launch
from tests.support.waiting import PATIENCE_S, wait_until

SCENARIO = "redirect-down"


def environment(folder: Path) -> dict[str, str]:
    """An environment whose home, cache and state are in `folder`."""
    return {
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_STATE_HOME": str(folder / "state"),
    }


@contextlib.contextmanager
def running_platform(folder: Path, *, healthy_s: float | None = None) -> Iterator[launch.Platform]:
    """A platform with a fault after `healthy_s`, or, with None, only when one is injected."""
    with launch.start(
        SCENARIO,
        lambda line: None,
        environ=environment(folder),
        healthy_s=healthy_s,
        by_hand=healthy_s is None,
    ) as platform:
        yield platform


def headless(folder: Path, through: Callable[[Sequence[str]], list[str]] = list) -> subprocess.Popen[str]:
    """`isla-console drill redirect-down --headless` as a process; its variables come on stdout.

    `through` makes the command into one that starts it.
    """
    return subprocess.Popen(
        through([sys.executable, "-m", "isla_console", "drill", SCENARIO, "--headless"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(folder),
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )


def ready(process: subprocess.Popen[str]) -> dict[str, str]:
    """The variables a headless drill prints, once it is up."""
    assert process.stdout is not None
    variables = {}
    for line in process.stdout:
        name, _, value = line.removeprefix("export ").strip().partition("=")
        variables[name] = value.strip("'")
        if name == "ISLA_DRILL_CONTROL":
            return variables
    raise AssertionError(f"no drill: {process.stderr.read() if process.stderr else ''}")


def descendants(pid: int) -> set[int]:
    """All processes below `pid`, however deep."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return found - {pid}
        found |= more


def alive(pids: set[int]) -> set[int]:
    """Those that run; a zombie does not."""
    running = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                running.add(pid)
    return running


def assert_gone(pids: set[int]) -> None:
    """They end by themselves."""
    assert pids
    wait_until(lambda: not alive(pids))


def runs_left(folder: Path) -> list[Path]:
    """Folders of drills in the cache."""
    return list((folder / "cache/isla-console/drill/runs").glob("*"))


def end(process: subprocess.Popen[str], how: signal.Signals) -> int:
    """Signal a headless drill and take its exit code."""
    process.send_signal(how)
    code = process.wait(PATIENCE_S)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    return code
