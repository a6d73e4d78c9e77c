"""What touches the world outside of the process: networks, databases, other programs."""

from __future__ import annotations

import re

from dagproof.source.names import Names

_HTTP = "get|post|put|patch|delete|head|options|request"
NETWORK = re.compile(
    rf"(?:requests|httpx)\.(?:{_HTTP}|stream)$"
    rf"|(?:requests\.[sS]ession|requests\.sessions\.Session|httpx\.Client|httpx\.AsyncClient)\(\)\.(?:{_HTTP}|send)$"
    r"|urllib\.request\.(?:urlopen|urlretrieve)$|urllib3\.(?:request|PoolManager\(\)\.request)$"
    r"|socket\.create_connection$|boto3\.(?:client|resource)\(\)\.(?!meta$)\w+$"
    r"|(?:smtplib\.SMTP(?:_SSL)?|ftplib\.FTP(?:_TLS)?|http\.client\.HTTPS?Connection)(?:\(\)\.\w+)?$"
)
DATABASE = re.compile(
    r"(?:psycopg2?|MySQLdb|pymysql|mysql\.connector|pyodbc|snowflake\.connector|redshift_connector|oracledb|cx_Oracle"
    r"|clickhouse_connect|duckdb|sqlite3)\.(?:connect|get_client)$"
    r"|sqlalchemy\.(?:engine\.)?create_engine\(\)\.(?:connect|begin|execute|raw_connection)$"
    r"|pandas\.read_sql(?:_query|_table)?$"
    r"|airflow\.(?:\w+\.)*\w*Hook\(\)\.(?:get_conn|get_records|get_first|run|get_pandas_df|get_df|insert_rows|"
    r"get_sqlalchemy_engine\(\)\.connect|list_keys|read_key|load_file|load_string|check_for_key|download_file)$"
)


def uses_network(names: Names) -> bool:
    """Say whether a call goes over the network."""
    return any(NETWORK.match(name) for name in names)


def uses_database(names: Names) -> bool:
    """Say whether a call goes to a database."""
    return any(DATABASE.match(name) for name in names)
