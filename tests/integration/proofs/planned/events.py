"""Consumers of assets, by each way of naming them."""

import json
import os
from datetime import datetime
from pathlib import Path

from airflow.sdk import DAG, Asset, AssetAlias, Metadata, dag, task

STAGE, OTHER, ALIAS = Asset("stage"), Asset("other"), AssetAlias("whatever_comes")
START = datetime(2026, 3, 1)


def root(name):
    return Path(os.environ["DATA_ROOT"], name)


@dag(schedule="@daily", start_date=START, catchup=False)
def event_producer():
    @task(outlets=[STAGE])
    def stage(ds=None):
        yield Metadata(STAGE, {"day": ds})

    @task(outlets=[ALIAS])
    def stage_by_alias(ds=None, outlet_events=None):
        outlet_events[ALIAS].add(Asset("found_at_runtime"), extra={"day": ds})

    @task(outlets=[OTHER])
    def nobody_waits_for():
        pass

    stage()
    stage_by_alias()
    nobody_waits_for()


event_producer()


def consume(triggering_asset_events=None):
    events = [event for found in triggering_asset_events.values() for event in found]
    for day in sorted({event.extra["day"] for event in events if event.extra}):
        root(f"{day}.json").write_text(json.dumps(sorted({event.asset.name for event in events})))


def append(triggering_asset_events=None):
    for event in triggering_asset_events[STAGE]:
        with root(event.extra["day"]).open("a") as file:
            file.write("loaded\n")


for dag_id, schedule, function in (
    ("events_of_asset", [STAGE], consume),
    ("events_of_name", [Asset.ref(name="stage")], consume),
    ("events_of_alias", [ALIAS], consume),
    ("events_of_either", STAGE | Asset("never"), consume),
    ("events_appended", [STAGE], append),
    ("events_by_time", "@daily", consume),
):
    with DAG(dag_id, schedule=schedule, start_date=START, catchup=False) as consumer:
        task(function)()
    globals()[dag_id] = consumer
