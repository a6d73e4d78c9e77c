"""What `daily_quality_check` promises, seen by running it on a real PostgreSQL, with a real mail server."""

from __future__ import annotations

from typing import Any

import psycopg
import psycopg.conninfo
import pytest

from dagproof.postgres.server import PostgresServer
from etl.shop.load import load_shop
from etl.shop.size import Shop
from tests.support.runs import retried

pytestmark = [pytest.mark.one_server, pytest.mark.slow]

DAG = "daily_quality_check"
DS = "2026-02-01"  # it looks at the day before
CHECKS = ("check_data_completeness", "check_data_validity", "check_data_consistency")
MINUTE = 60


class Quality:
    """The DAG, a database with a small shop in it, and a mailbox."""

    def __init__(self, airflow: Any, database: psycopg.Connection[Any], env: dict[str, str], mail: Any) -> None:
        self.airflow = airflow
        self.database = database
        self.mail = mail
        self.env = env
        load_shop(database, Shop(40, 12, 150, dirt=0.05))

    def run(self, ds: str = DS, **request: Any) -> dict[str, Any]:
        """Run the DAG for a date and return what happened."""
        env = self.env | request.pop("env", {})
        answer: dict[str, Any] = self.airflow.ask(dag=DAG, ds=ds, env=env, **request)
        return answer

    def stored(self) -> list[tuple[Any, ...]]:
        """Return what a reader sees of all days."""
        query = "SELECT * FROM quality_results JOIN quality_scores USING (dt) ORDER BY dt, check_name"
        return self.database.execute(query).fetchall()


@pytest.fixture
def quality(airflow: Any, warehouse: psycopg.Connection[Any], postgres_default: str, mail: Any) -> Quality:
    """A small shop with some dirt."""
    info = warehouse.info
    database = psycopg.conninfo.make_conninfo(info.dsn, password=info.password)
    env = {"AIRFLOW_CONN_POSTGRES_DEFAULT": postgres_default, "DATABASE": database, **mail.env()}
    return Quality(airflow, warehouse, env, mail)


def test_a_day_is_scored(quality: Quality) -> None:
    """Once more gives the same rows, another day adds its own, and nobody gets an e-mail."""
    assert quality.run()["state"] == "success", quality.airflow.printed()
    assert "The data up to 2026-01-31 scores" in quality.airflow.printed()
    rows = quality.stored()
    assert {str(row[0]) for row in rows} == {"2026-01-31"}
    assert quality.run()["state"] == "success"
    assert quality.stored() == rows
    quality.run("2026-03-01")
    assert quality.stored()[: len(rows)] == rows
    assert len(quality.stored()) == 2 * len(rows)
    assert quality.mail.texts() == []


def test_a_low_score_fails_at_once_and_an_email_says_why(quality: Quality) -> None:
    """Its results are there, and one e-mail with the sentence."""
    seen = quality.run(env={"QUALITY_MIN_SCORE": "100"})
    assert seen["tasks"] == {"validate_data_schema": "success"} | dict.fromkeys(CHECKS, "success") | {
        "calculate_quality_score": "failed"
    }
    assert not retried(seen)
    (mail,) = quality.mail.texts()
    assert mail.startswith("data@example.org | daily_quality_check: calculate_quality_score failed for ")
    assert "less than the 100 of QUALITY_MIN_SCORE; worst is " in mail
    assert len(quality.stored()) > 30


def test_a_table_that_is_not_as_needed_fails_at_once(quality: Quality) -> None:
    """Nothing after it runs, the stored results stay."""
    quality.run()
    rows = quality.stored()
    quality.database.execute("ALTER TABLE raw_orders RENAME total TO sum")
    seen = quality.run()
    assert seen["tasks"]["validate_data_schema"] == "failed"
    assert {seen["tasks"][task] for task in (*CHECKS, "calculate_quality_score")} == {"upstream_failed"}
    assert not retried(seen)
    assert [mail.split("<p>")[1][:80] for mail in quality.mail.texts()] == [
        "The raw tables are not as the checks need them: raw_orders.total is missing.</p>"
    ]
    assert quality.stored() == rows


def test_a_table_in_which_nothing_has_landed_is_looked_at_again(quality: Quality) -> None:
    """Between the attempts there is more and more time; then it fails with the sentence."""
    quality.database.execute("DELETE FROM raw_products")
    seen = quality.run()
    assert {seen["tasks"][task] for task in CHECKS} == {"failed"}
    assert retried(seen)
    assert seen["waited"] >= 4 * MINUTE
    assert len(quality.mail.texts()) == 3
    assert all("Nothing has landed in raw_products up to 2026-01-31 yet." in mail for mail in quality.mail.texts())
    assert quality.stored() == []


def test_a_day_that_was_corrected_is_scored_anew(quality: Quality) -> None:
    """Running it again leaves what a fresh run on the corrected data would, and other days as they were."""
    quality.run("2026-01-01")
    other = quality.stored()
    quality.run()
    quality.database.execute("UPDATE raw_orders SET total = 0 WHERE dt = '2026-01-31'")
    quality.run()
    corrected = quality.stored()
    quality.database.execute("DELETE FROM quality_results; DELETE FROM quality_scores")
    quality.run("2026-01-01")
    quality.run()
    assert quality.stored() == corrected
    assert corrected[: len(other)] == other


def test_a_broken_connection_shows_nothing_and_the_retry_stores(quality: Quality) -> None:
    """In the middle of the COPY; between the attempts a reader sees the old rows."""
    quality.run()
    rows = quality.stored()
    quality.database.execute("DELETE FROM raw_orders WHERE dt = '2026-01-31'")
    seen = quality.run(sabotage="terminate", count="SELECT max(rows) FROM quality_results")
    assert seen["state"] == "success", quality.airflow.printed()
    assert retried(seen)
    assert seen["counts_while_waiting"] == [max(row[5] for row in rows)]
    assert quality.stored() != rows


def test_a_database_that_restarts_in_the_middle_loses_nothing(
    quality: Quality, postgres_server: PostgresServer
) -> None:
    """It breaks down in the middle of the COPY, and is back when the task is tried again."""
    if postgres_server.kind != "embedded":
        pytest.skip("only a server on this machine can be made to break down")
    seen = quality.run(sabotage="restart", count="SELECT count(*) FROM quality_results")
    assert seen["state"] == "success", quality.airflow.printed()
    assert retried(seen)
    assert seen["counts_while_waiting"] == [0]
    with psycopg.connect(quality.env["DATABASE"]) as again:
        assert again.execute("SELECT count(*) FROM quality_scores").fetchone() == (1,)


def test_a_full_disk_shows_nothing(quality: Quality) -> None:
    """The old results stay whole, the task is tried again, and the e-mail says it."""
    quality.run()
    rows = quality.stored()
    quality.database.execute(FULL_DISK)
    seen = quality.run()
    assert seen["tasks"]["calculate_quality_score"] == "failed"
    assert retried(seen)
    assert seen["waited"] >= 4 * MINUTE
    assert "could not extend file" in quality.mail.texts()[0]
    assert quality.stored() == rows


FULL_DISK = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON quality_scores EXECUTE FUNCTION full_disk();
"""


def test_a_mail_server_that_is_away_changes_nothing_else(quality: Quality) -> None:
    """The task fails as it would have, the results are stored, and the log says that no e-mail went out."""
    quality.mail.close()
    seen = quality.run(env={"QUALITY_MIN_SCORE": "100"})
    assert seen["tasks"]["calculate_quality_score"] == "failed"
    assert len(quality.stored()) > 30
    assert "Failed to run task callback" in quality.airflow.printed()
    assert "less than the 100 of QUALITY_MIN_SCORE" in quality.airflow.printed()
