"""Standard input, output and error as a command may find them: closed, full, or of a poor encoding.

What an encoding cannot show is replaced; output that nobody takes ends a command with a sentence.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys


def make_usable() -> None:
    """Give every standard stream something behind it, and let no character stop the output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Otherwise the next file that is opened, perhaps the journal, would be what is printed to.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(ValueError, OSError):
                stream.reconfigure(errors="replace")


def flush() -> None:
    """Hand over what is still in the buffer, while a failure can be said.

    Raises:
        OSError: Nobody takes it.
    """
    sys.stdout.flush()


def give_up(error: OSError) -> int:
    """Say that the output was not taken, drop what is left of it, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            if stream is sys.stderr and not isinstance(error, BrokenPipeError):
                where = error.filename or "standard output"
                stream.write(f"isla-console: {where}: {error.strerror or error}\n")
                stream.flush()
            elif stream is sys.stdout:
                # Not even at exit is more written to it.
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream.fileno())
                os.close(null)
    return 1


class _Closed(io.TextIOBase):
    """A standard output that was closed before we began."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "is closed")
