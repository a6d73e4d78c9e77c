"""What `refresh_aggregations` promises, seen by running it on a real PostgreSQL, with a real mail server."""

from __future__ import annotations

from typing import Any

import psycopg
import psycopg.conninfo
import pytest

from dagproof.postgres.server import PostgresServer
from etl.aggregates import SUMMARIES
from etl.shop.load import load_shop
from etl.shop.size import Shop
from tests.support.runs import retried

pytestmark = [pytest.mark.one_server, pytest.mark.slow]

DAG = "refresh_aggregations"
SHOP = Shop(40, 12, 150)
REFRESHES = [f"refresh_{name}" for name in SUMMARIES]


class Aggregates:
    """The DAG, a database with a small shop in it, and a mailbox."""

    def __init__(self, airflow: Any, database: psycopg.Connection[Any], env: dict[str, str], mail: Any) -> None:
        self.airflow = airflow
        self.database = database
        self.mail = mail
        info = database.info
        self.env = env | {"DATABASE": psycopg.conninfo.make_conninfo(info.dsn, password=info.password)}
        load_shop(database, SHOP)

    def run(self, ds: str = "2026-02-01", **request: Any) -> dict[str, Any]:
        """Run the DAG for a date and return what happened."""
        answer: dict[str, Any] = self.airflow.ask(dag=DAG, ds=ds, env=self.env, **request)
        return answer

    def summaries(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return what a reader sees."""
        return {name: self.database.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in SUMMARIES}


@pytest.fixture
def aggregates(airflow: Any, warehouse: psycopg.Connection[Any], postgres_default: str, mail: Any) -> Aggregates:
    """A small shop."""
    return Aggregates(airflow, warehouse, {"AIRFLOW_CONN_POSTGRES_DEFAULT": postgres_default, **mail.env()}, mail)


def test_any_date_gives_the_same_summaries(aggregates: Aggregates) -> None:
    """Once more, earlier or later: they are about all orders; late and corrected ones are in the next run's."""
    assert aggregates.run()["state"] == "success", aggregates.airflow.printed()
    rows = aggregates.summaries()
    assert all(rows.values())
    for ds in ("2026-02-01", "2026-01-01", "2027-12-31"):
        assert aggregates.run(ds)["state"] == "success"
        assert aggregates.summaries() == rows
    aggregates.database.execute("UPDATE orders SET total = 0, discount = quantity * unit_price WHERE order_id = 3")
    assert aggregates.run()["state"] == "success"
    assert aggregates.summaries() != rows
    assert aggregates.mail.texts() == []


def test_a_difference_fails_at_once_and_an_email_names_it(aggregates: Aggregates) -> None:
    """Here because every refresh of daily_sales is falsified by a cent."""
    aggregates.database.execute(SPOILER)
    seen = aggregates.run()
    assert seen["tasks"] == dict.fromkeys(REFRESHES, "success") | {"verify_aggregations": "failed"}
    assert not retried(seen)
    (mail,) = aggregates.mail.texts()
    assert "The summaries are not those of the orders: daily_sales in 1 rows, first at day 2025-12-20: " in mail


SPOILER = """
    CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.day = '2025-12-20' THEN NEW.revenue = NEW.revenue + 0.01; END IF; RETURN NEW; END $$;
    CREATE TRIGGER spoil BEFORE INSERT ON daily_sales FOR EACH ROW EXECUTE FUNCTION spoil();
"""


def test_a_missing_table_fails_its_refresh_and_no_other(aggregates: Aggregates) -> None:
    """At once; the others have their rows, and nothing is verified."""
    aggregates.database.execute("ALTER TABLE product_summary RENAME TO elsewhere")
    seen = aggregates.run()
    assert seen["tasks"] == dict.fromkeys(REFRESHES, "success") | {
        "refresh_product_summary": "failed",
        "verify_aggregations": "upstream_failed",
    }
    assert not retried(seen)
    assert 'relation "product_summary" does not exist' in aggregates.mail.texts()[0].replace("&#34;", '"')


def test_without_orders_it_is_tried_again_and_the_old_rows_stay(aggregates: Aggregates) -> None:
    """An e-mail for each summary that could not be made."""
    aggregates.run()
    rows = aggregates.summaries()
    aggregates.database.execute("TRUNCATE orders")
    seen = aggregates.run()
    assert set(seen["tasks"].values()) == {"failed", "upstream_failed"}
    assert retried(seen)
    assert len(aggregates.mail.texts()) == 4
    assert aggregates.summaries() == rows


def test_a_connection_that_breaks_in_the_middle_shows_nothing_and_the_retry_heals(aggregates: Aggregates) -> None:
    """The server ends the first refresh of customer_summary after its rows were deleted."""
    aggregates.run()
    rows = aggregates.summaries()
    aggregates.database.execute(BREAK_ONCE)
    seen = aggregates.run()
    assert seen["state"] == "success", aggregates.airflow.printed()
    assert any(states["refresh_customer_summary"] == "up_for_retry" for states in seen["states_while_waiting"])
    assert aggregates.database.execute("SELECT last_value FROM broken").fetchone() == (2,)
    assert aggregates.summaries() == rows


# A sequence remembers, whatever becomes of the transaction.
BREAK_ONCE = """
    CREATE SEQUENCE broken;
    CREATE FUNCTION break_once() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF nextval('broken') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$;
    CREATE TRIGGER break_once AFTER DELETE ON customer_summary EXECUTE FUNCTION break_once();
"""


def test_a_database_that_restarts_in_the_middle_loses_nothing(
    aggregates: Aggregates, postgres_server: PostgresServer
) -> None:
    """It breaks down before the old rows of a summary are deleted, and is back when that is tried again."""
    if postgres_server.kind != "embedded":
        pytest.skip("only a server on this machine can be made to break down")
    aggregates.run()
    rows = aggregates.summaries()
    seen = aggregates.run(sabotage="restart", sabotaged="psycopg.sql.Identifier", count=COUNT)
    assert seen["state"] == "success", aggregates.airflow.printed()
    assert retried(seen)
    assert seen["counts_while_waiting"] == [sum(map(len, rows.values()))]
    with psycopg.connect(aggregates.env["DATABASE"]) as again:
        assert again.execute(COUNT).fetchone() == (sum(map(len, rows.values())),)


COUNT = "SELECT " + " + ".join(f"(SELECT count(*) FROM {name})" for name in SUMMARIES)


def test_a_full_disk_shows_nothing_and_a_mail_server_that_is_away_changes_nothing(aggregates: Aggregates) -> None:
    """The old rows stay whole, the refresh is tried again, and the log says that no e-mail went out."""
    aggregates.run()
    rows = aggregates.summaries()
    aggregates.database.execute(FULL_DISK)
    aggregates.mail.close()
    seen = aggregates.run()
    assert seen["tasks"]["refresh_monthly_sales"] == "failed"
    assert retried(seen)
    assert "No space left on device" in aggregates.airflow.printed()
    assert "Failed to run task callback" in aggregates.airflow.printed()
    assert aggregates.summaries() == rows


FULL_DISK = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON monthly_sales EXECUTE FUNCTION full_disk();
"""
