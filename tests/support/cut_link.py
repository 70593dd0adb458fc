"""Our own link, really cut: the console in a network namespace of its own, on a wire to the platform's.

    unshare --net python -m tests.support.cut_link FOLDER

The platform keeps its loopback, so that it goes on well while the wire is down. Prints one JSON object: what
was ranked and announced before, while, and after the link was cut.
"""

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from isla_console.monitor.monitor import Snapshot, Transition
from isla_console.monitor.poller import Poller
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.settings.resolve import Settings
from isla_console.triage.facts import gather
from isla_console.triage.ranking import rank
from tests.support.platform import running_platform
from tests.support.rate_limit import oftener, unhurried

PLATFORM, CONSOLE = "10.99.0.1", "10.99.0.2"
DEADLINE_S = 120.0
HELD_S = 4.0
"""How long each state is looked at, once it is there: sixteen seconds at the shipped pace."""


def main(folder: Path) -> None:
    """The platform's side: start it, lay the wire, pass on what comes over it."""
    _ip("link", "set", "lo", "up")
    with running_platform(folder) as platform:
        variables = {name: value.replace("127.0.0.1", PLATFORM) for name, value in platform.variables.items()}
        console = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-m", "tests.support.cut_link", "--console", str(folder)],
            stdin=subprocess.PIPE,
        )
        try:
            _ip("link", "add", "isla0", "type", "veth", "peer", "name", "isla1")
            _move_to(console.pid)
            _ip("address", "add", f"{PLATFORM}/24", "dev", "isla0")
            _ip("link", "set", "isla0", "up")
            assert console.stdin is not None
            console.stdin.write(json.dumps(variables).encode() + b"\n")
            console.stdin.close()
            ports = {
                int(port) for value in variables.values() for port in re.findall(rf"{PLATFORM}:(\d+)", value)
            }
            asyncio.run(_relay(ports, console))
        finally:
            console.kill()


def _move_to(pid: int) -> None:
    """The wire's other end into the console's namespace, once that is its own."""
    own = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{pid}/ns/net").readlink() == own:
        pass
    _ip("link", "set", "isla1", "netns", str(pid))


async def _relay(ports: set[int], console: subprocess.Popen[bytes]) -> None:
    async def handle(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    for port in ports:
        await asyncio.start_server(partial(handle, port), PLATFORM, port)
    await asyncio.to_thread(console.wait)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()


def console(folder: Path) -> None:
    """The console's side: watch, cut the wire, join it again."""
    variables = json.loads(sys.stdin.readline())
    _ip("link", "set", "lo", "up")
    _ip("address", "add", f"{CONSOLE}/24", "dev", "isla1")
    _ip("link", "set", "isla1", "up")
    settings = Settings.load({"HOME": str(folder), **variables})
    sys.stdout.write(json.dumps(asyncio.run(_watch(settings))) + "\n")


async def _watch(settings: Settings) -> dict[str, object]:
    runbook = unhurried(oftener(load_runbook(resource("runbook.yaml")).runbook))
    changes: list[Transition] = []
    poller = Poller(runbook, settings, on_change=changes.append)
    running = asyncio.create_task(poller.run())
    loop = asyncio.get_running_loop()

    def look() -> Snapshot:
        return poller.snapshot(datetime.now(UTC))

    async def suggested(state: str) -> list[str]:
        """What is suggested until everything is in this state, and a while after."""
        found: set[str] = set()
        give_up, until = loop.time() + DEADLINE_S, 0.0
        while not until or loop.time() < until:
            snapshot = look()
            found |= {one.issue for one in rank(runbook.issues, gather(snapshot, None)).candidates}
            if not until and (set(_states(snapshot).values()) == {state} or loop.time() > give_up):
                until = loop.time() + HELD_S
            await asyncio.sleep(0.1)
        return sorted(found)

    before, calm = await suggested("ok"), look()
    changes.clear()  # a busy machine may have had its own bad moment before
    _ip("link", "set", "isla1", "down")
    cut, dark = await suggested("blind"), look()
    _ip("link", "set", "isla1", "up")
    after, again = await suggested("ok"), look()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return {
        "before": before,
        "cut": cut,
        "after": after,
        "silent": rank(runbook.issues, gather(dark, None)).silent,
        "links": [calm.link.state, dark.link.state, again.link.state],
        "calm": _states(calm),
        "dark": _states(dark),
        "announced": [
            [one.kind, one.name, one.new] for one in changes if one.new in {"alert", "down", "blind", "stale"}
        ],
    }


def _states(snapshot: Snapshot) -> dict[str, str]:
    states: dict[str, str] = {one.id: one.state for one in snapshot.metrics}
    states |= {one.id: one.state for one in snapshot.probes}
    return states | {f"vendor:{one.id}": one.state for one in snapshot.vendors}


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


if __name__ == "__main__":
    if sys.argv[1] == "--console":
        console(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[1]))
