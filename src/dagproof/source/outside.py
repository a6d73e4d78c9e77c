"""What touches the world outside of the process: networks, databases, other programs."""

from __future__ import annotations

import ast
import re

from dagproof.source.clients import sends
from dagproof.source.dagfile import DagFile, Task
from dagproof.source.names import Names
from dagproof.source.strings import texts
from dagproof.source.values import Value

_HTTP = "get|post|put|patch|delete|head|options|request"
NETWORK = re.compile(
    rf"(?:requests|httpx)\.(?:{_HTTP}|stream)$"
    rf"|(?:requests\.[sS]ession|requests\.sessions\.Session|httpx\.Client|httpx\.AsyncClient)\(\)\.(?:{_HTTP}|send)$"
    r"|urllib\.request\.(?:urlopen|urlretrieve)$|urllib3\.(?:request|PoolManager\(\)\.request)$"
    r"|socket\.create_connection$"
    r"|(?:smtplib\.SMTP(?:_SSL)?|ftplib\.FTP(?:_TLS)?|http\.client\.HTTPS?Connection)(?:\(\)\.\w+)?$"
)
DATABASE = re.compile(
    r"(?:psycopg2?|MySQLdb|pymysql|mysql\.connector|pyodbc|snowflake\.connector|redshift_connector|oracledb|cx_Oracle"
    r"|clickhouse_connect|duckdb|sqlite3)\.(?:connect|get_client)$"
    r"|sqlalchemy\.(?:engine\.)?create_engine\(\)\.(?:connect|begin|execute|raw_connection)$"
    r"|(?:pandas|polars|awswrangler\.\w+)\.read_(?:sql(?:_query|_table)?|gbq|database)$|pandas_gbq\.read_gbq$"
    r"|(?:connectorx|polars)\.read_(?:sql|database_uri)$|sqlalchemy\.(?:orm\.)?Session\(\)\.(?:execute|scalars?|commit)$"
    r"|airflow\.(?:\w+\.)*\w*Hook\(\)\.(?:get_conn|get_records|get_first|run|get_pandas_df|get_df|insert_rows|"
    r"get_sqlalchemy_engine\(\)\.connect|list_keys|read_key|load_file|load_string|check_for_key|download_file|"
    r"get_client|get_bucket|get_key|list_prefixes|get_pandas_df_by_chunks|get_df_by_chunks|bulk_load|copy_expert)$"
)
_LOCAL = re.compile(r"(?:sqlite3|duckdb)\.")
_PROVIDER = re.compile(
    r"airflow\.providers\.(?!standard\.|common\.compat\.|sqlite\.|papermill\.)(?:\w+\.)+(?!AnalyticsOperator$)(\w+)$"
)
"""What is left out may work on this machine alone."""
_LIMITED = re.compile(r"(?:httpx|boto3)\.")
"""They give up by themselves, unless told otherwise."""
_LIMITED_COMMAND = re.compile(r"\s(?:--max-time|-m)[\s=]?\s*\d|\s--timeout[\s=]\d")
_COMMAND = re.compile(
    r"(?:^|[;&|(\n`]|\bdo\b|\bthen\b)[ \t]*(?:sudo\s+|exec\s+|\w+=\S*\s+)*"
    r"(curl|wget|ssh|scp|sftp|rsync|aws|gsutil|gcloud|bq|az|psql|mysql|snowsql|kubectl)\s"
)
SHELL_KEYS = ("bash_command", "command")


def uses_network(names: Names) -> bool:
    """Say whether a call goes over the network."""
    return any(NETWORK.match(name) or _sends_to_aws(name) for name in names)


def uses_database(names: Names) -> bool:
    """Say whether a call goes to a database."""
    return any(DATABASE.match(name) for name in names)


def touched_by(task: Task, dagfile: DagFile, *, unlimited: bool = False) -> str | None:
    """Return what a task surely does outside of its process, as it is told; None where it does nothing of the kind.

    Args:
        task: the task.
        dagfile: where it is.
        unlimited: whether only what waits without a limit of its own counts.
    """
    for name in task.names:
        bases = [name, *dagfile.resolver.bases(name)] if name.startswith("<") else [name]
        for base in bases:
            if found := _PROVIDER.match(base):
                return f"{found[1]} reaches another system"
    for call, scope in task.calls:
        for keyword in call.keywords:
            if keyword.arg in SHELL_KEYS:
                for text in texts(Value(keyword.value, scope), dagfile.resolver):
                    command = _COMMAND.search(text.text)
                    if command and not (unlimited and _LIMITED_COMMAND.search(text.text)):
                        return f"{command[1]} reaches another system"
    for site in dagfile.sites_of(dagfile.reached_by(task)):
        for name in site.names:
            reaches = (uses_network((name,)) or DATABASE.match(name)) and not _LOCAL.match(name)
            if reaches and not (unlimited and _is_limited(site.call, name)):
                return f"{name}() reaches another system"
    return None


def _sends_to_aws(name: str) -> bool:
    return name.startswith("boto3.") and sends(name) is not None


def _is_limited(call: ast.Call, name: str) -> bool:
    """Whether a call over the network gives up by itself."""
    for keyword in call.keywords:
        if keyword.arg == "timeout":
            return not (isinstance(keyword.value, ast.Constant) and keyword.value.value is None)
    return bool(_LIMITED.match(name)) or any(keyword.arg is None for keyword in call.keywords)
