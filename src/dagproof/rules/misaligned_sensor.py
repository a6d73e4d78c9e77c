"""A sensor waits for a date that its producer never has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from dagproof.loaded.model import Dates, LoadedFolder, Spot, Waiting
from dagproof.rules.base import Finding, Rule, SourceFile


class MisalignedSensor(Rule):
    """A sensor waits for a logical date that its producer never has.

    ## What it does
    Compares the schedules of an `ExternalTaskSensor`'s DAG and of the DAG that it waits for over the next year, with
    `execution_delta` and `execution_date_fn`, which is called: each date that the sensor waits for must be one that the
    producer has. Schedules that time does not decide are left out, and so are functions that want more than the date.

    ## Why is this bad
    The sensor looks for a run with exactly that logical date. If it is an hour off, a weekday is missing in one of the
    schedules, or the clocks change, it waits until its timeout although all data is there.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk import DAG

    START = pendulum.datetime(2026, 1, 1)

    with DAG("orders", schedule="0 2 * * *", start_date=START, catchup=True):
        pass

    with DAG("report", schedule="0 3 * * *", start_date=START, catchup=True):
        ExternalTaskSensor(task_id="wait", external_dag_id="orders", mode="reschedule", timeout=3600)
    ```

    ## Use instead
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk import DAG

    START = pendulum.datetime(2026, 1, 1)

    with DAG("orders", schedule="0 2 * * *", start_date=START, catchup=True):
        pass

    with DAG("report", schedule="0 3 * * *", start_date=START, catchup=True):
        ExternalTaskSensor(
            task_id="wait",
            external_dag_id="orders",
            execution_delta=timedelta(hours=1),
            mode="reschedule",
            timeout=3600,
        )
    ```
    """

    name = "misaligned-sensor"
    code = "DP304"
    needs_import = True

    def check_folder(self, folder: LoadedFolder, sources: Sequence[SourceFile]) -> Iterator[Finding]:
        """Compare the dates of each sensor with those of its producer."""
        tasks = {
            (dag.dag_id, task.task_id): (file, task) for file, dag in folder.dags() for task in dag.tasks if task.awaits
        }
        for waiting in folder.waiting:
            dates = folder.dates.get(waiting.producer)
            message = _told(waiting, dates) if dates else None
            if message:
                file, task = tasks[waiting.dag_id, waiting.task_id]
                spots = task.spots or (Spot(file.path, 1),)
                yield self.found_at(spots, message, dag_id=waiting.dag_id, task_id=waiting.task_id)


def _told(waiting: Waiting, dates: Dates) -> str | None:
    """What a person is told of the dates that the producer does not have."""
    known = [one for one in waiting.waits if all(dates.since <= date <= dates.until for date in one[1:])]
    missed = [one for one in known if any(date not in dates.dates for date in one[1:])]
    if not missed:
        return None
    own, *awaited = missed[0]
    date = next(date for date in awaited if date not in dates.dates)
    closest = min(dates.dates, key=lambda other: (abs(other - date), other))
    many = "each of its runs" if len(missed) == len(known) else f"{len(missed)} of its next {len(known)} runs"
    return (
        f"on {many} it waits for a logical date that {waiting.producer!r} does not have: "
        f"on {_shown(own)} for {_shown(date)}, where the nearest is {_shown(closest)}; "
        "set execution_delta or execution_date_fn"
    )


def _shown(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M")
