"""The model scores as its coefficients say; its server and its client agree on what a batch is, whatever happens."""

from __future__ import annotations

import http.server
import json
import math
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.errors import ModelUnavailableError, PermanentError, ScoringError
from etl.model.client import ModelClient, Scores, batch_key
from etl.model.scoring import FIELDS, BadTransactionError, score
from etl.model.server import ModelServer

TOKEN = "let-me-score"
ONE = {
    "transaction_id": "t1",
    "amount": "19.90",
    "channel": "web",
    "country": "DE",
    "home_country": "DE",
    "happened_at": "2026-01-01T12:00:00+00:00",
}
transactions = st.fixed_dictionaries(
    {
        "transaction_id": st.text(min_size=1, max_size=10),
        "amount": st.decimals(0, 10**6, places=2).map(str),
        "channel": st.sampled_from(["app", "phone", "shop", "web"]),
        "country": st.sampled_from(["DE", "IN"]),
        "home_country": st.sampled_from(["DE", "IN"]),
        "happened_at": st.datetimes().map(lambda moment: moment.isoformat() + "+00:00"),
    }
)
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


def served(server: http.server.HTTPServer) -> Iterator[http.server.HTTPServer]:
    """Let a server serve."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """The model's own server."""
    yield from served(ModelServer("127.0.0.1", 0, TOKEN))  # type: ignore[misc]  # it is the one that was given


class Scripted(http.server.ThreadingHTTPServer):
    """Gives the prepared answers, one a request, the last one again and again; keeps the idempotency keys."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.keys: list[str | None] = []
        super().__init__(("127.0.0.1", 0), ScriptedHandler)


class ScriptedHandler(http.server.BaseHTTPRequestHandler):
    """Hands each request to the next answer."""

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Scripted)
        self.rfile.read(int(self.headers["Content-Length"]))
        server.keys.append(self.headers["Idempotency-Key"])
        server.answers[min(len(server.keys), len(server.answers)) - 1](self)

    do_GET = do_POST  # noqa: N815 - the base class calls it so

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A server that does as it is told."""
    yield from served(Scripted())  # type: ignore[misc]  # it is the one that was given


def reply(status: int, body: object, **headers: str) -> Answer:
    """Answer with a status and a body."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(data)

    return answer


def hang_up(request: http.server.BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    request.close_connection = True


def slow(request: http.server.BaseHTTPRequestHandler) -> None:
    """Say nothing for a while."""
    time.sleep(1.5)
    request.close_connection = True


GOOD = {"model": "m", "scores": [{"transaction_id": "t1", "score": 0.5}]}


def client(server: http.server.HTTPServer, token: str = TOKEN, attempts: int = 4, pauses: Any = None) -> ModelClient:
    """A client of a server, that notes its pauses instead of making them."""
    pauses = [] if pauses is None else pauses
    url = f"http://127.0.0.1:{server.server_port}"
    return ModelClient(
        url, token, timeout=1 if isinstance(server, Scripted) else 10, attempts=attempts, sleep=pauses.append
    )


def test_a_score_is_what_the_coefficients_say() -> None:
    """By hand, for a purchase on the web at noon, and for the same abroad at night."""
    assert score(ONE) == round(1 / (1 + math.exp(6.2 - 0.75 * math.log1p(19.90) - 0.4)), 6)
    assert score({**ONE, "happened_at": "2026-01-01T12:00:00Z"}) == score(ONE)
    odd = {**ONE, "country": "IN", "happened_at": "2026-01-01T05:59:59+00:00"}
    assert score(odd) == round(1 / (1 + math.exp(6.2 - 0.75 * math.log1p(19.90) - 0.4 - 1.3 - 0.9)), 6)


@given(transactions)
def test_a_score_is_a_probability_that_grows_with_the_amount(one: dict[str, str]) -> None:
    """And is always the same for the same transaction."""
    assert 0 <= score({**one, "amount": "0"}) <= score(one) == score(dict(one)) <= 1


@pytest.mark.parametrize("name", FIELDS)
def test_a_transaction_that_lacks_something_is_not_scored(name: str) -> None:
    """Nor one whose value means nothing: the field is named."""
    with pytest.raises(BadTransactionError, match=name):
        score({key: value for key, value in ONE.items() if key != name})
    if name in ("amount", "channel", "happened_at"):
        with pytest.raises(BadTransactionError, match=name):
            score({**ONE, name: "nan"})


def test_client_and_server_agree(model: ModelServer) -> None:
    """A batch gets its scores, in turn; one that comes again is not scored again."""
    batch = [{**ONE, "transaction_id": f"t{number}", "amount": str(number)} for number in range(50)]
    with client(model) as it:
        assert it.health() == "fraud-logit-1"
        assert it.score(batch) == Scores("fraud-logit-1", [score(one) for one in batch])
        assert it.score(batch) == it.score(batch[:])
        assert model.scored == 50
        assert it.score(batch[:1]).scores == [score(batch[0])]
        assert model.scored == 51


@given(st.lists(transactions, max_size=3), st.lists(transactions, max_size=3))
def test_a_key_belongs_to_a_batch(one: list[dict[str, str]], other: list[dict[str, str]]) -> None:
    """Two batches have the same key when they are the same."""
    assert (batch_key(one) == batch_key(other)) == (one == other)
    assert batch_key(one) == batch_key([dict(reversed(entry.items())) for entry in one])


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "sentence"),
    [
        pytest.param("score", {"Authorization": "Bearer no"}, b"{}", 401, "The bearer token is missing", id="token"),
        pytest.param("score", {"Idempotency-Key": ""}, b"{}", 400, "needs an Idempotency-Key", id="no-key"),
        pytest.param("score", {}, b"{", 400, "is no batch of transactions", id="no-json"),
        pytest.param("score", {}, b'{"transactions": 1}', 400, "is no batch of transactions", id="no-list"),
        pytest.param("score", {}, b'{"transactions": [{"transaction_id": 1}]}', 400, "amount as text", id="field"),
        pytest.param("score", {"Idempotency-Key": "taken"}, b"{}", 422, "belongs to another batch", id="other-key"),
        pytest.param("score", {"Content-Length": "99999999"}, b"", 413, "Content-Length of at most", id="too-large"),
        pytest.param("none", {}, b"{}", 404, "There is no /v1/none", id="path"),
    ],
)  # fmt: skip
def test_what_is_no_batch_is_refused(
    path: str, headers: dict[str, str], body: bytes, status: int, sentence: str, model: ModelServer
) -> None:
    """With a status and a sentence, and the server goes on."""
    model.answer("taken", json.dumps({"transactions": [ONE]}).encode())
    url = f"http://127.0.0.1:{model.server_port}/v1/{path}"
    usual = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "k"}
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(urllib.request.Request(url, body, usual | headers))
    assert raised.value.code == status
    assert sentence in json.loads(raised.value.read())["error"]
    raised.value.close()
    with client(model) as it:
        assert len(it.score([ONE]).scores) == 1


@pytest.mark.parametrize(
    "answer",
    [hang_up, slow, reply(500, {}), reply(503, {}), reply(429, {}), reply(200, b"{")],
    ids=["hang-up", "slow", "500", "503", "429", "no-json"],
)
def test_what_may_be_gone_next_time_is_tried_again(answer: Answer, scripted: Scripted) -> None:
    """Further and further apart, with the same key."""
    scripted.answers = [answer, answer, reply(200, GOOD)]
    pauses: list[float] = []
    with client(scripted, pauses=pauses) as it:
        assert it.score([ONE]) == Scores("m", [0.5])
    assert pauses == [0.5, 1.0]
    assert scripted.keys == [batch_key([ONE])] * 3


def test_a_server_that_asks_for_patience_gets_it(scripted: Scripted) -> None:
    """As many seconds as it says, up to half a minute."""
    scripted.answers = [reply(429, {}, Retry_After="7"), reply(503, {}, Retry_After="900"), reply(200, GOOD)]
    pauses: list[float] = []
    with client(scripted, pauses=pauses) as it:
        it.score([ONE])
    assert pauses == [7.0, 30.0]


def test_a_model_that_stays_away_is_told(scripted: Scripted) -> None:
    """With the address, what happened last, and how often it was tried; without the token."""
    scripted.answers = [reply(503, {"error": TOKEN})]
    with client(scripted) as it, pytest.raises(ModelUnavailableError) as raised:
        it.score([ONE])
    url = f"http://127.0.0.1:{scripted.server_port}/v1/score"
    assert str(raised.value) == f"POST {url} answered 503 (after 4 attempts)."
    nobody = ModelClient("http://127.0.0.1:9", TOKEN, timeout=1, attempts=1)
    with (
        nobody,
        pytest.raises(ModelUnavailableError, match=r"^GET http://127.0.0.1:9/health failed: .*\(after 1 attempt"),
    ):
        nobody.health()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"model": "m", "scores": []},
        {"model": "m", "scores": [{"transaction_id": "t2", "score": 0.5}]},
        {"model": "m", "scores": [{"transaction_id": "t1", "score": 1.5}]},
        {"model": "m", "scores": [{"transaction_id": "t1", "score": "NaN"}]},
        {"model": 1, "scores": [{"transaction_id": "t1", "score": 0.5}]},
    ],
)
def test_an_answer_that_is_no_score_for_each_is_refused(body: object, scripted: Scripted) -> None:
    """At once: asked again it would say the same."""
    scripted.answers = [reply(200, body)]
    with client(scripted) as it, pytest.raises(ScoringError, match="something else than a score for each of 1"):
        it.score([ONE])
    assert len(scripted.keys) == 1


def test_a_refusal_is_told_and_not_tried_again(model: ModelServer, scripted: Scripted) -> None:
    """With the server's own sentence."""
    with (
        client(model, token="wrong") as it,
        pytest.raises(ScoringError, match=r"answered 401: The bearer .* one\."),
    ):
        it.score([ONE])
    scripted.answers = [reply(404, b"<html>")]
    with client(scripted) as it, pytest.raises(ScoringError, match=r"answered 404: Not Found\."):
        it.score([ONE])
    assert len(scripted.keys) == 1


def test_an_address_that_is_none_is_told() -> None:
    """It will not get better."""
    with (
        ModelClient("ftp://model", timeout=1, attempts=3) as it,
        pytest.raises(PermanentError, match="is not the address"),
    ):
        it.health()
