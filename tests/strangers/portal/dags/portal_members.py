import json
from datetime import datetime
from pathlib import Path

from airflow.sdk import Param, dag, task

from portal.db import connect, settings


@dag(schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False, params={"region": Param("us")})
def portal_members():
    @task
    def load(ds=None, params=None):
        members = json.loads(Path(settings().MEDIA_ROOT, f"members-{params['region']}.json").read_text())
        with connect() as connection, connection.cursor() as cursor:
            for member in members[ds]:
                cursor.execute(
                    "INSERT INTO members (dt, email) VALUES (%s, %s) ON CONFLICT (dt, email) DO NOTHING", [ds, member]
                )

    load()


portal_members()
