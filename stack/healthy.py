"""Tell whether a server is healthy, for Docker: exit status 0 if it is.

python healthy.py port 2222             something accepts connections there
python healthy.py page http://…/health  the page is there
python healthy.py airflow scheduler     Airflow says so of this part of it
"""

from __future__ import annotations

import json
import socket
import sys
import urllib.request

AIRFLOW = "http://api-server:8080/api/v2/monitor/health"


def _page(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own address
        content: bytes = answer.read()
    return content


def main(kind: str, what: str) -> None:
    """Look once.

    Raises:
        OSError: nothing answers.
        SystemExit: something does, and says that it is not healthy.
    """
    if kind == "port":
        socket.create_connection(("127.0.0.1", int(what)), timeout=5).close()
    elif kind == "page":
        _page(what)
    else:
        said = json.loads(_page(AIRFLOW))[what]
        if said["status"] != "healthy":
            sys.exit(f"{what}: {said}")


if __name__ == "__main__":
    main(*sys.argv[1:])
