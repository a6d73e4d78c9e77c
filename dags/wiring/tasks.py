"""How tasks are tried: the default arguments of every DAG, and which errors are worth no further try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException


def default_args(**changes: Any) -> dict[str, Any]:
    """Return the default arguments of a DAG's tasks, with `changes` to them."""
    return {
        "owner": "warehouse",
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=30),
        "execution_timeout": timedelta(minutes=30),
        **changes,
    }


@contextmanager
def permanent_errors_fail() -> Iterator[None]:
    """Let a permanent error fail the task at once, with its one sentence: a retry would find the same.

    Raises:
        AirflowFailException: the block raised a `PermanentError`.
    """
    # Imported here: the scheduler parses DAG files again and again and needs none of it.
    from etl.errors import PermanentError

    try:
        yield
    except PermanentError as error:
        raise AirflowFailException(str(error)) from None
