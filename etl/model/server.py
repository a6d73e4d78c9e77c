"""The model behind HTTP: ``python -m etl.model.server --port 8000``.

| request          | answer                                                                           |
|------------------|----------------------------------------------------------------------------------|
| `GET /health`    | `{"status": "ok", "model": …}`                                                   |
| `POST /v1/score` | `{"model": …, "scores": […]}`, a `transaction_id` and a `score` for each of      |
|                  | `{"transactions": [{…}, …]}`, in turn; `etl/model/scoring.py` has their fields   |

A batch carries an `Idempotency-Key`: one that comes again gets the answer that it got, marked `Idempotent-Replayed`;
with other transactions it is refused with 422. Where the environment has `MODEL_API_TOKEN`, scoring needs it as bearer
token. Any error is `{"error": "one sentence"}`.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import threading
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from etl.model.scoring import BadTransactionError, coefficients, score

MOST_BYTES = 1 << 24
MOST_KEYS = 10_000
"""So many answers are remembered; the oldest is forgotten first."""


class RefusedError(Exception):
    """A request that gets an error: its status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class ModelServer(ThreadingHTTPServer):
    """The server; `answers` has what was answered, by idempotency key."""

    daemon_threads = True

    def __init__(self, host: str, port: int, token: str = "") -> None:
        super().__init__((host, port), Handler)
        self.token = token
        self.scored = 0
        """How many transactions have been scored; a batch that came again counts once."""
        self._answers: OrderedDict[str, tuple[str, dict[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, key: str, body: bytes) -> tuple[dict[str, Any], bool]:
        """Return the answer for a batch, and whether it has been given before.

        Raises:
            RefusedError: the batch cannot be scored, or the key belongs to another one.
        """
        digest = hashlib.sha256(body).hexdigest()
        with self._lock:
            if key in self._answers:
                first, answer = self._answers[key]
                if first != digest:
                    raise RefusedError(422, f"The idempotency key {key} belongs to another batch.")
                return answer, True
            answer = _scores(body)
            self.scored += len(answer["scores"])
            self._answers[key] = (digest, answer)
            if len(self._answers) > MOST_KEYS:
                self._answers.popitem(last=False)
        return answer, False


class Handler(BaseHTTPRequestHandler):
    """Answers one request after another on a connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    wbufsize = 1 << 16  # headers and body go in one packet: nobody waits for the second
    server: ModelServer

    def do_GET(self) -> None:
        """Tell that all is well."""
        if self.path == "/health":
            self._reply(200, {"status": "ok", "model": coefficients()["name"]})
        else:
            self._reply(404, {"error": f"There is no {self.path}."})

    def do_POST(self) -> None:
        """Score a batch."""
        try:
            answer, replayed = self._score()
        except RefusedError as error:
            self.close_connection = True  # what is left of the request may be no request
            self._reply(error.status, {"error": str(error)})
        else:
            self._reply(200, answer, {"Idempotent-Replayed": "true"} if replayed else {})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing: transactions are nobody else's business."""

    def _score(self) -> tuple[dict[str, Any], bool]:
        if self.path != "/v1/score":
            raise RefusedError(404, f"There is no {self.path}.")
        if self.server.token and not self._is_authorized():
            raise RefusedError(401, "The bearer token is missing or not the right one.")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            raise RefusedError(413, f"A batch has a Content-Length of at most {MOST_BYTES:,} bytes.")
        key = self.headers.get("Idempotency-Key", "")
        if not key:
            raise RefusedError(400, "A batch needs an Idempotency-Key.")
        return self.server.answer(key, self.rfile.read(int(length)))

    def _is_authorized(self) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), self.server.token.encode())

    def _reply(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _scores(body: bytes) -> dict[str, Any]:
    try:
        transactions = json.loads(body)["transactions"]
        scores = [{"transaction_id": one["transaction_id"], "score": score(one)} for one in transactions]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f": {error}" if isinstance(error, BadTransactionError) else ""
        raise RefusedError(400, f"The body is no batch of transactions{why}.") from error
    return {"model": coefficients()["name"], "scores": scores}


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="Scores transactions over HTTP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    ModelServer(options.host, options.port, os.environ.get("MODEL_API_TOKEN", "")).serve_forever()


if __name__ == "__main__":
    main()
