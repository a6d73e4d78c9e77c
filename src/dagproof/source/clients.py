"""Clients of services: which of their calls send a request, which only prepare one, and which send when iterated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from dagproof.source.names import Names, Resolver
from dagproof.source.scopes import Scope
from dagproof.source.values import Value, followed

MOST_DEPTH = 10
_HARMLESS = frozenset(
    ("close", "copy", "meta", "exceptions", "from_resource", "from_api_repr", "to_dict", "to_api_repr", "get_options")
)
"""What no client sends anything for."""


@dataclass(frozen=True)
class _Client:
    """One kind of client.

    Args:
        made: the full name of what makes it, with its ``()``.
        parts: methods that give something else that is lazy.
        lazy: further methods that send nothing.
        iterators: methods whose result sends requests when it is iterated.
        what: what it reaches, as it is told.
    """

    made: re.Pattern[str]
    parts: frozenset[str] = frozenset()
    lazy: frozenset[str] = frozenset()
    iterators: frozenset[str] = frozenset()
    what: str = "network"


def _client(made: str, *, parts: str = "", lazy: str = "", iterators: str = "", what: str = "network") -> _Client:
    words = [frozenset(text.split()) for text in (parts, lazy, iterators)]
    return _Client(re.compile(made), words[0], words[1], words[2], what)


_GOOGLE = r"(?:\.from_service_account_(?:json|info|file))?\(\)"
_CLIENTS = (
    _client(
        r"boto3\.(?:(?:session\.)?Session\(\)\.)?client\(\)",
        parts="get_paginator get_waiter",
        lazy="can_paginate generate_presigned_url generate_presigned_post",
        iterators="paginate",
    ),
    _client(
        r"boto3\.(?:(?:session\.)?Session\(\)\.)?resource\(\)",
        parts="all filter limit page_size pages batch_writer",
        lazy="get_available_subresources",
        iterators="all filter limit page_size pages",
    ),
    _client(
        r"google\.cloud\.storage\.(?:client\.)?Client" + _GOOGLE,
        parts="bucket blob",
        lazy="batch path generate_signed_url open path_helper",
        iterators="list_blobs list_buckets",
    ),
    _client(
        r"google\.cloud\.bigquery\.(?:client\.)?Client" + _GOOGLE,
        lazy="dataset table job_from_resource schema_from_json schema_to_json",
        iterators="list_datasets list_tables list_jobs list_models list_routines list_projects list_partitions",
    ),
    _client(r"google\.cloud\.\w+(?:\.\w+)*\.\w+(?:ServiceClient|PublisherClient|SubscriberClient)" + _GOOGLE),
    _client(
        r"azure\.storage\.\w+(?:\.\w+)*\.\w+Client(?:\.from_\w+)?\(\)",
        parts="get_container_client get_blob_client get_directory_client get_file_client get_file_system_client "
        "get_queue_client get_share_client",
        iterators="list_blobs list_blob_names list_containers walk_blobs get_paths list_file_systems",
    ),
    _client(
        r"azure\.keyvault\.\w+(?:\.\w+)*\.\w+Client\(\)",
        iterators="list_properties_of_secrets list_properties_of_keys list_properties_of_certificates",
    ),
    _client(
        r"redis\.(?:client\.)?(?:Strict)?Redis(?:\.from_url)?\(\)|redis\.(?:utils\.)?from_url\(\)|redis\.RedisCluster\(\)",
        parts="json ts ft bf",
        lazy="pipeline pubsub lock register_script get_connection_kwargs get_encoder set_response_callback",
        iterators="scan_iter hscan_iter sscan_iter zscan_iter",
        what="database",
    ),
    _client(
        r"pymongo\.(?:mongo_client\.)?MongoClient\(\)",
        parts="get_database get_default_database get_collection with_options sort limit skip",
        lazy="start_session initialize_ordered_bulk_op watch",
        iterators="find aggregate sort limit skip",
        what="database",
    ),
    _client(
        r"(?:elasticsearch|opensearchpy)\.(?:Elasticsearch|OpenSearch)\(\)",
        lazy="options transport perform",
        what="database",
    ),
    _client(r"hvac\.(?:v1\.)?Client\(\)", lazy="auth_cubbyhole"),
    _client(r"openai\.(?:Azure)?OpenAI\(\)", lazy="with_options"),
    _client(r"slack_sdk\.(?:web\.)?WebClient\(\)"),
    _client(r"gspread\.(?:service_account|authorize|oauth)\(\)", lazy="set_timeout"),
    _client(r"paramiko\.(?:client\.)?SSHClient\(\)", lazy="set_missing_host_key_policy load_system_host_keys"),
    _client(r"clickhouse_driver\.(?:client\.)?Client(?:\.from_url)?\(\)", what="database"),
    _client(r"cassandra\.cluster\.Cluster\(\)", lazy="add_execution_profile register_user_type", what="database"),
    _client(r"sqlalchemy\.(?:schema\.|sql\.schema\.)?MetaData\(\)", lazy="clear remove tables", what="database"),
)
_CONNECT_WHEN_MADE = re.compile(
    r"psycopg2\.pool\.(?:Simple|Threaded|Persistent|Abstract)ConnectionPool$"
    r"|psycopg_pool\.(?:pool\.|null_pool\.)?ConnectionPool$|mysql\.connector\.pooling\.MySQLConnectionPool$"
    r"|(?:oracledb|cx_Oracle)\.(?:create_pool|SessionPool)$|kafka\.(?:KafkaProducer|KafkaConsumer|KafkaAdminClient)$"
    r"|(?:pysftp|ldap3)\.Connection$|snowflake\.snowpark\.(?:session\.)?Session\.builder\..*\.create$"
)
_LIBRARIES = re.compile(r"boto3|google|azure|redis|mongo")
_LEAST = ("minconn", "minconn", "min_size", "min", "pool_size")
"""Arguments that say how many connections a pool begins with."""
ITERATES = frozenset(
    "list tuple set frozenset sorted sum any all min max next len dict enumerate zip map filter".split()  # noqa: SIM905
)


def sends(name: str) -> str | None:
    """Return what a call with a full name reaches, ``network`` or ``database``; None for one that sends nothing."""
    found = _split(name)
    if found is None:
        return None
    client, steps = found
    last = steps[-1]
    is_lazy = last in client.parts | client.lazy | client.iterators | _HARMLESS
    is_name = last.endswith("_path") or last.startswith(("parse_", "from_", "_"))
    return None if is_lazy or is_name or not last[:1].islower() else client.what


def may_have_clients(text: str) -> bool:
    """Say whether a file speaks of one of the libraries whose results send requests when they are iterated."""
    return bool(_LIBRARIES.search(text))


def sends_when_iterated(name: str) -> str | None:
    """Return what iterating over what a call gives reaches; None where that sends nothing."""
    found = _split(name)
    return found[0].what if found and found[1][-1] in found[0].iterators else None


def _split(name: str) -> tuple[_Client, list[str]] | None:
    """The client that a name begins with, and the steps from it; None where one of them before the last one sends."""
    for client in _CLIENTS:
        made = client.made.match(name)
        if made and name[made.end() : made.end() + 1] in (".", "["):
            steps = name[made.end() :].replace("[]", "").lstrip(".").split(".")
            on_the_way = all(
                not step.endswith("()") or step[:-2] in client.parts | client.iterators or step[:1].isupper()
                for step in steps[:-1]
            )
            return (client, steps) if on_the_way and steps[-1] else None
    return None


def connects_when_made(name: str, call: ast.Call) -> bool:
    """Say whether making something connects it: a pool that begins with connections."""
    if not _CONNECT_WHEN_MADE.search(name):
        return False
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    least = next((given[key] for key in _LEAST if key in given), None)
    if least is None and name.startswith("psycopg2.") and call.args:
        least = call.args[0]
    values = (least, given.get("open"))
    return not any(isinstance(value, ast.Constant) and value.value in (0, False) for value in values)


def chain_names(node: ast.expr, scope: Scope, resolver: Resolver, depth: int = MOST_DEPTH) -> Names:
    """Return the full names of an expression, through subscripts too: ``MongoClient()["db"]["t"].find`` and others."""
    found = resolver.names(node, scope)
    if found or not depth:
        return found
    if isinstance(node, ast.Subscript):
        return tuple(f"{name}[]" for name in chain_names(node.value, scope, resolver, depth - 1))
    if isinstance(node, ast.Attribute):
        inner = chain_names(node.value, scope, resolver, depth - 1)
        if inner:
            return tuple(f"{name}.{node.attr}" for name in inner)
    if isinstance(node, ast.Call):
        return tuple(f"{name}()" for name in chain_names(node.func, scope, resolver, depth - 1))
    if isinstance(node, ast.Await):
        return chain_names(node.value, scope, resolver, depth - 1)
    if isinstance(node, ast.Name | ast.Attribute):
        names: list[str] = []
        for one in followed(Value(node, scope), resolver):
            if one.node is not node:
                names += chain_names(one.node, one.scope, resolver, depth - 1)
        return tuple(dict.fromkeys(names))
    return ()


def iterated(scope: Scope, resolver: Resolver) -> list[ast.expr]:
    """Return what a body itself iterates over: in loops, comprehensions, ``list(…)`` and the like; not in functions."""
    asked = ("iterated", scope)
    if asked not in resolver.remembered:  # many files import the same module
        resolver.remembered[asked] = list(_iterated(scope))
    return cast("list[ast.expr]", resolver.remembered[asked])


def _iterated(scope: Scope) -> Iterator[ast.expr]:
    waiting: list[ast.AST] = list(ast.iter_child_nodes(scope.node))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            yield node.iter
        elif isinstance(node, ast.Starred | ast.YieldFrom):
            yield node.value
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ITERATES or name in ("DataFrame", "extend", "join", "from_records"):
                yield from node.args
        waiting += ast.iter_child_nodes(node)
