"""DAGs that fail, skip or write what nobody compares: what their verdicts must say is in `test_left_out.py`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, TriggerRule, Variable, task, teardown
from airflow.sdk.exceptions import AirflowSkipException

SETTINGS: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "catchup": False,
    "default_args": {"retries": 0, "retry_delay": timedelta(minutes=5)},
}


def replace(table: str, ds: str, number: int = 2) -> None:
    """Load some rows of a date in one transaction."""
    PostgresHook("shop").run(
        [
            f"DELETE FROM {table} WHERE dt = %(ds)s",
            f"INSERT INTO {table} SELECT n, %(ds)s FROM generate_series(1, {number}) n",
        ],
        parameters={"ds": ds},
    )


@task
def load(ds: Any = None) -> None:
    """Load rows."""
    replace("orders", ds)


@task
def refuse(ds: Any = None) -> None:
    """Fail on each date."""
    raise LookupError(f"there is no order of {ds}")


@task(trigger_rule=TriggerRule.ALL_DONE)
def audit(ds: Any = None) -> None:
    """Come last, whatever happened."""
    replace("audit", ds, 1)


def dag(**more: Any) -> Callable[[Callable[[], object]], DAG]:
    """Make a DAG of a function, with its name."""

    def make(body: Callable[[], object]) -> DAG:
        with DAG(body.__name__, schedule="@daily", **SETTINGS, **more) as made:
            body()
        return made

    return make


# --- a task fails


@dag()
def green_all_done() -> None:
    load() >> refuse() >> audit()


@dag()
def green_second_date() -> None:
    @task
    def load_some(ds: Any = None) -> None:
        if ds != "2026-01-01":
            raise LookupError(f"there is no order of {ds}")
        replace("orders", ds)

    load_some() >> audit()


@dag()
def green_mapped() -> None:
    @task
    def load_part(part: int, ds: Any = None) -> None:
        if part == 2:
            raise ValueError(f"part {part} of {ds} is broken")
        replace(f"part_{part}", ds)

    load_part.expand(part=[1, 2]) >> audit()


@dag()
def green_teardown() -> None:
    @teardown
    def stop() -> None:
        raise ConnectionError("nobody is there to stop")

    load() >> stop()


@dag()
def green_rerun() -> None:
    @task
    def load_once(ds: Any = None) -> None:
        PostgresHook("shop").run("INSERT INTO once VALUES (%s)", parameters=[ds])

    load_once() >> audit()


@dag()
def green_upstream() -> None:
    @task
    def publish(ds: Any = None) -> None:
        replace("orders", ds)

    refuse() >> publish() >> audit()


@dag()
def green_below() -> None:
    refuse() >> audit()


@dag()
def green_trigger() -> None:
    TriggerDagRunOperator(task_id="trigger", trigger_dag_id="green_below") >> load()


@dag()
def second_try() -> None:
    @task(retries=1)
    def load_at_last(ds: Any = None, ti: Any = None) -> None:
        if ti.try_number == 1:
            raise TimeoutError("the shop is busy")
        replace("orders", ds)

    load_at_last() >> audit()


@dag()
def may_fail_at_the_end() -> None:
    @task
    def notify(ds: Any = None) -> None:
        raise ConnectionError("no chat here")

    load() >> notify()


@dag()
def may_fail_by_pattern() -> None:
    @task
    def notify_shop(ds: Any = None) -> None:
        raise ConnectionError("no chat here")

    @task
    def notify_again(ds: Any = None) -> None:
        """Does not even run."""

    load() >> notify_shop() >> notify_again()


@dag()
def teardown_that_works() -> None:
    @teardown
    def stop() -> None:
        """Nothing to do."""

    load() >> stop()


def complain(context: Any) -> None:
    """Fail, as a callback."""
    raise ConnectionError("no chat here")


@dag(on_success_callback=complain)
def callbacks_fail() -> None:
    @task(on_success_callback=[complain])
    def load_part(part: int, ds: Any = None) -> None:
        replace(f"part_{part}", ds)

    load_part.expand(part=[1, 2])


# --- a task never runs


@dag()
def join_skipped() -> None:
    @task.branch
    def choose() -> str:
        return "load"

    @task
    def other(ds: Any = None) -> None:
        replace("orders", ds, 3)

    @task
    def publish(ds: Any = None) -> None:
        replace("audit", ds)

    choose() >> [load(), other()] >> publish()


@dag()
def join_min_one() -> None:
    @task.branch
    def choose() -> str:
        return "load"

    @task
    def other(ds: Any = None) -> None:
        replace("orders", ds, 3)

    choose() >> [load(), other()] >> audit()


@dag()
def mapped_over_nothing() -> None:
    @task
    def parts() -> list[int]:
        return []

    @task
    def load_part(part: int, ds: Any = None) -> None:
        replace(f"part_{part}", ds)

    load() >> load_part.expand(part=parts())


@dag()
def cut_short() -> None:
    @task.short_circuit
    def is_monday(ds: Any = None) -> bool:
        return False

    @task
    def publish(ds: Any = None) -> None:
        replace("audit", ds)

    load() >> is_monday() >> publish()


@dag()
def skips_itself() -> None:
    @task
    def publish(ds: Any = None) -> None:
        raise AirflowSkipException("nobody wants it")

    load() >> publish()


# --- what is written is not compared


@task
def append(ds: Any = None) -> None:
    """Add a row with each run."""
    PostgresHook("shop").run("INSERT INTO loads VALUES (%s)", parameters=[ds])


@task
def append_file(ds: Any = None) -> None:
    """Add a line with each run."""
    path = Path(os.environ["DATA_ROOT"], "reports", f"{ds}.txt")
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(f"{ds}\n")


@dag()
def appends_ignored() -> None:
    append()


@dag()
def appends_exempt() -> None:
    append()


@dag()
def appends_files_ignored() -> None:
    append_file()


@dag()
def appends_beside() -> None:
    load() >> append()


@dag()
def columns_ignored() -> None:
    load()


@dag()
def variable_alone() -> None:
    @task
    def note(ds: Any = None) -> None:
        Variable.set("last", f"{Variable.get('last', default='')} {ds}")

    note()


@dag()
def variable_beside() -> None:
    @task
    def note(ds: Any = None) -> None:
        Variable.set("last", f"{Variable.get('last', default='')} {ds}")

    load() >> note()


@dag(max_active_runs=1)
def one_at_a_time() -> None:
    load()


@dag()
def asks_again() -> None:
    @task
    def load_alone(ds: Any = None) -> None:
        with PostgresHook("shop").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(1)")
            while not cursor.fetchone()[0]:
                time.sleep(0.1)
                cursor.execute("SELECT pg_try_advisory_xact_lock(1)")
            cursor.execute("DELETE FROM orders WHERE dt = %s", (ds,))
            cursor.execute("INSERT INTO orders VALUES (1, %s)", (ds,))

    load_alone()


@dag()
def healthy() -> None:
    load()
