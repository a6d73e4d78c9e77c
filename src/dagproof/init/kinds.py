"""Kinds of connections, as far as code shows them, and what a world has for each."""

from __future__ import annotations

import re

from dagproof.init.found import Entry
from dagproof.inside.kinds import UNSUPPORTED
from dagproof.source.names import Names

_WORDS = {
    "postgres": "postgres", "postgresql": "postgres", "pg": "postgres", "psql": "postgres", "sqlite": "sqlite",
    "fs": "fs", "file": "fs", "http": "http", "aws": "aws", "s3": "aws", "ssh": "ssh", "sftp": "ssh", "ftp": "ftp",
    "smtp": "smtp", "gcp": "google_cloud_platform", "google": "google_cloud_platform", "duckdb": "duckdb",
} | {kind: kind for kind in UNSUPPORTED}  # fmt: skip
_WAYS = {
    "sqlite": 'a file in the world stands in: "sqlite:///{files}/NAME.db"',
    "duckdb": 'a file in the world stands in: "duckdb:///{files}/NAME.db"',
    "http": 'start a server as a service, and write "http://{SERVICE}"',
    "aws": "start a server that speaks S3 as a service, and name it as endpoint_url in extra",
}
_SQL = re.compile(r"(?:^|\.)(?:SQL|Sql|BaseSQL)\w+$|\.common\.sql\.")
_DATABASE = re.compile(r"(?:^|[_.-])(?:db|dwh|warehouse|database|sql)(?:[_.-]|$)", re.IGNORECASE)
_OTHERWISE = "a world has no server for it; start one as a service, or take its tasks out with tasks"


def kind_named(key: str, names: Names, conn_id: str) -> tuple[str, bool]:
    """Return the kind of a connection and whether it is sure: by the argument, the class, or else the id."""
    sure = _in_words(key.removesuffix("_conn_id")) if key != "conn_id" else ""
    for name in names if not sure else ():
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removeprefix("airflow.providers."))
        sure = sure or _in_words(words.replace(".", "_"))
    if sure or _in_words(conn_id):
        return sure or _in_words(conn_id), bool(sure)
    is_sql = any(_SQL.search(name) for name in names) or _DATABASE.search(conn_id)
    return ("postgres" if is_sql else ""), False


def _in_words(text: str) -> str:
    return next((_WORDS[word] for word in re.split(r"[_.-]", text.lower()) if word in _WORDS), "")


def connection(conn_id: str, kind: str, at: str, *, sure: bool) -> Entry:
    """Return the line for a connection: what a world has holds at once, what it has not is a comment."""
    guess = "" if sure or kind == _in_words(conn_id) else "a guess: no kind is written there"
    if kind == "postgres":
        return Entry("{postgres}", at, guess)
    if kind == "fs":
        return Entry("file:{files}", at, guess)
    label = UNSUPPORTED.get(kind, kind) or "unknown"
    return Entry(None, at, f"kind {label}: {_WAYS.get(kind, _OTHERWISE)}", active=False)
