"""Puts mail that Airflow sends into the file mail.txt."""

import os
from pathlib import Path


def send(to: object, subject: str, *args: object, **kwargs: object) -> None:
    """Note who got mail."""
    names = [to] if isinstance(to, str) else list(to)
    with Path(os.environ["DATA_ROOT"], "mail.txt").open("a", encoding="utf-8") as box:
        box.write(f"to {', '.join(names)}\n")
