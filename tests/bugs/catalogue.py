"""The planted bugs: what each DAG of ``dags/`` must be told, law by law.

A DAG that is healthy is proven by every law that applies to it. A bug breaks at least one law, with the verdict and
the shortest history given here, and has a healthy twin that does the same work well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FIRST, SECOND = "2026-01-01", "2026-01-02"
DATES = (FIRST, SECOND)

#: Twenty orders a day; see schema.sql.
ORDERS = 20
CUSTOMERS = 8

#: What is said of a DAG that breaks a law, by default.
VERDICTS = {
    "effect": "vacuous",
    "deterministic": "non-deterministic",
    "clock": "clock-dependent",
    "rerun": "non-idempotent",
    "retry": "not retry-safe",
    "crash": "not crash-safe",
    "outage": "loses rows in silence",
    "order": "order-dependent",
    "containment": "leaks outside its partition",
    "overlap": "not concurrency-safe",
    "correction": "keeps stale rows",
    "backfill": "incremental ≠ full refresh",
    "late": "fails while waiting",
    "history": "history-dependent",
}
LAWS = tuple(VERDICTS)

Steps = tuple[tuple[str, str], ...]

RUN: Steps = (("run", FIRST),)
TWICE: Steps = (*RUN, ("rerun", FIRST))
RETRIED: Steps = (("retry", FIRST),)
CRASHED: Steps = (("crash", FIRST),)
CRASHED_AND_RUN: Steps = (*CRASHED, ("rerun", FIRST))
RERUN_CRASHED: Steps = (*RUN, ("crash", FIRST))
FORWARDS: Steps = (*RUN, ("run", SECOND))
BACKWARDS: Steps = (("run", SECOND), *RUN)
OVERLAPPED: Steps = (("overlap", FIRST),)
OVERLAPPED_LATER: Steps = (*RUN, ("overlap", SECOND))
RERUNS_OVERLAPPED: Steps = (*FORWARDS, ("overlap", FIRST))
RERUN_CRASHED_AND_RUN: Steps = (*RERUN_CRASHED, ("rerun", FIRST))
CORRECTED: Steps = (*RUN, ("correct", FIRST), ("rerun", FIRST))
BACKFILLED: Steps = (("backfill", FIRST),)
BOTH_BACKFILLED: Steps = (("arrive", FIRST), ("arrive", SECOND), *BACKFILLED, ("backfill", SECOND))
LATE: Steps = (("late", FIRST),)
ERRED: Steps = (("outage", SECOND),)
ERRED_LATER: Steps = (*RUN, *ERRED)
#: A drawn history: run twice in whatever way, corrected, and run again.
SECOND_LOAD_CORRECTED: Steps = (*RUN, ("rerun|retry|clear|crash", FIRST), ("correct", FIRST), ("rerun", FIRST))


@dataclass(frozen=True)
class Broken:
    """How a law is broken: by which history at the shortest, and what differs then.

    Args:
        history: the steps, each with its kind and date. At which point a run is cut off or held is not said: the
            numbers differ between the versions of Airflow and of the database's driver.
        where: the tables and files that differ; none where a run writes nothing or fails; None where it depends on
            who comes first.
        counts: the number of rows ``added``, ``missing``, ``changed`` and ``duplicated``, as far as it is certain.
        columns: the columns that changed.
        rows: the number of rows before and after, as far as it is certain.
        detail: what is said of a file.
        verdict: what is said of the DAG, where it is not the law's usual word.
    """

    history: Steps
    where: tuple[str, ...] | None = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    rows: tuple[int, int | None] | None = None
    detail: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Bug:
    """A DAG that breaks laws, the task that does it, and a DAG that does the same work well.

    The first of the laws in `breaks` is the one that the bug is there for.
    """

    name: str
    twin: str
    breaks: Mapping[str, Broken]
    task: str = "load_orders"
    not_applicable: tuple[str, ...] = ()
    """Laws that can say nothing, because another one is broken."""
    not_compared: tuple[str, ...] = ()
    """What `rerun` does not compare, because two fresh runs differ there already."""
    most_histories: int = 3
    """How many are tried for each law: each date run twice, and one that is drawn, unless it takes luck to find it."""


def differs(history: Steps, *where: str, verdict: str = "") -> Broken:
    """These tables and files differ, in whatever way."""
    return Broken(history, where, verdict=verdict)


def fails(history: Steps) -> Broken:
    """A run fails that should not."""
    return Broken(history)


def somehow(history: Steps, verdict: str = "") -> Broken:
    """Rows differ or a run fails, depending on who comes first."""
    return Broken(history, None, verdict=verdict)


def doubled(history: Steps, table: str, rows: int = ORDERS, all_rows: int = 0) -> Broken:
    """All rows of a day are there twice; `all_rows` is how many there are of all days, where others have run before."""
    there = all_rows or rows
    return Broken(history, (table,), {"duplicated": rows}, rows=(there, there + rows))


def changed(history: Steps, table: str, *columns: str, rows: int | None = None) -> Broken:
    """All rows are there, with other values in some columns."""
    return Broken(history, (table,), {"changed": rows} if rows else {}, columns, rows=(rows, rows) if rows else None)


def gone(history: Steps, table: str, rows: int = ORDERS, verdict: str = "") -> Broken:
    """All rows of a day are gone."""
    return Broken(history, (table,), {"missing": rows}, rows=(rows, 0), verdict=verdict)


def lost(table: str, **others: Broken) -> dict[str, Broken]:
    """The rows of a day are missing after an error, and the run is green; the day before is there."""
    return {"outage": gone(ERRED, table), **others}


def appends(table: str) -> dict[str, Broken]:
    """Whatever is repeated is there twice; what is corrected, too."""
    return {
        "rerun": doubled(TWICE, table),
        "retry": doubled(RETRIED, table),
        "crash": doubled(CRASHED_AND_RUN, table),
        "correction": differs(CORRECTED, table),
    }


def piles_up(*where: str) -> dict[str, Broken]:
    """Whatever is repeated leaves one thing more: not a row, but what is on a table, or beside it."""
    return {
        "rerun": differs(TWICE, *where),
        "retry": differs(RETRIED, *where),
        "crash": differs(CRASHED_AND_RUN, *where),
        "correction": differs(CORRECTED, *where),
    }


#: The laws that compare rows, for a DAG of which two fresh runs differ in whole rows.
COMPARING = tuple(law for law in LAWS if law not in ("effect", "deterministic", "late"))

EFFECT = (
    Bug("empty_interval", "whole_interval", {"effect": Broken(RUN)}, not_applicable=("deterministic", "rerun")),
    Bug("psycopg_no_commit", "psycopg_copy", {"effect": Broken(RUN)}, not_applicable=("deterministic", "rerun")),
    Bug("swallowed_error", "conflict_on_natural_key", {"effect": Broken(RUN)}, not_applicable=("rerun",)),
)

DETERMINISTIC = (
    Bug(
        "file_stamped_now",
        "file_stamped_by_schedule",
        {"deterministic": Broken(RUN, (f"report-{FIRST}.json",), detail='line 3: \' "generated_at": ')},
        task="write_report",
        not_applicable=("clock", "rerun"),
    ),
    Bug(
        "created_at_default_now",
        "created_at_by_schedule",
        {"deterministic": changed(RUN, "stamped_orders", "created_at", rows=ORDERS)},
        not_compared=("stamped_orders.created_at",),
    ),
    Bug(
        "conflict_on_uuid4",
        "conflict_on_uuid5",
        {
            "deterministic": changed(RUN, "identified_orders", "id", rows=ORDERS),
            **appends("identified_orders"),
        },
        not_compared=("identified_orders.id",),
    ),
    Bug(
        "random_sample",
        "seeded_sample",
        {"deterministic": Broken(RUN, ("keyed_orders",), rows=(5, 5))},
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
        "float_sum",
        "exact_sum",
        {"deterministic": changed(RUN, "daily_totals", "total", rows=1)},
        task="sum_orders",
    ),
    Bug(
        "process_id",
        "dag_and_date_in_a_row",
        {"deterministic": changed(RUN, "loads", "loaded_by", rows=1)},
        task="note_load",
        not_compared=("loads.loaded_by",),
    ),
    Bug(
        "host_name",
        "dag_and_date_in_a_row",
        {"deterministic": changed(RUN, "loads", "loaded_by", rows=1)},
        task="note_load",
    ),
    Bug(
        "temp_folder",
        "dag_and_date_in_a_row",
        {"deterministic": changed(RUN, "loads", "loaded_by", rows=1)},
        task="note_load",
        not_compared=("loads.loaded_by",),
    ),
    Bug(
        "local_time_zone",
        "utc_date",
        # 13:45 ahead of UTC: what was ordered from 10:15 on is of the next day there
        {"deterministic": Broken(RUN, ("keyed_orders",), {"changed": 11}, ("dt",), rows=(ORDERS, ORDERS))},
    ),
)

#: The rows of a day get the date of the day on which they are loaded.
LOADED_AS_TODAY = {
    "clock": changed(RUN, "orders", "dt", rows=ORDERS),
    "rerun": Broken(TWICE, ("orders",), {"added": ORDERS}, rows=(ORDERS, 2 * ORDERS)),
    "crash": differs(CRASHED_AND_RUN, "orders"),
    "order": differs(BACKWARDS, "orders"),
    "containment": gone(BACKWARDS, "orders"),
    "overlap": doubled(OVERLAPPED, "orders"),
    "correction": differs(CORRECTED, "orders"),
    "backfill": changed(BACKFILLED, "orders", "dt", rows=ORDERS),
}

CLOCK = (
    Bug("partition_of_today", "delete_insert", LOADED_AS_TODAY),
    Bug("partition_of_current_date", "delete_insert", LOADED_AS_TODAY),
    Bug(
        "file_of_todays_date",
        "shell_file_by_schedule",
        {
            "clock": differs(RUN, "2026-01-01.csv", "2026-08-06.csv"),
            "rerun": differs(TWICE, "2026-01-02.csv"),
            "order": differs(BACKWARDS, "2026-01-01.csv", "2026-01-02.csv"),
            "containment": differs(BACKWARDS, "2026-01-02.csv"),
            "correction": differs(CORRECTED, "2026-01-02.csv"),
            "backfill": Broken(BACKFILLED, None),
        },
        task="export_orders",
    ),
    Bug(
        "pandas_today",
        "pandas_day",
        {
            "clock": gone(RUN, "keyed_orders"),
            "rerun": Broken(TWICE, ("keyed_orders",), {"added": ORDERS}, rows=(ORDERS, 2 * ORDERS)),
            "crash": differs(CRASHED_AND_RUN, "keyed_orders"),
            "correction": differs(CORRECTED, "keyed_orders"),
            "backfill": gone(BACKFILLED, "keyed_orders"),
        },
    ),
    Bug(
        "age_today",
        "age_at_interval_end",
        {
            "clock": changed(RUN, "order_ages", "age", rows=ORDERS),
            "rerun": changed(TWICE, "order_ages", "age", rows=ORDERS),
            "backfill": changed(BACKFILLED, "order_ages", "age", rows=ORDERS),
        },
        task="load_ages",
    ),
    Bug(
        "recent_only",
        "time_in_the_log",
        {
            "clock": gone(RUN, "keyed_orders"),
            "backfill": gone(BACKFILLED, "keyed_orders"),
        },
    ),
)

RERUN = (
    Bug("plain_insert", "delete_insert", appends("orders")),
    Bug(
        "duckdb_insert",
        "duckdb_delete_insert",
        # What a library in C does to a file is no point to cut it off at, and the verdict of `crash` says so.
        {law: broken for law, broken in appends("shop.duckdb:orders").items() if law != "crash"},
    ),
    Bug("sql_operator_insert", "sql_operator_delete_insert", appends("orders")),
    Bug("triggers_an_append", "triggers_a_load", appends("orders"), task="append of triggered_append"),
    Bug(
        "psycopg_autocommit",
        "psycopg_copy",
        {**appends("orders"), "crash": differs(CRASHED_AND_RUN, "orders")},
    ),
    Bug(
        "file_of_its_own",
        "file_rename",
        {
            "rerun": Broken(TWICE, None),
            "deterministic": Broken(RUN, None),
            "retry": Broken(RETRIED, None),
            "correction": Broken(CORRECTED, None),
        },
        task="export_orders",
        not_applicable=("clock", "order"),
    ),
    Bug(
        "file_append",
        "file_rename",
        {
            "rerun": Broken(TWICE, ("orders.csv",), detail="20 lines, then 40"),
            "retry": Broken(RETRIED, ("orders.csv",), detail="20 lines, then 40"),
            "crash": Broken(CRASHED, ("orders.csv",), detail="20 lines, then 0", verdict="not atomic"),
            "correction": differs(CORRECTED, "orders.csv"),
            "order": differs(BACKWARDS, "orders.csv"),
            "containment": differs(FORWARDS, "orders.csv"),
        },
        task="export_orders",
    ),
    Bug(
        "attempt_in_a_row",
        "run_metadata_ignored",
        {
            "rerun": changed(TWICE, "stamped_orders", "attempt", rows=ORDERS),
            "retry": changed(RETRIED, "stamped_orders", "attempt", rows=ORDERS),
            "crash": changed(CRASHED_AND_RUN, "stamped_orders", "attempt", rows=ORDERS),
            "correction": differs(CORRECTED, "stamped_orders"),
        },
    ),
    Bug(
        "counter_goes_up",
        "counter_by_day",
        {
            "rerun": changed(TWICE, "customers", "orders", rows=CUSTOMERS),
            "retry": changed(RETRIED, "customers", "orders", rows=CUSTOMERS),
            "crash": changed(CRASHED_AND_RUN, "customers", "orders", rows=CUSTOMERS),
            "correction": differs(CORRECTED, "customers"),
            "containment": differs(FORWARDS, "customers"),
        },
        task="count_orders",
    ),
    Bug(
        "two_tasks_one_counts",
        "counter_by_day",
        {
            "rerun": changed(TWICE, "customers", "orders", rows=CUSTOMERS),
            "retry": changed(RETRIED, "customers", "orders", rows=CUSTOMERS),
            "crash": changed(CRASHED_AND_RUN, "customers", "orders", rows=CUSTOMERS),
            "containment": differs(FORWARDS, "customers"),
            "overlap": somehow(OVERLAPPED),
            "correction": differs(CORRECTED, "customers"),
        },
        task="award_points",
    ),
    Bug(
        "identity_on_reload",
        "identity_restarted",
        {
            "deterministic": differs(RUN, "numbered_orders"),  # the order of the rows decides
            "rerun": changed(TWICE, "numbered_orders", "id", rows=ORDERS),
            "retry": changed(RETRIED, "numbered_orders", "id", rows=ORDERS),
            "crash": changed(CRASHED_AND_RUN, "numbered_orders", "id", rows=ORDERS),
            "order": differs(BACKWARDS, "numbered_orders"),
            "overlap": somehow(OVERLAPPED),
            "correction": differs(CORRECTED, "numbered_orders"),
        },
    ),
    Bug(
        "max_date_plus_one",
        "delete_insert",
        {
            "rerun": Broken(TWICE, ("orders",), {"added": ORDERS}, rows=(ORDERS, 2 * ORDERS)),
            "retry": Broken(RETRIED, ("orders",), {"added": ORDERS}, rows=(ORDERS, 2 * ORDERS)),
            "crash": Broken(CRASHED_AND_RUN, ("orders",), {"added": ORDERS}, rows=(ORDERS, 2 * ORDERS)),
            "order": Broken(BACKWARDS, ("orders",), {"changed": ORDERS}, ("dt",)),
            "correction": differs(CORRECTED, "orders"),
        },
    ),
    Bug(
        "third_load",
        "counted_loads",
        {
            "rerun": doubled((*TWICE, ("rerun", FIRST)), "orders"),
            "crash": doubled(RERUN_CRASHED_AND_RUN, "orders"),
        },
    ),
    Bug(
        "third_try",
        "delete_insert",
        {
            "rerun": doubled((*TWICE, ("rerun", FIRST)), "orders"),
            "crash": doubled(RERUN_CRASHED_AND_RUN, "orders"),
            "overlap": somehow(OVERLAPPED),
        },
    ),
    Bug(
        "retention_by_count",
        "retention_by_date",
        {
            "rerun": Broken(
                (*RUN, ("run", SECOND), ("rerun", SECOND)),
                ("keyed_orders",),
                {"missing": ORDERS},
                rows=(2 * ORDERS, ORDERS),
            )
        },
        most_histories=10,
    ),
)

#: What is written by a callback is not laid at the door of a task.
CALLBACKS = (
    Bug(
        "noted_by_callback_of_dag",
        "noted_once_by_callbacks",
        {
            "rerun": differs(TWICE, "load_attempts"),
            "crash": differs(CRASHED_AND_RUN, "load_attempts"),
            "correction": differs(CORRECTED, "load_attempts"),
        },
        task="the on_success_callback of the DAG",
    ),
    Bug(
        "noted_by_callback_of_task",
        "noted_once_by_callbacks",
        {
            "rerun": differs(TWICE, "load_attempts"),
            "crash": differs(CRASHED_AND_RUN, "load_attempts"),
            "correction": differs(CORRECTED, "load_attempts"),
        },
        task="the on_success_callback of task load_orders",
    ),
)

RETRY = (
    Bug(
        "delete_then_insert",
        "delete_insert",
        {
            "retry": doubled(RETRIED, "orders"),
            "crash": gone(RERUN_CRASHED, "orders", verdict="not atomic"),
            "overlap": somehow(OVERLAPPED),
        },
        task="insert_orders",
    ),
    Bug("emptied_inbox", "staging_by_day", {"retry": gone(RETRIED, "keyed_orders"), "overlap": somehow(OVERLAPPED)}),
    Bug("moved_input", "staged_file", {"retry": fails(RETRIED)}, task="export_orders"),
)

CRASH = (
    Bug("commit_between", "delete_insert", {"crash": gone(RERUN_CRASHED, "keyed_orders", verdict="not atomic")}),
    Bug(
        "swap_in_pieces",
        "swap_by_rename",
        {"crash": Broken(RERUN_CRASHED, ("customers",), {"missing": 8}, rows=(8, None), verdict="not atomic")},
        task="count_orders",
    ),
    Bug(
        "file_in_place",
        "file_rename",
        {"crash": Broken(CRASHED, (f"orders-{FIRST}.csv",), detail="20 lines, then 0", verdict="not atomic")},
        task="export_orders",
    ),
    Bug(
        "lock_file",
        "locked_file",
        {"crash": fails(CRASHED_AND_RUN)},
    ),
    Bug(
        "not_again",
        "conflict_on_natural_key",
        {
            "crash": fails(CRASHED_AND_RUN),
            "rerun": fails(TWICE),
            "retry": fails(RETRIED),
            "overlap": fails(OVERLAPPED),
            "correction": fails(CORRECTED),
        },
    ),
    Bug(
        "marker_first",
        "marker_with_the_rows",
        {"crash": gone(CRASHED_AND_RUN, "keyed_orders"), "correction": differs(CORRECTED, "keyed_orders")},
    ),
    Bug(
        "watermark_in_a_variable",
        "delete_insert",
        {
            "crash": gone(CRASHED_AND_RUN, "keyed_orders"),
            "order": Broken(BACKWARDS, ("keyed_orders",), {"missing": ORDERS}, rows=(2 * ORDERS, ORDERS)),
            "correction": differs(CORRECTED, "keyed_orders"),
        },
    ),
    Bug("mapped_loads", "mapped_tasks", {"crash": differs(CRASHED, "keyed_orders", verdict="not atomic")}),
    Bug("rows_one_by_one", "upsert_tombstones", {"crash": differs(CRASHED, "keyed_orders", verdict="not atomic")}),
)

OUTAGE = (
    Bug("load_error_logged", "load_tried_twice", lost("orders")),
    Bug("fetch_error_is_no_order", "fetch_error_fails", lost("visits"), task="fetch_orders"),
    Bug("shell_or_true", "shell_and_status", lost("orders")),
    Bug("skip_on_error", "skip_as_configured", lost("orders")),
    Bug("marker_in_finally", "marker_after_load", lost("orders", correction=differs(CORRECTED, "orders"))),
    Bug(
        "retry_in_the_middle",
        "retry_from_the_start",
        {"outage": differs(ERRED, "keyed_orders"), "crash": differs(CRASHED_AND_RUN, "keyed_orders")},
    ),
    Bug("yesterdays_file_instead", "copy_of_the_day_instead", {"outage": differs(ERRED_LATER, "visits")}),
    Bug("partial_batch_kept", "dead_letters_loaded", {"outage": differs(ERRED, "orders")}),
    Bug("commit_in_handler", "rollback_and_raise", lost("orders")),
    Bug("mail_instead_of_failure", "mail_and_failure", lost("orders")),
    Bug("soft_sensor", "hard_sensor", lost("visits"), task="wait_for_orders"),
    Bug("thread_error_lost", "thread_error_raised", lost("orders")),
    Bug("one_message_logged", "one_message_raised", lost("orders")),
    Bug("function_commit_logged", "function_commit_raised", lost("orders")),
)

ORDER = (
    Bug(
        "last_writer_wins",
        "newest_wins",
        {
            "order": changed(BACKWARDS, "latest_orders", "number", rows=CUSTOMERS),
            "containment": changed(FORWARDS, "latest_orders", "number", rows=CUSTOMERS),
        },
        task="note_customers",
    ),
    Bug(
        "first_seen",
        "counter_by_day",
        {"order": changed(BACKWARDS, "first_days", "dt", rows=CUSTOMERS)},
        task="note_customers",
    ),
    Bug(
        "balance_on_yesterday",
        "total_of_the_day",
        {"order": Broken(BACKWARDS, ("daily_totals",), {"changed": 1}, ("total",), rows=(2, 2))},
        task="write_balance",
    ),
)

CONTAINMENT = (
    Bug(
        "from_this_day_on",
        "delete_insert",
        {
            "containment": gone(BACKWARDS, "keyed_orders"),
            "order": Broken(BACKWARDS, ("keyed_orders",), {"missing": ORDERS}, rows=(2 * ORDERS, ORDERS)),
        },
    ),
    Bug(
        "no_upper_bound",
        "whole_interval",
        {"containment": differs(FORWARDS, "keyed_orders"), "order": differs(BACKWARDS, "keyed_orders")},
    ),
    Bug(
        "truncate_for_a_day",
        "truncate_insert",
        {"containment": gone(FORWARDS, "orders"), "order": differs(BACKWARDS, "orders")},
    ),
    Bug(
        "one_file_for_all",
        "file_rename",
        {"containment": differs(FORWARDS, "orders.csv"), "order": differs(BACKWARDS, "orders.csv")},
        task="export_orders",
    ),
    Bug(
        "lookup_in_place",
        "counter_by_day",
        {"containment": differs(FORWARDS, "customer_days", "latest_orders")},
    ),
)

OVERLAP = (
    Bug("delete_insert_unlocked", "delete_insert", {"overlap": doubled(OVERLAPPED, "orders")}),
    Bug(
        "shared_staging",
        "temp_table",
        {
            "overlap": somehow(OVERLAPPED),
            "order": differs(BACKWARDS, "staged_orders"),
            "containment": differs(FORWARDS, "staged_orders"),
        },
    ),
    Bug(
        "shared_temp_file",
        "file_rename",
        {"overlap": differs(OVERLAPPED, f"orders-{SECOND}.csv")},
        task="export_orders",
    ),
    Bug(
        "check_then_insert",
        "serializable",
        {"overlap": doubled(OVERLAPPED, "orders"), "correction": differs(CORRECTED, "orders")},
    ),
    Bug(
        "made_by_first_run",
        "made_by_first_run_locked",
        {"overlap": doubled(OVERLAPPED_LATER, "made_orders", all_rows=40)},
    ),
    Bug("reload_unlocked", "reload_locked", {"overlap": doubled(RERUNS_OVERLAPPED, "orders", all_rows=40)}),
    Bug("known_days", "known_days_locked", {"overlap": differs(OVERLAPPED_LATER, "known_days")}, task="note_day"),
    Bug(
        "lost_update",
        "total_of_the_day",
        {"overlap": differs(OVERLAPPED, "customers")},
        task="count_orders",
    ),
)

STALE = Broken(CORRECTED, ("keyed_orders",), {"added": 1}, rows=(ORDERS - 1, ORDERS))

CORRECTION = (
    Bug("upsert_never_deletes", "upsert_tombstones", {"correction": STALE}),
    Bug(
        "conflict_hides_change",
        "merge",
        {"correction": Broken(CORRECTED, ("keyed_orders",), {"changed": 1}, ("total",), rows=(ORDERS - 1, ORDERS - 1))},
    ),
    Bug("cache_on_disk", "temp_table", {"correction": differs(CORRECTED, "keyed_orders", f".cache-{FIRST}.json")}),
    Bug(
        "checked_after_load",
        "checked_before_load",
        {"correction": differs(CORRECTED, "orders", verdict="changes rows that it refuses")},
    ),
    Bug("already_loaded", "marker_with_the_rows", {"correction": differs(CORRECTED, "keyed_orders")}),
)

BACKFILL = (
    Bug(
        "run_id_by_xcom",
        "dag_and_date_in_a_row",
        {"backfill": changed(BACKFILLED, "loads", "loaded_by", rows=1)},
        task="note_load",
    ),
    Bug(
        "latest_file",
        "file_of_the_day",
        {
            "backfill": differs(BOTH_BACKFILLED, "visits"),
            "order": differs(BACKWARDS, "visits"),
            "late": fails(LATE),
        },
    ),
    Bug(
        "everything_there",
        "file_of_the_day",
        {
            "backfill": changed(BOTH_BACKFILLED, "loads", "orders"),
            "order": changed(BACKWARDS, "loads", "orders"),
            "overlap": changed(OVERLAPPED, "loads", "orders"),
            "late": somehow(LATE),
        },
        task="count_orders",
    ),
)

LATE_BUGS = (
    Bug("no_wait", "reschedule_sensor", {"late": fails(LATE)}),
    Bug(
        "skips_what_is_missing",
        "reschedule_sensor",
        {"late": differs(LATE, "visits")},
    ),
    Bug("poke_sensor", "deferred_wait", {"late": Broken(LATE, verdict="holds a slot while waiting")}),
    Bug("short_timeout", "reschedule_sensor", {"late": fails(LATE)}),
)

#: These take two things to go wrong, in a history that is drawn.
HISTORY = (
    Bug(
        "resume_from_checkpoint",
        "setup_teardown",
        {
            "history": differs(
                (*RUN, ("crash", FIRST), ("correct", FIRST), ("rerun", FIRST)),
                "keyed_orders",
            )
        },
        most_histories=6,
    ),
    Bug(
        "closed_day",
        "delete_insert",
        {"history": differs((*FORWARDS, ("correct", FIRST), ("rerun", FIRST)), "orders")},
        most_histories=6,
    ),
    Bug(
        "third_load_keeps",
        "counted_loads",
        {"history": differs(SECOND_LOAD_CORRECTED, "orders")},
        most_histories=6,
    ),
)

STRUCTURE = (
    Bug("index_each_run", "index_if_not_exists", piles_up("orders")),
    Bug("check_each_run", "check_replaced", piles_up("orders")),
    Bug("documents_pile_up", "documents_replaced", piles_up("pg_largeobject")),
    Bug("view_of_the_last_run", "view_of_the_last_day", {"order": differs(BACKWARDS, "orders_of_the_day")}),
    Bug("function_of_the_last_run", "function_of_a_day", {"order": differs(BACKWARDS, "count_day")}),
)

ORDER_OF_ROWS = (
    Bug("first_of_ties", "first_by_number", {"deterministic": differs(RUN, "visits")}),
    Bug("files_as_listed", "files_in_order", {"deterministic": changed(RUN, "visits", "customer")}),
)


def renumbers(*beside: str) -> dict[str, Broken]:
    """Each load gives the sales other ids, which matter, for something `beside` them has these ids."""
    return {
        "rerun": differs(TWICE, "sales", *beside),
        "retry": differs(RETRIED, "sales", *beside),
        "crash": differs(CRASHED_AND_RUN, "sales", *beside),
        "order": differs(BACKWARDS, "sales", *beside),
        "correction": differs(CORRECTED, "sales", *beside),
    }


def keeps_ids(table: str) -> dict[str, Broken]:
    """Each load gives the sales other ids, and a table keeps those that they had."""
    alone = {"rerun": changed(TWICE, "sales", "id", rows=ORDERS), "retry": changed(RETRIED, "sales", "id", rows=ORDERS)}
    return renumbers(table) | alone


FILE = "sales-{}.csv".format
#: Keys that the database generates may be others each time, unless somebody outside has them.
KEYS = (
    Bug("notes_of_old_ids", "renumbered_with_children", keeps_ids("sale_notes")),
    Bug("messages_of_old_ids", "messages_of_numbers", keeps_ids("sale_messages")),
    Bug(
        "ids_in_a_file",
        "numbers_in_a_file",
        renumbers(FILE(FIRST))
        | {"order": differs(BACKWARDS, "sales", FILE(FIRST), FILE(SECOND)), "overlap": somehow(OVERLAPPED)},
    ),
    Bug("checksum_of_ids", "checksum_of_numbers", renumbers("sale_checks")),
    Bug("swapped_children", "children_by_number", {"deterministic": differs(RUN, "sales")}),
    Bug("reply_to_the_last", "reply_by_number", {"deterministic": differs(RUN, "threads")}),
    Bug(
        "uuid_conflict",
        "uuid_reload",
        {
            law: Broken(history, ("uuid_sales",), {"added": ORDERS}, rows=(ORDERS, 2 * ORDERS))
            for law, history in (("rerun", TWICE), ("retry", RETRIED), ("crash", CRASHED_AND_RUN))
        }
        | {"correction": differs(CORRECTED, "uuid_sales")},
    ),
    Bug(
        "parents_pile_up",
        "parents_replaced",
        piles_up("sales"),
    ),
    Bug("children_adopted", "children_found_again", piles_up("kept_lines")),
    Bug(
        "view_of_one_id",
        "view_of_one_number",
        renumbers()
        | {
            "crash": differs(CRASHED_AND_RUN, "sales", "top_sale"),
            "correction": differs(CORRECTED, "sales", "top_sale"),
        }
        | {"overlap": somehow(OVERLAPPED)},
    ),
    Bug("shards_of_old_ids", "shards_of_numbers", keeps_ids("visits")),
    Bug("references_of_old_ids", "references_of_numbers", keeps_ids("sale_messages")),
    Bug("notes_of_trusted_ids", "notes_of_declared_ids", keeps_ids("sale_notes")),
    Bug("lines_left_unknown", "unknown_sale", piles_up("sale_lines")),
    Bug("ids_counted_up", "ids_of_the_source", {"order": differs(BACKWARDS, "sales")}),
)

#: Tables that keep history may keep what no fresh run leaves, and must be right all the same.
HISTORY_TABLES = (
    Bug(
        "versions_left_open",
        "versions_closed",
        {"correction": Broken(CORRECTED, ("order_versions",), rows=(ORDERS - 1, ORDERS + 1))},
    ),
    Bug(
        "version_for_each_run",
        "versions_closed",
        {
            law: Broken(history, ("order_versions",), {"added": ORDERS}, rows=(ORDERS, 2 * ORDERS))
            for law, history in (("rerun", TWICE), ("retry", RETRIED), ("crash", CRASHED_AND_RUN))
        },
    ),
    Bug(
        "soft_delete_forgotten",
        "soft_deletes",
        {"correction": Broken(CORRECTED, ("soft_orders",), {"added": 1}, rows=(ORDERS - 1, ORDERS))},
    ),
    Bug(
        "log_emptied",
        "log_appended",
        {"containment": differs(FORWARDS, "load_log"), "order": differs(BACKWARDS, "load_log")},
    ),
    Bug("orders_of_another_load", "orders_of_their_load", {"order": differs(BACKWARDS, "load_log", "loaded_orders")}),
    Bug("bookings_added_once", "bookings_replaced", {"correction": differs(CORRECTED, "bookings")}),
    Bug("transfers_added_once", "transfers_added", {"correction": differs(CORRECTED, "transfers")}),
    Bug(
        "transfers_overwritten",
        "transfers_added",
        {
            "containment": differs(FORWARDS, "transfers"),
            "order": differs(BACKWARDS, "transfers"),
            "correction": differs(CORRECTED, "transfers"),
        },
    ),
)

BUGS = (
    *EFFECT,
    *DETERMINISTIC,
    *CLOCK,
    *RERUN,
    *CALLBACKS,
    *RETRY,
    *CRASH,
    *OUTAGE,
    *ORDER,
    *CONTAINMENT,
    *OVERLAP,
    *CORRECTION,
    *BACKFILL,
    *LATE_BUGS,
    *HISTORY,
    *STRUCTURE,
    *ORDER_OF_ROWS,
    *KEYS,
    *HISTORY_TABLES,
)

#: Designs that look suspicious and are healthy, besides the twins, each with the laws that would accuse it if any did.
HEALTHY_BESIDES = {
    "created_at_ignored": ("deterministic", "rerun"),
    "log_deduplicated": ("rerun", "retry"),
    "partition_exchange": ("rerun", "containment"),
    "staging_table_of_its_own": ("rerun", "overlap"),
    "arrived_orders": ("rerun", "order"),
    "materialized_view": ("rerun", "containment"),
    "swap_with_an_index": ("rerun", "order"),
    "sum_of_floats": ("deterministic",),
    "zip_of_the_day": ("deterministic", "clock"),
    "blue_green": ("rerun",),
    "identity_renumbered": ("rerun", "deterministic"),
    "view_of_new_ids": ("rerun",),
    "uuid4_in_place": ("deterministic", "rerun"),
}

HEALTHY = tuple(sorted({bug.twin for bug in BUGS} | set(HEALTHY_BESIDES)))

#: What a configuration says may differ.
IGNORED = {
    "created_at_ignored": ("stamped_orders.created_at",),
    "run_metadata_ignored": ("stamped_orders.attempt", "stamped_orders.created_at"),
    "counted_loads": ("load_attempts.*",),
    "third_load": ("load_attempts.*",),
    "third_load_keeps": ("load_attempts.*",),
}

#: What nobody reads but through a view.
SCRATCH = {"blue_green": ("blue_orders", "green_orders")}

#: How keys are compared: somebody keeps those of the first one elsewhere, so that they have to stay.
GENERATED_KEYS: Mapping[str, str | Mapping[str, str]] = {
    "identity_on_reload": "stable",
    "uuid4_in_place": {"identified_orders.id": "renamed"},
    "notes_of_trusted_ids": {"sales.id": "renamed"},
    "notes_of_declared_ids": {"sales.id": "renamed", "sale_notes.sale_id": "sales.id"},
}

#: Tables that keep what was there before.
KEEPS_HISTORY = {
    **dict.fromkeys(("versions_closed", "versions_left_open", "version_for_each_run"), ("order_versions",)),
    **dict.fromkeys(("soft_deletes", "soft_delete_forgotten"), ("soft_orders",)),
    **dict.fromkeys(("log_appended", "log_emptied"), ("load_log",)),
    **dict.fromkeys(("orders_of_their_load", "orders_of_another_load"), ("load_log",)),
    **dict.fromkeys(("bookings_replaced", "bookings_added_once"), ("bookings",)),
    **dict.fromkeys(("transfers_added", "transfers_added_once", "transfers_overwritten"), ("transfers",)),
}

#: After which errors a run may end green without its rows.
ALLOWED = {
    "skip_as_configured": {"allow": ("load_orders: *",)},
    "noted_once_by_callbacks": {"allow": ("load_orders: *",)},  # Airflow only logs the error of a callback
}

#: A table of what is latest has no partitions: each day may change its rows.
EXEMPT = {"newest_wins": {"containment": ("latest_orders",)}}

#: What needs its data to arrive first.
ARRIVING = (
    "latest_file",
    "file_of_the_day",
    "everything_there",
    "no_wait",
    "skips_what_is_missing",
    "poke_sensor",
    "short_timeout",
    "reschedule_sensor",
    "deferred_wait",
    "soft_sensor",
    "hard_sensor",
)

#: How upstream data change: orders are changed and taken back, and here they are only added, for a log has no more.
CORRECTIONS = {"order changed": "order_changed.sql", "order added": "order_added.sql"}
ONLY_ADDED = frozenset(
    {
        "conflict_on_natural_key",
        "conflict_on_uuid4",
        "conflict_on_uuid5",
        "log_deduplicated",
        "newest_wins",
        "last_writer_wins",
        "first_seen",
        "lookup_in_place",
        "no_upper_bound",
        "rows_one_by_one",
        "age_today",
        "age_at_interval_end",
    }
)


def correction_of(name: str) -> str:
    """Return what may happen to the data of a DAG."""
    return "order added" if name in ONLY_ADDED else "order changed"
