"""The lifeline ends a command when the console itself is killed or crashes.

Each run has one small process that only waits on a pipe whose other end the console alone holds. When the
pipe closes without a farewell, it ends the run's process group and, where there is a /proc, every process
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
"""A variable in the environment of all of a run's processes, which finds those that leave the group."""

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
    """Ties one run to the console's life, from before it starts until `untie`."""

    def __init__(self, process: asyncio.subprocess.Process, end: int) -> None:
        self._process = process
        self._end = end

    @classmethod
    async def tie(cls, mark: str) -> Lifeline:
        """Watch over every process with a mark.

        Raises:
            OSError: No process can be started.
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
        """Watch over the run's process group too, once it is known."""
        self._tell(f"group {group}")

    async def untie(self) -> None:
        """Stop watching: the run is over and all its processes have ended."""
        self._tell("over")
        os.close(self._end)
        await self._process.wait()

    def _tell(self, word: str) -> None:
        # If somebody ended the process, only the watch is lost.
        with contextlib.suppress(BrokenPipeError):
            os.write(self._end, f"{word}\n".encode())
