"""Download one file over HTTP(S), whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import httpx

from etl.errors import SettingsError, SourceUnavailableError
from etl.retrying import AttemptError, retried, times


def download(
    url: str, file: BinaryIO, *, timeout: float, attempts: int, sleep: Callable[[float], None] | None = None
) -> None:
    """Write the body of `url` to `file`, from its position 0.

    No answer, a body that breaks off and the statuses 429 and 5xx are tried again,
    after 0.5, 1, 2, … 30 seconds. A body shorter than its Content-Length never counts
    as whole. Redirects are followed. Memory stays flat.

    Args:
        url: An http or https address.
        file: Where the body goes.
        timeout: Seconds to wait for the connection, and for each next piece of the body.
        attempts: Requests before giving up, at least 1.
        sleep: How to pause; `time.sleep` unless told.

    Raises:
        SourceUnavailableError: the URL, and the status or what else went wrong last.
        SettingsError: the URL is none.
    """
    try:
        retried(lambda: _attempt(url, file, timeout), attempts=attempts, sleep=sleep)
    except AttemptError as error:
        raise SourceUnavailableError(f"GET {_shown(url)} {error} (after {times(attempts)}).") from error.__cause__


def _attempt(url: str, file: BinaryIO, timeout: float) -> None:
    file.seek(0)
    file.truncate()
    try:
        with httpx.stream("GET", url, timeout=timeout, follow_redirects=True) as response:
            _check_status(url, response)
            file.writelines(response.iter_bytes())
    except httpx.TimeoutException as error:
        raise AttemptError(f"gave no answer within {timeout:g} seconds") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise SettingsError(f"{_shown(url)!r} is not an address that can be fetched: {error}.") from error
    except httpx.RequestError as error:
        raise AttemptError(f"failed: {str(error) or type(error).__name__}") from error


def _check_status(url: str, response: httpx.Response) -> None:
    if response.is_success:
        return
    answer = f"answered {response.status_code} {response.reason_phrase}".rstrip()
    if response.status_code == 429 or response.status_code >= 500:
        raise AttemptError(answer)
    # The file of a date may only be late: whoever called decides when to ask again.
    raise SourceUnavailableError(f"GET {_shown(url)} {answer}.")


def _shown(url: str) -> str:
    """Return the URL without the user and password it may carry."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return scheme + separator + authority.rpartition("@")[2] + slash + path
