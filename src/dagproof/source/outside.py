"""What touches the world outside of the process: networks, databases, other programs."""

from __future__ import annotations

import re

from dagproof.source.clients import sends
from dagproof.source.names import Names

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


def uses_network(names: Names) -> bool:
    """Say whether a call goes over the network."""
    return any(NETWORK.match(name) or _sends_to_aws(name) for name in names)


def uses_database(names: Names) -> bool:
    """Say whether a call goes to a database."""
    return any(DATABASE.match(name) for name in names)


def _sends_to_aws(name: str) -> bool:
    return name.startswith("boto3.") and sends(name) is not None
