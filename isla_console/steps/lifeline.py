"""What ends a command when the console is gone without a word: kill -9, out of memory, a crash.

For each run there is one small process that does nothing but wait on a pipe whose other end only the console
holds. When that closes unsaid, it ends the run's process group and, where there is a /proc, every process
that carries the run's mark. It has a session of its own, no environment, and nothing of the step in its
arguments.

Neither it nor the console finds a process that left the group and cleared its environment as well, one that
another user owns (sudo), or one that was handed to another service to start (systemd-run, docker, at).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Final

MARK: Final = "ISLA_CONSOLE_RUN"
"""In the environment of every process of a run, so that those that leave the group are found."""

_WATCH: Final = f"""
while read -r word value; do
  case $word in
    mark) mark=$value ;;
    group) group=$value ;;
    over) exit 0 ;;
  esac
done
[ -n "$mark" ] || exit 0
end() {{
  [ -z "$group" ] || kill -s "$1" -- "-$group"
  for file in $(grep -ls "{MARK}=$mark" /proc/[0-9]*/environ); do
    pid=${{file#/proc/}}
    kill -s "$1" "${{pid%/environ}}"
  done
}}
end TERM
sleep 2
end KILL
end KILL
"""


class Lifeline:
    """Holds one run to the console's life, from before it starts until `untie`."""

    def __init__(self, process: asyncio.subprocess.Process, end: int) -> None:
        self._process = process
        self._end = end

    @classmethod
    async def tie(cls, mark: str) -> Lifeline:
        """Watch over every process with this mark.

        Raises:
            OSError: no process can be started.
        """
        read_end, write_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                _WATCH,
                stdin=read_end,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PATH": "/usr/bin:/bin"},
                cwd="/",
                start_new_session=True,
            )
        except BaseException:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
        found = cls(process, write_end)
        found._tell(f"mark {mark}")
        return found

    def watch(self, group: int) -> None:
        """The run's process group, as soon as it is known."""
        self._tell(f"group {group}")

    async def untie(self) -> None:
        """The run is over, and all of it was ended."""
        self._tell("over")
        os.close(self._end)
        await self._process.wait()

    def _tell(self, word: str) -> None:
        # Where somebody ended it, nothing is lost but the watch.
        with contextlib.suppress(BrokenPipeError):
            os.write(self._end, f"{word}\n".encode())
