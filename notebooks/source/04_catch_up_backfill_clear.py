# %% [markdown]
# # 4 · Catch up, backfill, clear
#
# The shop has sold since the first of January. Late on the fifth, somebody switches on the DAG that loads its orders.
# The report shows one day. So the missing days are filled in by hand, and now they are there, all on the wrong day.
#
# Days do not always run once, and one after the other. In this lesson you see in which ways they run, and prove that a
# load gives the same table in any order, and after any number of repeats.

# %%
from course import axes, backfill, clear, fresh, picture, prove, q1, q2, q3, rows, run, start, tasks

start("04")

# %% [markdown]
# ## The load
#
# It takes what is newer than the newest order that it has.

# %% dag="newest"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO orders
    SELECT number, total, placed_at, %(ds)s::date FROM placed_orders
    WHERE placed_at > (SELECT coalesce(max(placed_at), '-infinity') FROM orders)
      AND placed_at::date <= %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def newest():
    @task
    def load(ds=None):
        PostgresHook("shop").run(INSERT, parameters={"ds": ds})

    load()


newest()

# %%
run("newest", "2026-01-01", "2026-01-02", "2026-01-03")
BY_DAY = "SELECT dt, count(*) AS orders FROM orders GROUP BY dt ORDER BY dt"
in_order = rows(BY_DAY)
assert list(in_order.orders) == [6, 6, 6]
in_order

# %% [markdown]
# One day after the other, it is right.
#
# ## Catch up
#
# A DAG has a `start_date`, and it is switched on some time later. Which of the dates in between does the scheduler run?
# That is what `catchup` says. Airflow's own timetable tells us. For it, it is half past eleven, late on the fifth of
# January; the run of that day was due at eleven.

# %% airflow=true
from datetime import datetime, timezone

import pendulum
import time_machine
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable

print("newest says catchup =", load_dag("newest").catchup)
assert load_dag("newest").catchup is False
daily = CronTriggerTimetable("0 23 * * *", timezone="UTC")
for catchup, expected in ((True, [1, 2, 3, 4, 5]), (False, [5])):
    limits = TimeRestriction(earliest=pendulum.datetime(2026, 1, 1), latest=None, catchup=catchup)
    dates, last = [], None
    with time_machine.travel(datetime(2026, 1, 5, 23, 30, tzinfo=timezone.utc)):
        while True:
            info = daily.next_dagrun_info(last_automated_data_interval=last, restriction=limits)
            if info.run_after > pendulum.now("UTC"):
                break
            dates.append(info.logical_date.day)
            last = info.data_interval
    print(f"catchup={catchup}: runs for January", dates)
    assert dates == expected

# %% [markdown]
# With `catchup=True` all of them, without it the last one only. Our DAG does not say, so it is `False`.
#
# ## What happens
#
# So on the fifth, the fifth is run. Then somebody asks for a *backfill*: runs for dates of the past.

# %%
fresh()
run("newest", "2026-01-05")
backfill("newest", "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04")
backfilled = rows(BY_DAY)
assert list(backfilled.orders) == [30]
backfilled

# %%
figure, plot = axes(height=2)
days = [1, 2, 3, 4, 5]
plot.bar([day - 0.2 for day in days], [6] * 5, width=0.4, color="#2e7d32", label="placed")
loaded = {line.dt.day: line.orders for line in backfilled.itertuples()}
plot.bar([day + 0.2 for day in days], [loaded.get(day, 0) for day in days], width=0.4, color="#c62828", label="loaded")
plot.set_xlabel("January")
plot.set_ylabel("orders")
plot.legend(fontsize=8, frameon=False)
picture(figure, f"six orders were placed on each day; loaded: {loaded}")

# %% [markdown]
# Five green runs. All orders are there, and all of them are on the fifth.
#
# ## Why
#
# The load asks the table what is newest. The answer depends on which runs were there before. A run of the fifth takes
# all that is older, and the runs of the other days find nothing left.
#
# The law `order` runs the dates forwards and backwards, and compares:

# %%
proof = prove("newest", "2026-01-01", "2026-01-02").order()
assert not proof
proof

# %% [markdown]
# ## The fix
#
# A run is for a date. So it replaces the rows of that date, and looks at no other.

# %% dag="own_day"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO orders
    SELECT number, total, placed_at, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def own_day():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


own_day()

# %% [markdown]
# ## The proof
#
# Any order, any repeat, and a backfill of all dates:

# %%
proof = prove("own_day", "2026-01-01", "2026-01-02").all("rerun", "order", "backfill")
assert proof
proof

# %% [markdown]
# ## What a backfill runs
#
# A backfill is started by a command. This one would run five dates:
#
#     airflow backfill create --dag-id patchy --from-date 2026-01-01 --to-date 2026-01-06
#
# Five, not six: a date alone means its midnight, and on the sixth the run is for 23:00. But what if some of them have been run already? Let us make such a DAG. It fails on the third.

# %% dag="patchy"
import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def patchy():
    @task
    def load(ds=None):
        if ds == "2026-01-03":
            raise ConnectionError("the shop is down")

    load()


patchy()

# %%
fresh()
print(run("patchy", "2026-01-01"))
print(run("patchy", "2026-01-02"))
print(run("patchy", "2026-01-03"))

# %% [markdown]
# Now we ask Airflow for its plan, with each of the three values that `--reprocess-behavior` takes.

# %% airflow=true
from airflow.cli.cli_config import ARG_BACKFILL_REPROCESS_BEHAVIOR
from airflow.cli.cli_parser import get_parser
from airflow.models.backfill import ReprocessBehavior, _do_dry_run
from airflow.utils.session import create_session

assert "Default is none" in ARG_BACKFILL_REPROCESS_BEHAVIOR.kwargs["help"]
command = "backfill create --dag-id patchy --from-date 2026-01-01 --to-date 2026-01-06"
asked = get_parser().parse_args(command.split())
print("up to", asked.to_date)
expected = {"none": [4, 5], "failed": [3, 4, 5], "completed": [1, 2, 3, 4, 5]}
assert len(ReprocessBehavior) == len(expected)
for how in map(ReprocessBehavior, expected):
    with create_session() as session:
        found = _do_dry_run(
            dag_id=asked.dag_id,
            from_date=asked.from_date,
            to_date=asked.to_date,
            reverse=False,
            reprocess_behavior=how,
            session=session,
        )
        days = [getattr(one, "logical_date", one).day for one in found]
    print(f"--reprocess-behavior {how.value}: January", days)
    assert days == expected[how.value]

# %% [markdown]
# - `none`, which is the default: only dates that have no run.
# - `failed`: those, and the ones whose run has failed.
# - `completed`: all of them, the green ones too.
#
# So after you have fixed a wrong load, a backfill without `--reprocess-behavior completed` changes nothing: the wrong
# days are green.
#
# ## Clear
#
# *Clear* makes no new run. It takes a run that is there, and starts a task of it again, and all tasks that come after
# it.

# %% dag="three_tasks"
import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def three_tasks():
    @task
    def fetch():
        pass

    @task
    def load():
        pass

    @task
    def report():
        pass

    fetch() >> load() >> report()


three_tasks()

# %%
fresh()
run("three_tasks", "2026-01-01")
ran = clear("three_tasks", "load", "2026-01-01")
found = tasks(ran)
assert dict(zip(found.task, found.tries, strict=True)) == {"fetch": 1, "load": 2, "report": 2}
found

# %% airflow=true
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select

with create_session() as session:
    runs = [run.logical_date for run in session.scalars(select(DagRun).where(DagRun.dag_id == "three_tasks"))]
assert len(runs) == 1
print("runs:", *runs)

# %% [markdown]
# One run, and the second try of `load` and `report`, for the same date. `fetch` was left alone: what it has fetched must still be
# there.

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: any order
#
# This DAG keeps the table `day_totals`. It adds a day that comes after the last one it has. Fix it, so that dates may
# run in any order, and any number of times.

# %% q="q1" role="starter" dag="totals"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO day_totals
    SELECT placed_at::date, count(*), sum(total) FROM placed_orders
    WHERE placed_at::date > (SELECT coalesce(max(dt), '-infinity') FROM day_totals)
      AND placed_at::date = %(ds)s::date
    GROUP BY placed_at::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def totals():
    @task
    def add(ds=None):
        PostgresHook("shop").run(INSERT, parameters={"ds": ds})

    add()


totals()


# %% q="q1" role="check"
def check():
    days = "SELECT dt, orders FROM day_totals ORDER BY dt"
    with fresh() as desk:
        desk.run("totals", "2026-01-02", "2026-01-01")
        found = desk.rows(days)
        told = f"After the runs of 2026-01-02 and then 2026-01-01 there should be both days. There are:\n{shown(found)}"
        expect(list(found.orders) == [6, 6], told)
        day = "SELECT placed_at::date AS dt, count(*) AS orders, sum(total) AS sold FROM placed_orders"
        wanted = desk.rows(f"{day} WHERE placed_at < '2026-01-03' GROUP BY 1")
        same_rows(desk.rows("SELECT * FROM day_totals"), wanted, "After both runs, day_totals")
        desk.execute("UPDATE placed_orders SET total = 100 WHERE placed_at::date = '2026-01-01'")
        desk.run("totals", "2026-01-01", kind="rerun")
        sold = desk.rows("SELECT dt, orders, sold FROM day_totals ORDER BY dt")
        told = f"All prices of 2026-01-01 became 100, and its run was cleared. sold should be 600, but:\n{shown(sold)}"
        expect(float(sold.sold[0]) == 600.0, told)


# %% [markdown] q="q1" role="hint"
# Which line of the statement looks at other days?

# %% [markdown] q="q1" role="hint"
# Delete the day before you insert it, both in one call of `run`.

# %% q="q1" role="solution" dag="totals"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE_THE_TOTAL = "DELETE FROM day_totals WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO day_totals
    SELECT placed_at::date, count(*), sum(total) FROM placed_orders
    WHERE placed_at::date = (%(ds)s)::date
    GROUP BY placed_at::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def totals():
    @task
    def add(ds=None):
        PostgresHook("shop").run([DELETE_THE_TOTAL, INSERT], parameters={"ds": ds})

    add()


totals()

# %% q="q1" role="wrong" says="there should be both days" dag="totals"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM day_totals WHERE dt >= %(ds)s::date"
INSERT = """
    INSERT INTO day_totals
    SELECT placed_at::date, count(*), sum(total) FROM placed_orders
    WHERE placed_at::date = %(ds)s::date
    GROUP BY placed_at::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def totals():
    @task
    def add(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    add()


totals()

# %% q="q1" role="wrong" says="It should be 600" dag="totals"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO day_totals
    SELECT placed_at::date, count(*), sum(total) FROM placed_orders
    WHERE placed_at::date = %(ds)s::date
    GROUP BY placed_at::date
    ON CONFLICT (dt) DO NOTHING
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def totals():
    @task
    def add(ds=None):
        PostgresHook("shop").run(INSERT, parameters={"ds": ds})

    add()


totals()

# %% q="q1" role="wrong" says="After both runs, day_totals should hold" dag="totals"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE_THE_TOTAL = "DELETE FROM day_totals WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO day_totals
    SELECT placed_at::date, count(*), 600 FROM placed_orders
    WHERE placed_at::date = (%(ds)s)::date
    GROUP BY placed_at::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def totals():
    @task
    def add(ds=None):
        PostgresHook("shop").run([DELETE_THE_TOTAL, INSERT], parameters={"ds": ds})

    add()


totals()

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: the command
#
# From the 10th to the 20th of January 2026 all prices of `own_day` were wrong. The runs are green. The prices are
# fixed now. Write the command that runs these dates again, all of them and no others, with at most two runs at once.
# (There is a `--max-active-runs`.)

# %% q="q2" role="starter"
command = ...


# %% q="q2" role="check"
def check(command):
    import json

    from course.api import ask_airflow

    expect(isinstance(command, str) and command.split()[:1] == ["airflow"], "command should be a text: airflow …")
    told = ask_airflow(f"""
import contextlib, io, json
from airflow.cli.cli_parser import get_parser
from dagproof.airflow.schedule import scheduler_dag
said = io.StringIO()
try:
    with contextlib.redirect_stderr(said):
        found = vars(get_parser().parse_args({command.split()[1:]!r}))
    if "reprocess_behavior" not in found:
        raise SystemExit
    names = ("dag_id", "reprocess_behavior", "max_active_runs")
    runs = scheduler_dag(load_dag("own_day")).iter_dagrun_infos_between(found["from_date"], found["to_date"])
    print(json.dumps({{name: str(found[name]) for name in names}} | {{"runs": [str(run.logical_date) for run in runs]}}))
except SystemExit:
    print(json.dumps({{"error": said.getvalue().strip().splitlines()[-1:]}}))
""")
    found = json.loads(told.splitlines()[-1])
    expect("error" not in found, f"Airflow does not take this for a backfill. It says: {found.get('error')}")
    expect(found["dag_id"] == "own_day", f"It is a backfill of {found['dag_id']}, not of own_day.")
    days = [info[:10] for info in found["runs"]]
    told = f"from {days[0]} to {days[-1]}" if days else "of no date at all"
    expect(days == [f"2026-01-{day}" for day in range(10, 21)], f"Its runs are {told}.")
    how = found["reprocess_behavior"].lower()
    expect(how == "completed", f"With --reprocess-behavior {how}, the green runs are left as they are.")
    expect(found["max_active_runs"] == "2", f"--max-active-runs is {found['max_active_runs']}, not 2.")


# %% [markdown] q="q2" role="hint"
# It begins with `airflow backfill create`. The lesson has one to copy. Mind its last date.

# %% [markdown] q="q2" role="hint"
# All runs are green. Which of `none`, `failed` and `completed` runs those again?

# %% q="q2" role="solution"
command = (
    "airflow backfill create --dag-id own_day --from-date 2026-01-10 --to-date 2026-01-21"
    " --reprocess-behavior completed --max-active-runs 2"
)

# %% q="q2" role="wrong" says="the green runs are left"
command = "airflow backfill create --dag-id own_day --from-date 2026-01-10 --to-date 2026-01-21 --max-active-runs 2"

# %% q="q2" role="wrong" says="from 2026-01-10 to 2026-01-19"
command = (
    "airflow backfill create --dag-id own_day --from-date 2026-01-10 --to-date 2026-01-20"
    " --reprocess-behavior completed --max-active-runs 2"
)

# %% q="q2" role="wrong" says="does not take this for a backfill"
command = "airflow dags backfill own_day --start-date 2026-01-10 --end-date 2026-01-20 --reset-dagruns"

# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: which dates?
#
# `gappy` has these runs: the 1st is green, the 2nd has failed, the 3rd has never been run, the 4th is green. A backfill
# of the 1st to the 5th is asked for. Which days does it run?

# %% q="q3" role="given" dag="gappy"
import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def gappy():
    @task
    def load(ds=None):
        if ds == "2026-01-02":
            raise ConnectionError("the shop is down")

    load()


gappy()

# %% q="q3" role="starter"
plans = {"none": [...], "failed": [...], "completed": [...]}


# %% q="q3" role="check"
def check(plans):
    import json

    from course.api import ask_airflow

    expect(isinstance(plans, dict), "plans should be a dict with a list of days for none, failed and completed.")
    with fresh() as desk:
        for day in (1, 2, 4):
            desk.run("gappy", f"2026-01-0{day}", may_fail=True)
        told = ask_airflow("""
import json, pendulum
from airflow.models.backfill import ReprocessBehavior, _do_dry_run
from airflow.utils.session import create_session
first, last = pendulum.datetime(2026, 1, 1), pendulum.datetime(2026, 1, 6)
plans = {}
for how in ReprocessBehavior:
    with create_session() as session:
        found = _do_dry_run(
            dag_id="gappy", from_date=first, to_date=last, reverse=False, reprocess_behavior=how, session=session
        )
        plans[how.value] = [getattr(one, "logical_date", one).day for one in found]
print(json.dumps(plans))
""")
    for how, days in json.loads(told.splitlines()[-1]).items():
        said = plans.get(how)
        expect(sorted(said or []) == days, f"With {how}, you say {said}, and Airflow says {days}.")


# %% [markdown] q="q3" role="hint"
# Each of the three also runs the dates that have no run at all. Which are they?

# %% [markdown] q="q3" role="hint"
# The 3rd and the 5th have no run.

# %% q="q3" role="solution"
plans = {"none": [3, 5], "failed": [2, 3, 5], "completed": [1, 2, 3, 4, 5]}

# %% q="q3" role="wrong" says="With failed, you say [2]"
plans = {"none": [3, 5], "failed": [2], "completed": [1, 2, 3, 4, 5]}

# %% q="q3" role="wrong" says="With completed, you say [1, 4]"
plans = {"none": [3, 5], "failed": [2, 3, 5], "completed": [1, 4]}

# %% [markdown]
# ## What you now know
#
# 1. Dates run in any order: by the schedule, by catching up, by a backfill, by a clear.
# 2. Without `catchup=True`, a DAG that is switched on runs its last date only.
# 3. A load that asks what is newest depends on the order. One that replaces its own date doesn't.
# 4. A backfill leaves green runs alone, unless you say `--reprocess-behavior completed`.
# 5. A clear starts a task of an old run again, and all that come after it, for the same date.
