"""Notes in a file when it was written, by the wall clock."""

import json
import os
from datetime import datetime, timezone
from pathlib import Path

import pendulum
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def file_stamped_now():
    @task
    def write_report(ds=None):
        report = {"date": ds, "generated_at": datetime.now(timezone.utc).isoformat()}
        Path(os.environ["DATA_ROOT"], f"report-{ds}.json").write_text(json.dumps(report, indent=1))

    write_report()


file_stamped_now()
