"""What the DAGs promise when things go wrong, seen by running them on a real PostgreSQL."""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import psycopg.conninfo
import pytest

PRODUCER, CONSUMER = "producer_users_daily", "consumer_users_daily"
DS = "2026-01-01"
MINUTE = 60


class Warehouse:
    """The DAGs, the database and the data folder of one test."""

    def __init__(self, airflow: Any, database: psycopg.Connection[Any], connection: str, folder: Path) -> None:
        self.airflow = airflow
        self.database = database
        self.data = folder / "data"
        self.raw = self.data / "raw" / "users" / DS / "users.csv"
        info = database.info
        self.env = {
            "DATA_ROOT": str(self.data),
            "DATABASE": psycopg.conninfo.make_conninfo(info.dsn, password=info.password),
            "AIRFLOW_CONN_FS_DEFAULT": json.dumps({"conn_type": "fs", "extra": {"path": str(self.data)}}),
            "AIRFLOW_CONN_POSTGRES_DEFAULT": connection,
        }

    def run(self, dag: str, source: str = "generator:50", airflow: Any = None, **request: Any) -> dict[str, Any]:
        """Run a DAG for the date and return what happened."""
        env = {**self.env, "USERS_SOURCE": source}
        answer: dict[str, Any] = (airflow or self.airflow).ask(dag=dag, ds=DS, env=env, **request)
        return answer

    def load(self, source: str = "generator:50") -> list[tuple[Any, ...]]:
        """Run both DAGs, which must succeed, and return the rows."""
        assert self.run(PRODUCER, source)["state"] == "success", self.airflow.printed()
        assert self.run(CONSUMER)["state"] == "success", self.airflow.printed()
        return self.rows()

    def rows(self) -> list[tuple[Any, ...]]:
        """Return what a reader sees in `users_daily`."""
        return self.database.execute("SELECT * FROM users_daily ORDER BY dt, id").fetchall()


@pytest.fixture
def house(airflow: Any, warehouse: psycopg.Connection[Any], postgres_default: str, tmp_path: Path) -> Warehouse:
    """An empty warehouse."""
    return Warehouse(airflow, warehouse, postgres_default, tmp_path)


def users_file(folder: Path, *lines: str) -> str:
    """Write a users file and return its path as a source."""
    path = folder / "source.csv"
    path.write_text("\n".join(["id,name", *lines, ""]), encoding="utf-8")
    return str(path)


def test_a_day_goes_from_its_source_into_the_database(house: Warehouse) -> None:
    """And running both DAGs again leaves the same rows."""
    rows = house.load()
    assert len(rows) == 50
    assert {row[-1] for row in rows} == {datetime.date(2026, 1, 1)}
    assert house.load() == rows


def test_malformed_rows_are_kept_aside(house: Warehouse, tmp_path: Path) -> None:
    """With file, line, reason and raw text; a corrected file clears them."""
    good = [f"{i},Ada" for i in range(20)]
    assert len(house.load(users_file(tmp_path, "x,Bob", *good))) == 20
    rejected = house.database.execute("SELECT file, line, reason, raw, dt::text FROM users_rejected").fetchall()
    assert rejected == [(f"raw/users/{DS}/users.csv", 2, "id 'x' is not an integer", "x,Bob", DS)]
    assert len(house.load(users_file(tmp_path, "99,Bob", *good))) == 21
    assert house.database.execute("SELECT count(*) FROM users_rejected").fetchone() == (0,)


def test_late_upstream_is_waited_for_without_a_slot(house: Warehouse) -> None:
    """While it waits no task runs; then it loads."""
    house.run(PRODUCER)
    held = house.raw.with_name("held.csv")
    house.raw.rename(held)
    seen = house.run(
        CONSUMER, producer_state="running", late=50 * MINUTE, arrives=[str(held), str(house.raw)], count=COUNT
    )
    assert seen["state"] == "success", house.airflow.printed()
    waiting = dict.fromkeys(("wait_for_file", "transform_users", "load_users")) | {
        "wait_for_producer": "up_for_reschedule"
    }
    assert seen["states_while_waiting"] == [waiting]
    assert seen["counts_while_waiting"] == [0]
    assert 50 * MINUTE <= seen["waited"] <= 60 * MINUTE
    assert all(gap >= 5 for gap in seen["reschedules"]["wait_for_producer"])
    assert len(seen["reschedules"]["wait_for_producer"]) >= 8
    assert len(house.rows()) == 50


def test_missing_file_is_looked_for_sparingly_and_then_a_clear_timeout(house: Warehouse) -> None:
    """Less and less often for an hour; nothing after it runs."""
    house.run(PRODUCER)
    house.raw.unlink()
    seen = house.run(CONSUMER)
    assert seen["tasks"] == {
        "wait_for_producer": "success",
        "wait_for_file": "failed",
        "transform_users": "upstream_failed",
        "load_users": "upstream_failed",
    }
    gaps = seen["reschedules"]["wait_for_file"]
    assert 3 <= len(gaps) <= 9
    assert gaps[-2] > 3 * gaps[0]
    assert all("running" not in states.values() for states in seen["states_while_waiting"])
    assert 60 * MINUTE <= seen["waited"] <= 80 * MINUTE
    assert "Sensor has timed out" in house.airflow.printed()
    assert house.rows() == []


def test_failed_producer_fails_the_consumer_at_once(house: Warehouse, tmp_path: Path) -> None:
    """At its first look, and the table keeps its rows."""
    rows = house.load()
    assert house.run(PRODUCER, "generatr")["state"] == "failed"
    assert "USERS_SOURCE='generatr' must be" in house.airflow.printed()
    seen = house.run(CONSUMER)
    assert seen["tasks"]["wait_for_producer"] == "failed"
    assert seen["tasks"]["load_users"] == "upstream_failed"
    assert seen["reschedules"] == {}
    assert house.rows() == rows


def test_unavailable_source_is_tried_again(house: Warehouse, tmp_path: Path) -> None:
    """With growing pauses, until the retries are used up."""
    seen = house.run(PRODUCER, str(tmp_path / "nothing"))
    assert seen["tasks"] == {"write_users": "failed"}
    assert 4 * MINUTE <= seen["waited"] <= 40 * MINUTE
    assert house.airflow.printed().count("nothing cannot be copied: No such file or directory.") >= 4


def test_bad_file_fails_at_once_and_the_old_rows_stay(house: Warehouse, tmp_path: Path) -> None:
    """One sentence, no retry, nothing loaded."""
    rows = house.load()
    source = tmp_path / "source.csv"
    source.write_bytes(b"id,name\n1,Ada\n2,Bo")
    house.run(PRODUCER, str(source))
    seen = house.run(CONSUMER)
    assert seen["tasks"]["transform_users"] == "failed"
    assert seen["waited"] == 0
    assert f"raw/users/{DS}/users.csv is truncated: its last line, 3, has no line end." in house.airflow.printed()
    assert house.rows() == rows


def test_duplicate_key_is_refused_and_the_old_rows_stay(house: Warehouse, tmp_path: Path) -> None:
    """The database says which key; nobody tries again."""
    rows = house.load()
    house.run(PRODUCER, users_file(tmp_path, "7,Ada", "8,Bob", "7,Ada again"))
    seen = house.run(CONSUMER)
    assert seen["tasks"]["load_users"] == "failed"
    assert seen["waited"] == 0
    assert f"Key (id, dt)=(7, {DS}) already exists. The partition is as it was before." in house.airflow.printed()
    assert house.rows() == rows


def test_broken_connection_shows_nothing_and_the_retry_loads(house: Warehouse) -> None:
    """In the middle of the COPY; between the attempts a reader sees the old rows."""
    house.load()
    house.run(PRODUCER, "generator:40000")
    seen = house.run(CONSUMER, sabotage="terminate", count=COUNT)
    assert seen["state"] == "success", house.airflow.printed()
    # the server's words, or the driver's own: it depends on the moment
    assert re.search(r"psycopg\.(errors\.AdminShutdown|OperationalError)", house.airflow.printed())
    assert seen["counts_while_waiting"] == [50]
    assert any(state["load_users"] == "up_for_retry" for state in seen["states_while_waiting"])
    assert len(house.rows()) == 40_000


def test_a_full_disk_shows_nothing_and_the_next_run_loads(house: Warehouse) -> None:
    """The old rows stay whole, and the load is tried again."""
    rows = house.load()
    house.run(PRODUCER, "generator:60")
    house.database.execute(FULL_DISK)
    seen = house.run(CONSUMER)
    assert seen["tasks"]["load_users"] == "failed"
    assert any(state["load_users"] == "up_for_retry" for state in seen["states_while_waiting"])
    assert "could not extend file: No space left on device" in house.airflow.printed()
    assert house.rows() == rows
    house.database.execute("DROP TRIGGER full_disk ON users_daily")
    assert house.run(CONSUMER)["state"] == "success"
    assert len(house.rows()) == 60


FULL_DISK = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON users_daily EXECUTE FUNCTION full_disk();
"""


@pytest.mark.slow
def test_killed_load_shows_nothing(house: Warehouse, start_airflow: Callable[[], Any]) -> None:
    """SIGKILL in the middle of the COPY: the old rows stay, and running the day again loads the new ones."""
    rows = house.load()
    doomed = start_airflow()
    house.run(PRODUCER, "generator:40000", airflow=doomed)
    with pytest.raises(EOFError):
        house.run(CONSUMER, airflow=doomed, sabotage="kill")
    assert house.rows() == rows
    wait_until_nobody_loads(house.database)
    assert house.rows() == rows
    assert len(house.load("generator:40000")) == 40_000
    assert sorted(p.name for p in house.data.rglob("*") if p.is_file()) == ["users.csv", "users.parquet"]


COUNT = "SELECT count(*) FROM users_daily"


def wait_until_nobody_loads(database: psycopg.Connection[Any]) -> None:
    """Let the server notice that its client is gone."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'warehouse' AND datname = current_database()"
    )
    deadline = time.monotonic() + 10
    while database.execute(query).fetchone() != (0,):
        assert time.monotonic() < deadline
        time.sleep(0.05)
