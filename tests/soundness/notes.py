"""A service that keeps whatever is sent to it: ``python -m tests.soundness.notes PORT``."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEPT: dict[str, bytes] = {}


class Notes(BaseHTTPRequestHandler):
    """Answers every request with 200."""

    def do_POST(self) -> None:
        """Keep a body under its path."""
        KEPT[self.path] = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Notes).serve_forever()
