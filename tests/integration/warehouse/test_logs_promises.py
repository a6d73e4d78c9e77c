"""What `monitor_errors` promises, seen by running it on a real PostgreSQL, with real mail and SFTP servers."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import psycopg.conninfo
import pytest

from dagproof.postgres.server import PostgresServer
from etl.logs.report import TABLES
from etl.logs.settings import ALL_APPS
from etl.storage import Storage
from tests.support.object_store import StoredFile
from tests.support.runs import retried
from tests.support.sftp_server import PASSWORD, USER, sftp_folder

pytestmark = [pytest.mark.one_server, pytest.mark.slow]

DAG = "monitor_errors"
DS, DAY = "2026-02-01", "2026-01-31"  # it looks at the day before
MINUTE = 60
REAL = Path(__file__).parents[4] / "shared" / "data" / "logs"

QUIET = "2026-01-31 10:00:00,000 INFO [main] App: up\n"
ERROR = "2026-01-31 10:00:01,000 ERROR [main] App: block {n} is bad\njava.io.IOException: {n}\n\tat a.B(B.java:1)\n"


class Logs:
    """The DAG, a database, a folder of logs to fetch, and a mailbox."""

    def __init__(
        self, airflow: Any, database: psycopg.Connection[Any], env: dict[str, str], root: Path, storage: Storage
    ) -> None:
        self.airflow = airflow
        self.database = database
        self.root = root
        self.storage = storage
        self.env = env | {"LOGS_STORAGE": storage.url, "LOGS_SOURCE": f"{storage.url}/source/{{app}}-{{ds}}.log"}
        for app in ALL_APPS:
            self.log(app).write_text(QUIET)

    def log(self, app: str) -> StoredFile:
        """Return where the log of an app comes from."""
        return StoredFile(self.storage, f"source/{app}-{DAY}.log")

    def run(self, **request: Any) -> dict[str, Any]:
        """Run the DAG and return what happened."""
        env = self.env | request.pop("env", {})
        answer: dict[str, Any] = self.airflow.ask(dag=DAG, ds=DS, env=env, **request)
        return answer

    def result(self) -> dict[str, Any]:
        """Return what a reader sees: tables, and the report's bytes."""
        rows = {table: self.database.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in TABLES}
        names = self.storage.names("reports")
        return rows | {name.rpartition("/")[2]: StoredFile(self.storage, name).read_bytes() for name in names}

    def counts(self, app: str = "mainApp") -> dict[str, int]:
        """Return how many entries of each level an app has."""
        rows = self.database.execute("SELECT level, entries FROM log_counts WHERE app = %s ORDER BY 1", [app])
        return dict(rows.fetchall())


@pytest.fixture
def logs(
    airflow: Any, warehouse: psycopg.Connection[Any], kept: tuple[Storage, dict[str, str]], tmp_path: Path
) -> Logs:
    """Nine quiet logs, in a folder or where a test's parameter says."""
    storage, env = kept
    return Logs(airflow, warehouse, env, tmp_path, storage)


in_both = pytest.mark.parametrize("kept", ["folder", "bucket"], indirect=True)


@in_both
def test_a_day_is_counted_grouped_and_told(logs: Logs, mail: Any) -> None:
    """Malformed lines are kept, like exceptions are one, too many errors are told; once more gives the same."""
    text = "".join(ERROR.format(n=n) for n in range(30)) + QUIET + "\n~~~ odd\nodd again\n"
    logs.log("mainApp").write_text(text)
    seen = logs.run()
    assert seen["state"] == "success", logs.airflow.printed()
    assert seen["tasks"] == dict.fromkeys(
        [f"download_{app}" for app in ALL_APPS]
        + ["drop_exception", "create_table", "parse_log", "gen_reports", "check_threshold", "send_alert"],
        "success",
    ) | {"all_quiet": "skipped"}
    assert logs.counts() == {"error": 30, "info": 1}
    result = logs.result()
    assert [row[1:2] + row[2:] for row in result["log_files"] if row[1] == "mainApp"] == [("mainApp", 94, 31, 2, 0)]
    assert [row[2:] for row in result["log_unparsed"]] == [(93, 1, "~~~ odd"), (94, 1, "odd again")]
    ((_, app, _, level, logger, message, trace, times, line, *_),) = result["log_exceptions"]
    assert (app, level, logger, message, times, line) == ("mainApp", "error", "App", "block 0 is bad", 30, 1)
    assert trace == "java.io.IOException: 0\n\tat a.B(B.java:1)"
    assert json.loads(result[f"{DAY}.json"])["exceptions"][0]["entries"] == 30
    assert b"http" not in result[f"{DAY}.html"]
    (told,) = mail.texts()
    assert told.startswith(f"data@example.org | monitor_errors: too many errors on {DAY}: mainApp 30 | ")
    assert logs.run()["state"] == "success"
    assert logs.result() == result


def test_a_quiet_day_is_told_to_nobody(logs: Logs, mail: Any) -> None:
    """Errors up to the threshold are none to speak of; nor is an alert sent where nobody is named."""
    logs.log("mainApp").write_text("".join(ERROR.format(n=n) for n in range(25)))
    assert logs.run()["tasks"]["send_alert"] == "skipped"
    seen = logs.run(env={"LOGS_MAX_ERRORS": "24", "AIRFLOW_VAR_ALERT_EMAIL": ""})
    assert seen["tasks"]["send_alert"] == "success"
    assert "No e-mail was sent" in logs.airflow.printed()
    assert mail.texts() == []


def test_a_late_log_is_waited_for(logs: Logs, mail: Any) -> None:
    """The other logs are landed meanwhile, and nothing is counted before all are there."""
    late = logs.log("timeApp").path.rename(logs.root / "late")
    seen = logs.run(late=90, arrives=[str(late), str(logs.log("timeApp").path)])
    assert seen["state"] == "success", logs.airflow.printed()
    assert any(states["download_timeApp"] == "up_for_retry" for states in seen["states_while_waiting"])
    assert logs.counts("timeApp") == {"info": 1}
    assert mail.texts() == []


@in_both
def test_a_log_that_is_cut_or_missing_fails_and_the_old_result_stays(logs: Logs, mail: Any) -> None:
    """After several attempts, with one sentence for each; whole ones heal it, and nothing is there twice."""
    logs.run()
    result = logs.result()
    whole = gzip.compress((QUIET * 500).encode())
    logs.log("mainApp").write_bytes(whole[:-20])
    logs.log("extApp").unlink()
    seen = logs.run()
    assert {seen["tasks"][task] for task in ("download_mainApp", "download_extApp")} == {"failed"}
    assert {seen["tasks"][task] for task in ("drop_exception", "gen_reports")} == {"upstream_failed"}
    assert retried(seen)
    first, second = mail.texts()
    assert "extApp-2026-01-31.log yet, nor a rotated one.</p>" in first
    assert "mainApp-2026-01-31.log is not whole yet: it is cut or damaged: " in second
    assert logs.result() == result
    logs.log("mainApp").write_bytes(whole)
    logs.log("extApp").write_text(QUIET)
    assert logs.run()["state"] == "success"
    assert logs.counts() == {"info": 500}
    logs.log("mainApp").write_text(QUIET * 501)  # it grew, and is not packed yet
    logs.run()
    assert logs.counts() == {"info": 501}


def test_rotated_logs_are_read_for_one_day_over_sftp(logs: Logs) -> None:
    """An entry counts on its day and on no other; the credentials are those of the connection, and are not logged."""
    folder = logs.root / "var"
    folder.mkdir()
    for app in ALL_APPS:
        (folder / f"{app}.log").write_text(QUIET.replace("-31 ", "-30 ") + QUIET + QUIET.replace("01-31", "02-01"))
    (folder / "mainApp.log.1.gz").write_bytes(gzip.compress(QUIET.encode() * 2))
    with sftp_folder(folder) as server:
        login = {"conn_type": "sftp", "host": "127.0.0.1", "port": server.port, "login": USER, "password": PASSWORD}
        connection = json.dumps(login | {"extra": {"host_key": server.host_key}})
        seen = logs.run(env={"LOGS_SOURCE": "sftp:///{app}.log", "AIRFLOW_CONN_LOGS_SFTP": connection})
    assert seen["state"] == "success", logs.airflow.printed()
    assert (logs.counts(), logs.counts("extApp")) == ({"info": 3}, {"info": 1})
    assert {row[-1] for row in logs.result()["log_files"]} == {2}
    assert PASSWORD not in logs.airflow.printed()


def test_a_connection_that_breaks_in_the_middle_shows_nothing_and_the_retry_heals(logs: Logs) -> None:
    """The server ends it in the middle of the COPY, and once while the new result takes the old one's place."""
    logs.run()
    logs.database.execute(BREAK_ONCE)
    logs.log("mainApp").write_text("odd\n" + QUIET * 2)
    seen = logs.run(sabotage="terminate", count="SELECT sum(entries)::bigint FROM log_counts WHERE app = 'mainApp'")
    assert seen["state"] == "success", logs.airflow.printed()
    assert {task for states in seen["states_while_waiting"] for task, s in states.items() if s == "up_for_retry"} == {
        "parse_log",
        "gen_reports",
    }
    assert seen["counts_while_waiting"] == [1]
    assert logs.counts() == {"info": 2}


BREAK_ONCE = """
    CREATE SEQUENCE broken;
    CREATE FUNCTION break_once() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF nextval('broken') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$;
    CREATE TRIGGER break_once AFTER DELETE ON log_exceptions EXECUTE FUNCTION break_once();
"""


def test_a_database_that_restarts_in_the_middle_loses_nothing(logs: Logs, postgres_server: PostgresServer) -> None:
    """It breaks down in the middle of the COPY, and is back when the task is tried again."""
    if postgres_server.kind != "embedded":
        pytest.skip("only a server on this machine can be made to break down")
    logs.log("mainApp").write_text("odd\n" + QUIET * 2)
    seen = logs.run(sabotage="restart")
    assert seen["state"] == "success", logs.airflow.printed()
    assert retried(seen)
    with psycopg.connect(logs.env["DATABASE"]) as again:
        assert again.execute("SELECT entries FROM log_counts WHERE app = 'mainApp'").fetchall() == [(2,)]


def test_a_full_disk_shows_nothing(logs: Logs, mail: Any) -> None:
    """The old result stays whole, the task is tried again, and the e-mail says it."""
    logs.run()
    result = logs.result()
    logs.database.execute(FULL_DISK)
    logs.log("mainApp").write_text(QUIET * 9)
    seen = logs.run()
    assert seen["tasks"]["gen_reports"] == "failed"
    assert retried(seen)
    assert "No space left on device" in mail.texts()[0]
    assert logs.result() == result


FULL_DISK = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON log_unparsed EXECUTE FUNCTION full_disk();
"""


def test_a_full_disk_where_logs_land_is_healed_by_the_retry(logs: Logs) -> None:
    """One log finds no room, and is fetched once more."""
    seen = logs.run(sabotage="full", sabotaged="etl.storage.folder.atomic_write")
    assert seen["state"] == "success", logs.airflow.printed()
    assert retried(seen)
    assert "No space left on device" in logs.airflow.printed()
    assert {row[2] for row in logs.result()["log_files"]} == {1}


def test_a_mail_server_that_is_away_costs_the_alert_and_nothing_else(logs: Logs, mail: Any) -> None:
    """It is tried again, then the task fails; the result is there, and the log says that no e-mail went out."""
    logs.log("mainApp").write_text("".join(ERROR.format(n=n) for n in range(26)))
    mail.close()
    seen = logs.run()
    assert seen["tasks"]["send_alert"] == "failed"
    assert retried(seen)
    assert "Connection refused" in logs.airflow.printed()
    assert "Failed to run task callback" in logs.airflow.printed()
    assert logs.counts() == {"error": 26}


def grep(pattern: str, path: Path) -> int:
    """Count lines with the tool that people use."""
    done = subprocess.run(["grep", "-cE", pattern, str(path)], capture_output=True, text=True, check=False)
    return int(done.stdout)


def alike(pattern: str, less: str, path: Path) -> int:
    """Count lines that differ in more than their numbers, but for what `less` takes away, with common tools."""
    tools = f"grep -E '{pattern}' '{path}' | sed -E '{less}; s/[0-9]+/#/g; s/\\r$//' | sort -u"
    return len(subprocess.run(tools, shell=True, capture_output=True, text=True, check=True).stdout.splitlines())


def test_real_logs_are_counted_as_grep_counts_them(logs: Logs) -> None:
    """No line is lost on the way to the tables."""
    if not REAL.is_dir():
        pytest.skip("the real logs are not here: no ../shared/data/logs")
    real = {"bridgeApp": "Apache_2k.log", "daemonApp": "OpenSSH_2k.log", "mainApp": "Hadoop_2k.log"}
    for app, name in real.items():
        logs.log(app).write_bytes((REAL / name).read_bytes())
    assert logs.run()["state"] == "success", logs.airflow.printed()
    apache, ssh, hadoop = (REAL / name for name in real.values())
    assert logs.counts("bridgeApp") == {
        level: grep(rf"^\[[^]]+\] \[{level}\]", apache) for level in ("error", "notice")
    }
    of_ssh = {"error": grep(r"sshd\[[0-9]+\]: error: ", ssh), "critical": grep(r"sshd\[[0-9]+\]: fatal: ", ssh)}
    assert logs.counts("daemonApp") == of_ssh | {"none": 2_000 - sum(of_ssh.values())}
    words = {"info": "INFO", "warning": "WARN", "error": "ERROR", "critical": "FATAL"}
    assert logs.counts() == {level: grep(f"^[0-9-]+ [0-9:,]+ {word} ", hadoop) for level, word in words.items()}
    lines = {app: lines for _, app, lines, *_ in logs.result()["log_files"] if app in real}
    assert lines == {app: grep("", REAL / name) for app, name in real.items()}
    assert logs.result()["log_unparsed"] == []
    kinds = dict(logs.database.execute("SELECT app, count(*) FROM log_exceptions GROUP BY app").fetchall())
    assert kinds == {
        "bridgeApp": alike(r"^\[[^]]+\] \[error\]", r"s/^\[[^]]+\] \[error\] //; s/^\[client [^]]*\] //", apache),
        "daemonApp": alike(r"sshd\[[0-9]+\]: (error|fatal): ", r"s/^.*sshd\[[0-9]+\]: //", ssh),
        "mainApp": alike(r"^[0-9-]+ [0-9:,]+ (ERROR|FATAL) ", r"s/^[0-9-]+ [0-9:,]+ //; s/ \[[^]]*\] / /", hadoop),
    }
