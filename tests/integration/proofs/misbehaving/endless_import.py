"""A file that would define dag_endless_import, if only importing it came to its end."""

import signal

import pendulum
from airflow.sdk import dag, task

signal.setitimer(signal.ITIMER_REAL, 0.1)  # Airflow's own limit of 30 s, for who has no 30 s
while True:
    pass


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def dag_endless_import():
    @task
    def work(): ...

    work()


dag_endless_import()
