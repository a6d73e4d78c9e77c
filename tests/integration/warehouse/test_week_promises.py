"""What `weekly_full_pipeline` promises, seen by running it on a real PostgreSQL, with a real mail server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import psycopg.conninfo
import pytest

from dagproof.postgres.server import PostgresServer
from etl.storage import Storage
from etl.weekly.files import TABLES
from tests.support.object_store import StoredFile
from tests.support.runs import retried

pytestmark = [pytest.mark.one_server, pytest.mark.slow]

DAG = "weekly_full_pipeline"
DS, WEEK = "2026-02-01", "2026-01-31"  # Sunday, and the Saturday with which the week ends
STAGES = ["data_validation", "data_ingestion", "data_transformation", "quality_checks", "reporting", "completion"]

CUSTOMERS = ("1,Ada,ada@example.org,GB,2026-01-26", "2,Bo,bo@example.org,DE,2026-01-27")
PRODUCTS = ("1,Plain book,books,10.00", "2,Blue lamp,garden,20.50")
ORDERS = (
    "1,1,1,2026-01-26,delivered,2,10.00,0.00,20.00",
    "2,2,2,2026-01-28,delivered,1,20.50,0.50,20.00",
    "3,2,1,2026-01-31,returned,1,10.00,0.00,10.00",
)


class Week:
    """The DAG, a database, a folder of files to take in, and a mailbox."""

    def __init__(
        self, airflow: Any, database: psycopg.Connection[Any], env: dict[str, str], root: Path, storage: Storage
    ) -> None:
        self.airflow = airflow
        self.database = database
        self.root = root
        self.storage = storage
        self.env = env | {"SHOP_STORAGE": storage.url, "SHOP_SOURCE": f"{storage.url}/source/{{ds}}/{{table}}.csv"}
        for table, rows in {"customers": CUSTOMERS, "products": PRODUCTS, "orders": ORDERS}.items():
            self.put(table, *rows)

    def put(self, table: str, *rows: str, week: str = WEEK, end: str = "\n", where: str = "source") -> StoredFile:
        """Write a file of a week where it comes from, or somewhere else."""
        path = StoredFile(self.storage, f"{where}/{week}/{table}.csv")
        path.write_text("\n".join([",".join(TABLES[table]), *rows]) + end)
        return path

    def run(self, ds: str = DS, **request: Any) -> dict[str, Any]:
        """Run the DAG for a Sunday and return what happened."""
        env = self.env | request.pop("env", {})
        answer: dict[str, Any] = self.airflow.ask(dag=DAG, ds=ds, env=env, **request)
        return answer

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.database.execute(query).fetchall()

    def state(self) -> dict[str, Any]:
        """Return what a reader sees: tables, and the reports' bytes."""
        names = [*TABLES, *(f"raw_{table}" for table in TABLES), "raw_rejected", "shop_rejected"]
        tables = {name: sorted(self.rows(f"SELECT * FROM {name}"), key=str) for name in names}
        names = self.storage.names("reports")
        return tables | {name.rpartition("/")[2]: StoredFile(self.storage, name).read_bytes() for name in names}

    def ids(self, table: str) -> list[int]:
        """Return the keys of a base table."""
        return [key for (key,) in self.rows(f"SELECT {next(iter(TABLES[table]))} FROM {table} ORDER BY 1")]


@pytest.fixture
def week(
    airflow: Any, warehouse: psycopg.Connection[Any], kept: tuple[Storage, dict[str, str]], tmp_path: Path
) -> Week:
    """The files of one week, in a folder or where a test's parameter says."""
    storage, env = kept
    return Week(airflow, warehouse, env, tmp_path, storage)


in_both = pytest.mark.parametrize("kept", ["folder", "bucket"], indirect=True)


def ended(*states: str) -> dict[str, str]:
    """Return the states of the stages, the last one for all that are left."""
    return dict(zip(STAGES, [*states, *[states[-1]] * len(STAGES)], strict=False))


@in_both
def test_a_week_is_taken_in_and_reported(week: Week, mail: Any) -> None:
    """Once more gives the same rows and the same bytes; the report needs no network; the e-mail says where it is."""
    seen = week.run()
    assert seen["tasks"] == ended("success"), week.airflow.printed()
    state = week.state()
    assert [week.ids(table) for table in TABLES] == [[1, 2], [1, 2], [1, 2, 3]]
    facts = json.loads(state[f"{DS}.json"])
    assert (facts["first"], facts["last"], facts["orders"], facts["revenue"]) == ("2026-01-25", WEEK, 3, "40.00")
    assert [day["orders"] for day in facts["days"]] == [0, 1, 0, 1, 0, 0, 1]
    page = state[f"{DS}.html"].decode()
    assert page.count("<svg") == 2
    assert not [word for word in ("http", "src=", "<script", "<link") if word in page]
    (told,) = mail.texts()
    assert told.startswith(f"data@example.org | The shop's week up to {WEEK}: 40.00 | ")
    assert f"reports/weekly/{DS}.html" in told
    assert week.run()["state"] == "success"
    assert week.state() == state


def test_rows_that_cannot_be_are_rejected_with_the_reason(week: Week) -> None:
    """Malformed, dirty, orphaned and duplicated ones; each is counted once, and the rest is taken in."""
    week.put("customers", *CUSTOMERS, "x,Cy,cy@example.org,FR,2026-01-27", "4,Di,di at example,FR,2026-01-27")
    week.put("orders", *ORDERS, ORDERS[0], "5,9,1,2026-01-31,delivered,1,10.00,0.00,10.00", "6,1,1", "7,1,1" + ",," * 3)
    assert week.run(env={"SHOP_MAX_BAD_SHARE": "0.5"})["state"] == "success", week.airflow.printed()
    assert [week.ids(table) for table in TABLES] == [[1, 2], [1, 2], [1, 2, 3]]
    assert week.rows("SELECT table_name, line, reason, raw FROM raw_rejected ORDER BY 1, 2") == [
        ("customers", 4, "customer_id 'x' is not what it should be", "x,Cy,cy@example.org,FR,2026-01-27"),
        ("orders", 7, "3 fields where the header has 9", "6,1,1"),
    ]
    assert week.rows("SELECT table_name, line, reason, key FROM shop_rejected ORDER BY 1, 2") == [
        ("customers", 5, "email is no address", "4"),
        ("orders", 2, "there twice", "1"),
        ("orders", 6, "customer is not known", "5"),
        ("orders", 8, "order_date is missing", "7"),
    ]


def test_too_many_rejected_rows_fail_at_once(week: Week, mail: Any) -> None:
    """After they were moved; nothing is reported, and the e-mail names the most frequent reason."""
    week.put("orders", *(order.replace("returned", "lost") for order in ORDERS))
    seen = week.run()
    assert seen["tasks"] == ended("success", "success", "success", "failed", "upstream_failed")
    assert not retried(seen)
    (told,) = mail.texts()
    assert "1 of the 7 rows of the week up to 2026-01-31 are rejected" in told
    assert "most often in orders: status is not known (1)" in told
    assert week.storage.names("reports") == []


def test_a_late_file_is_waited_for(week: Week) -> None:
    """Nothing is landed meanwhile."""
    place = StoredFile(week.storage, f"source/{WEEK}/orders.csv").path
    late = place.rename(week.root / "late")
    seen = week.run(late=90, arrives=[str(late), str(place)], count="SELECT count(*) FROM raw_customers")
    assert seen["tasks"] == ended("success"), week.airflow.printed()
    assert retried(seen) == {"data_validation"}
    assert seen["counts_while_waiting"] == [0]


@pytest.mark.parametrize(
    ("kept", "fault"),
    [("bucket", "missing"), *(("folder", fault) for fault in ("missing", "cut", "empty", "other header"))],
    indirect=["kept"],
)
def test_a_file_that_is_bad_as_a_whole_changes_nothing(week: Week, mail: Any, fault: str) -> None:
    """One sentence names it; what cannot get better fails at once. The right file in the inbox heals it."""
    week.run()
    state = week.state()
    week.put("customers")
    path = week.put("orders", *ORDERS, end="" if fault == "cut" else "\n")
    if fault == "missing":
        path.unlink()
    elif fault != "cut":
        path.write_text("" if fault == "empty" else "id,total\n1,2\n")
    seen = week.run()
    assert seen["tasks"] == ended("failed", "upstream_failed")
    assert retried(seen) == ({"data_validation"} if fault == "missing" else set())
    assert {
        "missing": "orders.csv is not there."
        if week.storage.url.startswith("s3:")
        else "orders.csv cannot be read: No such file or directory.",
        "cut": "2026-01-31/orders.csv is truncated: its last line, 4, has no line end.",
        "empty": "2026-01-31/orders.csv is empty: it holds no bytes.",
        "other header": "2026-01-31/orders.csv has the wrong header &#39;id,total&#39;; expected order_id,customer_id,",
    }[fault] in mail.texts()[1]
    assert week.state() == state
    for table, rows in {"customers": CUSTOMERS, "orders": ORDERS[:1]}.items():
        week.put(table, *rows, where="inbox/shop")
    assert week.run()["state"] == "success"
    assert week.ids("orders") == [1]


def test_a_customer_who_comes_later_brings_the_orders_along(week: Week) -> None:
    """What an earlier week's report says then is written anew; and a corrected week leaves nothing of the old one."""
    week.put("customers", CUSTOMERS[0])
    assert week.run(env={"SHOP_MAX_BAD_SHARE": "0.5"})["state"] == "success"
    assert week.ids("orders") == [1]
    week.put("customers", CUSTOMERS[1], week="2026-02-07")
    week.put("products", "1,Plain book,books,11.00", week="2026-02-07")
    week.put("orders", week="2026-02-07")
    assert week.run("2026-02-08")["state"] == "success", week.airflow.printed()
    assert week.ids("orders") == [1, 2, 3]
    assert json.loads(week.state()[f"{DS}.json"])["revenue"] == "40.00"
    assert week.rows("SELECT reason, key FROM shop_rejected") == [("replaced on a later day", "1")]
    assert week.rows("SELECT price::text FROM products WHERE product_id = 1") == [("11.00",)]
    week.put("customers", *CUSTOMERS)
    week.put("orders", *ORDERS[1:])
    assert week.run()["state"] == "success"
    assert week.ids("orders") == [2, 3]


def test_a_connection_that_breaks_in_the_middle_is_healed_by_the_retry(week: Week) -> None:
    """Once within the COPY into the raw tables, and once when the base tables are written: a reader sees none of it."""
    week.run()
    week.database.execute(BREAK_ONCE)
    week.put("orders", *ORDERS, "4,1,1,2026-01-30,shipped,1,10.00,0.00,10.00")
    seen = week.run(sabotage="terminate", count="SELECT count(*) FROM orders")
    assert seen["tasks"] == ended("success"), week.airflow.printed()
    assert retried(seen) == {"data_ingestion", "data_transformation"}
    assert seen["counts_while_waiting"] == [3]
    assert week.ids("orders") == [1, 2, 3, 4]


BREAK_ONCE = """
    CREATE SEQUENCE broken;
    CREATE FUNCTION break_once() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF nextval('broken') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$;
    CREATE TRIGGER break_once AFTER INSERT ON shop_rejected EXECUTE FUNCTION break_once();
"""


def test_a_database_that_restarts_in_the_middle_loses_nothing(week: Week, postgres_server: PostgresServer) -> None:
    """It breaks down in the middle of the COPY, and is back when the stage is tried again."""
    if postgres_server.kind != "embedded":
        pytest.skip("only a server on this machine can be made to break down")
    week.run()
    week.put("orders", *ORDERS, "4,1,1,2026-01-30,shipped,1,10.00,0.00,10.00")
    seen = week.run(sabotage="restart", count="SELECT count(*) FROM orders")
    assert seen["tasks"] == ended("success"), week.airflow.printed()
    assert retried(seen) == {"data_ingestion"}
    assert seen["counts_while_waiting"] == [3]
    with psycopg.connect(week.env["DATABASE"]) as again:
        assert again.execute("SELECT count(*) FROM orders").fetchone() == (4,)


def test_a_full_disk_leaves_the_last_stage_and_the_next_run_heals_it(week: Week, mail: Any) -> None:
    """What has landed is there, the base tables are as they were, and the e-mail says it."""
    week.run()
    before = week.state()
    week.database.execute(FULL_DISK)
    week.put("orders", *ORDERS, "4,1,1,2026-01-30,shipped,1,10.00,0.00,10.00")
    seen = week.run()
    assert seen["tasks"] == ended("success", "success", "failed", "upstream_failed")
    assert retried(seen) == {"data_transformation"}
    assert "No space left on device" in mail.texts()[1]
    after = week.state()
    assert len(after["raw_orders"]) == 4
    assert {name: after[name] for name in after if name != "raw_orders"} == {
        name: before[name] for name in before if name != "raw_orders"
    }
    week.database.execute("DROP TRIGGER full_disk ON orders")
    for table in TABLES:
        week.put(table, week="2026-02-07")
    assert week.run("2026-02-08")["state"] == "success"
    assert week.ids("orders") == [1, 2, 3, 4]
    assert json.loads(week.state()[f"{DS}.json"])["orders"] == 4


FULL_DISK = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON orders EXECUTE FUNCTION full_disk();
"""


def test_a_full_disk_where_files_land_is_healed_by_the_retry(week: Week) -> None:
    """The second file finds no room: nothing is loaded until all three have landed."""
    seen = week.run(
        sabotage="full", sabotaged="etl.storage.folder.atomic_write", count="SELECT count(*) FROM raw_customers"
    )
    assert seen["tasks"] == ended("success"), week.airflow.printed()
    assert retried(seen) == {"data_ingestion"}
    assert seen["counts_while_waiting"] == [0]
    assert "No space left on device" in week.airflow.printed()


def test_a_mail_server_that_is_away_costs_the_email_and_nothing_else(week: Week, mail: Any) -> None:
    """It is tried again, then `completion` fails; the report is there. Where nobody is named, nobody is told."""
    mail.close()
    seen = week.run()
    assert seen["tasks"] == ended("success", "success", "success", "success", "success", "failed")
    assert retried(seen) == {"completion"}
    assert "Connection refused" in week.airflow.printed()
    assert f"{DS}.html" in week.state()
    assert week.run(env={"AIRFLOW_VAR_ALERT_EMAIL": ""})["state"] == "success"
    assert "No e-mail was sent: the Airflow variable alert_email is not set." in week.airflow.printed()
