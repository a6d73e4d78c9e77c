"""What a schedule says of a run reaches its tasks: partitions, events, dates that say much."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dagproof.config import Config, ProofConfig, WorldConfig
from dagproof.errors import WorkerError
from dagproof.histories import Step
from dagproof.laws import law_named
from dagproof.loaded.deployment import airflow_version
from dagproof.proof.prover import Prover
from dagproof.runs.driver import Driver, open_driver

FOLDER = Path(__file__).parent
LINE = ".".join((airflow_version() or "").split(".")[:2])
HAS_PARTITIONS = not (airflow_version() or "").startswith("3.1.")
HAS_LOOPS = not (airflow_version() or "").startswith(("3.1.", "3.2.", "3.3."))
partitions = pytest.mark.skipif(not HAS_PARTITIONS, reason="Airflow 3.1 has no partitions")
CONSUMERS = ("events_of_asset", "events_of_name", "events_of_alias", "events_of_either", "events_appended")

Files = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """One that knows the DAGs of `planned`."""
    root = tmp_path_factory.mktemp("planned")
    (root / "dags").mkdir()
    newer = [name for name, has in (("partitions.py", HAS_PARTITIONS), ("loops.py", HAS_LOOPS)) if has]
    for name in ("events.py", *newer):
        (root / "dags" / name).write_bytes((FOLDER / "planned" / name).read_bytes())
    proofs = {dag_id: ProofConfig(after=("event_producer",)) for dag_id in (*CONSUMERS, "events_by_time")}
    proofs["partition_consumer"] = ProofConfig(after=("partition_producer",))
    config = Config(root=root, world=WorldConfig(env={"DATA_ROOT": "{files}"}), proofs=proofs)
    with open_driver(config) as driver:
        yield driver


@pytest.fixture
def files(driver: Driver) -> Files:
    """Return what the files hold after a run, or a run and a rerun, of a DAG for a date."""

    def after(dag_id: str, date: str, *kinds: str) -> dict[str, Any]:
        lab = driver.lab(dag_id, [date])
        state = lab.state(tuple(Step(kind, lab.dates[0]) for kind in kinds or ("run",)))
        return {name: json.loads(file.content or b"") for name, file in state.files.items()}

    return after


@partitions
def test_a_run_of_a_partitioned_schedule_has_its_key(files: Files) -> None:
    """And no logical date; run again, it is the same run."""
    found = files("partition_producer", "2026-03-29")
    assert found == {
        "produced-2026-03-29.json": {
            "key": "2026-03-29",
            "logical_date": "None",
            "run_id": "scheduled__2026-03-29T03:00:00+00:00__2026-03-29",
        }
    }
    assert files("partition_producer", "2026-03-29", "run", "rerun") == found


@partitions
def test_a_partition_may_be_named_by_its_date(files: Files) -> None:
    """Of the partition, not of the run that is about it a month later."""
    assert set(files("partition_months", "2026-02-01")) == {"month-2026-02.json"}


@partitions
@pytest.mark.skipif((airflow_version() or "").startswith("3.2."), reason="Airflow 3.2 does not read its keys")
def test_a_partition_may_be_named_by_its_key(files: Files) -> None:
    """Where it is no date, too."""
    assert set(files("partition_months", "2026-02")) == {"month-2026-02.json"}


@partitions
def test_a_consumer_is_about_the_partition_of_its_producer(files: Files) -> None:
    """Whose event it finds."""
    found = files("partition_consumer", "2026-03-29")["consumed-2026-03-29.json"]
    assert found["sources"] == ["scheduled__2026-03-29T03:00:00+00:00__2026-03-29"]
    assert found["logical_date"] == "None"


@partitions
def test_a_partition_that_a_person_names_is_the_date(files: Files) -> None:
    """As it is written."""
    assert set(files("partition_by_hand", "2026-03-29")) == {"by-hand-2026-03-29.json"}


@partitions
@pytest.mark.parametrize(("dag_id", "outcome"), [("partition_clock", "falsified"), ("partition_producer", "proven")])
def test_partitions_are_proven(dag_id: str, outcome: str, driver: Driver) -> None:
    """One that appends is not idempotent, one that writes its partition is."""
    lab = driver.lab(dag_id, ["2026-03-28", "2026-03-29"])
    assert Prover(lab, seed=0, max_histories=2).prove(law_named("rerun")).outcome == outcome


@pytest.mark.skipif(not HAS_LOOPS, reason="task loops came with Airflow 3.4")
def test_a_loop_makes_all_of_its_passes_again(files: Files) -> None:
    """Run once, and run again: neither more nor fewer."""
    written = {f"2026-03-01-{index}.json": index + 1 for index in range(3)}
    assert files("loop_written", "2026-03-01") == written
    assert files("loop_written", "2026-03-01", "run", "rerun") == written
    assert files("loop_appended", "2026-03-01", "run", "rerun") == {"2026-03-01.json": 123123}


@pytest.mark.parametrize("dag_id", ["events_of_asset", "events_of_name", "events_of_either"])
def test_a_run_finds_the_events_of_the_producer_that_ran_first(dag_id: str, files: Files) -> None:
    """With what they carry, and of the assets that it waits for alone; run again, the same."""
    assert files(dag_id, "2026-03-02") == {"2026-03-02.json": ["stage"]}
    assert files(dag_id, "2026-03-02", "run", "rerun") == {"2026-03-02.json": ["stage"]}


def test_a_run_finds_events_by_their_alias(files: Files) -> None:
    """Those of an asset that nobody knew of before."""
    assert files("events_of_alias", "2026-03-02") == {"2026-03-02.json": ["found_at_runtime"]}


def test_a_run_of_another_date_finds_its_own_events(driver: Driver) -> None:
    """Also where both producers have run before either consumer."""
    lab = driver.lab("events_of_asset", ["2026-03-01", "2026-03-02"])
    arrivals = tuple(Step("arrive", date) for date in lab.dates)
    assert set(lab.state((*arrivals, Step("run", lab.dates[1]))).files) == {"2026-03-02.json"}


def test_a_run_that_time_starts_finds_no_events(files: Files) -> None:
    """As in production: nothing triggered it."""
    assert files("events_by_time", "2026-03-02") == {}


@pytest.mark.parametrize(("dag_id", "outcome"), [("events_appended", "falsified"), ("events_of_asset", "proven")])
def test_consumers_of_events_are_proven(dag_id: str, outcome: str, driver: Driver) -> None:
    """One that appends for each event is not idempotent, one that writes the day of the event is."""
    lab = driver.lab(dag_id, ["2026-03-01"])
    assert Prover(lab, seed=0, max_histories=2).prove(law_named("rerun")).outcome == outcome


@pytest.fixture(scope="module")
def unset() -> Iterator[Driver]:
    """A driver for DAGs that look up, at their top, what the world does not have."""
    with open_driver(Config(root=FOLDER, dags="unset")) as driver:
        yield driver


@pytest.mark.parametrize(
    ("dag_id", "reason"),
    [
        (
            "unset_with_default",
            "unset/a.py:5: TypeError: 'NoneType' object is not subscriptable; perhaps because the variable 'settings' "
            'is not set: add settings = "…" to variables in [tool.dagproof.world]',
        ),
        (
            "unset_connection",
            "unset/b.py:4: the connection 'shop' is not mapped: add shop = \"…\" to connections in "
            "[tool.dagproof.world]",
        ),
        (
            "unset_in_models",
            "unset/c.py:5: the variable 'host' is not set: add host = \"…\" to variables in [tool.dagproof.world]",
        ),
        (
            "unset_and_hidden",
            "unset/d.py:7: RuntimeError: no host; perhaps because the variable 'host' is not set: add host = \"…\" to "
            "variables in [tool.dagproof.world]",
        ),
        (
            "unset_environment",
            "unset/g.py:6: the environment variable 'LAKE_ROOT' is not set: add LAKE_ROOT = \"…\" to env in "
            "[tool.dagproof.world]",
        ),
        (
            "unset_module",
            "unset/h.py:1: the module 'no_such_library' is not installed here; install it, or where it is the "
            "project's own, name its folder in pythonpath in [tool.dagproof]",
        ),
        (
            "unset_part_of_airflow",
            f"unset/i.py:1: Airflow {LINE} has no module 'airflow.operators.dummy_operator'; `dagproof check` reports "
            "what replaces it",
        ),
        (
            "unset_by_nobody",
            "unset/f.py:4 fails with pendulum.parsing.exceptions.ParserError: Unable to parse string [someday]; fix "
            "the file and try again",
        ),
    ],
)
def test_what_is_not_set_when_a_file_is_imported_is_named(
    dag_id: str, reason: str, unset: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the setting that gives it, and the path as the user writes it; another error is not blamed on it."""
    monkeypatch.chdir(FOLDER)
    with pytest.raises(WorkerError) as error:
        unset.lab(dag_id, ["2026-03-01"])
    assert str(error.value) == f"{dag_id} does not load: {reason}"


THREAD = """
import threading
from airflow.sdk import DAG

threading.Thread(target=threading.Event().wait, args=(60,), name="refresher").start()
with DAG("with_thread", schedule=None):
    pass
"""


@pytest.mark.slow
def test_a_thread_that_an_import_starts_is_named_with_who_started_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that no run could start for itself: it is no daemon."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "of_thread.py").write_text(THREAD)
    monkeypatch.chdir(tmp_path)
    with open_driver(Config(root=tmp_path)) as driver, pytest.raises(WorkerError) as error:
        driver.lab("with_thread", ["2026-03-01"])
    assert str(error.value) == (
        "importing the DAGs left threads running (refresher, started by dags/of_thread.py:5), and a process with "
        "threads cannot be forked for a run; start them in a task, or make them daemon threads that the import does "
        "not wait for"
    )


PLUGIN = """
from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.interval import CronDataIntervalTimetable

class Noon(CronDataIntervalTimetable):
    def __init__(self):
        super().__init__("0 12 * * *", timezone="UTC")

    @classmethod
    def deserialize(cls, data):
        return cls()

class OfNoon(AirflowPlugin):
    name = "of_noon"
    timetables = [Noon]
"""
AT_NOON = """
import pendulum
from airflow.sdk import DAG
from of_noon import Noon

with DAG("at_noon", schedule=Noon(), start_date=pendulum.datetime(2026, 3, 1)):
    pass
"""
PLUGINS = {"AIRFLOW__CORE__PLUGINS_FOLDER": "{project}/plugins"}


@pytest.mark.slow
@pytest.mark.parametrize("env", [PLUGINS, {}], ids=["loaded", "imported-only"])
def test_a_timetable_of_a_plugin_is_known(env: dict[str, str], tmp_path: Path) -> None:
    """Where its folder is Airflow's for plugins; that its module can be imported is not enough."""
    for name, file, text in (("dags", "at_noon.py", AT_NOON), ("plugins", "of_noon.py", PLUGIN)):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(text)
    config = Config(root=tmp_path, pythonpath=() if env else ("plugins",), world=WorldConfig(env=env))
    with open_driver(config) as driver:
        if env:
            assert driver.lab("at_noon", ["2026-03-01"]).dates == ("2026-03-01",)
            return
        with pytest.raises(WorkerError) as error:
            driver.lab("at_noon", ["2026-03-01"])
    assert str(error.value) == (
        "Failed to serialize DAG 'at_noon': Timetable class 'of_noon.Noon' is not registered or you have a top level "
        "database access that disrupted the session. Please check the airflow best practices documentation.; if a "
        'plugin registers the class, set AIRFLOW__CORE__PLUGINS_FOLDER = "{project}/plugins" under env in '
        "[tool.dagproof.world], and import the class as the plugin does"
    )


def test_a_variable_with_a_default_need_not_be_set(unset: Driver) -> None:
    """The file imports."""
    assert unset.lab("unset_but_innocent", ["2026-03-01"]).dates == ("2026-03-01",)


NEW_YORK = "America/New_York"
DATES = {
    "before_the_change": ("@daily", (2026, 3, 6, NEW_YORK), ["2026-03-07", "2026-03-08", "2026-03-09"]),
    "long_before": ("@daily", (2026, 1, 1, NEW_YORK), ["2026-01-01", "2026-03-07", "2026-03-08", "2026-03-09"]),
    "at_the_change": ("@daily", (2026, 3, 8, NEW_YORK), ["2026-03-08", "2026-03-09", "2026-03-10"]),
    "after_the_change": ("@daily", (2026, 3, 9, NEW_YORK), ["2026-03-09", "2027-03-13", "2027-03-14", "2027-03-15"]),
    "at_midnight": ("@daily", (2026, 4, 1, "Africa/Cairo"), ["2026-04-23", "2026-04-24", "2026-04-25"]),
    "southern": ("@daily", (2026, 1, 1, "Australia/Sydney"), ["2026-01-01", "2026-10-03", "2026-10-04", "2026-10-05"]),
    "weekly": ("@weekly", (2026, 3, 1, NEW_YORK), ["2026-03-01", "2026-03-08", "2026-03-15"]),
    "workdays": ("30 6 * * 1-5", (2026, 3, 2, NEW_YORK), ["2026-03-05", "2026-03-06", "2026-03-09"]),
    "twice_the_hour": (
        "@hourly",
        (2026, 1, 1, NEW_YORK),
        ["2026-01-01", "2026-11-01T05:00:00+00:00", "2026-11-01T06:00:00+00:00"],
    ),
    "no_change": ("@daily", (2026, 1, 1, "Asia/Tokyo"), ["2026-01-01", "2026-01-02", "2026-02-01"]),
    "universal": ("@daily", (2026, 1, 1, "UTC"), ["2026-01-01", "2026-01-02", "2026-02-01"]),
    "yearly": ("@yearly", (2026, 1, 1, NEW_YORK), ["2026-01-01", "2027-01-01", "2028-01-01"]),
    "by_hand": (None, (2026, 1, 1, NEW_YORK), ["2026-03-07", "2026-03-08", "2026-03-09"]),
}
PROGRAM = """
import json, sys
import pendulum
from airflow.sdk import DAG
from dagproof.airflow.schedule import default_dates, run_for

found = {}
for name, (schedule, (*start, zone)) in json.loads(sys.argv[1]).items():
    with DAG(name, schedule=schedule, start_date=pendulum.datetime(*start, tz=zone)) as dag:
        found[name] = default_dates(dag)
    assert [run_for(dag, date).date for date in found[name]] == found[name]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def default_dates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The default dates of each schedule in DATES."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    env["AIRFLOW_HOME"] = str(tmp_path_factory.mktemp("home"))
    wanted = json.dumps({name: [schedule, start] for name, (schedule, start, _) in DATES.items()})
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, wanted]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", DATES)
def test_default_dates_are_around_a_change_of_the_clocks(name: str, default_dates: dict[str, list[str]]) -> None:
    """Where there is one: the day of 23 hours and its neighbours, or the hour that there is twice."""
    assert default_dates[name] == DATES[name][2]
