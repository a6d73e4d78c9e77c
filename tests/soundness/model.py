"""What a drawn DAG is made of: faults and their healthy twins, each a load in SQL or in Python."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dagproof.config import ProofConfig

LAWS = (
    "effect",
    "deterministic",
    "clock",
    "rerun",
    "retry",
    "crash",
    "outage",
    "order",
    "containment",
    "overlap",
    "correction",
    "backfill",
    "late",
    "history",
)

#: Where rows without a key, and rows with one, can lie. Each has the columns number, customer, total and dt.
PLAIN = ("orders", "mart.orders", '"Orders by day"', "orders_unlogged", "orders_view", "orders_by_month")
KEYED = ("keyed", "mart.keyed", '"Keyed by number"', "keyed_view")
#: Those that may get an index or a constraint.
ALTERABLE = ("orders", "mart.orders", '"Orders by day"', "orders_unlogged", "orders_by_month")
#: Of these, there are two shares, for mapped tasks.
SHARED = ("orders", "keyed")

HOOK, PSYCOPG, OPERATOR, BASH, MAPPED = "PostgresHook", "psycopg", "SQLExecuteQueryOperator", "psql", "mapped tasks"
SQL_OPERATORS = (HOOK, PSYCOPG, OPERATOR, BASH, MAPPED)

#: What has just one use in each load that names it.
OWN = (
    *("identified", "stamped", "created", "numbered", "receipted", "counts", "customer_days", "latest", "places"),
    *("watermarks", "balances", "marks", "loads", "staged", "summed", "made", "by_customer", "newest", "newest_day"),
    *("lo_unlink", "folder", "paid", "Variable"),
)
#: How most of them are proven.
CORRECTED = ProofConfig(corrections={"corrected": str(Path(__file__).with_name("corrected.sql"))})


@dataclass(frozen=True)
class Sql:
    """A load in SQL: transactions of statements.

    ``:ds`` stands for the date, ``$table`` for the target, ``$rows`` for the day's rows.
    """

    transactions: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Python:
    """A load in Python: the body of a task that has `arguments`.

    ``$connect`` stands for how it opens a connection, ``$table`` for the target, ``$folder`` for where its files lie;
    a line ``$read`` for what reads the day's ``rows`` of number, customer and total.
    """

    body: str
    arguments: str = "ds=None"
    decorator: str = "@task"


@dataclass(frozen=True)
class Tasks:
    """Several tasks: whole functions and the lines that wire them, which end in ``first_$n`` and ``last_$n``."""

    text: str


Load: TypeAlias = "Sql | Python | Tasks"


@dataclass(frozen=True)
class Fault:
    """A fault, the laws each of which must falsify it, and the same load without it.

    Args:
        name: in a few words.
        sentence: what the DAG does.
        laws: each of them has to falsify every DAG with the fault.
        sick: the load with the fault.
        healthy: the same without it.
        tables: among which the target is drawn.
        operators: among which the operator is drawn, where the load is SQL.
        said: what a verdict must say (a pattern) where no law can falsify it, for the harness does not see it.
        near: the laws that would accuse the healthy twin, if any did.
        proof: how its DAGs are proven.
        schedule: of the DAG.
        start: when it starts, and where.
        dates: that are proven; the schedule's where it is None.
        is_companion: whether the healthy load may stand beside another fault, and another beside it.
        is_alone: whether no load stands beside the fault, although the healthy one may stand beside another.
    """

    name: str
    sentence: str
    laws: tuple[str, ...]
    sick: Load
    healthy: Load
    tables: tuple[str, ...] = ("",)
    operators: tuple[str, ...] = SQL_OPERATORS
    said: str = ""
    near: tuple[str, ...] = ()
    proof: ProofConfig = CORRECTED
    schedule: str = '"@daily"'
    start: str = 'pendulum.datetime(2026, 1, 1, tz="UTC")'
    dates: tuple[str, ...] | None = ("2026-01-01", "2026-01-02")
    is_companion: bool = True
    is_alone: bool = False

    @property
    def tables_of_its_own(self) -> frozenset[str]:
        """The tables that its loads name: only one load of a DAG may write to them."""
        text = f"{self.sick}{self.healthy}"
        return frozenset(table for table in OWN if re.search(rf"\b{table}\b", text))


def sql(*transactions: tuple[str, ...]) -> Sql:
    """A load of these transactions."""
    return Sql(transactions)


LOCK = "SELECT pg_advisory_xact_lock(hashtext('$name'))"
DELETE = "DELETE FROM $table WHERE dt = :ds"
INSERT = "INSERT INTO $table $rows"
#: The whole day replaced in one transaction, one run at a time.
REPLACE = sql((LOCK, DELETE, INSERT))
