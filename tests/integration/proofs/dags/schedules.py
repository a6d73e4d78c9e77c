"""A DAG for each kind of schedule, each about to cross a change of the clocks where its time zone has one."""

from datetime import timedelta

import pendulum
from airflow.sdk import DAG

try:
    from airflow.sdk import (
        CronDataIntervalTimetable,
        CronTriggerTimetable,
        DeltaDataIntervalTimetable,
        DeltaTriggerTimetable,
        MultipleCronTriggerTimetable,
    )
except ImportError:  # Airflow 3.1
    from airflow.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable  # type: ignore[assignment]
    from airflow.timetables.trigger import (  # type: ignore[assignment]
        CronTriggerTimetable,
        DeltaTriggerTimetable,
        MultipleCronTriggerTimetable,
    )

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
#: Three days before the clocks go forward, and back.
STARTS = {
    "spring": {BERLIN: pendulum.datetime(2024, 3, 28, tz=BERLIN), NEW_YORK: pendulum.datetime(2024, 3, 7, tz=NEW_YORK)},
    "autumn": {
        BERLIN: pendulum.datetime(2024, 10, 24, tz=BERLIN),
        NEW_YORK: pendulum.datetime(2024, 10, 31, tz=NEW_YORK),
    },
}
UTC_START = pendulum.datetime(2024, 1, 30, tz="UTC")

SCHEDULES = {
    "cron": ("0 5 * * *", UTC_START),
    "preset_daily": ("@daily", UTC_START),
    "preset_hourly": ("@hourly", UTC_START),
    "preset_weekly": ("@weekly", UTC_START),
    "preset_monthly": ("@monthly", UTC_START),
    "preset_yearly": ("@yearly", UTC_START),
    "leap_days": ("0 0 29 2 *", pendulum.datetime(2020, 1, 1, tz="UTC")),
    "workdays": ("30 6 * * 1-5", UTC_START),
    "quarters": ("*/15 * * * *", UTC_START),
    "start_within_the_day": ("0 5 * * *", UTC_START.add(hours=7)),
    "every_6_hours": (timedelta(hours=6), UTC_START),
    "every_6_hours_off_the_hour": (timedelta(hours=6), UTC_START.add(minutes=17)),
    "every_10_days": (timedelta(days=10), UTC_START),
    "delta_interval": (DeltaDataIntervalTimetable(timedelta(hours=36)), UTC_START),
    "delta_trigger": (DeltaTriggerTimetable(timedelta(hours=36), interval=timedelta(hours=12)), UTC_START),
    "cron_interval": (CronDataIntervalTimetable("0 5 * * *", timezone="UTC"), UTC_START),
    "cron_interval_weekly": (CronDataIntervalTimetable("0 0 * * 1", timezone="UTC"), UTC_START),
    "cron_interval_monthly": (CronDataIntervalTimetable("0 0 1 * *", timezone="UTC"), UTC_START),
    "cron_trigger_with_interval": (
        CronTriggerTimetable("0 5 * * *", timezone="UTC", interval=timedelta(days=1)),
        UTC_START,
    ),
    "two_crons": (MultipleCronTriggerTimetable("10 3 * * *", "0 18 * * 1-5", timezone="UTC"), UTC_START),
} | {
    f"{season}_{zone.partition('/')[2].lower()}_{name}": (schedule(zone), start)
    for season, starts in STARTS.items()
    for zone, start in starts.items()
    for name, schedule in {
        "0130": lambda zone: "30 1 * * *",
        "0230": lambda zone: "30 2 * * *",
        "midnight": lambda zone: "@daily",
        "hourly": lambda zone: "@hourly",
        "interval_0230": lambda zone: CronDataIntervalTimetable("30 2 * * *", timezone=zone),
        "interval_hourly": lambda zone: CronDataIntervalTimetable("0 * * * *", timezone=zone),
        "two_crons": lambda zone: MultipleCronTriggerTimetable("30 1 * * *", "30 2 * * *", timezone=zone),
        "12_hours": lambda zone: timedelta(hours=12),
    }.items()
}

try:
    from airflow.sdk import CronPartitionTimetable  # since Airflow 3.2
except ImportError:
    pass
else:
    PARTITIONS = {
        "partition_daily": ("0 0 * * *", "UTC", 0, "%Y-%m-%dT%H:%M:%S", UTC_START),
        "partition_day_before": ("0 5 * * *", BERLIN, -1, "%Y-%m-%d", STARTS["spring"][BERLIN]),
        "partition_weeks_ahead": ("0 0 * * 1", "UTC", 3, "%Y%m%d", UTC_START),
        "partition_monthly": ("0 0 1 * *", NEW_YORK, 0, "%Y-%m", STARTS["autumn"][NEW_YORK]),
        "partition_hourly": ("0 * * * *", NEW_YORK, 0, "%Y-%m-%dT%H", STARTS["spring"][NEW_YORK]),
    }
    SCHEDULES |= {
        name: (CronPartitionTimetable(cron, timezone=zone, run_offset=offset, key_format=keys), start)
        for name, (cron, zone, offset, keys, start) in PARTITIONS.items()
    }

for name, (schedule, start) in SCHEDULES.items():
    with DAG(name, schedule=schedule, start_date=start, catchup=True, max_active_runs=10_000) as dag:
        pass
    globals()[name] = dag
