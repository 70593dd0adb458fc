"""A server that behaves as badly as servers do, by path: for probes that must live with all of it."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

ESCAPES = "\x1b]0;owned\x07\x1b[31m[bold red]loud[/]\x9b2J"
"""Sets a title, turns red, speaks markup, clears the screen: if anybody obeys."""
GIGABYTE = 1 << 30


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    line = (await reader.readline()).decode("latin-1")
    path = line.split(" ")[1] if " " in line else ""
    if "hang" in path:
        await reader.read()
    elif "reset" in path:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    elif "garbage" in path:
        writer.write(b"\x00\xff\x1b]0;owned\x07 this is no HTTP at all\r\n\r\n" * 40)
    elif "circle" in path:
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {path}\r\nContent-Length: 0\r\n\r\n".encode())
    elif "endless" in path:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {GIGABYTE}\r\n\r\n".encode())
        for _ in range(GIGABYTE >> 20):
            writer.write(b"\x1b]0;owned\x07" + b"x" * (1 << 20))
            await writer.drain()
    else:
        body = ESCAPES.encode("latin-1")
        head = f"HTTP/1.1 503 {ESCAPES}\r\nLocation: /{ESCAPES}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode("latin-1") + body)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        await _answer(reader, writer)
        await writer.drain()
    writer.close()


@contextlib.contextmanager
def hostile_server() -> Iterator[int]:
    """Its port. A path holds the way: hang, reset, garbage, circle, endless; any other speaks escapes."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(_serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        server.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
