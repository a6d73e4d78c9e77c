"""Have transactions scored by a model behind HTTP, batch by batch."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple

import httpx

from etl.errors import ModelUnavailableError, PermanentError, ScoringError
from etl.retrying import AttemptError, retried, times

NAMESPACE = uuid.UUID("6f8a3c1e-52b7-5d0c-9b1f-7d5e2a40c6d1")
"""Of the keys that are made of content."""


class Scores(NamedTuple):
    """What a model says of a batch: its name, and a score from 0 to 1 for each transaction in turn."""

    model: str
    scores: list[float]


def batch_key(transactions: Sequence[Mapping[str, str]]) -> str:
    """Return the key of a batch: the same for the same transactions, and for no others."""
    return str(uuid.uuid5(NAMESPACE, _body(transactions).decode()))


class ModelClient:
    """A model at an address. No answer, 429 and 5xx are tried again, after 0.5, 1, 2, … 30 seconds or as told.

    Args:
        url: where it is, as in ``http://127.0.0.1:8000``.
        token: what it asks for, if anything; never shown.
        timeout: seconds to wait for a connection, and for each next piece of an answer.
        attempts: requests before a batch is given up, at least 1.
        sleep: how to pause; `time.sleep` unless told.
    """

    def __init__(
        self, url: str, token: str = "", *, timeout: float, attempts: int, sleep: Callable[[float], None] | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Nobody's proxy and nobody's certificates where none are needed: making an SSL context is slow.
        self._client = httpx.Client(
            base_url=url, headers=headers, timeout=timeout, trust_env=False, verify=url.startswith("https:")
        )
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._attempts = attempts
        self._sleep = sleep

    def __enter__(self) -> ModelClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._client.close()

    def health(self) -> str:
        """Return the model's name.

        Raises:
            ModelUnavailableError: it does not answer. ScoringError: what answers is no model.
        """
        answer = self._requested("GET", "/health")
        if not isinstance(answer, dict) or not isinstance(answer.get("model"), str):
            raise ScoringError(f"GET {self._url}/health says {answer!r:.100}, which names no model.")
        return str(answer["model"])

    def score(self, transactions: Sequence[Mapping[str, str]]) -> Scores:
        """Return the scores of a batch.

        Raises:
            ModelUnavailableError: it does not answer. ScoringError: it refuses the batch, or answers something else.
        """
        headers = {"Idempotency-Key": batch_key(transactions), "Content-Type": "application/json"}
        answer = self._requested("POST", "/v1/score", content=_body(transactions), headers=headers)
        return self._checked(answer, [one["transaction_id"] for one in transactions])

    def _requested(self, method: str, path: str, **request: Any) -> Any:
        try:
            return retried(lambda: self._attempt(method, path, **request), attempts=self._attempts, sleep=self._sleep)
        except AttemptError as error:
            tried = times(self._attempts)
            raise ModelUnavailableError(f"{method} {self._url}{path} {error} (after {tried}).") from None

    def _attempt(self, method: str, path: str, **request: Any) -> Any:
        try:
            response = self._client.request(method, path, **request)
        except httpx.TimeoutException:
            raise AttemptError(f"gave no answer within {self._timeout:g} seconds") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise PermanentError(f"{self._url!r} is not the address of a model.") from None
        except httpx.RequestError as error:
            raise AttemptError(f"failed: {str(error) or type(error).__name__}") from None
        if response.status_code == 429 or response.status_code >= 500:
            asked = response.headers.get("Retry-After", "")
            raise AttemptError(f"answered {response.status_code}", float(asked) if asked.isdecimal() else 0.0)
        if response.status_code != 200:
            raise ScoringError(f"{method} {self._url}{path} answered {response.status_code}: {_error_of(response)}")
        try:
            return response.json()
        except ValueError:
            raise AttemptError("answered with something that is no JSON") from None

    def _checked(self, answer: Any, ids: list[str]) -> Scores:
        """Look whether the answer has one score for each transaction, in turn."""
        try:
            scores = [float(one["score"]) for one in answer["scores"]]
            same = [one["transaction_id"] for one in answer["scores"]] == ids
            model = answer["model"]
        except (KeyError, TypeError, ValueError):
            same = False
        if not same or not isinstance(model, str) or not all(math.isfinite(s) and 0 <= s <= 1 for s in scores):
            raise ScoringError(f"{self._url}/v1/score answered something else than a score for each of {len(ids):,}.")
        return Scores(model, scores)


def _body(transactions: Sequence[Mapping[str, str]]) -> bytes:
    return json.dumps({"transactions": list(transactions)}, sort_keys=True, separators=(",", ":")).encode()


def _error_of(response: httpx.Response) -> str:
    """Return what the server says of an error, as a sentence."""
    try:
        said = str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        said = response.reason_phrase
    return said.strip().rstrip(".")[:300] + "."
