"""What driver and worker exchange goes through JSON, and neither side reads what the other does not write."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dagproof.inside.exchange import (
    REQUESTS,
    DagFacts,
    Failure,
    LeftOut,
    Loaded,
    LoadRequest,
    PlannedArrival,
    PlannedRun,
    Retries,
    RunOptions,
    RunReport,
    RunRequest,
    TaskRun,
    Watch,
    request_from_json,
    request_to_json,
)
from dagproof.inside.machine import ELSEWHERE, HERE
from dagproof.inside.plain import Plain
from dagproof.inside.plans import FilePlan, FileWatch

RUN = PlannedRun("orders", "scheduled__1", "scheduled", "2026-01-02", "2026-01-01", data_interval=("a", "b"))
EARLIER = RunRequest(RUN, "2026-01-02", ELSEWHERE, "/files", 60.0, 1_000, "/log", "/result", {"orders": ("a", "b")})
OPTIONS = RunOptions(
    watch=Watch("/into", {"": "postgresql://x"}, "/files", "/home", ("t",)),
    retries=Retries(least=1),
    lose="",
    arrivals=(PlannedArrival("2026-01-02", EARLIER),),
    files=FileWatch({"": "/files"}, FilePlan(3, "kill")),
    tripwire=("/dags",),
)
REQUEST = RunRequest(RUN, "2026-01-02", HERE, "/files", 60.0, 1_000, "/log", "/result", options=OPTIONS)
TRY = TaskRun("load", -1, 1, "failed", "load.py:3", "E", None, 1.0, 2.0, "2026-01-02T00:00", "2026-01-02T00:01")
REPORT = RunReport(
    "orders",
    "failed",
    failures=(Failure("load", -1, "failed", "E", None, wanted=False),),
    beside=(RunReport("stage", "success", left_out=(LeftOut("s3", "not compared"),)),),
    tasks=(TRY,),
    slots={"load": 1.5},
)


@pytest.mark.parametrize(
    "data",
    [REQUEST, REPORT, Loaded({"orders": DagFacts("orders.py", {"load": None}, sensors=("wait",))}, ("UDP",))],
    ids=lambda data: type(data).__name__,
)
def test_it_goes_through_json(data: Plain) -> None:
    """However deep, and with None where that is said."""
    assert type(data).from_json(json.loads(json.dumps(data.to_json()))) == data


@pytest.mark.parametrize("request_", [REQUEST, LoadRequest(("orders",), "/template", True, {"last": "1"})])
def test_a_request_is_read_as_its_kind(request_: RunRequest | LoadRequest) -> None:
    """Each kind has its name."""
    assert request_from_json(json.loads(json.dumps(request_to_json(request_)))) == request_
    assert type(request_).__name__ in REQUESTS


def test_a_short_report_has_defaults() -> None:
    """A worker whose child was killed knows no more than that."""
    assert RunReport.from_json({"state": "timeout"}) == RunReport(state="timeout")


def test_an_unknown_field_is_an_error() -> None:
    """Neither side ignores what the other says."""
    with pytest.raises(KeyError, match="mood"):
        RunReport.from_json({"state": "success", "mood": "good"})


def test_it_is_cheap_to_import() -> None:
    """A child needs it: no validation library, no Airflow, no database driver."""
    look = "import sys, dagproof.inside.exchange; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pydantic", "airflow", "psycopg", "sqlalchemy", "hypothesis"} & set(loaded)
