# %% [markdown]
# # 7 · Waiting without wasting
#
# At 23:00 the shop exports the day's orders, and a load takes them from there. One night the export is three hours
# late. The load does not mind: it is green, and it has loaded nothing.
#
# So somebody makes the load wait. The next time that the export is late, *no* DAG runs any more, not even those that
# have nothing to do with it. In this lesson you make a load wait, and waste nothing.

# %%
from course import axes, fresh, picture, prove, q1, q2, q3, rows, run, start, step, tasks, timeline

start("07")

# %% [markdown]
# ## The producer
#
# It copies a day's orders to the table `exported_orders`.

# %% dag="export_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM exported_orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO exported_orders
    SELECT number, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def export_orders():
    @task
    def export(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    export()


export_orders()

# %% [markdown]
# ## The consumer
#
# It copies them on to the table `orders`. What it does is kept in a file of its own, for there will be some more
# consumers.

# %% dag="loading"
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import task

DELETE = "DELETE FROM orders WHERE dt = %(ds)s::date"
INSERT = "INSERT INTO orders SELECT number, total, dt FROM exported_orders WHERE dt = %(ds)s::date"


@task
def load(ds=None):
    PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})


# %% dag="no_wait"
import pendulum
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def no_wait():
    load()


no_wait()

# %% [markdown]
# ## What happens
#
# `step("late", …, delay=…)` runs the consumer when it is due, and the producer so many seconds later.

# %%
HOUR = 3600
ran = step("late", "no_wait", "2026-01-01", delay=3 * HOUR)
print(ran)
exported, loaded = len(rows("SELECT * FROM exported_orders")), len(rows("SELECT * FROM orders"))
print(f"{exported} rows exported, {loaded} rows loaded")
assert (ran.state, exported, loaded) == ("success", 6, 0)

# %% [markdown]
# Green, and empty. So let it wait. An `ExternalTaskSensor` looks every half hour whether the producer's run of the
# same date is a success. After six hours it gives up.

# %% dag="wait_poke"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def wait_poke():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        poke_interval=1800,
        timeout=6 * 3600,
    )
    wait >> load()


wait_poke()

# %%
fresh()
late_poke = step("late", "wait_poke", "2026-01-01", delay=3 * HOUR)
assert len(rows("SELECT * FROM orders")) == 6
timeline(late_poke)

# %% [markdown]
# Six rows: it has waited. But look at the bar. It is as long as the wait. All that time the task *ran*:

# %%
hours = late_poke.slots["wait"] / HOUR
assert round(hours) == 3
print(f"wait held a worker slot for {hours:.1f} hours")

# %% [markdown]
# ## Why
#
# Airflow's workers have places for so many tasks at once, the *slots*. A sensor is a task, and it is in mode `poke` if
# you say nothing. Then it looks, sleeps, looks, sleeps, and keeps its slot while it sleeps. One such sensor costs one
# slot. Ten, all waiting for one late export, cost ten. When all slots are taken by sleepers, nothing can start, not
# even what they wait for. You will see that below.
#
# ## The fix
#
# There are two. In mode `reschedule` the task ends after each look, gives its slot back, and is started again for the
# next one.

# %% dag="wait_reschedule"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def wait_reschedule():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        poke_interval=1800,
        timeout=6 * 3600,
        mode="reschedule",
    )
    wait >> load()


wait_reschedule()

# %% [markdown]
# With `deferrable=True` the task ends at once, and leaves a small *trigger* behind. Triggers wait together in a process
# of their own, the triggerer, which has to run beside the scheduler. When the trigger fires, the task is started again.

# %% dag="wait_deferred"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def wait_deferred():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        poke_interval=1800,
        timeout=6 * 3600,
        deferrable=True,
    )
    wait >> load()


wait_deferred()

# %%
fresh()
late_reschedule = step("late", "wait_reschedule", "2026-01-01", delay=3 * HOUR)
assert len(rows("SELECT * FROM orders")) == 6
timeline(late_reschedule)

# %% [markdown]
# Short looks, with nothing between them. (This world is in a hurry: it leaves out most looks that can find nothing.)
#
# Now all three ways to wait, for an export that is on time, three hours late, or never there.

# %%
WAYS = ("wait_poke", "wait_reschedule", "wait_deferred")
ran = {("wait_poke", "late"): late_poke, ("wait_reschedule", "late"): late_reschedule}
fresh()
for way in WAYS:
    ran[way, "never"] = run(way, "2026-01-01")
fresh()
run("export_orders", "2026-01-01")
for way in WAYS:
    ran[way, "on time"] = run(way, "2026-01-01")
fresh()
ran["wait_deferred", "late"] = step("late", "wait_deferred", "2026-01-01", delay=3 * HOUR)

held = {key: one.slots["wait"] / HOUR for key, one in ran.items()}
figure, plot = axes(height=2.6)
for number, (when, colour) in enumerate({"on time": "#2e7d32", "late": "#ef6c00", "never": "#c62828"}.items()):
    places = [place + 0.25 * number for place in range(3)]
    values = [round(held[way, when]) for way in WAYS]
    bars = plot.bar(places, values, width=0.22, color=colour, label=f"export {when}")
    plot.bar_label(bars, fontsize=8)
plot.set_xticks([0.25, 1.25, 2.25], WAYS)
plot.set_ylabel("slot hours")
plot.legend(fontsize=8, frameon=False)
picture(figure, str({key: round(value) for key, value in held.items()}))

# %%
assert [round(held["wait_poke", when]) for when in ("on time", "late", "never")] == [0, 3, 6]
assert all(held[way, when] < 0.1 for way in WAYS[1:] for when in ("on time", "late", "never"))
states = {when: {way: ran[way, when].state for way in WAYS} for when in ("on time", "late", "never")}
assert [set(ways.values()) for ways in states.values()] == [{"success"}, {"success"}, {"failed"}]
states

# %% [markdown]
# What becomes of the run is the same each time. What it costs is not, and others pay for it. Let there be one slot. The
# sensor waits, and the export is due at last. Does Airflow's scheduler start it? That depends on the state of the sensor:
# in mode `poke` it is `running`. (`starts_beside` lies in `dags/asking.py`.)

# %% airflow=true
from airflow.configuration import conf
from asking import starts_beside

for state, expected in (("running", []), ("up_for_reschedule", ["export"]), ("deferred", ["export"])):
    started = starts_beside("wait_deferred", state, due="export_orders", slots=1)
    assert started == expected
    print(f"wait is {state:17}  started: {', '.join(started) or 'nothing'}")
print("triggers in one triggerer:", conf.getint("triggerer", "capacity"))

# %% [markdown]
# A sleeper in mode `poke` keeps out the very task that it sleeps for. The two others let it pass.
#
# ## The proof
#
# The law `late` lets the export come late, compares the rows with those of an export on time, and looks who held a
# slot.

# %%
prove("wait_poke", "2026-01-01").late()

# %%
proof = prove("wait_reschedule", "2026-01-01").late()
assert proof
proof

# %% [markdown]
# ## A timeout that tells the truth
#
# The export may never come. When do you want to know? This sensor has no `timeout`:

# %% dag="no_timeout"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def no_timeout():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        poke_interval=1800,
        mode="reschedule",
    )
    wait >> load()


no_timeout()

# %% airflow=true
from datetime import timedelta

seconds = load_dag("no_timeout").get_task("wait").timeout
assert timedelta(seconds=seconds) == timedelta(days=7)
print("It gives up after", timedelta(seconds=seconds))

# %% [markdown]
# It tells you a week later. So say how long is too long. And say it with `timeout`, for the
# other one does not help here. `execution_timeout` is about one look, not about all of them:

# %% dag="wrong_timeout"
from datetime import timedelta

import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def wrong_timeout():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        poke_interval=1800,
        mode="reschedule",
        execution_timeout=timedelta(hours=1),
        timeout=3 * 3600,
        retries=2,
    )
    wait >> load()


wrong_timeout()

# %%
fresh()
ran = run("wrong_timeout", "2026-01-01")
ends = [attempt["to"][11:16] for attempt in ran.attempts if attempt["state"] == "failed"]
assert ends == ["02:01"]
print("failed at", ends)

# %% [markdown]
# After three hours, not one. And only once, though it has two retries: a sensor whose `timeout` is over is not tried
# again.
#
# Last, there is a timeout that lies. `soft_fail=True` makes the sensor *skipped* instead of failed:

# %% dag="soft"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def soft():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        poke_interval=1800,
        timeout=3 * 3600,
        mode="reschedule",
        soft_fail=True,
    )
    wait >> load()


soft()

# %%
fresh()
ran = run("soft", "2026-01-01")
print(ran)
assert ran.state == "success"
assert len(rows("SELECT * FROM orders")) == 0
tasks(ran)

# %% [markdown]
# A green run, and no rows. That is where we began. Use it only where missing data is fine.
#
# ## On another schedule
#
# A sensor waits for the run with *its own* logical date, to the second. This producer runs at half past ten, and the
# consumer at eleven:

# %% dag="export_early"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM exported_orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO exported_orders
    SELECT number, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="30 22 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def export_early():
    @task
    def export(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    export()


export_early()

# %% dag="load_at_eleven"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def load_at_eleven():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_early",
        poke_interval=1800,
        timeout=3600,
        mode="reschedule",
    )
    wait >> load()


load_at_eleven()

# %%
fresh()
exported = run("export_early", "2026-01-02")
ran = run("load_at_eleven", "2026-01-02")
print("export:", exported.state, exported.spec["logical_date"])
print("load:  ", ran.state, ran.spec["logical_date"])
assert (exported.state, ran.state) == ("success", "failed")
tasks(ran)[["task", "state"]]

# %% [markdown]
# The export is there, half an hour before. The sensor looks for a run at 23:00, and there is none. You will fix it.

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: when does it end?
#
# The run starts at 23:01. What becomes of `wait`, `"success"` or `"failed"`, when the export comes
#
# - 50 minutes later,
# - never?
#
# And for how many whole minutes, about, does it hold a worker slot when the export never comes?

# %% q="q1" role="given" dag="guess"
from datetime import timedelta

import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def guess():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        poke_interval=1200,
        timeout=2 * 3600,
        execution_timeout=timedelta(minutes=30),
        retries=3,
        mode="reschedule",
    )
    wait >> load()


guess()

# %% q="q1" role="starter"
ends = {"50 minutes": ..., "never": ...}
slot_minutes = ...


# %% q="q1" role="check"
def check(ends, slot_minutes):
    from dagproof.histories import Step

    steps = {"never": Step("run", "2026-01-01"), "50 minutes": Step("late", "2026-01-01", delay=50 * 60)}
    expect(isinstance(ends, dict) and ends.keys() == steps.keys(), f"ends should have these keys: {list(steps)}.")
    for when, happens in steps.items():
        with fresh() as desk:
            ran = desk.play("guess", happens)
        looks = ", ".join(f"{a['from'][11:16]} {a['state']}" for a in ran.attempts if a["task_id"] == "wait")
        truth = f"wait is {ran.of('wait')!r}. Some of its looks: {looks}."
        expect(ends[when] == ran.of("wait"), f"{when}: you say {ends[when]!r}, but {truth}")
        held = ran.slots["wait"] / 60
        near = when != "never" or (isinstance(slot_minutes, int | float) and abs(slot_minutes - held) <= 1)
        expect(near, f"You say {slot_minutes} minutes, but the slot was held for {held:.0f}, for the looks alone.")


# %% [markdown] q="q1" role="hint"
# Which of the two timeouts counts the time between the looks?

# %% [markdown] q="q1" role="hint"
# In mode `reschedule` each look takes a second or so.

# %% q="q1" role="solution"
ends = {"50 minutes": "success", "never": "failed"}
slot_minutes = 0

# %% q="q1" role="wrong" says="50 minutes: you say 'failed'"
ends = {"50 minutes": "failed", "never": "failed"}
slot_minutes = 0

# %% q="q1" role="wrong" says="You say 120 minutes"
ends = {"50 minutes": "success", "never": "failed"}
slot_minutes = 120

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: another schedule
#
# The shop's night report waits for the export at half past ten. Let the sensor look for the right run. It takes an
# `execution_delta`, the time from the run that it looks for to its own.

# %% q="q2" role="starter" dag="night_report"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="45 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def night_report():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_early",
        poke_interval=1800,
        timeout=3600,
        mode="reschedule",
    )
    wait >> load()


night_report()


# %% q="q2" role="check"
def check():
    with fresh() as desk:
        desk.run("export_early", "2026-01-02")
        early = desk.run("night_report", "2026-01-03", may_fail=True)
        expect(
            early.state == "failed",
            "Only the export of 2026-01-02 was there, but the report of 2026-01-03 did not wait for its own. "
            f"It has loaded:\n{shown(desk.rows('SELECT dt, count(*) AS orders FROM orders GROUP BY dt'))}",
        )
        ran = desk.run("night_report", "2026-01-02", may_fail=True)
        found = f"The tasks of the report:\n{shown(ran.tasks()[['task', 'state']])}"
        expect(ran.state == "success", f"The export of 2026-01-02 was there, but the sensor has not seen it. {found}")
        loaded = desk.rows("SELECT * FROM orders WHERE dt = '2026-01-02'")
        expect(len(loaded) == 6, f"It should load the six orders of 2026-01-02, but there are:\n{shown(loaded)}")


# %% [markdown] q="q2" role="hint"
# From half past ten to a quarter to twelve: how long is that?

# %% [markdown] q="q2" role="hint"
# `execution_delta` is a `timedelta`, and it is subtracted from the consumer's logical date.

# %% q="q2" role="solution" dag="night_report"
from datetime import timedelta

import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="45 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def night_report():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_early",
        execution_delta=timedelta(hours=1, minutes=15),
        poke_interval=1800,
        timeout=3600,
        mode="reschedule",
    )
    wait >> load()


night_report()

# %% q="q2" role="wrong" says="the sensor has not seen it" dag="night_report"
from datetime import timedelta

import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="45 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def night_report():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_early",
        execution_delta=timedelta(hours=-1, minutes=-15),
        poke_interval=1800,
        timeout=3600,
        mode="reschedule",
    )
    wait >> load()


night_report()

# %% q="q2" role="wrong" says="did not wait for its own" dag="night_report"
from datetime import timedelta

import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="45 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def night_report():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_early",
        execution_delta=timedelta(days=1, hours=1, minutes=15),
        poke_interval=1800,
        timeout=3600,
        mode="reschedule",
    )
    wait >> load()


night_report()

# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: the whole truth
#
# This load waits for `export_orders`, takes a slot for it, and says nothing when nothing comes. Fix the sensor, so
# that
#
# - an export that is five hours late is loaded, and no slot is held for it,
# - at eight in the morning, at the latest, the run is red if there is no export,
# - when the export has *failed*, the run is red by half past eleven. (The sensor takes `failed_states=["failed"]`.
#   Without it, a failed export is waited for like any other.)

# %% q="q3" role="starter" dag="honest"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def honest():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        poke_interval=1800,
        soft_fail=True,
    )
    wait >> load()


honest()


# %% q="q3" role="check"
def check():
    from dagproof.histories import Step

    with fresh() as desk:
        ran = desk.play("honest", Step("run", "2026-01-01"))
        told = f"The tasks:\n{shown(ran.tasks()[['task', 'state']])}"
        held = ran.slots["wait"] / 3600
        expect(held < 0.2, f"The export never came, and wait held a worker slot for {held:.1f} hours.")
        expect(ran.state == "failed", f"The export never came, and the run is a {ran.state!r}. {told}")
        ended = ran.attempts[-1]["to"][:16]
        expect(ended <= "2026-01-02T08:00", f"The export never came, and the run is red only at {ended}.")
        expect(ended >= "2026-01-02T04:01", f"wait gives up at {ended}. An export five hours late would be too late.")
    with fresh() as desk:
        ran = desk.play("honest", Step("late", "2026-01-01", delay=5 * 3600))
        told = f"The tasks:\n{shown(ran.tasks()[['task', 'state']])}"
        expect(ran.state == "success", f"The export came five hours late, and the run is a {ran.state!r}. {told}")
        loaded, exported = (
            desk.rows(f"SELECT number, total, dt FROM {name}") for name in ("orders", "exported_orders")
        )
        same_rows(loaded, exported, "The export came five hours late. After the run, orders")
    with fresh() as desk:
        desk.execute("DROP TABLE exported_orders")
        desk.play("export_orders", Step("run", "2026-01-01"))
        ran = desk.play("honest", Step("run", "2026-01-01"))
        expect(ran.state == "failed", f"The export has failed, and the run is a {ran.state!r}.")
        ended = ran.attempts[-1]["to"][:16]
        expect(ended < "2026-01-01T23:30", f"The export failed at eleven, and the run is red only at {ended}.")


# %% [markdown] q="q3" role="hint"
# Four settings: one for the mode, one for how long, one for failed exports, and one that has to go.

# %% [markdown] q="q3" role="hint"
# From one minute past eleven to eight in the morning it is nearly nine hours. The `timeout` is in seconds.

# %% q="q3" role="solution" dag="honest"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def honest():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        failed_states=["failed"],
        poke_interval=1800,
        timeout=8 * 3600,
        mode="reschedule",
    )
    wait >> load()


honest()

# %% q="q3" role="wrong" says="held a worker slot for 8.0 hours" dag="honest"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def honest():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        failed_states=["failed"],
        poke_interval=1800,
        timeout=8 * 3600,
    )
    wait >> load()


honest()

# %% q="q3" role="wrong" says="red only at" dag="honest"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def honest():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        poke_interval=1800,
        timeout=8 * 3600,
        mode="reschedule",
    )
    wait >> load()


honest()

# %% q="q3" role="wrong" says="The export came five hours late, and the run is a 'failed'" dag="honest"
import pendulum
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag
from loading import load


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def honest():
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="export_orders",
        allowed_states=["skipped"],
        failed_states=["failed"],
        poke_interval=1800,
        timeout=8 * 3600,
        mode="reschedule",
    )
    wait >> load()


honest()

# %% [markdown]
# ## What you now know
#
# 1. A consumer that does not wait is green and empty when its producer is late.
# 2. In mode `poke` a sensor holds a worker slot for as long as it waits. In mode `reschedule`, or deferred, it doesn't.
# 3. `timeout` counts from the first look to the last one. Its default is a week, so set it: when do you want to know?
# 4. `soft_fail` turns *nothing came* into a green run.
# 5. A sensor looks for its own logical date. On another schedule it needs an `execution_delta`.
