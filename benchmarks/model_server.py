"""A chat endpoint that costs next to nothing: `python -m benchmarks.model_server MILLISECONDS` prints its port."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.stage import ROOT

ANSWER = '{"defect_type":"solder_bridge","note":"' + "Bridge between two pins of a fine-pitch package. " * 4 + '"}'
BODY = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "loopback",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}],
        "usage": {"prompt_tokens": 60, "completion_tokens": 70, "total_tokens": 130},
    }
).encode()
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class _Chat(asyncio.Protocol):
    """Answers each request after `delay` seconds, without looking at it; one at a time on a connection."""

    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.held = transport, b""

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, blank, body = self.held.partition(b"\r\n\r\n")
        if blank and len(body) >= int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]):
            self.held = b""
            if self.delay:
                asyncio.get_running_loop().call_later(self.delay, self.transport.write, RESPONSE)
            else:
                self.transport.write(RESPONSE)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Chat, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def model_server(milliseconds: int) -> Iterator[str]:
    """Serve in a process of its own, and give the URL."""
    command = [sys.executable, "-m", "benchmarks.model_server", str(milliseconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


if __name__ == "__main__":
    _Chat.delay = int(sys.argv[1]) / 1000
    asyncio.run(_serve())
