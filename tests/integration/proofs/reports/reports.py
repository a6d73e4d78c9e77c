"""DAGs as strangers have them: what is said of each, word for word, is in `test_reports.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, BaseHook, Param, dag, task

START = datetime(2026, 1, 1)


def run(*statements: str, ds: Any) -> None:
    """Run statements in one transaction, with the date as ``%(ds)s``."""
    PostgresHook("shop").run(list(statements), parameters={"ds": ds})


@dag(schedule="@daily", start_date=START, catchup=False)
def replaced():
    """Orders with ids of the database's own, and lines that refer to them."""

    @task
    def fetch():
        raise ConnectionError("nobody is there")

    @task
    def load(names, ds=None):
        rows = ", ".join(f"('{name}', %(ds)s)" for name in names)
        run(
            "DELETE FROM lines USING orders WHERE order_id = id AND dt = %(ds)s",
            "DELETE FROM orders WHERE dt = %(ds)s",
            f"INSERT INTO orders (what, dt) VALUES {rows}",
            "INSERT INTO lines SELECT id, 1 FROM orders WHERE dt = %(ds)s",
            ds=ds,
        )

    @task
    def notify():
        raise ConnectionError("nobody is there")

    load(fetch()) >> notify()


replaced()


@dag(schedule="@daily", start_date=START, catchup=False)
def noted():
    """Orders with ids of the database's own, and notes that have them without a foreign key."""

    @task
    def load(ds=None):
        run(
            "DELETE FROM notes WHERE dt = %(ds)s",
            "DELETE FROM orders WHERE dt = %(ds)s",
            "INSERT INTO orders (what, dt) VALUES ('shoe', %(ds)s), ('hat', %(ds)s)",
            "INSERT INTO notes SELECT id, dt FROM orders WHERE dt = %(ds)s",
            ds=ds,
        )

    load()


noted()


@dag(schedule="@daily", start_date=START, catchup=False)
def appended():
    """Rows that each run adds."""

    @task
    def load(ds=None):
        run("INSERT INTO orders (what, dt) VALUES ('shoe', %(ds)s)", ds=ds)

    load()


appended()


@dag(schedule="@daily", start_date=START, catchup=False)
def kept():
    """A version for each date, of which the latest is the current one, and a log of all runs."""

    @task
    def load(ds=None):
        run(
            "INSERT INTO loads VALUES (%(ds)s)",
            "INSERT INTO versions VALUES (1, %(ds)s) ON CONFLICT DO NOTHING",
            "UPDATE versions v SET valid_to = (SELECT min(dt) FROM versions n WHERE n.dt > v.dt) WHERE %(ds)s > ''",
            ds=ds,
        )

    load()


kept()


@dag(schedule="@daily", start_date=START, catchup=False)
def created():
    """A table that may be made just once."""

    @task
    def make(ds=None):
        run("CREATE TABLE made AS SELECT %(ds)s::date AS dt", ds=ds)

    make()


created()


@dag(schedule="@daily", start_date=START, catchup=False)
def nameless():
    """An operator whose task names no connection."""

    @task
    def load():
        BaseHook.get_connection(None)  # type: ignore[arg-type]  # what operators do whose task names none

    load()


nameless()


class MySqlHook(BaseHook):
    """As the provider's, which is not installed here."""

    conn_type = "mysql"

    def get_conn(self):
        """Ask for the connection."""
        return self.get_connection("shop_mysql")


@dag(schedule="@daily", start_date=START, catchup=False)
def of_mysql():
    """A connection of a kind that no world has."""

    @task
    def load():
        MySqlHook().get_conn()

    load()


of_mysql()


@dag(schedule=None, start_date=START, catchup=False, params={"region": Param(type="string")})
def without_param():
    """A param without a default."""

    @task
    def load():
        """Never come here."""

    load()


without_param()


@dag(schedule="@daily", start_date=START, catchup=False)
def asks():
    """A person has to say yes."""
    ApprovalOperator(task_id="approve", subject="go on?")


asks()

for dag_id in ("triggers_nobody", "triggers_nothing"):
    with DAG(dag_id, schedule="@daily", start_date=START, catchup=False) as made:
        TriggerDagRunOperator(task_id="start", trigger_dag_id="trigger_nobody")

        @task
        def load(ds=None):
            run("DELETE FROM orders WHERE dt = %(ds)s", "INSERT INTO orders (what, dt) VALUES ('x', %(ds)s)", ds=ds)

        load()
    globals()[dag_id] = made
