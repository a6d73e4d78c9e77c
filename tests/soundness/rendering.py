"""Renders loads as tasks of a DAG file, each with the operator that was drawn for it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from string import Template

from tests.soundness.model import BASH, HOOK, MAPPED, OPERATOR, Fault, Load, Python, Sql

ROWS_FROM = "SELECT number, customer, total, :ds::date AS dt FROM placed WHERE placed_at >= :ds::date"
ROWS = f"{ROWS_FROM} AND placed_at < :ds::date + 1"
SHARE = " AND mod(number, 2) = :part"

READ = """\
with $connect as connection, connection.cursor() as cursor:
    cursor.execute("SELECT number, customer, total::text FROM placed WHERE placed_at >= %(ds)s::date "
                   "AND placed_at < %(ds)s::date + 1 ORDER BY number", {"ds": ds})
    rows = cursor.fetchall()"""

#: What a DAG file imports, by the word that needs it.
IMPORTS = {
    "csv": "import csv",
    "gzip": "import gzip",
    "io": "import io",
    "json": "import json",
    "os": "import os",
    "socket": "import socket",
    "sqlite3": "import sqlite3",
    "tarfile": "import tarfile",
    "tempfile": "import tempfile",
    "time": "import time",
    "urllib": "import urllib.request",
    "zipfile": "import zipfile",
    "date": "from datetime import date",
    "datetime": "from datetime import datetime",
    "timedelta": "from datetime import timedelta",
    "Path": "from pathlib import Path",
    "uuid4": "from uuid import uuid4",
    "pendulum": "import pendulum",
    "psycopg": "import psycopg",
    "SQLExecuteQueryOperator": "from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator",
    "PostgresHook": "from airflow.providers.postgres.hooks.postgres import PostgresHook",
    "BashOperator": "from airflow.providers.standard.operators.bash import BashOperator",
    "CronDataIntervalTimetable": "from airflow.sdk import CronDataIntervalTimetable",
    "Variable": "from airflow.sdk import Variable",
    "AirflowSkipException": "from airflow.exceptions import AirflowSkipException",
    "dag": "from airflow.sdk import dag, task",
}


@dataclass(frozen=True)
class Choice:
    """What was drawn for one load."""

    table: str
    operator: str
    """For a load in SQL."""
    connect: str
    """How Python opens a connection."""
    folder: str
    """Where files lie, as Python."""


def dag_file(dag_id: str, sentence: str, fault: Fault, loads: Sequence[tuple[Load, Choice]], wiring: str) -> str:
    """Return the source of a DAG of these loads; `wiring` is what stands between one and the next."""
    pieces = [_tasks(load, choice, str(number)) for number, (load, choice) in enumerate(loads, start=1)]
    ends = [(f"first_{number}", f"last_{number}") for number in range(1, len(loads) + 1)]
    if wiring:
        pieces += [f"{last}{wiring}{first}" for (_, last), (first, _) in pairwise(ends)]
    tasks = "\n\n".join(piece.strip("\n") for piece in pieces)
    body = f"""
@dag(schedule={fault.schedule}, start_date={fault.start}, catchup=False)
def {dag_id}():
{textwrap.indent(tasks, "    ")}


{dag_id}()
"""
    imports = "\n".join(line for word, line in IMPORTS.items() if re.search(rf"(?<![\w.:]){word}\b", body))
    return f'"""{sentence}"""\n\n{imports}\n\n{body}'


def _tasks(load: Load, choice: Choice, n: str) -> str:
    """Return the tasks of one load, which end in ``first_N`` and ``last_N``."""
    names = {"n": n, "name": f"load {n}", "table": choice.table, "connect": choice.connect, "folder": choice.folder}
    if isinstance(load, Sql):
        return _SQL[choice.operator](load, names)
    text = re.sub(r"^( *)\$read$", lambda m: textwrap.indent(READ, m[1]), _text(load), flags=re.MULTILINE)
    return Template(text).substitute(names | {"table": choice.table.replace('"', '\\"')})


def _text(load: Load) -> str:
    """Return the tasks of a load in Python, with what is to be filled in."""
    if isinstance(load, Python):
        body = textwrap.indent(load.body.strip("\n"), "    ")
        return f"@task\ndef load_$n({load.arguments}):\n{body}\n\nfirst_$n = last_$n = load_$n()"
    assert not isinstance(load, Sql)
    return load.text


def _statements(load: Sql, names: dict[str, str], ds: str, *, share: str = "") -> list[list[str]]:
    """Return the statements of each transaction, with the date, and the share of a mapped task, as `ds` and `share`."""
    rows = {"rows": ROWS + (SHARE if share else ""), "rows_from": ROWS_FROM}
    table = {"table": names["table"] + ("_:part" if share else "")}
    filled = [[Template(text).substitute(names | rows | table) for text in texts] for texts in load.transactions]
    return [[text.replace(":ds", ds).replace(":part", share) for text in texts] for texts in filled]


def _listed(statements: Sequence[str], *, is_format: bool = False) -> str:
    prefix = "f" if is_format else ""
    whole = [f"{text} " if text.endswith('"') else text for text in statements]
    return "[\n" + "".join(f'    {prefix}"""{text}""",\n' for text in whole) + "]"


def _by_hook(load: Sql, names: dict[str, str]) -> str:
    runs = [
        f'PostgresHook("shop").run({_listed(texts, is_format=True)})' for texts in _statements(load, names, "'{ds}'")
    ]
    return _python("\n".join(runs), names)


def _by_psycopg(load: Sql, names: dict[str, str]) -> str:
    parts = [
        f"for statement in {_listed(texts, is_format=True)}:\n    connection.execute(statement)"
        for texts in _statements(load, names, "'{ds}'")
    ]
    opened = 'with psycopg.connect(os.environ["SHOP_URL"]) as connection:\n'
    return _python("\n".join(opened + textwrap.indent(part, "    ") for part in parts), names)


def _python(body: str, names: dict[str, str], arguments: str = "ds=None") -> str:
    n = names["n"]
    return f"@task\ndef load_{n}({arguments}):\n{textwrap.indent(body, '    ')}\n\nfirst_{n} = last_{n} = load_{n}()"


def _by_operator(load: Sql, names: dict[str, str]) -> str:
    """One task for each transaction."""
    n = names["n"]
    tasks = [
        f'SQLExecuteQueryOperator(task_id="load_{n}_{part}", conn_id="shop", sql={_listed(texts)})'
        for part, texts in enumerate(_statements(load, names, "'{{ ds }}'"), start=1)
    ]
    lines = [f"load_{n}_{part} = {task}" for part, task in enumerate(tasks, start=1)]
    chain = " >> ".join(f"load_{n}_{part}" for part in range(1, len(tasks) + 1))
    lines += [chain] if len(tasks) > 1 else []
    return "\n".join([*lines, f"first_{n}, last_{n} = load_{n}_1, load_{n}_{len(tasks)}"])


def _by_psql(load: Sql, names: dict[str, str]) -> str:
    n = names["n"]
    transactions = [
        "\n".join(["BEGIN;", *(f"{text};" for text in texts), "COMMIT;"])
        for texts in _statements(load, names, "'{{ ds }}'")
    ]
    command = "psql \"$SHOP_URL\" -q -v ON_ERROR_STOP=1 <<'END'\n" + "\n".join(transactions) + "\nEND\n"
    return f'first_{n} = last_{n} = BashOperator(task_id="load_{n}", bash_command="""{command}""")'


def _by_mapped(load: Sql, names: dict[str, str]) -> str:
    n = names["n"]
    runs = [
        f'PostgresHook("shop").run({_listed(texts, is_format=True)})'
        for texts in _statements(load, names, "'{ds}'", share="{part}")
    ]
    body = textwrap.indent("\n".join(runs), "    ")
    return f"@task\ndef load_{n}(part, ds=None):\n{body}\n\nfirst_{n} = last_{n} = load_{n}.expand(part=[0, 1])"


_SQL = {
    HOOK: _by_hook,
    "psycopg": _by_psycopg,
    OPERATOR: _by_operator,
    BASH: _by_psql,
    MAPPED: _by_mapped,
}
