"""A small SSH client for where OpenSSH's is not installed: PORT KEY KNOWN_HOSTS COMMAND, in this terminal."""

import asyncio
import os
import signal
import sys
import termios
import tty

import asyncssh


async def main(port: str, key: str, known_hosts: str, command: str) -> int:
    """Run the command on the host in a pty; its exit code."""
    size = os.get_terminal_size()
    async with asyncssh.connect(
        "127.0.0.1",
        int(port),
        username="ana",
        client_keys=[key],
        known_hosts=known_hosts,
        host_key_alias="jump1",
    ) as connection:
        process = await connection.create_process(
            command,
            term_type=os.environ["TERM"],
            term_size=(size.columns, size.lines),
            encoding=None,
            stdin=sys.stdin,
            stdout=sys.stdout,
        )

        def resized() -> None:
            now = os.get_terminal_size()
            process.change_terminal_size(now.columns, now.lines)

        asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, resized)
        done = await process.wait()
        return done.exit_status if done.exit_status is not None else 255


if __name__ == "__main__":
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        code = asyncio.run(main(*sys.argv[1:]))
    except (OSError, asyncssh.Error):
        code = 255
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
    sys.exit(code)
