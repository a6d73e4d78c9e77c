"""Notes in a file when it was written, by the wall clock."""

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4

import pendulum
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def file_stamped_now():
    @task
    def write_report(ds=None):
        report = {"date": ds, "generated_at": datetime.now(timezone.utc).isoformat()}
        part = Path(os.environ["DATA_ROOT"], f".{uuid4()}.part")
        part.write_text(json.dumps(report, indent=1))
        os.replace(part, part.with_name(f"report-{ds}.json"))

    write_report()


file_stamped_now()
