"""A file that defines dag_broken_import, if only it could be imported."""

import no_such_module  # type: ignore[import-not-found]  # that is the point
import pendulum
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def dag_broken_import():
    task(no_such_module.write)()


dag_broken_import()
