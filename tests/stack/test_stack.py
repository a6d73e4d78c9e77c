"""The stack comes up as one would start it, and runs the DAGs with Airflow's own scheduler."""

from __future__ import annotations

import contextlib
import smtplib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.stack.stack import PATIENCE, ROWS, Stack
from tests.support.compose import ROOT

DATES = [f"2026-01-0{day}" for day in range(1, 6)]
PRODUCER, CONSUMER = "producer_users_daily", "consumer_users_daily"

# Each connection is asked for something by a task's own means.
CONNECTIONS = """
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.providers.standard.hooks.filesystem import FSHook
from airflow.sdk import BaseHook
from etl.storage import Credentials, open_storage
print(PostgresHook("postgres_default").get_first("SELECT current_database()"), FSHook("fs_default").get_path())
store = BaseHook.get_connection("minio_default")
lake = open_storage("s3://warehouse/lake", Credentials.of_connection(store.login, store.password, store.extra_dejson))
with lake.writing("asked.txt") as file:
    file.write(b"kept")
print(lake.names())
with SmtpHook("smtp_default") as mail:
    mail.send_email_smtp(to="data@example.org", subject="Is anybody there?", html_content="<p>A letter.</p>")
"""


@pytest.fixture(scope="module")
def airflow(stack: Stack) -> Iterator[httpx.Client]:
    """A client of Airflow's API."""
    with stack.airflow() as client:
        yield client


def runs(airflow: httpx.Client, dag: str) -> dict[str, dict[str, Any]]:
    """Return the runs of the dates by date."""
    asked = {"logical_date_gte": f"{DATES[0]}T00:00:00Z", "logical_date_lte": f"{DATES[-1]}T00:00:00Z"}
    answer = airflow.get(f"/dags/{dag}/dagRuns", params=asked).raise_for_status()
    return {run["logical_date"][:10]: run for run in answer.json()["dag_runs"]}


def see_through(stack: Stack, airflow: httpx.Client, dag: str) -> dict[str, dict[str, Any]]:
    """Wait until the runs of all dates are done, and return them."""

    def done() -> dict[str, dict[str, Any]] | None:
        found = runs(airflow, dag)
        assert "failed" not in {run["state"] for run in found.values()}, stack.logs("scheduler")[-5_000:]
        return found if {day: run["state"] for day, run in found.items()} == dict.fromkeys(DATES, "success") else None

    return stack.wait(f"{len(DATES)} successful runs of {dag}", done)


@contextlib.contextmanager
def switched_on(airflow: httpx.Client, dag: str) -> Iterator[None]:
    """Let the scheduler run a DAG, and stop it: there are more dates than those, and no need to wait for them."""
    airflow.patch(f"/dags/{dag}", json={"is_paused": False}).raise_for_status()
    try:
        yield
    finally:
        airflow.patch(f"/dags/{dag}", json={"is_paused": True}).raise_for_status()


def rows(stack: Stack, of: str) -> tuple[list[Any], list[Any]]:
    """Return the rows of a column's choice in both tables, in order."""
    with stack.database() as database:
        users, rejected = (
            database.execute(
                f"SELECT {of} FROM {table} AS t WHERE dt BETWEEN %s AND %s ORDER BY t", [DATES[0], DATES[-1]]
            )
            for table in ("users_daily", "users_rejected")
        )
        return users.fetchall(), rejected.fetchall()


def test_all_is_healthy_and_nobody_else_can_reach_it(stack: Stack) -> None:
    """Each server has a check of its health, and each port is this machine's alone."""
    assert set(stack.health().values()) == {"healthy"}
    published = [place for ports in stack.ports() for places in ports.values() for place in places or []]
    assert published
    assert {place["HostIp"] for place in published} == {"127.0.0.1"}


def test_all_dags_are_there(stack: Stack, airflow: httpx.Client) -> None:
    """Paused, and none of them could not be imported."""
    expected = {path.stem for path in (ROOT / "dags").glob("*.py")}

    def listed() -> dict[str, bool] | None:
        found = {dag["dag_id"]: dag["is_paused"] for dag in airflow.get("/dags").raise_for_status().json()["dags"]}
        return found if expected <= found.keys() else None

    assert stack.wait(f"DAGs {expected}", listed) == dict.fromkeys(expected, True)
    assert airflow.get("/importErrors").raise_for_status().json()["import_errors"] == []


def test_the_warehouse_has_its_pool(airflow: httpx.Client) -> None:
    """And what works on it is in there: a task waits for ever for a pool that is not."""
    assert airflow.get("/pools/warehouse").raise_for_status().json()["slots"] == 3
    tasks = airflow.get("/dags/refresh_aggregations/tasks").raise_for_status().json()["tasks"]
    assert {task["pool"] for task in tasks} == {"warehouse"}


def test_a_rerun_by_the_scheduler_leaves_identical_rows(stack: Stack, airflow: httpx.Client) -> None:
    """Producer and consumer see five dates through; one is cleared, runs again, and writes the same rows anew."""
    with switched_on(airflow, PRODUCER):
        see_through(stack, airflow, PRODUCER)
    with switched_on(airflow, CONSUMER):
        first = see_through(stack, airflow, CONSUMER)
        before, versions = rows(stack, "t.*"), rows(stack, "t.dt, t.xmin")
        assert len(before[0]) == ROWS * len(DATES)
        cleared = first[DATES[2]]
        place = f"/dags/{CONSUMER}/dagRuns/{cleared['dag_run_id']}/clear"
        airflow.post(place, json={"dry_run": False}).raise_for_status()
        again = see_through(stack, airflow, CONSUMER)[DATES[2]]
    assert again["end_date"] > cleared["end_date"]
    assert rows(stack, "t.*") == before
    others = [[row for row in table if str(row[0]) != DATES[2]] for table in versions]
    now = rows(stack, "t.dt, t.xmin")
    assert [[row for row in table if str(row[0]) != DATES[2]] for table in now] == others
    assert not {row for row in now[0] if str(row[0]) == DATES[2]} & set(versions[0])


def test_connections_lead_somewhere(stack: Stack) -> None:
    """To the warehouse, the folder of files, the object store, and the mail catcher, which shows what came."""
    said = stack.run("scheduler", "python", "-c", CONNECTIONS)
    assert "('warehouse',) /data\n['asked.txt']" in said
    log = stack.wait("e-mail", lambda: stack.logs("mail") if "Is anybody there?" in stack.logs("mail") else None)
    assert "To: data@example.org" in log
    with smtplib.SMTP("127.0.0.1", int(stack.env["MAIL_PORT"]), timeout=PATIENCE) as mail:
        assert mail.noop()[0] == 250


STORE = """
import os, boto3
from botocore.exceptions import ClientError
def store(secret):
    return boto3.client("s3", endpoint_url="http://127.0.0.1:9000", region_name="us-east-1",
                        aws_access_key_id=os.environ["S3_ACCESS_KEY"], aws_secret_access_key=secret)
ours = store(os.environ["S3_SECRET_KEY"])
ours.put_object(Bucket="warehouse", Key="a", Body=b"kept")
print(ours.get_object(Bucket="warehouse", Key="a")["Body"].read())
for work in ("list_buckets", "list_objects_v2", "get_object", "put_object", "delete_object"):
    arguments = {"list_buckets": {}, "list_objects_v2": {"Bucket": "warehouse"}}.get(work, {"Bucket": "warehouse", "Key": "a"})
    try:
        getattr(store("guessed"), work)(**arguments)
    except ClientError as error:
        print(work, error.response["ResponseMetadata"]["HTTPStatusCode"])
"""  # noqa: E501 - a program of its own

LOGS = """
import asyncio, os, asyncssh
async def look(password):
    known = f"[127.0.0.1]:2222 ssh-ed25519 {os.environ['SFTP_HOST_KEY']}".encode()
    place = {"host": "127.0.0.1", "port": 2222, "known_hosts": known}
    async with asyncssh.connect(**place, username="logs", password=password) as connection:
        async with connection.start_sftp_client() as files:
            async with files.open("a.log", "w") as file:
                await file.write("kept")
            return await files.listdir("/"), await files.listdir("/../..")
print(asyncio.run(look(os.environ["SFTP_PASSWORD"])))
try:
    asyncio.run(look("guessed"))
except asyncssh.PermissionDenied:
    print("refused")
"""


def test_the_store_and_the_log_server_let_in_who_has_their_secret(stack: Stack) -> None:
    """Nobody else, and nobody out of the folder."""
    kept, *refused = stack.run("s3", "python", "-c", STORE).splitlines()
    assert kept == "b'kept'"
    assert [line.split()[1] for line in refused] == ["403"] * 5
    host_key = f"SFTP_HOST_KEY={stack.env['SFTP_HOST_KEY']}"
    seen, refusal = stack.run("sftp", "env", host_key, "python", "-c", LOGS).splitlines()
    assert seen.count("'a.log'") == 2
    assert "etc" not in seen
    assert refusal == "refused"


def test_there_is_no_way_in_without_a_secret(stack: Stack) -> None:
    """Whoever brings none sees nothing."""
    asked = [("AIRFLOW_PORT", "/api/v2/dags", 401), ("S3_PORT", "/", 403), ("S3_PORT", "/moto-api/data.json", 403)]
    for port, path, status in asked:
        assert httpx.get(f"http://127.0.0.1:{stack.env[port]}{path}", timeout=PATIENCE).status_code == status
    place = f"http://127.0.0.1:{stack.env['MODEL_PORT']}/v1/score"
    headers, batch = {"Idempotency-Key": "a"}, {"transactions": list[object]()}
    assert httpx.post(place, headers=headers, json=batch, timeout=PATIENCE).status_code == 401
    headers["Authorization"] = f"Bearer {stack.env['MODEL_API_TOKEN']}"
    assert httpx.post(place, headers=headers, json=batch, timeout=PATIENCE).json()["scores"] == []


def test_a_known_password_is_refused(stack: Stack) -> None:
    """No default holds."""
    for password in ("admin", "airflow", ""):
        who = {"username": "admin", "password": password}
        place = f"http://127.0.0.1:{stack.env['AIRFLOW_PORT']}/auth/token"
        assert httpx.post(place, json=who, timeout=PATIENCE).status_code in (400, 401, 422)
