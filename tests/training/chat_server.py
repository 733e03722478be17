"""A chat endpoint on loopback: answers as it is told to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Takes the request's body and the number of the call from 0; gives status, headers and body (bytes, or JSON).
Behaviour = Callable[[dict[str, Any], int], tuple[int, dict[str, str], Any]]


def says(text: str, **choice: Any) -> tuple[int, dict[str, str], Any]:
    """A good answer."""
    message = {"role": "assistant", "content": text}
    return (
        200,
        {},
        {"choices": [{"message": message, "finish_reason": "stop", **choice}], "usage": {"prompt_tokens": 7}},
    )


def question(body: dict[str, Any]) -> str:
    """The text of the question, whether or not pictures stand behind it."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else str(content[0]["text"])


@dataclass
class ChatServer:
    behaviour: Behaviour
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    most_at_once: int = 0


@contextmanager
def chat_server(behaviour: Behaviour) -> Iterator[ChatServer]:
    """Serve the behaviour, which may be set anew, on a free port of loopback."""
    seen, lock, running = ChatServer(behaviour), threading.Lock(), 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            nonlocal running
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                running += 1
                seen.most_at_once = max(seen.most_at_once, running)
                number = len(seen.requests)
                seen.requests.append(body)
                seen.keys.append(self.headers.get("Authorization", ""))
            status, headers, answer = seen.behaviour(body, number)
            with lock:
                running -= 1
            if status == 0:  # hang up
                self.close_connection = True
                return
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
