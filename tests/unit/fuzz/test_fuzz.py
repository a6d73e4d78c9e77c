"""Spoilt input of every kind ends in a result or in an error of its own, never in another; a quick share, and all."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from dagproof.check.baseline import read
from dagproof.check.command import check_project
from dagproof.check.text import check_text
from dagproof.config import Config, load_config
from dagproof.errors import ConfigError, UsageError
from dagproof.output.text import as_json, visible
from dagproof.proof.saved import load_saved
from dagproof.rules import all_rules
from etl.archive.manifest import find_manifest
from etl.errors import InputError
from etl.logs.generator import generate_log
from etl.logs.parse import parse_log
from etl.logs.settings import ALL_APPS
from etl.paths import raw_users
from etl.records import read_records
from etl.settings import Settings
from etl.storage import open_storage
from etl.transactions.generator import generate_transactions
from etl.transactions.rows import stage
from etl.users import transform_users
from etl.weekly.files import TABLES, check_file, generated
from tests.unit.fuzz.mutating import mutated

DS, DAY = "2026-01-01", datetime.date(2026, 1, 1)
USERS = b'id,name,email,country,signup_date\n1,Ada,a@x.org,DE,2026-01-01\n2,"B ""o""",,,\n3,Cy,c@x.org,IN,2025-12-31\n'
TRANSACTIONS = b"".join(generate_transactions(DS, 6))
WEEK = {table: b"".join(generated(table, "2026-01-10", 0.002))[:2_000].rpartition(b"\n")[0] + b"\n" for table in TABLES}
LOGS = [b"".join(generate_log(app, DS, 12)) for app in ALL_APPS] + [
    b'{"time": "2026-01-01T10:00:00Z", "level": "error", "message": "a", "exc_info": "b\\nc"}\n' * 3
]
ENTRY = {"rows": 1, "file": f"users_daily-{'a' * 12}.parquet", "sha256": "a" * 64}
MANIFEST = json.dumps({"format": 1, "month": "2026-01", "tables": {"users_daily": ENTRY}}).encode()
HISTORY = json.dumps(
    {"dag_id": "orders", "law": "rerun", "seed": 0, "history": [{"step": "run", "date": DS, "point": "message 7"}]}
).encode()
BASELINE = json.dumps(
    {"version": 1, "findings": [{"rule": "poke-sensor", "path": "a.py", "fingerprint": "00", "message": "m"}]}
).encode()
CONFIG = b"""[tool.dagproof]
dags = "dags"
select = ["DP301"]
[tool.dagproof.world]
timeout = 30
env = { DATA_ROOT = "{files}" }
services = { model = "serve --port {port}" }
connections = { shop = "{postgres}" }
[tool.dagproof.proofs.orders]
dates = ["2026-01-01"]
exempt = { crash = ["a"] }
[tool.dagproof.paths."dags/**"]
ignore = ["DP301"]
"""
DAG_FILE = b"""import pendulum
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG, task

@task
def load(ds=None):
    hook.run(f"INSERT INTO orders SELECT * FROM staged WHERE dt = '{ds}'")  # dagproof: allow append-load (known)

with DAG("orders", schedule="0 12 * * *", start_date=pendulum.datetime(2026, 1, 1), catchup=False):
    FileSensor(task_id="wait", filepath="orders.csv", timeout=60) >> load()
"""


def users(content: bytes, folder: Path) -> None:
    """Rows are lost by no accident: each record is loaded or rejected."""
    path = folder / raw_users(DS)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        staged = transform_users(DS, Settings(folder, max_bad_share=1))
        assert sum(staged) == sum(1 for _ in read_records(io.BytesIO(content), "f")) - 1 > 0


def transactions(content: bytes, folder: Path) -> None:
    """An empty day has a header, and nothing else has no rows."""
    with contextlib.suppress(InputError):
        counts = stage(io.BytesIO(content), "f", DS, io.BytesIO(), io.BytesIO(), batch_rows=3, max_bad_share=1)
        assert sum(counts) == sum(1 for _ in read_records(io.BytesIO(content), "f")) - 1 >= 0


def weekly(content: bytes, folder: Path) -> None:
    """What is loaded fits the tables."""
    for table in TABLES:
        with contextlib.suppress(InputError):
            for row in check_file(io.BytesIO(content), table, "f"):
                good = row.problem is None
                assert not good or all(len((value or "").encode()) <= 2_000 for value in row.values)


def logs(content: bytes, folder: Path) -> None:
    """No line is lost, and each time is one that PostgreSQL takes."""
    entries = list(parse_log(io.BytesIO(content), DAY))
    assert sum(entry.lines for entry in entries) == len(io.BytesIO(content).readlines())
    for entry in entries:
        if entry.head and entry.head.time and entry.head.time.tzinfo:
            entry.head.time.astimezone(datetime.timezone.utc)
            assert abs(entry.head.time.utcoffset() or datetime.timedelta()) < datetime.timedelta(hours=16)


def manifests(content: bytes, folder: Path) -> None:
    """What is read names files of its month, and tables that are archived."""
    archive = open_storage(str(folder))
    with archive.writing("2026-01/manifest.json") as file:
        file.write(content)
    if found := find_manifest("2026-01", archive):
        assert all(re.fullmatch(r"2026-01/[a-z_]+-[0-9a-f]{12}\.parquet", name) for name in found.files)


def configurations(content: bytes, folder: Path) -> None:
    """One is read, or refused in a sentence."""
    (folder / "pyproject.toml").write_bytes(content)
    with contextlib.suppress(ConfigError):
        load_config(folder)


def histories(content: bytes, folder: Path) -> None:
    """So is a saved history."""
    path = folder / "saved.json"
    path.write_bytes(content)
    with contextlib.suppress(UsageError):
        load_saved(str(path), Config(folder))


def baselines(content: bytes, folder: Path) -> None:
    """And a baseline."""
    path = folder / "baseline.json"
    path.write_bytes(content)
    with contextlib.suppress(UsageError):
        read(path)


def _checked(folder: Path) -> None:
    with contextlib.suppress(UsageError):
        checked, _ = check_project(
            [folder / "dags"], all_rules(), Config(folder), base=folder, imports=False, caches=False
        )
        assert not [one for one in checked.unreadable if "fault of dagproof's" in one.reason]
        report = check_text(checked, folder)
        assert all(visible(line.replace("\t", "")) == line.replace("\t", "") for line in report.split("\n"))
        json.loads(as_json(checked.to_json()))


def dag_files(content: bytes, folder: Path) -> None:
    """A file is checked, or reported as one that cannot be."""
    (folder / "dags").mkdir(exist_ok=True)
    (folder / "dags" / "orders.py").write_bytes(content)
    _checked(folder)


def ignore_files(content: bytes, folder: Path) -> None:
    """Whatever is in an ignore file, the check comes to its end."""
    (folder / "dags").mkdir(exist_ok=True)
    (folder / "dags" / f"{'a' * 40}.py").write_text("x = 1\n")
    (folder / "dags" / ".airflowignore").write_bytes(content)
    _checked(folder)


Target = Callable[[bytes, Path], None]
TARGETS: dict[Target, tuple[list[bytes], int]] = {
    users: ([USERS], 1_500),
    transactions: ([TRANSACTIONS], 1_500),
    weekly: ([*WEEK.values()], 3_000),
    logs: (LOGS, 3_000),
    manifests: ([MANIFEST], 1_000),
    configurations: ([CONFIG], 1_500),
    histories: ([HISTORY], 1_000),
    baselines: ([BASELINE], 500),
    dag_files: ([DAG_FILE], 1_000),
    ignore_files: ([b"a*.py\n!b/\n/c/**/d\n", b"[a-z]*\n\\#x\n"], 500),
}
QUICK = 100
each_target = pytest.mark.parametrize("target", [pytest.param(target, id=target.__name__) for target in TARGETS])


def fuzz(target: Target, cases: range, folder: Path) -> None:
    """Try cases, each with a seed of its own; the seed is in the error."""
    for seed in cases:
        draw = Random(f"{target.__name__}/{seed}")
        content = mutated(draw.choice(TARGETS[target][0]), draw)
        try:
            target(content, folder)
        except Exception as error:
            raise AssertionError(f"seed {seed} of {target.__name__}: {content[:300]!r}") from error


@each_target
def test_good_input_is_good(target: Target, tmp_path: Path) -> None:
    """What is spoilt below raises nothing as it is."""
    for content in TARGETS[target][0]:
        target(content, tmp_path)


@each_target
def test_spoilt_input_ends_in_an_error_of_its_own(target: Target, tmp_path: Path) -> None:
    """A quick share of the seeds."""
    fuzz(target, range(QUICK), tmp_path)


@pytest.mark.deep
@each_target
def test_spoilt_input_ends_in_an_error_of_its_own_with_all_seeds(target: Target, tmp_path: Path) -> None:
    """More than 10,000 of them."""
    assert sum(number for _, number in TARGETS.values()) >= 10_000
    fuzz(target, range(TARGETS[target][1]), tmp_path)
