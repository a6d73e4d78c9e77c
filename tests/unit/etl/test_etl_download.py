"""A download is whole, or an error that names the address and what went wrong; against a real HTTP server."""

from __future__ import annotations

import http.server
import io
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from etl.download import download
from etl.errors import SettingsError, SourceUnavailableError

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Server(http.server.ThreadingHTTPServer):
    """Gives the prepared answers, one a request, the last one again and again."""

    answers: list[Answer]
    requests: list[str]

    def __init__(self) -> None:
        self.answers, self.requests = [], []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Address of a file on the server."""
        return f"http://127.0.0.1:{self.server_port}/users-2026-01-01.csv"


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands each request to the next answer."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.requests.append(self.path)
        server.answers[min(len(server.requests), len(server.answers)) - 1](self)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with a status and a body."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def truncated(body: bytes, promised: int) -> Answer:
    """Answer 200 with fewer bytes than promised."""
    return status(200, body, Content_Length=str(promised))


def hang_up(request: http.server.BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    request.close_connection = True


def slow(request: http.server.BaseHTTPRequestHandler) -> None:
    """Say nothing for a while."""
    time.sleep(0.5)
    request.close_connection = True


@pytest.fixture
def server() -> Iterator[Server]:
    """A local HTTP server."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch(url: str, pauses: list[float] | None = None, *, attempts: int = 4, timeout: float = 5) -> bytes:
    """Download without waiting between the attempts."""
    file = io.BytesIO(b"something that was there before")
    download(url, file, timeout=timeout, attempts=attempts, sleep=(pauses if pauses is not None else []).append)
    return file.getvalue()


def test_body_arrives_unchanged(server: Server) -> None:
    """Byte for byte, and one request is enough."""
    body = bytes(range(256)) * 5000
    server.answers = [status(200, body)]
    assert fetch(server.url) == body
    assert server.requests == ["/users-2026-01-01.csv"]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(status(500), id="500"),
        pytest.param(status(503), id="503"),
        pytest.param(status(429), id="429"),
        pytest.param(truncated(b"id,na", 100), id="truncated"),
        pytest.param(hang_up, id="hung up"),
    ],
)
def test_a_passing_failure_is_tried_again(server: Server, failure: Answer) -> None:
    """Nothing of the failed attempts is left in the file, and the pauses grow."""
    server.answers = [failure, failure, status(200, b"id,name\n")]
    pauses: list[float] = []
    assert fetch(server.url, pauses) == b"id,name\n"
    assert pauses == [0.5, 1.0]


def test_a_truncated_body_never_counts_as_whole(server: Server) -> None:
    """Fewer bytes than the Content-Length are an error in the end."""
    server.answers = [truncated(b"id,name\n", 100)]
    with pytest.raises(SourceUnavailableError, match=r"users-2026-01-01.csv failed: .*\(after 2 attempts\)\.$"):
        fetch(server.url, attempts=2)


@pytest.mark.parametrize("code", [400, 403, 404, 410])
def test_a_refusal_is_not_repeated(server: Server, code: int) -> None:
    """One request, and the error names address and status."""
    server.answers = [status(code)]
    with pytest.raises(SourceUnavailableError, match=rf"GET {server.url} answered {code} \w"):
        fetch(server.url)
    assert len(server.requests) == 1


def test_a_lasting_500_is_named_with_the_number_of_attempts(server: Server) -> None:
    """As many requests as asked for, then one sentence."""
    server.answers = [status(500)]
    expected = rf"^GET {server.url} answered 500 Internal Server Error \(after 3 attempts\)\.$"
    with pytest.raises(SourceUnavailableError, match=expected):
        fetch(server.url, attempts=3)
    assert len(server.requests) == 3


def test_a_silent_server_is_given_up(server: Server) -> None:
    """After the timeout, not after its answer."""
    server.answers = [slow]
    with pytest.raises(SourceUnavailableError, match=r"gave no answer within 0.1 seconds \(after 1 attempt\)"):
        fetch(server.url, attempts=1, timeout=0.1)


def test_nobody_listening_is_named() -> None:
    """A refused connection is tried again, then told."""
    with Server() as closed:
        url = closed.url
    pauses: list[float] = []
    with pytest.raises(SourceUnavailableError, match=r"users-2026-01-01.csv failed: .*refused"):
        fetch(url, pauses, attempts=2)
    assert pauses == [0.5]


def test_pauses_double_up_to_half_a_minute(server: Server) -> None:
    """So that a struggling server gets air."""
    server.answers = [status(502)]
    pauses: list[float] = []
    with pytest.raises(SourceUnavailableError):
        fetch(server.url, pauses, attempts=9)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_redirects_are_followed(server: Server) -> None:
    """As a browser would."""
    server.answers = [status(302, Location="/elsewhere"), status(200, b"x")]
    assert fetch(server.url) == b"x"
    assert server.requests[-1] == "/elsewhere"


def test_a_password_in_the_address_stays_out_of_errors(server: Server) -> None:
    """Errors end up in logs."""
    server.answers = [status(404)]
    with pytest.raises(SourceUnavailableError) as caught:
        fetch(server.url.replace("http://", "http://ada:s3cret@"))
    assert "s3cret" not in str(caught.value)
    assert server.url in str(caught.value)


@pytest.mark.parametrize("url", ["http://host:port/x", "http:///x"])
def test_an_address_that_is_none_is_a_setting(url: str) -> None:
    """It will not become one by trying again."""
    with pytest.raises(SettingsError, match="is not an address"):
        fetch(url)
