"""Which dates a schedule has, and which dates its sensors wait for: compared over the next year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, TypedDict

from dagproof.airflow import schedule
from dagproof.airflow.describing import ONCE

HORIZON = timedelta(days=366)
MOST_RUNS = 10_000


class Dates(TypedDict):
    """Logical dates as seconds, and from when and until when they are all there are."""

    dates: list[int]
    since: int
    until: int


def logical_dates(dag: Any) -> Dates | None:
    """Return the logical dates of a DAG in the next year, as seconds; None for one that time does not start.

    `until` is how far they reach: the end of the year, or the last of as many as are looked at.
    """
    serialized = schedule.scheduler_dag(dag)
    if not schedule.is_periodic(serialized) or type(serialized.timetable).__name__ in ONCE:
        return None
    start = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    found = [round(date.timestamp()) for date in _dates(serialized, start)]
    if len(found) < 2:
        return None
    until = found[-1] if len(found) == MOST_RUNS else round((start + HORIZON).timestamp())
    return Dates(dates=found, since=max(found[0], round(start.timestamp())), until=until)


def _dates(serialized: Any, start: datetime) -> Iterator[datetime]:
    for number, info in enumerate(schedule.runs(serialized, start - timedelta(days=2))):
        if info.logical_date is None or info.logical_date > start + HORIZON or number == MOST_RUNS:
            return  # a run about a partition has no logical date
        yield info.logical_date


def awaited(dag: Any) -> Iterator[dict[str, object]]:
    """Yield for each ExternalTaskSensor of a DAG which dates of which DAG it waits for, as seconds."""
    sensors = [task for task in dag.tasks if hasattr(task, "external_dag_id") and hasattr(task, "_get_dttm_filter")]
    own = logical_dates(dag) if sensors else None
    for task in sensors if own else ():
        dates = {date: _filter(task, date) for date in own["dates"]} if own else {}
        if all(dates.values()):
            waits = [[date, *(awaited or ())] for date, awaited in dates.items()]
            yield {"dag_id": dag.dag_id, "task_id": task.task_id, "producer": task.external_dag_id, "waits": waits}


def _filter(task: Any, date: int) -> list[int] | None:
    """The dates that a sensor waits for on a date; None where its own function can't tell without a real run."""
    import pendulum

    logical = pendulum.from_timestamp(date, tz="UTC")
    try:
        found = task._get_dttm_filter({"logical_date": logical, "ds": logical.to_date_string()})
        return [round(one.timestamp()) for one in found]
    except Exception:
        return None
