# %% [markdown]
# # 2 · Which day is it?
#
# The shop moves to Airflow 3. Its best pipeline moves with it, without a change: it loads, it is green each night. Two
# weeks later somebody asks where the orders of the last two weeks are. There is not one.
#
# In this lesson you learn which day a run is for, when it starts, and what it is told about both.

# %%
from course import airflow, axes, edges, findings, picture, plan, prove, q1, q2, q3, rows, run, start

start("02")

# %% [markdown]
# ## The pipeline
#
# The shop takes six orders a day, at 2, 6, 10, 14, 18 and 22 o'clock. They lie in `placed_orders`. Each run copies the
# orders of its interval to `orders`: from `data_interval_start` on, and before `data_interval_end`.

# %% dag="window_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM orders WHERE dt = %(start)s::date"
INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(start)s::date FROM placed_orders
    WHERE placed_at >= %(start)s AND placed_at < %(end)s
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def window_orders():
    @task
    def load(data_interval_start=None, data_interval_end=None):
        interval = {"start": data_interval_start, "end": data_interval_end}
        PostgresHook("shop").run([DELETE, INSERT], parameters=interval)

    load()


window_orders()

# %%
run("window_orders", "2026-01-01", "2026-01-02")

# %%
found = rows("SELECT dt, count(*) AS orders FROM orders GROUP BY dt")
assert len(found) == 0
found

# %% [markdown]
# Green, and no row. `dagproof check` reads the file and has a suspicion:

# %%
told = findings("window_orders", "--select", "zero-width-interval")
assert not told
told

# %% [markdown]
# ## What is a run told?
#
# `witness` is a task that writes down what its run was told: a row in the table `told`. Here it is in a DAG with the
# same schedule.

# %% dag="by_cron"
import pendulum
from airflow.sdk import dag
from witness import witness


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def by_cron():
    witness("@daily")


by_cron()

# %%
run("by_cron", "2026-01-02")
found = rows("SELECT * FROM told")
assert (found.interval_start == found.interval_end).all()
found

# %% [markdown]
# The interval starts and ends at midnight. It is a moment, not a day. No order was placed *from midnight on and before
# midnight*.
#
# ## Why
#
# A schedule can mean two things:
#
# * **a trigger**: "start at these moments". The run is for the moment. In Airflow 3 that is what a text such as
#   `"@daily"` or `"0 6 * * 1"` means, and a `timedelta`, too.
# * **an interval**: "work through these stretches of time, one by one". The run is for the stretch, and starts when it
#   is *over*. That is what the same text meant in Airflow 2.
#
# Which of the two a text means is a setting. Airflow 3 keeps a list of the settings that were another in Airflow 2, and
# this one is in it:

# %% airflow=true
import os

from airflow.cli.commands.config_command import CONFIGS_CHANGES
from airflow.configuration import conf
from airflow.sdk import DAG

SETTING = "create_cron_data_intervals"
assert conf.getboolean("scheduler", SETTING) is False
change = next(change for change in CONFIGS_CHANGES if change.config.option == SETTING)
assert (change.old_default, change.new_default) == ("True", "False")
print(f"{SETTING}: {change.old_default} in Airflow 2, {change.new_default} in Airflow 3")
for value, means in {"True": "CronDataIntervalTimetable", "False": "CronTriggerTimetable"}.items():
    os.environ[f"AIRFLOW__SCHEDULER__{SETTING.upper()}"] = value
    timetable = type(DAG("orders", schedule="@daily").timetable).__name__
    assert timetable == means
    print(f'{value}: "@daily" is a {timetable}')

# %% [markdown]
# Don't switch it on for all DAGs of a company. Ask for intervals by name, where you want them: with
# `CronDataIntervalTimetable`, or with a `CronTriggerTimetable` that is told how long its interval is.

# %% dag="by_interval"
import pendulum
from airflow.sdk import dag
from airflow.timetables.interval import CronDataIntervalTimetable
from witness import witness


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
)
def by_interval():
    witness("CronDataIntervalTimetable")


by_interval()

# %% dag="by_trigger"
from datetime import timedelta

import pendulum
from airflow.sdk import dag
from airflow.timetables.trigger import CronTriggerTimetable
from witness import witness


@dag(
    schedule=CronTriggerTimetable("@daily", timezone="UTC", interval=timedelta(days=1)),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
)
def by_trigger():
    witness("CronTriggerTimetable, interval=1 day")


by_trigger()

# %% dag="by_delta"
from datetime import timedelta

import pendulum
from airflow.sdk import dag
from witness import witness


@dag(schedule=timedelta(days=1), start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def by_delta():
    witness("timedelta(days=1)")


by_delta()

# %% [markdown]
# Each of them runs for January 2:

# %%
for name in ("by_interval", "by_trigger", "by_delta"):
    run(name, "2026-01-02")
four = rows("SELECT * FROM told ORDER BY schedule DESC")
day = ["2026-01-02 00:00", "2026-01-03 00:00"]
assert four[four.schedule.isin(["@daily", "timedelta(days=1)"])].iloc[:, 2:].values.tolist() == [day[:1] * 4] * 2
assert four[four.schedule.str.startswith("Cron")].iloc[:, 2:].values.tolist() == [[day[0], day[0], day[1], day[1]]] * 2
assert set(four.ds) == {"2026-01-02"}
four

# %% [markdown]
# All four are runs *of January 2*. Their `logical_date` is the start of the interval, and `ds` is the same date as
# text. What differs is the interval, and `run_after`: the moment at which the run may start.

# %%
from datetime import datetime

figure, plot = axes(height=2.4)
for place, one in enumerate(four.itertuples()):
    begin, end, starts = (
        datetime.fromisoformat(text) for text in (one.interval_start, one.interval_end, one.run_after)
    )
    plot.barh(place, (end - begin).days, left=(begin - datetime(2026, 1, 1)).days, color="#5e9bd4", height=0.5)
    plot.plot((starts - datetime(2026, 1, 1)).days, place, marker=">", color="#c62828", markersize=10)
plot.set_yticks(range(4), four.schedule)
plot.set_ylim(3.6, -0.6)
plot.set_xticks([0, 1, 2, 3], ["Jan 1", "Jan 2", "Jan 3", "Jan 4"])
plot.set_title("the run of January 2: its interval (blue), and when it starts (red)", fontsize=10)
picture(
    figure, "two intervals are all of January 2 and start at its end; two have no length and start at its beginning"
)

# %% [markdown]
# Do these figures come from the scheduler? `scheduler_dag` gives a DAG as the scheduler knows it. Ask it for the first
# run of each:

# %% airflow=true
import pendulum

from dagproof.airflow.schedule import scheduler_dag

found = []
for name in ("by_cron", "by_delta", "by_interval", "by_trigger"):
    dag = scheduler_dag(load_dag(name))
    first = next(iter(dag.iter_dagrun_infos_between(dag.start_date, pendulum.datetime(2026, 1, 9))))
    found.append(f"starts on {first.run_after:%b %d}, for {first.logical_date:%b %d}")
    print(f"{name:12} {found[-1]}")
assert found[0] == found[1] == "starts on Jan 01, for Jan 01"
assert found[2:] == ["starts on Jan 02, for Jan 01", "starts on Jan 01, for Dec 31"]

# %% [markdown]
# All four have the same `start_date`, and three different first runs: on January 1 for this very moment, on January 2
# for the day before, and on January 1 for the day before the start date. In this course, `plan` tells the same of any
# date:

# %%
found = plan("by_interval", "2026-01-01", "2026-01-02")
assert list(found.logical_date.str[:10]) == ["2026-01-01", "2026-01-02"]
assert list(found.run_after.str[:10]) == ["2026-01-02", "2026-01-03"]
found

# %% [markdown]
# ## When is the data there?
#
# The time of the start matters. At midnight, when `@daily` starts the run of January 2, the day has just begun:

# %%
found = rows("""
    SELECT count(*) FILTER (WHERE placed_at < '2026-01-02 00:00Z') AS there_when_daily_starts,
           count(*) FILTER (WHERE placed_at < '2026-01-02 23:00Z') AS there_at_23_hours,
           count(*) FILTER (WHERE placed_at < '2026-01-03 00:00Z') AS there_when_the_interval_is_over
    FROM placed_orders WHERE placed_at::date = '2026-01-02'
""")
assert found.values.tolist() == [[0, 6, 6]]
found

# %% [markdown]
# So filtering by `ds` while keeping `@daily` does not help. A rerun in the evening would find rows that the run at
# midnight did not find. A run *for a day* has to start when the data of the day are there.
#
# In this shop the last order of a day comes at 22 o'clock. So a trigger at 23 o'clock, `"0 23 * * *"`, will do, with
# `ds` for the day: that is what you see in the other lessons. If you don't know when the last order comes, use an
# interval: it waits until the day is over.
#
# ## The fix
#
# One line: the schedule says that it means intervals.

# %% dag="interval_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable

DELETE = "DELETE FROM orders WHERE dt = %(start)s::date"
INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(start)s::date FROM placed_orders
    WHERE placed_at >= %(start)s AND placed_at < %(end)s
"""


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
)
def interval_orders():
    @task
    def load(data_interval_start=None, data_interval_end=None):
        interval = {"start": data_interval_start, "end": data_interval_end}
        PostgresHook("shop").run([DELETE, INSERT], parameters=interval)

    load()


interval_orders()

# %% [markdown]
# ## The proof
#
# `effect` says that a run writes something, `rerun` that a second run of the same date leaves the same rows. The old
# pipeline first:

# %%
proof = prove("window_orders", "2026-01-01").all("effect", "rerun")
assert not proof
proof

# %%
proof = prove("interval_orders", "2026-01-01", "2026-01-02").all("effect", "rerun", "containment")
assert proof
proof

# %%
assert findings("interval_orders", "--select", "zero-width-interval")
run("interval_orders", "2026-01-01", "2026-01-02")
found = rows("SELECT dt, count(*) AS orders FROM orders GROUP BY dt ORDER BY dt")
assert list(found.orders) == [6, 6]
found

# %% [markdown]
# ## A day in Berlin
#
# The shop opens in Berlin, and wants Berlin's days. A timetable takes a time zone:

# %% dag="berlin_days"
import pendulum
from airflow.sdk import dag
from airflow.timetables.interval import CronDataIntervalTimetable
from witness import witness


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
    catchup=True,
)
def berlin_days():
    witness("Berlin")


berlin_days()

# %%
run("berlin_days", "2026-01-02")
found = rows("SELECT * FROM told WHERE schedule = 'Berlin'")
assert list(found.ds) == ["2026-01-01"]
found

# %% [markdown]
# This is the run of January 2 in Berlin, and its `ds` says *January 1*. What a run is told is in UTC, always. Berlin's
# midnight is 23:00 UTC of the day before. Where days are those of a time zone, `ds` is the wrong name for them: take
# `data_interval_start`, and convert it.
#
# And once a year a day has 23 hours:

# %%
from datetime import datetime

march = plan("berlin_days", "2026-03-28", "2026-03-29", "2026-03-30")
march["hours"] = [
    (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds() / 3600
    for begin, end in zip(march.interval_start, march.interval_end, strict=True)
]
assert list(march.hours) == [24.0, 23.0, 24.0]
march[["date", "interval_start", "interval_end", "hours"]]

# %% [markdown]
# Airflow knows it. Code that adds 24 hours does not.
#
# ## A run without a date
#
# A DAG can also be started by an *asset*: when another DAG has made something. Which date is such a run for?

# %% dag="by_asset"
import pendulum
from airflow.sdk import Asset, dag
from witness import witness


@dag(schedule=[Asset("orders")], start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def by_asset():
    witness("asset")


by_asset()

# %%
run("by_asset", "2026-01-02")
found = rows("SELECT * FROM told WHERE schedule = 'asset'")
assert found.iloc[0, 1:5].isna().all()
found

# %% [markdown]
# For none. There is no `logical_date`, no interval and no `ds`, only the moment at which it may start. A task that asks
# for `ds` has nothing to work with.

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: predict the next runs
#
# Two DAGs do something on Mondays at 6 o'clock. January 1, 2026, is a Thursday. Both start on that day, in UTC. What
# is the `ds` of their first two runs, and on which date does each run start? Write texts such as `"2026-01-31"`.

# %% q="q1" role="given" dag="monday_trigger"
import pendulum
from airflow.sdk import dag
from witness import witness


@dag(schedule="0 6 * * 1", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def monday_trigger():
    witness("monday_trigger")


monday_trigger()

# %% q="q1" role="given" dag="monday_interval"
import pendulum
from airflow.sdk import dag
from airflow.timetables.interval import CronDataIntervalTimetable
from witness import witness


@dag(
    schedule=CronDataIntervalTimetable("0 6 * * 1", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
)
def monday_interval():
    witness("monday_interval")


monday_interval()

# %% q="q1" role="starter"
trigger_ds = [..., ...]
trigger_starts = [..., ...]
interval_ds = [..., ...]
interval_starts = [..., ...]


# %% q="q1" role="check"
def check(trigger_ds, trigger_starts, interval_ds, interval_starts):
    answers = {"monday_trigger": (trigger_ds, trigger_starts), "monday_interval": (interval_ds, interval_starts)}
    for name, (days, starts) in answers.items():
        lab = lesson.bench.lab(name)
        planned_runs = [lab.runs[name, date] for date in lab.dates[:2]]
        expect(len(days) == len(starts) == 2, f"{name}: two runs are asked for")
        for number, (day, begins, due) in enumerate(zip(days, starts, planned_runs, strict=True), start=1):
            right_day, right_start = due.logical_date[:10], due.run_after[:10]
            what = "its interval begins" if name == "monday_interval" else "the moment at which it is due falls"
            expect(str(day) == right_day, f"{name}, run {number}: ds is not {day}. ds is the date when {what}")
            expect(
                str(begins) == right_start,
                f"{name}, run {number}, of {day}: it does not start on {begins}. "
                + ("An interval has to be over" if name == "monday_interval" else "A trigger starts at its moment"),
            )


# %% [markdown] q="q1" role="hint"
# January 5, 12 and 19 are Mondays.

# %% [markdown] q="q1" role="hint"
# Which stretches of time does `0 6 * * 1` cut the calendar into? The first whole one after the start date is the
# first run of `monday_interval`. It starts when that stretch is over.

# %% q="q1" role="solution"
trigger_ds = ["2026-01-05", "2026-01-12"]
trigger_starts = ["2026-01-05", "2026-01-12"]
interval_ds = ["2026-01-05", "2026-01-12"]
interval_starts = ["2026-01-12", "2026-01-19"]

# %% q="q1" role="wrong" says="monday_trigger, run 1: ds is not 2026-01-01"
trigger_ds = ["2026-01-01", "2026-01-08"]
trigger_starts = ["2026-01-01", "2026-01-08"]
interval_ds = ["2026-01-01", "2026-01-08"]
interval_starts = ["2026-01-08", "2026-01-15"]

# %% q="q1" role="wrong" says="An interval has to be over"
trigger_ds = ["2026-01-05", "2026-01-12"]
trigger_starts = ["2026-01-05", "2026-01-12"]
interval_ds = ["2026-01-05", "2026-01-12"]
interval_starts = ["2026-01-05", "2026-01-12"]

# %% q="q1" role="wrong" says="A trigger starts at its moment"
trigger_ds = ["2026-01-05", "2026-01-12"]
trigger_starts = ["2026-01-12", "2026-01-19"]
interval_ds = ["2026-01-05", "2026-01-12"]
interval_starts = ["2026-01-12", "2026-01-19"]

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: the filter that lets nothing through
#
# Orders are placed at 2, 6, 10 … o'clock. This load should copy the orders of each hour. Instead it copies nothing. Fix
# it, so that the run of an hour starts when the hour is over, and copies that hour.

# %% q="q2" role="starter" dag="hourly_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM orders USING placed_orders AS placed WHERE orders.number = placed.number AND {hour}"
INSERT = "INSERT INTO orders SELECT number, customer, total, placed_at::date FROM placed_orders AS placed WHERE {hour}"
HOUR = "placed.placed_at >= %(start)s AND placed.placed_at < %(end)s"


@dag(schedule="@hourly", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hourly_orders():
    @task
    def load(data_interval_start=None, data_interval_end=None):
        statements = [statement.format(hour=HOUR) for statement in (DELETE, INSERT)]
        interval = {"start": data_interval_start, "end": data_interval_end}
        PostgresHook("shop").run(statements, parameters=interval)

    load()


hourly_orders()


# %% q="q2" role="check"
def check():
    date = "2026-01-01T06:00"
    with fresh() as desk:
        ran = desk.run("hourly_orders", "2026-01-01T05:00", date, "2026-01-01T07:00")
        found = desk.rows("SELECT number, customer, total, dt FROM orders ORDER BY number")
        placed = "SELECT number, customer, total, placed_at::date AS dt FROM placed_orders"
        wanted = desk.rows(f"{placed} WHERE placed_at = '2026-01-01 06:00Z'")
        ran = next(ran for ran in desk.ran if ran.step.date == date)
    expect(len(found), "The runs of 5, 6 and 7 o'clock copied no row; one order was placed at 6:00")
    expect(len(found) == 1, f"One order was placed from 5 to 8 o'clock, at 6:00, but orders holds\n{shown(found)}")
    same_rows(found, wanted, "After the runs of 5, 6 and 7 o'clock, orders")
    starts, ends = ran.spec["run_after"][11:16], "07:00"
    expect(
        starts == ends, f"The rows are right, but the run of 6 o'clock starts at {starts}. The hour is over at {ends}"
    )
    proven("hourly_orders", "effect", "rerun", dates=[date])


# %% [markdown] q="q2" role="hint"
# How long is the interval of a run with the schedule `"@hourly"`? The SQL is fine.

# %% [markdown] q="q2" role="hint"
# In the lesson's fix, only one line was changed, besides the import.

# %% q="q2" role="solution" dag="hourly_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable

DELETE = "DELETE FROM orders USING placed_orders AS placed WHERE orders.number = placed.number AND {hour}"
INSERT = "INSERT INTO orders SELECT number, customer, total, placed_at::date FROM placed_orders AS placed WHERE {hour}"
HOUR = "placed.placed_at >= %(start)s AND placed.placed_at < %(end)s"


@dag(
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
)
def hourly_orders():
    @task
    def load(data_interval_start=None, data_interval_end=None):
        statements = [statement.format(hour=HOUR) for statement in (DELETE, INSERT)]
        interval = {"start": data_interval_start, "end": data_interval_end}
        PostgresHook("shop").run(statements, parameters=interval)

    load()


hourly_orders()

# %% q="q2" role="wrong" says="the run of 6 o'clock starts at 06:00" dag="hourly_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM orders USING placed_orders AS placed WHERE orders.number = placed.number AND {hour}"
INSERT = "INSERT INTO orders SELECT number, customer, total, placed_at::date FROM placed_orders AS placed WHERE {hour}"
HOUR = "placed.placed_at >= %(start)s AND placed.placed_at < %(end)s"


@dag(schedule="@hourly", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hourly_orders():
    @task
    def load(data_interval_start=None):
        statements = [statement.format(hour=HOUR) for statement in (DELETE, INSERT)]
        interval = {"start": data_interval_start, "end": data_interval_start.add(hours=1)}
        PostgresHook("shop").run(statements, parameters=interval)

    load()


hourly_orders()

# %% q="q2" role="wrong" says="copied no row" dag="hourly_orders"
from datetime import timedelta

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO orders SELECT number, customer, total, placed_at::date FROM placed_orders
    WHERE placed_at > %(start)s AND placed_at <= %(end)s
"""


@dag(schedule=timedelta(hours=1), start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hourly_orders():
    @task
    def load(data_interval_start=None, data_interval_end=None):
        interval = {"start": data_interval_start, "end": data_interval_end}
        PostgresHook("shop").run(INSERT, parameters=interval)

    load()


hourly_orders()

# %% q="q2" role="wrong" says="One order was placed from 5 to 8 o'clock" dag="hourly_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO orders SELECT number, customer, total, placed_at::date FROM placed_orders
    WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="@hourly", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hourly_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(INSERT, parameters={"ds": ds})

    load()


hourly_orders()

# %% q="q2" role="wrong" says="After the runs of 5, 6 and 7 o'clock, orders should hold" dag="hourly_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable

DELETE = "DELETE FROM orders USING placed_orders AS placed WHERE orders.number = placed.number AND {hour}"
INSERT = "INSERT INTO orders SELECT number, customer, 1, placed_at::date FROM placed_orders AS placed WHERE {hour}"
HOUR = "placed.placed_at >= %(start)s AND placed.placed_at < %(end)s"


@dag(
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
)
def hourly_orders():
    @task
    def load(data_interval_start=None, data_interval_end=None):
        statements = [statement.format(hour=HOUR) for statement in (DELETE, INSERT)]
        interval = {"start": data_interval_start, "end": data_interval_end}
        PostgresHook("shop").run(statements, parameters=interval)

    load()


hourly_orders()

# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: the day with 23 hours
#
# The table `visits` has a visit to the shop's page every hour, at half past. This DAG copies the visits of each day *in
# Berlin* to `daily_visits`. Two things are wrong with it. Fix both, so that each visit is there once, with the date on
# which it was in Berlin. The cell below the check runs three days in March and counts.

# %% q="q3" role="starter" dag="berlin_visits"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable

DELETE = "DELETE FROM daily_visits WHERE dt = %(day)s::date"
INSERT = """
    INSERT INTO daily_visits SELECT at, %(day)s::date FROM visits
    WHERE at >= %(start)s AND at < %(start)s + interval '24 hours'
"""


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2026, 3, 1, tz="Europe/Berlin"),
    catchup=True,
)
def berlin_visits():
    @task
    def load(ds=None, data_interval_start=None, data_interval_end=None):
        start = data_interval_start
        PostgresHook("shop").run([DELETE, INSERT], parameters={"day": ds, "start": start})

    load()


berlin_visits()


# %% q="q3" role="check"
def check():
    days = ["2026-03-28", "2026-03-29", "2026-03-30"]
    with fresh() as desk:
        desk.run("berlin_visits", *days)
        twice = desk.rows(
            """SELECT to_char(at AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-DD HH24:MI') AS in_berlin, count(*) AS times,
                      string_agg(dt::text, ', ' ORDER BY dt) AS days
               FROM daily_visits GROUP BY at HAVING count(*) > 1 ORDER BY at"""
        )
        named = desk.rows(
            """SELECT to_char(at AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-DD HH24:MI') AS in_berlin, dt::text AS dt
               FROM daily_visits WHERE dt <> (at AT TIME ZONE 'Europe/Berlin')::date ORDER BY at, dt"""
        )
        counted = desk.rows("SELECT dt::text AS dt, count(*) AS visits FROM daily_visits GROUP BY dt ORDER BY dt")
    expect(not len(twice), f"Some visits are there twice:\n{shown(twice)}")
    expect(not len(named), f"Some visits have another date than the one in Berlin:\n{shown(named, 5)}")
    right = [["2026-03-28", 24], ["2026-03-29", 23], ["2026-03-30", 24]]
    expect(
        counted.values.tolist() == right, f"The three days have 24, 23 and 24 hours, but there are:\n{shown(counted)}"
    )
    proven("berlin_visits", "rerun", dates=["2026-03-29"])


# %% [markdown] q="q3" role="hint"
# The run is told where its day ends. It need not count hours.

# %% [markdown] q="q3" role="hint"
# `data_interval_start` is midnight in Berlin, told in UTC. `.in_timezone("Europe/Berlin")` tells the same moment in
# Berlin's time, and `.to_date_string()` gives its date.

# %% q="q3" role="solution" dag="berlin_visits"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable

DELETE = "DELETE FROM daily_visits WHERE dt = %(day)s::date"
INSERT = """
    INSERT INTO daily_visits SELECT at, %(day)s::date FROM visits
    WHERE at >= %(start)s AND at < %(end)s
"""


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2026, 3, 1, tz="Europe/Berlin"),
    catchup=True,
)
def berlin_visits():
    @task
    def load(data_interval_start=None, data_interval_end=None):
        day = pendulum.instance(data_interval_start).in_timezone("Europe/Berlin").to_date_string()
        parameters = {"day": day, "start": data_interval_start, "end": data_interval_end}
        PostgresHook("shop").run([DELETE, INSERT], parameters=parameters)

    load()


berlin_visits()

# %% q="q3" role="wrong" says="another date than the one in Berlin" dag="berlin_visits"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable

DELETE = "DELETE FROM daily_visits WHERE dt = %(day)s::date"
INSERT = "INSERT INTO daily_visits SELECT at, %(day)s::date FROM visits WHERE at >= %(start)s AND at < %(end)s"


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2026, 3, 1, tz="Europe/Berlin"),
    catchup=True,
)
def berlin_visits():
    @task
    def load(ds=None, data_interval_start=None, data_interval_end=None):
        parameters = {"day": ds, "start": data_interval_start, "end": data_interval_end}
        PostgresHook("shop").run([DELETE, INSERT], parameters=parameters)

    load()


berlin_visits()

# %% q="q3" role="wrong" says="Some visits are there twice" dag="berlin_visits"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable

DELETE = "DELETE FROM daily_visits WHERE dt = %(end)s::date"
INSERT = """
    INSERT INTO daily_visits SELECT at, %(end)s::date FROM visits
    WHERE at >= %(end)s - interval '24 hours' AND at < %(end)s
"""


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2026, 3, 1, tz="Europe/Berlin"),
    catchup=True,
)
def berlin_visits():
    @task
    def load(data_interval_end=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"end": data_interval_end})

    load()


berlin_visits()

# %% q="q3" role="wrong" says="24, 23 and 24 hours, but there are" dag="berlin_visits"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable

DELETE = "DELETE FROM daily_visits WHERE dt = %(day)s::date"
INSERT = """
    INSERT INTO daily_visits SELECT at, %(day)s::date FROM visits
    WHERE at >= %(start)s AND at < %(start)s + interval '23 hours'
"""


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2026, 3, 1, tz="Europe/Berlin"),
    catchup=True,
)
def berlin_visits():
    @task
    def load(data_interval_start=None):
        day = pendulum.instance(data_interval_start).in_timezone("Europe/Berlin").to_date_string()
        PostgresHook("shop").run([DELETE, INSERT], parameters={"day": day, "start": data_interval_start})

    load()


berlin_visits()

# %%
run("berlin_visits", "2026-03-28", "2026-03-29", "2026-03-30")
rows("SELECT dt, count(*) AS visits, min(at) AS first, max(at) AS last FROM daily_visits GROUP BY dt ORDER BY dt")

# %% [markdown]
# ## What you now know
#
# 1. In Airflow 3, `"@daily"` is a trigger: its interval has no length, and a filter by it lets nothing through.
# 2. An interval timetable gives a run a stretch of time, and starts it when that is over.
# 3. `ds` is the logical date in UTC, not today, and not the day in your time zone.
# 4. A day may have 23 hours: take both ends of the interval from the run, and add nothing.
# 5. A run that an asset starts has no logical date. (Where the asset is partitioned, Airflow 3.3 gives the run a
#    `partition_date` instead.)
