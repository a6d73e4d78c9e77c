# %% [markdown]
# # 12 · Twelve things you may have read
#
# On blogs, in answers, in old books: sentences about Airflow that are repeated and repeated. Here are twelve of them.
# None is discussed; each is run.

# %%
from course import airflow, findings, fresh, prove, q1, q2, read, rerun, rows, run, start, tasks, timeline

start("12")

# %% [markdown]
# ## 1. "`depends_on_past` skips a task whose yesterday failed"

# %% dag="depending"
import pendulum
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="@daily", start_date=START, catchup=True, default_args={"depends_on_past": True})
def depending():
    @task
    def load(ds=None):
        if ds == "2026-01-01":
            raise ValueError("a bad day")

    load()


depending()

# %%
run("depending", "2026-01-01")
second = run("depending", "2026-01-02")
assert second.of("load") is None
tasks(second)

# %% [markdown]
# **It doesn't skip. It blocks.** The task of January 2 has no state at all. It waits until somebody mends January 1.
#
# ## 2. "The first run is at `start_date` plus one schedule"
#
# `scheduler_dag` gives a DAG as the scheduler knows it.

# %% airflow=true
import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from dagproof.airflow.schedule import scheduler_dag

START = pendulum.datetime(2026, 1, 1, tz="UTC")
with DAG("daily", schedule="@daily", start_date=START, catchup=True) as dag:
    EmptyOperator(task_id="load")
first = next(iter(scheduler_dag(dag).iter_dagrun_infos_between(START, START.add(days=9))))
print("start date:", START.date(), " first run:", first.run_after)
assert first.run_after == START

# %% [markdown]
# **It is at the start date itself**, when the schedule is a text such as `"@daily"`.
#
# ## 3. "`@daily` gives you yesterday's interval"

# %% airflow=true
import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from dagproof.airflow.schedule import scheduler_dag

START = pendulum.datetime(2026, 1, 1, tz="UTC")
with DAG("daily", schedule="@daily", start_date=START, catchup=True) as dag:
    EmptyOperator(task_id="load")
first = next(iter(scheduler_dag(dag).iter_dagrun_infos_between(START, START.add(days=9))))
print(first.data_interval.start, "to", first.data_interval.end)
assert first.data_interval.start == first.data_interval.end

# %% [markdown]
# **It gives you a moment.** The interval begins and ends at midnight, and no order was placed in it. Yesterday's
# interval is what this timetable gives:

# %% airflow=true
import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from dagproof.airflow.schedule import scheduler_dag

START = pendulum.datetime(2026, 1, 1, tz="UTC")
timetable = CronDataIntervalTimetable("@daily", timezone="UTC")
with DAG("yesterday", schedule=timetable, start_date=START, catchup=True) as dag:
    EmptyOperator(task_id="load")
first = next(iter(scheduler_dag(dag).iter_dagrun_infos_between(START, START.add(days=9))))
print(first.data_interval.start, "to", first.data_interval.end, " run after", first.run_after)
assert first.run_after == first.data_interval.end == START.add(days=1)

# %% [markdown]
#
# ## 4. "`catchup` is on unless you turn it off"

# %% airflow=true
from airflow.sdk import DAG

catchup = DAG("daily", schedule="@daily").catchup
assert catchup is False
print("catchup =", catchup)

# %% [markdown]
# **It is off unless you turn it on**, with `catchup=True`.
#
# ## 5. "A sensor's `timeout` matters only in reschedule mode"

# %% dag="sensing"
import pendulum
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="@daily", start_date=START, catchup=True)
def sensing():
    @task.sensor(mode="poke", poke_interval=600, timeout=3600)
    def poking():
        return False

    @task.sensor(mode="reschedule", poke_interval=600, timeout=3600, trigger_rule="all_done")
    def rescheduling():
        return False

    poking() >> rescheduling()


sensing()

# %% [markdown]
# `fresh()` clears the desk: no runs, and it is January 1 again. `all_done` lets the second sensor start though the first
# one fails.

# %%
fresh()
ran = run("sensing", "2026-01-01")
assert ran.of("poking") == ran.of("rescheduling") == "failed"
timeline(ran)

# %% [markdown]
# **It matters in both.** Each gives up after the hour that it was given. The difference is what they do meanwhile: one
# holds a worker slot (the thick bar), the other comes and goes. (It looks every ten minutes. This world is in a hurry,
# and leaves out looks that can find nothing.)
#
# ## 6. "A missing upstream marks the consumer `upstream_failed`"
#
# This DAG waits for another one, which never ran.

# %% dag="consuming"
from datetime import timedelta

import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="@daily", start_date=START, catchup=True)
def consuming():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="never_ran",
        mode="reschedule",
        poke_interval=timedelta(hours=1),
        timeout=timedelta(hours=8),
    )

    @task
    def load(): ...

    wait >> load()


consuming()

# %%
fresh()
ran = run("consuming", "2026-01-01")
assert (ran.of("wait"), ran.of("load")) == ("failed", "upstream_failed")
timeline(ran)

# %% [markdown]
# **It marks nothing.** The sensor waits. It waits for as long as its `timeout` says, and then it has *failed* itself.
# `upstream_failed` is only for tasks of the same DAG that come after it. And if nobody sets a timeout?

# %% airflow=true
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.providers.standard.sensors.python import PythonSensor

for sensor in (
    ExternalTaskSensor(task_id="wait", external_dag_id="never_ran"),
    FileSensor(task_id="wait", filepath="never_came"),
    PythonSensor(task_id="wait", python_callable=lambda: False),
):
    days = sensor.timeout / 86400
    assert days == 7
    print(f"{sensor.task_type:18} {days:.0f} days")

# %% [markdown]
# ## 7. "An upsert is idempotent"

# %% dag="upserting"
from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
UPSERT = "INSERT INTO upserted VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE SET number = excluded.number"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def upserting():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        for (number,) in hook.get_records("SELECT number FROM placed_orders WHERE placed_at::date = %s", (ds,)):
            hook.run(UPSERT, parameters=(str(uuid4()), number, ds))

    load()


upserting()

# %%
run("upserting", "2026-01-01")
rerun("upserting", "2026-01-01")
found = rows("SELECT dt, number, count(*) AS times FROM upserted GROUP BY dt, number ORDER BY number")
assert list(found.times) == [2] * 6
found

# %% [markdown]
# **It is as idempotent as its key.** Here the key is new each time, so that nothing ever conflicts.
#
# ## 8. "`datetime.now(tz=…)` is fine, because it has a time zone"

# %% dag="stamping"
from datetime import datetime, timezone

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
DELETE = "DELETE FROM stamped WHERE day = %(today)s"
INSERT = "INSERT INTO stamped SELECT %(today)s, count(*) FROM placed_orders WHERE placed_at::date = %(today)s"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def stamping():
    @task
    def load():
        today = datetime.now(tz=timezone.utc).date()
        PostgresHook("shop").run([DELETE, INSERT], parameters={"today": today})

    load()


stamping()

# %% [markdown]
# The run of January 1, cleared and run again later:

# %%
fresh()
run("stamping", "2026-01-01")
rerun("stamping", "2026-01-01")
found = rows("SELECT * FROM stamped ORDER BY day")
assert [len(found), str(found.day[0])] == [2, "2026-01-01"]
found

# %%
told = findings("stamping", "--select", "wall-clock")
assert not told
told

# %% [markdown]
# **A time zone doesn't make it the right day.** It tells when the code runs, not which day the run is for. The rerun of
# January 1 has loaded another day.
#
# ## 9. "DAG ids may hold letters, digits and underscores only"

# %% airflow=true
from airflow.sdk import DAG

refused = []
for name in ("orders_daily", "orders-daily", "orders.daily", "bestellungen_täglich", "orders daily", "orders/daily"):
    try:
        print(f"{DAG(name).dag_id:22} is fine")
    except ValueError:
        print(f"{name:22} is refused")
        refused.append(name)
assert refused == ["orders daily", "orders/daily"]

# %% [markdown]
# **Dashes and dots are fine**, and so are letters of any language. Spaces and slashes are not.
#
# ## 10. "`concurrency=` limits how many tasks of a DAG run at once"

# %% airflow=true
from airflow.sdk import DAG

try:
    DAG("orders", concurrency=4)
    told = "accepted"
except TypeError as error:
    told = str(error)
print(told)
assert "unexpected keyword argument 'concurrency'" in told
assert DAG("orders", max_active_tasks=4).max_active_tasks == 4

# %% [markdown]
# **It makes the DAG disappear**: the file doesn't load. The name is `max_active_tasks`.
#
# ## 11. "`provide_context=True` gives a function its context"

# %% airflow=true
from airflow.providers.standard.operators.python import PythonOperator

try:
    PythonOperator(task_id="load", python_callable=print, provide_context=True)
    told = "accepted"
except TypeError as error:
    told = str(error)
print(told)
assert "Invalid arguments were passed" in told

# %% [markdown]
# **It is refused, too.** A function gets what it names: a parameter `ds` is filled with `ds`.
#
# ## 12. "With `email_on_failure=True` a failure sends mail"
#
# Here mail goes to the file `mail.txt`: `postman`, a helper of this lesson, puts it there. Both tasks fail, and both have `email_on_failure=True`.

# %% dag="mailing"
import os

import pendulum
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
os.environ["AIRFLOW__EMAIL__EMAIL_BACKEND"] = "postman.send"


@dag(schedule="@daily", start_date=START, catchup=True)
def mailing():
    @task(email_on_failure=True)
    def without_an_address():
        raise ValueError("nobody will know")

    @task(email_on_failure=True, email="ada@example.org")
    def with_an_address():
        raise ValueError("Ada will know")

    without_an_address()
    with_an_address()


mailing()

# %%
ran = run("mailing", "2026-01-01")
assert ran.of("without_an_address") == ran.of("with_an_address") == "failed"
assert read("mail.txt") == "to ada@example.org\n"
print(read("mail.txt"))

# %% [markdown]
# **It needs an address.** Two tasks have failed, and one mail was sent: that of the task with `email=…`. Airflow 3.3 still has `email_on_failure`, but deprecates it: in new DAGs use `on_failure_callback` with `SmtpNotifier` (from `airflow.providers.smtp.notifications.smtp`).

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: true or false?
#
# Eight more sentences. Write `True` or `False` for each. You can try all of them on this page.
#
# | | sentence |
# |---|---|
# | `a` | A task that `depends_on_past` blocks is `upstream_failed`. |
# | `b` | A DAG with `schedule="@daily"` and `start_date` January 1 has a run on January 1. |
# | `c` | In a run of `@daily`, `data_interval_end` is the midnight after `data_interval_start`. |
# | `d` | A sensor in poke mode may time out. |
# | `e` | A task behind a sensor that has timed out, without `soft_fail`, is `upstream_failed`. |
# | `f` | `ON CONFLICT` makes any load safe to rerun. |
# | `g` | `orders.daily-v2` may be the id of a DAG. |
# | `h` | Without `email=`, `email_on_failure=True` does nothing. |

# %% q="q1" role="starter"
answers = {"a": ..., "b": ..., "c": ..., "d": ..., "e": ..., "f": ..., "g": ..., "h": ...}


# %% q="q1" role="check"
def check(answers):
    sections = {"a": 1, "b": 2, "c": 3, "d": 5, "e": 6, "f": 7, "g": 9, "h": 12}
    truth = {"a": False, "b": True, "c": False, "d": True, "e": True, "f": False, "g": True, "h": True}
    expect(set(answers) == set(truth), f"Answer these, and no others: {', '.join(truth)}")
    for name, answer in answers.items():
        expect(isinstance(answer, bool), f"{name}: write True or False, not {answer!r}")
    wrong = [name for name in truth if answers[name] != truth[name]]
    expect(
        not wrong, f"Not right: {len(wrong)} of 8. Look again at section {', '.join(str(sections[n]) for n in wrong)}"
    )


# %% [markdown] q="q1" role="hint"
# Each sentence is about one of the twelve sections. Which one?

# %% [markdown] q="q1" role="hint"
# Three are false.

# %% q="q1" role="solution"
answers = {"a": False, "b": True, "c": False, "d": True, "e": True, "f": False, "g": True, "h": True}

# %% q="q1" role="wrong" says="Not right: 8 of 8"
answers = {"a": True, "b": False, "c": True, "d": False, "e": False, "f": True, "g": False, "h": False}

# %% q="q1" role="wrong" says="Not right: 1 of 8. Look again at section 1"
answers = {"a": True, "b": True, "c": False, "d": True, "e": True, "f": False, "g": True, "h": True}

# %% q="q1" role="wrong" says="d: write True or False, not 'maybe'"
answers = {"a": False, "b": True, "c": False, "d": "maybe", "e": True, "f": False, "g": True, "h": True}

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: a key that holds
#
# Fix the upsert of section 7, so that a rerun leaves the same rows, with the same ids. Keep the `ON CONFLICT`, and the table as it is:
# its key is `id`, a uuid.

# %% q="q2" role="starter" dag="keyed_upsert"
from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
UPSERT = "INSERT INTO upserted VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE SET number = excluded.number"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def keyed_upsert():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        for (number,) in hook.get_records("SELECT number FROM placed_orders WHERE placed_at::date = %s", (ds,)):
            hook.run(UPSERT, parameters=(str(uuid4()), number, ds))

    load()


keyed_upsert()


# %% q="q2" role="check"
def check():
    with fresh() as desk:
        desk.run("keyed_upsert", "2026-01-01", "2026-01-02")
        found = desk.rows("SELECT dt, count(DISTINCT number) AS orders FROM upserted GROUP BY dt ORDER BY dt")
        expect(list(found.orders) == [6, 6], f"Two days have six orders each, but upserted holds\n{shown(found)}")
    proven("keyed_upsert", "rerun", dates=["2026-01-01"])
    with fresh() as desk:
        desk.run("keyed_upsert", "2026-01-01")
        ids = desk.rows("SELECT number, id::text FROM upserted ORDER BY number")
        desk.run("keyed_upsert", "2026-01-01", kind="rerun")
        later = desk.rows("SELECT number, id::text FROM upserted ORDER BY number")
    one = f"Order 0 had the id {ids.id[0]}, and after a rerun it has {later.id[0]}."
    expect(ids.equals(later), f"{one} So its key does not hold, and nothing ever conflicts.")


# %% [markdown] q="q2" role="hint"
# The same order has to get the same id each time. What identifies an order?

# %% [markdown] q="q2" role="hint"
# `uuid5(namespace, name)` makes a uuid *of a text*: the same text, the same uuid. `NAMESPACE_URL` may be the namespace.

# %% q="q2" role="solution" dag="keyed_upsert"
from uuid import NAMESPACE_URL, uuid5

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
UPSERT = "INSERT INTO upserted VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE SET number = excluded.number"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def keyed_upsert():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        for (number,) in hook.get_records("SELECT number FROM placed_orders WHERE placed_at::date = %s", (ds,)):
            hook.run(UPSERT, parameters=(str(uuid5(NAMESPACE_URL, f"order {number}")), number, ds))

    load()


keyed_upsert()

# %% q="q2" role="wrong" says="is not idempotent" dag="keyed_upsert"
from uuid import uuid1

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
UPSERT = "INSERT INTO upserted VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def keyed_upsert():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        for (number,) in hook.get_records("SELECT number FROM placed_orders WHERE placed_at::date = %s", (ds,)):
            hook.run(UPSERT, parameters=(str(uuid1()), number, ds))

    load()


keyed_upsert()

# %% q="q2" role="wrong" says="So its key does not hold" dag="keyed_upsert"
from uuid import uuid4

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
UPSERT = "INSERT INTO upserted VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE SET number = excluded.number"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def keyed_upsert():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM upserted WHERE dt = %s", parameters=(ds,))
        for (number,) in hook.get_records("SELECT number FROM placed_orders WHERE placed_at::date = %s", (ds,)):
            hook.run(UPSERT, parameters=(str(uuid4()), number, ds))

    load()


keyed_upsert()

# %% q="q2" role="wrong" says="Two days have six orders each" dag="keyed_upsert"
from uuid import NAMESPACE_URL, uuid5

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
UPSERT = "INSERT INTO upserted VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE SET number = excluded.number"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def keyed_upsert():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        for (number,) in hook.get_records("SELECT number FROM placed_orders WHERE placed_at::date = %s", (ds,)):
            hook.run(UPSERT, parameters=(str(uuid5(NAMESPACE_URL, ds)), number, ds))

    load()


keyed_upsert()

# %% [markdown]
# ## What you now know
#
# 1. Blocked, skipped and upstream_failed are three different things.
# 2. In Airflow 3 a cron text is a moment, the first run is at the start date, and nothing catches up by itself.
# 3. A sensor has a timeout, of seven days if you don't choose.
# 4. An upsert is as good as its key, and the clock never tells which day a run is for.
# 5. A sentence about Airflow is worth what its run shows. Run it.
