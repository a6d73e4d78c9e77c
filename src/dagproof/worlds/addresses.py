"""Addresses in the configuration: what a value leads to, in the many ways in which one can be written.

A run reaches the world's database, its services and what `allow` names, and nothing else, whatever stands in the other
settings. An address there is a mistake that would show late, so it is refused before anything runs.

A connection is there to be connected to, so each host in it is an address. In `env` and `variables` a value may be
just text: there an address is what cannot well be anything else. A web address of a public site is text, for example,
and so are ``generator:200`` and ``s3://bucket``; ``http://127.0.0.1:8080``, ``db.example.org:5432`` and
``postgresql://db/x`` are not. Names that end in ``.invalid`` (RFC 2606) are nobody's: no run reaches them.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from dagproof.config import WorldConfig
from dagproof.config.placeholders import FOLDERS, fill_all
from dagproof.errors import ConfigError

DEFAULT_PORTS = {
    "postgresql": 5432, "postgres": 5432, "redshift": 5439, "mysql": 3306, "mariadb": 3306, "mssql": 1433,
    "sqlserver": 1433, "oracle": 1521, "mongo": 27017, "mongodb": 27017, "redis": 6379, "amqp": 5672, "http": 80,
    "https": 443, "ftp": 21, "ssh": 22, "sftp": 22, "smtp": 25, "trino": 8080, "presto": 8080, "clickhouse": 9000,
    "cassandra": 9042, "elasticsearch": 9200, "kafka": 9092, "hdfs": 8020, "ldap": 389,
}  # fmt: skip
#: What stands before ``://`` and a name that is no host's.
_NO_HOSTS = {
    "file", "fs", "s3", "s3a", "s3n", "gs", "gcs", "abfs", "abfss", "adl", "az", "wasb", "wasbs", "sqlite", "duckdb",
    "memory", "data", "local", "package", "asset", "dataset",
}  # fmt: skip
#: Endings of file names, which no host's name ends in.
FILE_ENDINGS = {
    "avro", "bak", "cfg", "conf", "csv", "gz", "html", "ini", "json", "jsonl", "log", "md", "orc", "parquet", "pdf",
    "py", "sh", "sql", "toml", "tsv", "txt", "xml", "yaml", "yml", "zip",
}  # fmt: skip
_NOBODY = "dagproof.invalid"
_URL = re.compile(r"(?<![\w+.-])([a-z][a-z0-9+.-]*)://([^\s/?#;\"'<>]*)", re.IGNORECASE)
_PATH = re.compile(r"[^\s?#\"'<>]*")
_PAIR = re.compile(
    r"(?:^|[\s;&?,{\"'])(?:host|hostaddr|hostname|server|data source|address|unix_socket|bootstrap[._]servers)\"?"
    r"\s*[=:]\s*[\"']?([^\s;&\"'},]+(?:,\d+)?)",
    re.IGNORECASE,
)
_PORT_PAIR = re.compile(r"(?:^|[\s;&?,{\"'])port\"?\s*[=:]\s*[\"']?(\d+)", re.IGNORECASE)
_AT = re.compile(r"@(?://)?([a-z0-9_.-]+|\[[0-9a-f:]+\]):(\d{1,5})(?![\w.])", re.IGNORECASE)
_BARE = re.compile(r"(?:tcp:)?([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])[:,](\d{1,5})", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*", re.IGNORECASE)
#: How the names of environment variables end that hold a host's name.
_HOLDS_HOSTS = re.compile(r"(^|[_.-])(PG)?(HOST|HOSTADDR|HOSTNAME|SERVERS?|BROKERS?|ENDPOINT|DSN)$", re.IGNORECASE)
_HOLDS_SOCKETS = re.compile(r"(HOST|HOSTADDR|SOCKET)$", re.IGNORECASE)
_NO_HOST_WORDS = {"", "local", "yarn", "none", "null", "true", "false", "0.0.0.0", "::"}  # noqa: S104 - a word


def check_addresses(world: WorldConfig) -> None:
    """Refuse an address in `connections`, `env` or `variables` that no run may reach.

    Raises:
        ConfigError: with the setting, the address and each way out.
    """
    allowed = {_normal(host, port) for host, port in allowed_endpoints(world)}
    paths = [entry for entry in world.allow if entry.startswith("/")]
    if service := world.env.get("PGSERVICE"):
        raise ConfigError(
            f"tool.dagproof.world.env.PGSERVICE is {service!r}, whose address is in a file outside the world; map a "
            f"connection or a variable to {{postgres}} instead"
        )
    for setting, address in literal_addresses(world):
        if address.startswith("/"):
            if not any(address == path or address.startswith(path.rstrip("/") + "/") for path in paths):
                raise ConfigError(_refusal(setting, f"the socket {address}", address))
            continue
        host, _, port = address.rpartition(":")
        is_allowed = _normal(host, port) in allowed if port else _normal(host, "")[0] in {of for of, _ in allowed}
        if not is_allowed:
            shown = address if port else host
            raise ConfigError(_refusal(setting, f"the address {shown}", shown if port else f"{host}:PORT"))


def _refusal(setting: str, what: str, entry: str) -> str:
    return (
        f"tool.dagproof.world.{setting} contains {what}, which is outside the world; write {{postgres}} for the "
        f"world's database, {{NAME}} for a server in [tool.dagproof.world.services], or list {entry!r} under allow in "
        "[tool.dagproof.world] (what happens there is neither compared nor restored); if no run connects to it, use a "
        "host name that ends in .invalid"
    )


def literal_addresses(world: WorldConfig) -> Iterator[tuple[str, str]]:
    """Yield each address that the configuration holds besides `allow`: the setting, and ``host:port`` or a path.

    Where no port is known, it is ``host:``.
    """
    places = {
        **dict.fromkeys(world.all_databases, f"postgresql://nobody:nothing@{_NOBODY}:5432/nothing"),
        **dict.fromkeys(FOLDERS, "/nowhere"),
        **dict.fromkeys(world.services, f"{_NOBODY}:1"),
    }
    for conn_id, value in world.connections.items():
        for address in _of_connection(fill_all(value, places)):
            yield f"connections.{conn_id}", address
    for table, values in (("env", world.env), ("variables", world.variables)):
        for name, value in values.items():
            is_connection = table == "env" and name.upper().startswith("AIRFLOW_CONN_")
            text = str(fill_all(value, places))
            found = _of_connection(text) if is_connection else _of_text(text, name if table == "env" else "")
            for address in found:
                yield f"{table}.{name}", address


def allowed_endpoints(world: WorldConfig) -> list[tuple[str, int]]:
    """Return the ``(host, port)`` of each entry of `allow` that is no path; a URL stands for where it leads.

    Raises:
        ConfigError: an entry is neither, or has no port.
    """
    found = []
    for entry in world.allow:
        if entry.startswith("/"):
            continue
        addresses = [*_of_urls(entry)] or [f"{m[1]}:{m[2]}" for m in [_BARE.fullmatch(entry)] if m]
        host, _, port = (addresses or [":"])[0].rpartition(":")
        if not port or not 0 < int(port) < 65536:
            raise ConfigError(
                f"tool.dagproof.world.allow names {entry!r}, which is neither HOST:PORT nor an absolute path; write "
                f"one of them, such as '127.0.0.1:8080' or '/data/outbox'"
            )
        found.append((host.strip("[]"), int(port)))
    return found


def _of_connection(value: Any) -> Iterator[str]:
    """Yield the addresses of a connection: a table, JSON, or a text."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, Mapping):
        yield from _of_table(value)
    elif isinstance(value, str):
        yield from _known(_of_anything(value))


def _of_table(table: Mapping[str, Any]) -> Iterator[str]:
    scheme = str(table.get("conn_type", ""))
    host, port = str(table.get("host") or ""), str(table.get("port") or "")
    if scheme not in _NO_HOSTS:
        yield from _known(_of_anything(host) if "://" in host or "," in host else _of_host(host, port or _port(scheme)))
    for key, value in table.items():
        if key not in {"host", "port", "conn_type", "description", "password", "login"}:
            yield from _of_value(value)


def _of_value(value: Any, *, is_text: bool = False) -> Iterator[str]:
    """Yield the addresses of a value in `extra` or in JSON, however deep."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if isinstance(entry, str) and _HOLDS_HOSTS.search(key) and "://" not in entry:
                for host in entry.split(","):
                    yield from _known(_of_host(host, str(value.get("port") or "")))
            else:
                yield from _of_value(entry, is_text=is_text)
    elif isinstance(value, list):
        for entry in value:
            yield from _of_value(entry, is_text=is_text)
    elif isinstance(value, str):
        yield from _known(_of_anything(value, bare=_is_surely_a_host, is_text=is_text))


def _of_text(text: str, name: str) -> Iterator[str]:
    """Yield the addresses of an environment variable called `name`, or of one of Airflow's variables."""
    if text.lstrip()[:1] in {"{", "["}:
        with contextlib.suppress(ValueError):
            yield from _of_value(json.loads(text), is_text=True)
            return
    if text[:1] == "/" and not _HOLDS_SOCKETS.search(name):
        return
    if _HOLDS_HOSTS.search(name):
        for part in text.split(","):
            yield from _known(_of_anything(part) if re.search(r"://|=|[^:]:\d+$", part) else _of_host(part.strip(), ""))
    else:
        yield from _known(_of_anything(text, bare=_is_surely_a_host, is_text=True))


def _of_anything(text: str, *, bare: Callable[[str], bool] = bool, is_text: bool = False) -> Iterator[str]:
    """Yield the addresses of a text: URLs, DSNs, ``host:port``; `bare` says which hosts count without a scheme."""
    for _ in range(2):  # an address within another's arguments is quoted
        yield from _of_urls(text, is_text=is_text)
        port = _PORT_PAIR.search(text)
        for match in _PAIR.finditer(text):
            yield from _of_host(match[1].removeprefix("tcp:").replace(",", ":"), port[1] if port else "")
        if "://" not in text:
            for part in text.split(","):
                if is_text and re.fullmatch(r"127(\.\d+){3}", part.strip()):  # 127.5 alone may be a number
                    yield f"{part.strip()}:"
                if (found := _BARE.fullmatch(part.strip())) and bare(found[1]):
                    yield f"{found[1]}:{found[2]}"
            yield from (f"{match[1]}:{match[2]}" for match in _AT.finditer(text) if bare(match[1]) or "@//" in text)
        if unquote(text) == text:
            return
        text = unquote(text)


def _of_urls(text: str, *, is_text: bool = False) -> Iterator[str]:
    for match in _URL.finditer(text):
        scheme, place = match[1].lower(), match[2]
        kind = scheme.partition("+")[0]
        if kind == "unix" or scheme.endswith("+unix"):
            path = _PATH.match(text, match.end())
            yield unquote(place) + (path[0] if path else "")
            continue
        for one in place.rpartition("@")[2].split(","):
            found = list(_of_host(unquote(one), _port(kind)))
            if kind in _NO_HOSTS and not (one.rpartition(":")[2].isdigit()):
                continue
            if is_text and kind in {"http", "https"} and not (_is_surely_local(one) or ":" in one):
                continue
            yield from found


def _of_host(host: str, port: str) -> Iterator[str]:
    """Yield ``host:port`` of a host that may have a port of its own; the path of a Unix socket as it is."""
    host = host.strip()
    if host.startswith("/"):
        if host.startswith(("/nowhere",)):
            return
        yield host
        return
    with contextlib.suppress(ValueError):
        yield f"{ipaddress.ip_address(host.strip('[]'))}:{port}"
        return
    if match := _BARE.fullmatch(host):
        host, port = match[1].strip("[]"), match[2]
    if _HOST.fullmatch(host) and host.lower() not in _NO_HOST_WORDS:
        yield f"{host}:{port}"


def _known(addresses: Iterable[str]) -> Iterator[str]:
    """Yield the addresses that are somebody's."""
    for address in addresses:
        host = address.rpartition(":")[0].strip("[]") if address[:1] != "/" else address
        if not host.lower().rstrip(".").endswith(".invalid"):
            yield address


def _is_surely_a_host(host: str) -> bool:
    """Tell whether what stands before a port can hardly be anything but a host."""
    return _is_surely_local(host) or (
        "." in host and host.rpartition(".")[2].isalpha() and host.rpartition(".")[2].lower() not in FILE_ENDINGS
    )


def _is_surely_local(host: str) -> bool:
    name = host.rpartition(":")[0] if re.fullmatch(r"[^:]+:\d+", host) else host
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name.strip("[]"))
        return True
    return name.lower() == "localhost" or _is_loopback(name)


def _is_loopback(host: str) -> bool:
    """Tell whether a C library takes `host` for an address of this machine: ``127.1`` and ``0x7f.1`` are two."""
    with contextlib.suppress(OSError, ValueError):
        return socket.inet_aton(host)[:1] == b"\x7f"
    return False


def _port(scheme: str) -> str:
    return str(DEFAULT_PORTS.get(scheme.partition("+")[0].lower(), ""))


def _normal(host: str, port: str | int) -> tuple[str, str]:
    name = host.strip("[]").lower()
    return ("localhost" if name in {"::1", "localhost"} or _is_loopback(name) else name), str(port)
