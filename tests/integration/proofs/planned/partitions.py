"""Producers and consumers of partitions: what each sees of its partition is appended to no file, but written."""

import json
import os
from datetime import datetime
from pathlib import Path

import pendulum
from airflow.sdk import (
    Asset,
    CronPartitionTimetable,
    PartitionedAssetTimetable,
    PartitionedAtRuntime,
    dag,
    task,
)

DAYS, BERLIN = Asset("days"), "Europe/Berlin"
START = pendulum.datetime(2026, 3, 27, tz=BERLIN)


def write(name, dag_run, **more):
    seen = {"key": dag_run.partition_key, "logical_date": str(dag_run.logical_date), "run_id": dag_run.run_id, **more}
    Path(os.environ["DATA_ROOT"], f"{name}-{dag_run.partition_key}.json").write_text(json.dumps(seen))


@dag(schedule=CronPartitionTimetable("0 5 * * *", timezone=BERLIN, key_format="%Y-%m-%d"), start_date=START)
def partition_producer():
    @task(outlets=[DAYS])
    def produce(dag_run=None):
        write("produced", dag_run)

    produce()


@dag(schedule=PartitionedAssetTimetable(assets=DAYS), start_date=START)
def partition_consumer():
    @task
    def consume(dag_run=None, triggering_asset_events=None):
        write("consumed", dag_run, sources=[event.source_run_id for event in triggering_asset_events[DAYS]])

    consume()


@dag(schedule=CronPartitionTimetable("0 5 * * *", timezone=BERLIN, key_format="%Y-%m-%d"), start_date=START)
def partition_clock():
    @task
    def produce(dag_run=None):
        with open(os.environ["DATA_ROOT"] + "/all.txt", "a") as file:
            file.write(f"{dag_run.partition_key}\n")

    produce()


@dag(
    schedule=CronPartitionTimetable("0 0 1 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    start_date=datetime(2026, 1, 1),
)
def partition_months():
    @task
    def produce(dag_run=None):
        write("month", dag_run)

    produce()


@dag(schedule=PartitionedAtRuntime(), start_date=START)
def partition_by_hand():
    @task
    def produce(dag_run=None):
        write("by-hand", dag_run)

    produce()


partition_producer()
partition_consumer()
partition_clock()
partition_months()
partition_by_hand()
