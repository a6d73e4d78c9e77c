"""Notes in a file when it is of, by the schedule."""

import json
import os
from pathlib import Path
from uuid import uuid4

import pendulum
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def file_stamped_by_schedule():
    @task
    def write_report(ds=None, data_interval_end=None):
        report = {"date": ds, "generated_at": data_interval_end.isoformat()}
        part = Path(os.environ["DATA_ROOT"], f".{uuid4()}.part")
        part.write_text(json.dumps(report, indent=1))
        os.replace(part, part.with_name(f"report-{ds}.json"))

    write_report()


file_stamped_by_schedule()
