"""A file that bears another name than its DAG."""

import pendulum
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def new_name():
    @task
    def work(): ...

    work()


new_name()
