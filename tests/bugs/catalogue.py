"""The planted bugs: what each DAG of ``dags/`` must be told, law by law.

A DAG that is healthy is proven by every law. A bug breaks at least one law, with the verdict and the shortest history
given here, and has a healthy twin that does the same work well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FIRST, SECOND = "2026-01-01", "2026-01-02"
DATES = (FIRST, SECOND)

#: Twenty orders a day; see schema.sql.
ORDERS = 20
CUSTOMERS = 8

PROVEN = "proven"
VERDICTS = {"effect": "vacuous", "deterministic": "non-deterministic", "rerun": "non-idempotent"}
LAWS = tuple(VERDICTS)

RUN = (("run", FIRST),)
TWICE = (("run", FIRST), ("rerun", FIRST))


@dataclass(frozen=True)
class Broken:
    """How a law is broken: by which history at the shortest, and what differs then.

    Args:
        history: the steps.
        where: the table or file that differs; none for a run that writes nothing.
        counts: the number of rows ``added``, ``missing``, ``changed`` and ``duplicated``, as far as it is certain.
        columns: the columns that changed.
        rows: the number of rows before and after, as far as it is certain.
        detail: what is said of a file.
    """

    history: tuple[tuple[str, str], ...]
    where: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    rows: tuple[int, int] | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Bug:
    """A DAG that breaks a law, the task that does it, and a DAG that does the same work well."""

    name: str
    twin: str
    breaks: Mapping[str, Broken]
    task: str = "load_orders"
    not_applicable: tuple[str, ...] = ()
    """The laws that can say nothing, because another one is broken."""
    not_compared: tuple[str, ...] = ()
    """What `rerun` does not compare, because two fresh runs differ there already."""
    most_histories: int = 3
    """How many are tried for each law: each date run twice, and one that is drawn, unless it takes luck to find it."""


def doubled(table: str, rows: int = ORDERS) -> Broken:
    """All rows of a day are there twice after its rerun."""
    return Broken(TWICE, table, {"duplicated": rows}, rows=(rows, 2 * rows))


def changed(history: tuple[tuple[str, str], ...], table: str, *columns: str, rows: int | None = None) -> Broken:
    """All rows are there, with other values in some columns."""
    return Broken(history, table, {"changed": rows} if rows else {}, columns, rows=(rows, rows) if rows else None)


BUGS = (
    Bug("plain_insert", "delete_insert", {"rerun": doubled("orders")}),
    Bug("sql_operator_insert", "sql_operator_delete_insert", {"rerun": doubled("orders")}),
    Bug("psycopg_autocommit", "psycopg_copy", {"rerun": doubled("orders")}),
    Bug(
        "file_append",
        "file_rename",
        {"rerun": Broken(TWICE, "orders.csv", detail="20 lines, then 40")},
        task="export_orders",
    ),
    Bug(
        "file_stamped_now",
        "file_stamped_by_schedule",
        {"deterministic": Broken(RUN, f"report-{FIRST}.json", detail='line 3: \' "generated_at": ')},
        task="write_report",
        not_applicable=("rerun",),
    ),
    Bug(
        "created_at_default_now",
        "created_at_by_schedule",
        {"deterministic": changed(RUN, "stamped_orders", "created_at", rows=ORDERS)},
        not_compared=("stamped_orders.created_at",),
    ),
    Bug(
        "attempt_in_a_row",
        "run_metadata_ignored",
        {"rerun": changed(TWICE, "stamped_orders", "attempt", rows=ORDERS)},
    ),
    Bug(
        "conflict_on_uuid4",
        "conflict_on_uuid5",
        {
            "deterministic": changed(RUN, "identified_orders", "id", rows=ORDERS),
            "rerun": doubled("identified_orders"),
        },
        not_compared=("identified_orders.id",),
    ),
    Bug(
        "counter_goes_up",
        "counter_recomputed",
        {"rerun": changed(TWICE, "customers", "orders", rows=CUSTOMERS)},
        task="count_orders",
    ),
    Bug(
        "two_tasks_one_counts",
        "counter_recomputed",
        {"rerun": changed(TWICE, "customers", "orders", rows=CUSTOMERS)},
        task="award_points",
    ),
    Bug(
        "identity_on_reload",
        "identity_restarted",
        {"rerun": changed(TWICE, "numbered_orders", "id", rows=ORDERS)},
    ),
    Bug(
        "random_sample",
        "seeded_sample",
        {"deterministic": Broken(RUN, "keyed_orders", rows=(5, 5))},
        task="sample_orders",
        not_applicable=("rerun",),
    ),
    Bug(
        "set_order",
        "sorted_set",
        {"deterministic": changed(RUN, "visits", "customer")},
        task="load_visits",
    ),
    Bug(
        "hash_bucket",
        "checksum_bucket",
        {"deterministic": changed(RUN, "visits", "bucket")},
        task="load_visits",
    ),
    Bug(
        "process_id",
        "run_id_in_a_row",
        {"deterministic": changed(RUN, "loads", "loaded_by", rows=1)},
        task="note_load",
        not_compared=("loads.loaded_by",),
    ),
    Bug(
        "host_name",
        "run_id_in_a_row",
        {"deterministic": changed(RUN, "loads", "loaded_by", rows=1)},
        task="note_load",
    ),
    Bug(
        "temp_folder",
        "run_id_in_a_row",
        {"deterministic": changed(RUN, "loads", "loaded_by", rows=1)},
        task="note_load",
        not_compared=("loads.loaded_by",),
    ),
    Bug(
        "local_time_zone",
        "utc_date",
        # 13:45 ahead of UTC: what was ordered from 10:15 on is of the next day there
        {"deterministic": Broken(RUN, "keyed_orders", {"changed": 11}, ("dt",), rows=(ORDERS, ORDERS))},
    ),
    Bug(
        "partition_of_today",
        "delete_insert",
        {"rerun": Broken(TWICE, "orders", {"added": ORDERS}, rows=(ORDERS, 2 * ORDERS))},
    ),
    Bug("empty_interval", "whole_interval", {"effect": Broken(RUN)}, not_applicable=("deterministic", "rerun")),
    Bug(
        "third_load",
        "counted_loads",
        {"rerun": Broken((*TWICE, ("rerun", FIRST)), "orders", {"duplicated": ORDERS}, rows=(ORDERS, 2 * ORDERS))},
        most_histories=10,
    ),
    Bug(
        "third_try",
        "delete_insert",
        {"rerun": Broken((*TWICE, ("rerun", FIRST)), "orders", {"duplicated": ORDERS}, rows=(ORDERS, 2 * ORDERS))},
        most_histories=10,
    ),
    Bug(
        "retention_by_count",
        "retention_by_date",
        {
            "rerun": Broken(
                (*RUN, ("run", SECOND), ("rerun", SECOND)),
                "keyed_orders",
                {"missing": ORDERS},
                rows=(2 * ORDERS, ORDERS),
            )
        },
        most_histories=10,
    ),
)

#: DAGs that look suspicious and are healthy, besides the twins.
HEALTHY = tuple(
    sorted(
        {bug.twin for bug in BUGS}
        | {
            "conflict_on_natural_key",
            "created_at_ignored",
            "mapped_tasks",
            "merge",
            "truncate_insert",
            "upsert",
        }
    )
)

#: What a configuration says may differ.
IGNORED = {
    "created_at_ignored": ("stamped_orders.created_at",),
    "run_metadata_ignored": ("stamped_orders.attempt", "stamped_orders.created_at"),
    "counted_loads": ("load_attempts.*",),
    "third_load": ("load_attempts.*",),
}
