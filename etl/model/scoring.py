"""A logistic model: how likely it is that a transaction is fraud.

The probability is 1 / (1 + exp(-x)), where x is the sum of an intercept and what each feature adds. The coefficients
are in `coefficients.json`; their `name` changes with them, so that a prediction says what made it.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FIELDS = ("amount", "channel", "country", "happened_at", "home_country", "transaction_id")
"""What the model has to be told of a transaction, each as text."""
DIGITS = 6
"""A score is rounded to so many digits, and so the same on any machine."""

_NIGHT_ENDS = 6
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|\+00:00)", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")


class BadTransactionError(ValueError):
    """A transaction cannot be scored; the message says why."""


@functools.cache
def coefficients() -> Mapping[str, Any]:
    """Return the model."""
    return dict(json.loads(Path(__file__).with_name("coefficients.json").read_text(encoding="utf-8")))


def score(transaction: Mapping[str, Any]) -> float:
    """Return how likely it is that a transaction is fraud, from 0 to 1.

    Raises:
        BadTransactionError: a field is missing or its value means nothing.
    """
    for name in FIELDS:
        if not isinstance(transaction.get(name), str):
            raise BadTransactionError(f"a transaction needs {name} as text, not {transaction.get(name)!r}")
    model = coefficients()
    channel = model["channel"].get(transaction["channel"])
    if channel is None:
        raise BadTransactionError(f"channel {transaction['channel']!r} is none of {', '.join(model['channel'])}")
    x = model["intercept"] + model["log_amount"] * math.log1p(_amount(transaction["amount"])) + channel
    if _hour(transaction["happened_at"]) < _NIGHT_ENDS:
        x += model["night"]
    if transaction["country"] != transaction["home_country"]:
        x += model["abroad"]
    return round(1 / (1 + math.exp(-x)), DIGITS)


def _amount(text: str) -> float:
    if not _AMOUNT.fullmatch(text):
        raise BadTransactionError(f"amount {text[:40]!r} is no amount of money")
    return float(text)


def _hour(text: str) -> int:
    moment = _MOMENT.fullmatch(text)
    if not moment:
        raise BadTransactionError(f"happened_at {text[:40]!r} is not a time in UTC as in ISO 8601")
    return int(moment[1])
