"""What `batch_pipeline_dag` promises, seen by running it on real servers: PostgreSQL, S3, the model's API, and mail."""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import psycopg.conninfo
import pytest

from dagproof.postgres.server import PostgresServer
from etl.model.scoring import score
from etl.model.server import ModelServer, RefusedError
from etl.storage import Storage, open_storage
from etl.transactions.generator import generate_transactions
from etl.transactions.rows import COLUMNS
from tests.support.object_store import KEY, SECRET, ObjectStore
from tests.support.runs import retried

pytestmark = [pytest.mark.one_server, pytest.mark.slow]

DAG = "batch_pipeline_dag"
DS, DAY = "2026-02-01", "2026-01-31"  # it looks at the day before
FILE = f"transactions/{DAY}.csv"
TOKEN = "token-of-the-model-0815"
ROWS, BATCH = 40, 10
MINUTE = 60
numbers = itertools.count()


class Model(ModelServer):
    """The model's own server, which `mood` can keep from answering a batch."""

    mood: Callable[[str], None] = staticmethod(lambda body: None)

    def answer(self, key: str, body: bytes) -> tuple[dict[str, Any], bool]:
        self.mood(body.decode())
        return super().answer(key, body)


class Pipeline:
    """The DAG, with all that it reaches."""

    def __init__(self, airflow: Any, database: psycopg.Connection[Any], mail: Any, model: Model, lake: Storage) -> None:
        self.airflow = airflow
        self.database = database
        self.mail = mail
        self.model = model
        self.lake = lake
        self.env: dict[str, str] = {}

    def land(self, content: bytes | None = None) -> None:
        """Put a day's file into the lake."""
        with self.lake.writing(FILE) as file:
            file.write(made_up() if content is None else content)

    def run(self, **request: Any) -> dict[str, Any]:
        """Run the DAG and return what happened."""
        env = self.env | request.pop("env", {})
        answer: dict[str, Any] = self.airflow.ask(dag=DAG, ds=DS, env=env, **request)
        return answer

    def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return what readers see."""
        tables = ("transactions", "predictions", "transactions_rejected")
        return {name: self.database.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in tables}

    def kept(self) -> int:
        """Return how many batches are kept for the next attempt."""
        return len(self.database.execute("SELECT FROM scored_batches").fetchall())

    def sentence(self) -> str:
        """Return the one e-mail's sentence."""
        (mail,) = self.mail.texts()
        return str(mail).split("<p>")[1].split("</p>")[0]


def made_up() -> bytes:
    """Return a day's file in which all is well."""
    header, *rows = b"".join(generate_transactions(DAY, ROWS + 5)).decode().splitlines(keepends=True)
    return "".join([header, *[row for row in rows if ",," not in row][:ROWS]]).encode()


@pytest.fixture
def model() -> Iterator[Model]:
    """The model behind its API."""
    with Model("127.0.0.1", 0, TOKEN) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def pipeline(
    airflow: Any, warehouse: psycopg.Connection[Any], postgres_default: str, mail: Any, model: Model, s3: ObjectStore
) -> Pipeline:
    """An empty lake in a bucket, and a model that is well."""
    info = warehouse.info
    url = s3.make_bucket(f"lake-{next(numbers)}") + "/shop"
    minio = {"conn_type": "aws", "login": KEY, "password": SECRET, "extra": {"endpoint_url": s3.endpoint}}
    api = {"conn_type": "http", "host": "127.0.0.1", "port": model.server_port, "password": TOKEN}
    pipeline = Pipeline(airflow, warehouse, mail, model, open_storage(url, s3.credentials))
    pipeline.env = {
        "AIRFLOW_CONN_POSTGRES_DEFAULT": postgres_default,
        "AIRFLOW_CONN_MINIO_DEFAULT": json.dumps(minio),
        "AIRFLOW_CONN_ML_API_DEFAULT": json.dumps(api),
        "DATABASE": psycopg.conninfo.make_conninfo(info.dsn, password=info.password),
        "LAKE_URL": url,
        "TRANSACTIONS_BATCH_ROWS": str(BATCH),
        "MODEL_ATTEMPTS": "2",
        **mail.env(),
    }
    return pipeline


def test_a_day_in_a_bucket_is_scored_and_loaded(pipeline: Pipeline) -> None:
    """Each transaction with the score that the model's own code gives it; once more gives the same rows."""
    pipeline.land()
    assert pipeline.run()["state"] == "success", pipeline.airflow.printed()
    stored = pipeline.stored()
    rows = [dict(zip(COLUMNS, line.split(","), strict=True)) for line in made_up().decode().splitlines()[1:]]
    expected = {row["transaction_id"]: score(row) for row in rows}
    assert {row[1]: float(row[2]) for row in stored["predictions"]} == expected
    assert [row[0] for row in stored["transactions"]] == sorted(expected)
    assert {str(row[-1]) for table in ("transactions", "predictions") for row in stored[table]} == {DAY}
    assert (stored["transactions_rejected"], pipeline.kept()) == ([], 0)
    assert pipeline.run()["state"] == "success"
    assert pipeline.stored() == stored
    assert pipeline.mail.texts() == []


def test_a_folder_gives_the_same_rows_as_a_bucket(pipeline: Pipeline, tmp_path: Path) -> None:
    """And made-up transactions land where no file is."""
    pipeline.land()
    pipeline.run()
    stored = pipeline.stored()
    pipeline.database.execute("DELETE FROM transactions; DELETE FROM predictions")
    lake = open_storage(str(tmp_path / "lake"))
    with lake.writing(FILE) as file:
        file.write(made_up())
    assert pipeline.run(env={"LAKE_URL": str(tmp_path / "lake")})["state"] == "success", pipeline.airflow.printed()
    assert pipeline.stored() == stored
    made = {"LAKE_URL": str(tmp_path / "new"), "TRANSACTIONS_SOURCE": f"generator:{ROWS}"}
    assert pipeline.run(env=made)["state"] == "success"
    assert (tmp_path / "new" / FILE).read_bytes() == b"".join(generate_transactions(DAY, ROWS))


@pytest.fixture
def in_container(image: str) -> dict[str, str]:
    """What has a day processed in a container."""
    return {"TRANSACTIONS_IMAGE": image, "TRANSACTIONS_NETWORK": "host"}


def test_a_container_gives_the_same_rows(pipeline: Pipeline, in_container: dict[str, str], tmp_path: Path) -> None:
    """From a bucket and from a folder; nothing is left of it."""
    pipeline.land()
    pipeline.run()
    stored = pipeline.stored()
    lake = open_storage(str(tmp_path / "lake"))
    with lake.writing(FILE) as file:
        file.write(made_up())
    for place in (pipeline.lake.url, lake.url):
        pipeline.database.execute("DELETE FROM transactions; DELETE FROM predictions")
        seen = pipeline.run(env=in_container | {"LAKE_URL": place})
        assert seen["state"] == "success", pipeline.airflow.printed()
        assert "Starting docker container from image" in pipeline.airflow.printed()
        assert f"Loaded {ROWS} transactions in 4 batches, 0 of them scored before" in pipeline.airflow.printed()
        assert pipeline.stored() == stored
    everybody = ["docker", "ps", "-aq", "--filter", f"ancestor={in_container['TRANSACTIONS_IMAGE']}"]
    assert subprocess.run(everybody, capture_output=True, text=True, check=True).stdout == ""


def test_a_container_that_fails_fails_as_the_task_does(pipeline: Pipeline, in_container: dict[str, str]) -> None:
    """At once where another attempt would too, else it is tried again; the e-mail has the sentence that it said."""
    pipeline.land()
    answers = iter([503] * 2)

    def mood(body: str) -> None:
        if code := next(answers, 0):
            raise RefusedError(code, "I am tired.")

    pipeline.model.mood = mood
    seen = pipeline.run(env=in_container)
    assert seen["state"] == "success", pipeline.airflow.printed()
    assert retried(seen)
    assert "1 of 4 batches have no scores" in pipeline.airflow.printed()
    assert "in 4 batches, 3 of them scored before" in pipeline.airflow.printed()
    pipeline.land(made_up()[:-20])
    seen = pipeline.run(env=in_container)
    assert seen["tasks"]["run_batch_processing"] == "failed"
    assert not retried(seen)
    assert pipeline.sentence().endswith(f"is truncated: its last line, {ROWS + 1}, has no line end.")
    assert len(pipeline.stored()["predictions"]) == ROWS


def test_an_engine_that_is_away_is_a_matter_of_time(pipeline: Pipeline) -> None:
    """The task is tried again, and the e-mail says it."""
    pipeline.land()
    seen = pipeline.run(env={"TRANSACTIONS_IMAGE": "warehouse-etl:1", "DOCKER_HOST": "unix:///nowhere/docker.sock"})
    assert seen["tasks"]["run_batch_processing"] == "failed"
    assert retried(seen)
    assert pipeline.sentence() == "Failed to establish connection to any given Docker hosts."


def rendered(metadata: Path) -> str:
    """Return the templates of the processing's last run, as Airflow's pages show them."""
    query = """
        SELECT rendered_fields FROM rendered_task_instance_fields AS f JOIN dag_run USING (dag_id, run_id)
        WHERE task_id = 'run_batch_processing' ORDER BY dag_run.id DESC LIMIT 1
    """
    with contextlib.closing(sqlite3.connect(metadata)) as database:
        return str(database.execute(query).fetchone())


@pytest.mark.parametrize("mode", ["task", "container"])
def test_no_credential_is_written_down_anywhere(pipeline: Pipeline, mode: str, request: pytest.FixtureRequest) -> None:
    """Neither in a log nor in the metadata database with its XComs and rendered templates, also when a run fails."""
    if mode == "container":
        pipeline.env |= request.getfixturevalue("in_container")
    pipeline.land()
    assert pipeline.run()["state"] == "success", pipeline.airflow.printed()
    home = pipeline.airflow.log.parent
    assert ("etl.transactions.container" in rendered(home / "airflow.db")) == (mode == "container")
    pipeline.land(b"")
    assert pipeline.run()["tasks"]["run_batch_processing"] == "failed"
    refused = json.dumps({"conn_type": "http", "host": "127.0.0.1", "port": 9, "password": TOKEN})
    assert pipeline.run(env={"AIRFLOW_CONN_ML_API_DEFAULT": refused})["state"] == "failed"
    written = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    everything = b"".join(written.values()) + "".join(pipeline.mail.texts()).encode()
    assert everything.count(b"run_batch_processing") > 10  # it is the right place
    assert DAG.encode() in written[home / "airflow.db"]  # and so is this
    for secret in (SECRET, TOKEN, pipeline.database.info.password):
        assert secret
        assert secret.encode() not in everything


def test_a_file_that_comes_late_is_waited_for(pipeline: Pipeline, tmp_path: Path) -> None:
    """Between its looks the task is no burden to anybody."""
    lake = tmp_path / "lake"
    (tmp_path / "here").write_bytes(made_up())
    (lake / "transactions").mkdir(parents=True)
    arrives = [str(tmp_path / "here"), str(lake / FILE)]
    seen = pipeline.run(env={"LAKE_URL": str(lake)}, late=20 * MINUTE, arrives=arrives)
    assert seen["state"] == "success", pipeline.airflow.printed()
    assert retried(seen)
    assert len(pipeline.stored()["predictions"]) == ROWS


def test_a_file_that_never_comes_is_told(pipeline: Pipeline) -> None:
    """After about an hour; nothing is stored, nothing is scored."""
    seen = pipeline.run()
    assert seen["tasks"] == {"prepare_environment": "failed", "run_batch_processing": "upstream_failed"}
    assert 30 * MINUTE <= seen["waited"] <= 120 * MINUTE
    assert pipeline.sentence() == (
        f"{pipeline.lake.url}/{FILE} is not there yet; whoever lands the transactions is late."
    )
    assert (pipeline.stored()["transactions"], pipeline.model.scored) == ([], 0)


def test_malformed_and_duplicated_rows_are_kept_aside(pipeline: Pipeline) -> None:
    """With their lines and reasons; the others are loaded."""
    header, *rows = made_up().decode().splitlines(keepends=True)
    pipeline.land("".join([header, *rows, rows[0], "x\n"]).encode())
    assert pipeline.run()["state"] == "success", pipeline.airflow.printed()
    stored = pipeline.stored()
    assert len(stored["predictions"]) == ROWS
    assert [row[:2] for row in stored["transactions_rejected"]] == [
        (ROWS + 2, f"transaction_id '{rows[0].split(',')[0]}' is on line 2 already"),
        (ROWS + 3, "1 fields where the header has 8"),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(
            made_up()[:-20], f"is truncated: its last line, {ROWS + 1}, has no line end.", id="partly written"
        ),
        pytest.param(b"", "is empty: it holds no bytes.", id="empty"),
        pytest.param(made_up().replace(b",EUR,", b",euro,"), f"has {ROWS} malformed rows of {ROWS}", id="malformed"),
        pytest.param(b"id\n1\n", "has the wrong header", id="header"),
    ],
)
def test_a_file_that_cannot_be_trusted_fails_at_once(pipeline: Pipeline, content: bytes, sentence: str) -> None:
    """With one sentence; what was there stays, and nothing is scored."""
    pipeline.land()
    pipeline.run()
    stored, scored = pipeline.stored(), pipeline.model.scored
    pipeline.land(content)
    seen = pipeline.run()
    assert seen["tasks"] == {"prepare_environment": "success", "run_batch_processing": "failed"}
    assert not retried(seen)
    assert pipeline.sentence().replace("&#39;", "'").startswith(f"{pipeline.lake.url}/{FILE} {sentence}")
    assert (pipeline.stored(), pipeline.model.scored) == (stored, scored)


def test_a_corrected_file_replaces_the_day(pipeline: Pipeline) -> None:
    """Nothing is left of what it no longer has."""
    pipeline.land()
    pipeline.run()
    header, *rows = made_up().decode().splitlines(keepends=True)
    pipeline.land("".join([header, *rows[5:]]).encode())
    pipeline.run()
    stored = pipeline.stored()
    assert [row[0] for row in stored["transactions"]] == [row.split(",")[0] for row in rows[5:]]
    assert len(stored["predictions"]) == ROWS - 5


def test_a_batch_without_an_answer_is_all_that_is_asked_for_again(pipeline: Pipeline) -> None:
    """What succeeded is kept; readers see nothing until all is there."""
    refusals: list[str] = []
    third = made_up().decode().splitlines()[1 + 2 * BATCH].split(",")[0]

    def mood(body: str) -> None:
        if third in body and len(refusals) < 2:
            refusals.append(body)
            raise RefusedError(503, "I am tired.")

    pipeline.land()
    pipeline.model.mood = mood
    seen = pipeline.run(count="SELECT 100 * count(*) + (SELECT count(*) FROM scored_batches) FROM predictions")
    assert seen["state"] == "success", pipeline.airflow.printed()
    assert seen["counts_while_waiting"] == [2, 3]  # so many are kept, and no prediction is to be seen
    assert "1 of 4 batches have no scores" in pipeline.airflow.printed()
    assert "in 4 batches, 3 of them scored before" in pipeline.airflow.printed()
    assert (pipeline.model.scored, len(pipeline.stored()["predictions"]), pipeline.kept()) == (ROWS, ROWS, 0)


def test_a_batch_that_is_refused_fails_at_once_after_the_others(pipeline: Pipeline) -> None:
    """Trying again would get the same answer; cleared later, the run does the rest only."""

    def mood(body: str) -> None:
        if f"{DAY.replace('-', '')}-0000001" in body:
            raise RefusedError(400, "I do not like number one")

    pipeline.land()
    pipeline.model.mood = mood
    seen = pipeline.run()
    assert seen["tasks"]["run_batch_processing"] == "failed"
    assert not retried(seen)
    assert pipeline.sentence().startswith("1 of 4 batches have no scores (POST http://127.0.0.1:")
    assert pipeline.sentence().endswith(
        "answered 400: I do not like number one); the other 3 are kept, so that the next attempt does the rest only."
    )
    assert (pipeline.kept(), pipeline.stored()["transactions"]) == (3, [])
    pipeline.model.mood = lambda body: None
    assert pipeline.run()["state"] == "success"
    assert pipeline.model.scored == ROWS


def test_a_broken_connection_shows_nothing_and_the_retry_scores_nothing_again(pipeline: Pipeline) -> None:
    """In the middle of the COPY the database restarts; between the attempts a reader sees the old rows."""
    pipeline.land()
    pipeline.run()
    header, *rows = made_up().decode().splitlines(keepends=True)
    pipeline.land("".join([header, *rows[BATCH:]]).encode())
    seen = pipeline.run(sabotage="terminate", count="SELECT count(*) FROM predictions")
    assert seen["state"] == "success", pipeline.airflow.printed()
    assert retried(seen)
    assert seen["counts_while_waiting"] == [ROWS]
    assert len(pipeline.stored()["predictions"]) == ROWS - BATCH
    assert pipeline.model.scored == ROWS  # the server had answered these batches before, and remembers
    assert "in 3 batches, 3 of them scored before" in pipeline.airflow.printed()


def test_a_database_that_restarts_in_the_middle_loses_nothing(
    pipeline: Pipeline, postgres_server: PostgresServer
) -> None:
    """It breaks down in the middle of the COPY, and is back when the task is tried again: with the scores it had."""
    if postgres_server.kind != "embedded":
        pytest.skip("only a server on this machine can be made to break down")
    pipeline.land()
    seen = pipeline.run(sabotage="restart", count="SELECT count(*) FROM predictions")
    assert seen["state"] == "success", pipeline.airflow.printed()
    assert retried(seen)
    assert seen["counts_while_waiting"] == [0]
    assert "in 4 batches, 4 of them scored before" in pipeline.airflow.printed()
    assert pipeline.model.scored == ROWS
    with psycopg.connect(pipeline.env["DATABASE"]) as again:
        assert again.execute("SELECT count(*) FROM predictions").fetchone() == (ROWS,)


def test_a_full_disk_shows_nothing(pipeline: Pipeline) -> None:
    """The old rows stay, the scores are kept, the task is tried again, and the e-mail says it."""
    pipeline.land()
    pipeline.database.execute(FULL_DISK)
    seen = pipeline.run()
    assert seen["tasks"]["run_batch_processing"] == "failed"
    assert retried(seen)
    assert pipeline.sentence().startswith("could not extend file: No space left on device")
    assert (pipeline.stored()["transactions"], pipeline.kept()) == ([], 4)
    assert pipeline.model.scored == ROWS


FULL_DISK = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON predictions EXECUTE FUNCTION full_disk();
"""


def test_a_missing_table_is_told_before_anything_is_scored(pipeline: Pipeline) -> None:
    """At once, with the file that makes it."""
    pipeline.land()
    pipeline.database.execute("DROP TABLE predictions")
    seen = pipeline.run()
    assert seen["tasks"]["prepare_environment"] == "failed"
    assert not retried(seen)
    assert pipeline.sentence() == ("There is no table predictions; etl/sql/transactions.sql makes what is missing.")


def test_a_mail_server_that_is_away_changes_nothing_else(pipeline: Pipeline) -> None:
    """The task fails as it would have, and the log says that no e-mail went out."""
    pipeline.land(b"")
    pipeline.mail.close()
    assert pipeline.run()["tasks"]["run_batch_processing"] == "failed"
    assert "Failed to run task callback" in pipeline.airflow.printed()
    assert "is empty: it holds no bytes." in pipeline.airflow.printed()
