"""The stack's object store: S3, kept in memory, for those who have its key.

It is moto's store, told to check each request's signature. Moto's other services, and its pages that need no key, are
left out.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable
from typing import Any

from moto import settings
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import run_simple

PORT = 9000
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def admit(access_key: str, secret_key: str) -> None:
    """Let whoever has this key do everything to the store, and nobody else anything."""
    people = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    people.create_user("us-east-1", "warehouse")
    people.put_user_policy("warehouse", "everything", json.dumps(EVERYTHING))
    key = people.create_access_key("warehouse", prefix="AKIA")
    key.access_key_id, key.secret_access_key = access_key, secret_key
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0


class Store:
    """The application; what comes without a signature gets no further than here."""

    def __init__(self) -> None:
        self._inside = create_backend_app("s3")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        if "HTTP_AUTHORIZATION" not in environ:
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"Sign your requests with S3_ACCESS_KEY and S3_SECRET_KEY.\n"]
        answer: Iterable[bytes] = self._inside(environ, start_response)
        return answer


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    admit(os.environ["S3_ACCESS_KEY"], os.environ["S3_SECRET_KEY"])
    for name in os.environ["S3_BUCKETS"].split():
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(name, "us-east-1")
    address = "0.0.0.0"  # noqa: S104 - of the container, from which Docker publishes no more than it is told
    run_simple(address, PORT, Store(), threaded=True, request_handler=MotoRequestHandler)
