# %% [markdown]
# # 1 · A DAG that parses is not a DAG that works
#
# On Friday evening a colleague commits a daily report. `python dags/report.py` prints no error. On Monday there is no
# report for Saturday, and none for Sunday. Nothing is red. Nobody was told.
#
# There are five ways to get there. In this lesson you see each of them, and fix three.

# %%
from course import airflow, axes, edges, findings, fresh, picture, prove, q1, q2, q3, rows, run, start, tasks, timeline

start("01")

# %% [markdown]
# ## What we want
#
# The shop takes six orders a day, the last one at 22:00. They lie in the table `placed_orders`. At 23:00 a report is to
# be made: one row in the table `daily_sales`, with the number of orders and what was sold.

# %%
rows("""
    SELECT placed_at::date AS dt, count(*) AS orders, sum(total) AS sold
    FROM placed_orders WHERE placed_at < '2026-01-03Z' GROUP BY 1 ORDER BY 1
""")

# %% [markdown]
# ## One: a file without a DAG
#
# This is the colleague's file. The first line, `%%dag forgotten_report`, writes the cell to the file
# `dags/forgotten_report.py`. Airflow runs in a process of its own, and reads it there. `ds` is the date that a run is
# for, as text.

# %% dag="forgotten_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

REPORT = """
    INSERT INTO daily_sales
    SELECT %(ds)s::date, count(*), sum(total) FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def forgotten_report():
    @task
    def report(ds=None):
        PostgresHook("shop").run(REPORT, parameters={"ds": ds})

    report()


# %%
run("forgotten_report", "2026-01-01")

# %% [markdown]
# There is no such DAG. Is there an error? A cell that begins `%%airflow` runs where Airflow is. `load_errors()` gives
# each file that could not be read, and why:

# %% airflow=true
errors = load_errors()
assert errors == {}
print(errors)

# %% [markdown]
# No error, and no DAG. A function is only a recipe. The DAG is made when you *call* it, and the last line,
# `forgotten_report()`, is missing.
#
# You can't see what is not there. But a machine can look for it. `findings` looks at the source and shows what it finds,
# as `dagproof check` does in a shell. It counts as true only when nothing is found:

# %%
told = findings("forgotten_report", "--select", "no-dag-found")
assert not told
told

# %% [markdown]
# ## Two: a file from another time
#
# The next one was copied from a blog post of 2022, when there was Airflow 2:

# %% dag="old_report"
import pendulum
from airflow import DAG
from airflow.operators.dummy_operator import DummyOperator

with DAG("old_report", schedule_interval="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    DummyOperator(task_id="report")

# %% airflow=true
errors = load_errors()
assert list(errors) == ["old_report.py"]
print(errors["old_report.py"])

# %% [markdown]
# Now there is an error. But again there is no DAG, and so nothing that could turn red:

# %%
ran = run("old_report", "2026-01-01")
assert ran.state == "not loaded"
ran

# %% [markdown]
# Python stops at the first error, so you would fix, wait, and find the next one. A look at the source finds all of
# them at once:

# %%
told = findings("old_report", "--select", "removed-api")
assert not told
told

# %% [markdown]
# ## Three: a file that works while it is read
#
# Airflow reads a DAG file again and again, to see whether it has changed:

# %% airflow=true
from airflow.configuration import conf

seconds = conf.getint("dag_processor", "min_file_process_interval")
assert seconds == 30
print(f"at most every {seconds} seconds: up to {24 * 60 * 60 // seconds} times a day, if nobody sets it otherwise")

# %% [markdown]
# What is done each time? This cell does what a file does that is only read. No run starts:

# %% airflow=true
from airflow.sdk import dag, task

done = ["the top level"]


@dag(schedule=None)
def watched():
    done.append("the DAG's function")

    @task
    def work():
        done.append("the task")

    work()


watched()
print(done)
assert done == ["the top level", "the DAG's function"]

# %% [markdown]
# All that stands at the top level of the file is done each time. So is the body of the DAG's function. Only the bodies
# of *tasks* wait for a run. This file asks the database at its top level:

# %% dag="eager_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

TOTALS = PostgresHook("shop").get_records("SELECT placed_at::date, sum(total) FROM placed_orders GROUP BY 1")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def eager_report():
    @task
    def report():
        print(TOTALS)

    report()


eager_report()

# %% [markdown]
# The database answers to runs. To the process that only reads files it doesn't, and that is what you may expect: the
# database may be down for a minute, or reachable only from where tasks run.

# %% airflow=true
error = load_errors()["eager_report.py"]
print(error.split(":")[0])
assert error.startswith("psycopg.OperationalError: connection failed")

# %% [markdown]
# So the whole DAG is gone, in a minute in which none of its tasks had anything to do. And where the database does
# answer, it is asked each time that the file is read, for nothing. `findings` names the line:

# %%
told = findings("eager_report", "--select", "top-level-io")
assert not told
told

# %% [markdown]
# ## Four: wrong edges
#
# The next file loads. It has two tasks. One copies the orders of the day to `staged_orders`, the other one counts
# them. On January 4 the connection breaks once. That is nothing to worry about: with `retries=1`, Airflow tries the task
# again, five minutes later.

# %% dag="unlinked_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

STAGE = """
    INSERT INTO staged_orders
    SELECT number, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""
REPORT = """
    INSERT INTO daily_sales
    SELECT %(ds)s::date, count(*), sum(total) FROM staged_orders WHERE dt = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def unlinked_report():
    @task(retries=1)
    def stage(ds=None, ti=None):
        if ds == "2026-01-04" and ti.try_number == 1:
            raise ConnectionError("the connection is gone")
        PostgresHook("shop").run(STAGE, parameters={"ds": ds})

    @task
    def report(ds=None):
        PostgresHook("shop").run(REPORT, parameters={"ds": ds})

    stage()
    report()


unlinked_report()

# %%
DATES = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05", "2026-01-06"]
fresh()  # an empty desk: no rows, no runs
ran = [run("unlinked_report", date) for date in DATES]
states = [one.state for one in ran]
assert states == ["success"] * 6
states

# %%
found = rows("SELECT * FROM daily_sales ORDER BY dt")
assert found.orders[3] == 0
figure, plot = axes(height=1.8)
plot.bar([f"{dt:%b %d}" for dt in found.dt], found.orders, color="#c62828")
plot.axhline(6, color="#2e7d32", linestyle="--")
plot.set_title("orders in the report; 6 a day were placed (green line)", fontsize=10)
picture(figure, f"orders in the report, day by day: {list(found.orders)}; 6 a day were placed")

# %% [markdown]
# All green. But on January 4, it says, nothing was sold. This is what happened on that day:

# %%
assert [ran[3].of(name) for name in ("stage", "report")] == ["success", "success"]
timeline(ran[3])

# %% [markdown]
# `stage` failed and waited for its second try. Meanwhile `report` counted what was there: nothing. If other days have no
# bar, either, `report` simply came first on them: nothing in the file says which of the two has to.
#
# Does the order of the lines count, then? No. To call a task puts it *into the DAG*. It says nothing about its turn. A
# task waits for those tasks only to which an edge leads, and here is none:

# %%
assert edges("unlinked_report") == []
edges("unlinked_report")

# %% [markdown]
# A task that waits for nobody is a *root*. A run may start all its roots at once, in any order. That it went well on
# some days says nothing about tomorrow.

# %% airflow=true
roots = sorted(task.task_id for task in load_dag("unlinked_report").roots)
assert roots == ["report", "stage"]
print(roots)

# %% [markdown]
# An edge is made by `>>`, or by giving one task what another one returns. And there is a trap: each *call* makes a
# task.

# %% airflow=true
from airflow.sdk import dag, task


@dag(schedule=None)
def called_twice():
    @task
    def stage():
        return "staged_orders"

    @task
    def report(table): ...

    @task
    def check(): ...

    stage() >> check()
    report(stage())


made = called_twice()
for one in made.tasks:
    print(one.task_id, "→", sorted(one.downstream_task_ids))
assert sorted(made.task_ids) == ["check", "report", "stage", "stage__1"]

# %% [markdown]
# `stage` was called twice. So there are two tasks, `stage` and `stage__1`, and the table is filled twice. Call it
# once, keep what it gives in a variable, and use that.
#
# ## Five: the task that swallowed its error
#
# The last file loads, too, and with one task there is no edge to forget. Somebody was tired of being called at night:

# %% dag="quiet_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

REPORT = """
    INSERT INTO daily_sales
    SELECT %(ds)s::date, count(*), sum(totl) FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def quiet_report():
    @task
    def report(ds=None):
        try:
            PostgresHook("shop").run(REPORT, parameters={"ds": ds})
        except Exception as error:
            print(f"something went wrong: {error}")

    report()


quiet_report()

# %%
ran = run("quiet_report", "2026-01-08")
assert ran.state == "success"
tasks(ran)

# %%
found = rows("SELECT * FROM daily_sales WHERE dt = '2026-01-08'")
assert len(found) == 0
found

# %% [markdown]
# `totl` is no column. The database said so. The task caught the error, printed it to a log that nobody reads, and
# returned. **A task that returns is a success.** Airflow can't know better.
#
# A proof can. It doesn't believe colours, it looks at rows. The law `effect` says: a run writes something.

# %%
proof = prove("quiet_report", "2026-01-01").effect()
assert not proof
proof

# %% [markdown]
# ## The fix
#
# The DAG is called at the end. All imports are of today. All work is in tasks. One edge says who waits for whom. And
# tasks catch only errors that they can repair. Each task also makes room first, so that a second run adds nothing. (Lesson
# 3 is about that.) The connection breaks on January 4, as before.

# %% dag="sound_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

STAGE = [
    "DELETE FROM staged_orders WHERE dt = %(ds)s::date",
    """INSERT INTO staged_orders
       SELECT number, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date""",
]
REPORT = [
    "DELETE FROM daily_sales WHERE dt = %(ds)s::date",
    """INSERT INTO daily_sales
       SELECT %(ds)s::date, count(*), sum(total) FROM staged_orders WHERE dt = %(ds)s::date""",
]


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sound_report():
    @task(retries=1)
    def stage(ds=None, ti=None):
        if ds == "2026-01-04" and ti.try_number == 1:
            raise ConnectionError("the connection is gone")
        PostgresHook("shop").run(STAGE, parameters={"ds": ds})

    @task
    def report(ds=None):
        PostgresHook("shop").run(REPORT, parameters={"ds": ds})

    stage() >> report()


sound_report()

# %% [markdown]
# ## The proof

# %% airflow=true
assert "sound_report.py" not in load_errors()
print(sorted(load_errors()))

# %%
assert edges("sound_report") == [("stage", "report")]
proof = prove("sound_report", "2026-01-01").all("effect", "rerun")
assert proof
proof

# %%
assert findings("sound_report", "--select", "no-dag-found,removed-api,top-level-io")
for date in DATES:
    run("sound_report", date)
found = rows("SELECT * FROM daily_sales ORDER BY dt")
assert list(found.orders) == [6] * 6
found

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: port a file of Airflow 2
#
# This file worked for years. It uses a dozen names that Airflow 3 doesn't have. Port it, so that it writes the same rows:
# one row a day into `daily_sales`, of the orders from that day's midnight to the next.
#
# The cell below the check lists what is left, and what to use instead. Run it again after each change. It doesn't know
# everything: at the end, the rows count. A start date on January 1, 2026 will do.

# %% q="q1" role="starter" dag="ported_report"
from airflow import DAG
from airflow.hooks.postgres_hook import PostgresHook
from airflow.operators.dummy_operator import DummyOperator
from airflow.operators.python_operator import PythonOperator
from airflow.utils.dates import days_ago

REPORT = """
    INSERT INTO daily_sales
    SELECT %(day)s::date, count(*), sum(total) FROM placed_orders
    WHERE placed_at >= %(day)s::timestamptz AND placed_at < %(next_day)s::timestamptz
"""


def report(execution_date, tomorrow_ds, **context):
    day = execution_date.strftime("%Y-%m-%d")
    hook = PostgresHook("shop")
    hook.run("DELETE FROM daily_sales WHERE dt = %(day)s::date", parameters={"day": day})
    hook.run(REPORT, parameters={"day": day, "next_day": tomorrow_ds})


with DAG(
    "ported_report",
    schedule_interval="0 23 * * *",
    start_date=days_ago(7),
    concurrency=4,
    default_view="graph",
    catchup=True,
):
    begin = DummyOperator(task_id="begin")
    make = PythonOperator(task_id="make", python_callable=report, provide_context=True, task_concurrency=1)
    end = DummyOperator(task_id="end", trigger_rule="none_failed_or_skipped")
    begin >> make >> end


# %% q="q1" role="check"
def check():
    with fresh() as desk:
        desk.run("ported_report", "2026-01-01", "2026-01-02")
        found = desk.rows("SELECT dt::text AS dt, orders, sold::text AS sold FROM daily_sales ORDER BY dt")
        right = desk.rows(
            """SELECT placed_at::date::text AS dt, count(*) AS orders, sum(total)::text AS sold FROM placed_orders
               WHERE placed_at < '2026-01-03Z' GROUP BY 1 ORDER BY 1"""
        )
        expect(
            found.values.tolist() == right.values.tolist(),
            f"It loads and is green. After two days daily_sales holds\n{shown(found)}\nand should hold\n{shown(right)}",
        )
    wanted = [("begin", "make"), ("make", "end")]
    expect(edges("ported_report") == wanted, f"The edges were {wanted}, and now they are {edges('ported_report')}")
    proven("ported_report", "rerun", dates=["2026-01-01"])


# %% [markdown] q="q1" role="hint"
# Operators of everyday use, such as `PythonOperator` and `EmptyOperator`, live in
# `airflow.providers.standard.operators` now. A parameter that has no successor is just deleted.

# %% [markdown] q="q1" role="hint"
# A task's function asks for what it needs by the name of its parameter. `ds` is the day as text. For the next day, let
# Python or SQL add one: `%(day)s::date + 1`.

# %% q="q1" role="solution" dag="ported_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

REPORT = """
    INSERT INTO daily_sales
    SELECT %(day)s::date, count(*), sum(total) FROM placed_orders
    WHERE placed_at >= %(day)s::timestamptz AND placed_at < (%(day)s::date + 1)::timestamptz
"""


def report(ds):
    hook = PostgresHook("shop")
    hook.run(["DELETE FROM daily_sales WHERE dt = %(day)s::date", REPORT], parameters={"day": ds})


START = pendulum.datetime(2026, 1, 1, tz="UTC")
with DAG("ported_report", schedule="0 23 * * *", start_date=START, max_active_tasks=4, catchup=True):
    begin = EmptyOperator(task_id="begin")
    make = PythonOperator(task_id="make", python_callable=report, max_active_tis_per_dag=1)
    end = EmptyOperator(task_id="end", trigger_rule="none_failed_min_one_success")
    begin >> make >> end

# %% q="q1" role="wrong" says="has no module 'airflow.operators" outcome="error" dag="ported_report"
import pendulum
from airflow.operators.python_operator import PythonOperator
from airflow.sdk import DAG

with DAG("ported_report", schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True):
    PythonOperator(task_id="make", python_callable=print)

# %% q="q1" role="wrong" says="0 None" dag="ported_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

REPORT = """
    INSERT INTO daily_sales
    SELECT %(day)s::date, count(*), sum(total) FROM placed_orders
    WHERE placed_at >= %(day)s::timestamptz AND placed_at < %(next_day)s::timestamptz
"""


def report(ds):
    hook = PostgresHook("shop")
    hook.run("DELETE FROM daily_sales WHERE dt = %(day)s::date", parameters={"day": ds})
    hook.run(REPORT, parameters={"day": ds, "next_day": ds})


with DAG("ported_report", schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True):
    begin = EmptyOperator(task_id="begin")
    make = PythonOperator(task_id="make", python_callable=report)
    end = EmptyOperator(task_id="end")
    begin >> make >> end

# %% q="q1" role="wrong" says="The edges were" dag="ported_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

REPORT = """
    INSERT INTO daily_sales
    SELECT %(day)s::date, count(*), sum(total) FROM placed_orders WHERE placed_at::date = %(day)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def ported_report():
    @task
    def make(ds=None):
        hook = PostgresHook("shop")
        hook.run(["DELETE FROM daily_sales WHERE dt = %(day)s::date", REPORT], parameters={"day": ds})

    make()


ported_report()

# %%
told = str(findings("ported_report", "--select", "removed-api"))
for line in told.splitlines():
    if "DP007 removed-api:" in line:
        print("line", line.removeprefix("dags/ported_report.py:").replace("DP007 removed-api:", ""))
print(told.splitlines()[-1])

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: who waits for whom?
#
# `clean` empties the tables for the day. Then `stage_early` and `stage_late` fill `staged_orders`, each with half of
# the day; neither has to wait for the other one. `report` counts when both are done. Fix the last lines.

# %% q="q2" role="starter" dag="halved_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

CLEAN = ["DELETE FROM staged_orders WHERE dt = %(ds)s::date", "DELETE FROM daily_sales WHERE dt = %(ds)s::date"]
STAGE = "INSERT INTO staged_orders SELECT number, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s"
REPORT = "INSERT INTO daily_sales SELECT %(ds)s::date, count(*), sum(total) FROM staged_orders WHERE dt = %(ds)s::date"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def halved_report():
    @task
    def clean(ds=None):
        PostgresHook("shop").run(CLEAN, parameters={"ds": ds})

    @task
    def stage_early(ds=None):
        PostgresHook("shop").run(STAGE + " AND placed_at::time < '12:00'", parameters={"ds": ds})

    @task
    def stage_late(ds=None):
        PostgresHook("shop").run(STAGE + " AND placed_at::time >= '12:00'", parameters={"ds": ds})

    @task
    def report(ds=None):
        PostgresHook("shop").run(REPORT, parameters={"ds": ds})

    clean() >> stage_early() >> report()
    clean() >> stage_late()


halved_report()


# %% q="q2" role="check"
def check():
    found = edges("halved_report")
    tasks = sorted({task for pair in found for task in pair})
    again = [task for task in tasks if "__" in task]
    expect(not again, f"There is a task {again and again[0]}: some task was called twice. These wait: {found}")
    for first, second in (
        ("clean", "stage_early"),
        ("clean", "stage_late"),
        ("stage_early", "report"),
        ("stage_late", "report"),
    ):
        expect((first, second) in found, f"{second} does not wait for {first}. The edges are {found}")
    between = [pair for pair in found if set(pair) == {"stage_early", "stage_late"}]
    expect(not between, f"The two halves need not wait for each other, but there is the edge {between and between[0]}")
    with fresh() as desk:
        desk.run("halved_report", "2026-01-01")
        sales = desk.rows("SELECT dt, orders, sold FROM daily_sales")
        day = "FROM placed_orders WHERE placed_at::date = '2026-01-01'"
        wanted = desk.rows(f"SELECT DATE '2026-01-01' AS dt, count(*) AS orders, sum(total) AS sold {day}")
        expect(list(sales.orders) == [6], f"The edges are right, but daily_sales holds\n{shown(sales)}")
        same_rows(sales, wanted, "The edges are right, but daily_sales")


# %% [markdown] q="q2" role="hint"
# Each *call* makes a task. How many tasks does the starter make? `edges("halved_report")` tells.

# %% [markdown] q="q2" role="hint"
# On either side of `>>` there may be a list: all in it wait, or are waited for.

# %% q="q2" role="solution" dag="halved_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

CLEAN = ["DELETE FROM staged_orders WHERE dt = %(ds)s::date", "DELETE FROM daily_sales WHERE dt = %(ds)s::date"]
STAGE = "INSERT INTO staged_orders SELECT number, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s"
REPORT = "INSERT INTO daily_sales SELECT %(ds)s::date, count(*), sum(total) FROM staged_orders WHERE dt = %(ds)s::date"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def halved_report():
    @task
    def clean(ds=None):
        PostgresHook("shop").run(CLEAN, parameters={"ds": ds})

    @task
    def stage_early(ds=None):
        PostgresHook("shop").run(STAGE + " AND placed_at::time < '12:00'", parameters={"ds": ds})

    @task
    def stage_late(ds=None):
        PostgresHook("shop").run(STAGE + " AND placed_at::time >= '12:00'", parameters={"ds": ds})

    @task
    def report(ds=None):
        PostgresHook("shop").run(REPORT, parameters={"ds": ds})

    clean() >> [stage_early(), stage_late()] >> report()


halved_report()

# %% q="q2" role="wrong" says="The two halves need not wait" dag="halved_report"
import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def halved_report():
    def work(): ...

    made = [task(task_id=name)(work)() for name in ("clean", "stage_early", "stage_late", "report")]
    made[0] >> made[1] >> made[2] >> made[3]
    made[0] >> made[2]
    made[1] >> made[3]


halved_report()

# %% q="q2" role="wrong" says="report does not wait for stage_late" dag="halved_report"
import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def halved_report():
    def work(): ...

    names = ["clean", "stage_early", "stage_late", "report"]
    clean, early, late, report = [task(task_id=name)(work)() for name in names]
    clean >> early >> report
    clean >> late


halved_report()

# %% q="q2" role="wrong" says="The edges are right, but daily_sales should hold" dag="halved_report"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

CLEAN = ["DELETE FROM staged_orders WHERE dt = %(ds)s::date", "DELETE FROM daily_sales WHERE dt = %(ds)s::date"]
STAGE = "INSERT INTO staged_orders SELECT number, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s"
REPORT = "INSERT INTO daily_sales SELECT %(ds)s::date, count(*), 0 FROM staged_orders WHERE dt = %(ds)s::date"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def halved_report():
    @task
    def clean(ds=None):
        PostgresHook("shop").run(CLEAN, parameters={"ds": ds})

    @task
    def stage_early(ds=None):
        PostgresHook("shop").run(STAGE + " AND placed_at::time < '12:00'", parameters={"ds": ds})

    @task
    def stage_late(ds=None):
        PostgresHook("shop").run(STAGE + " AND placed_at::time >= '12:00'", parameters={"ds": ds})

    @task
    def report(ds=None):
        PostgresHook("shop").run(REPORT, parameters={"ds": ds})

    clean() >> [stage_early(), stage_late()] >> report()


halved_report()

# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: find the green task that swallowed its error
#
# A supplier sends articles and prices each day, in the table `supplied`. On January 2 a price is wrong. This DAG is
# green on both days, and on the second one an article is missing in `prices`.
#
# Find the task that swallowed the error. Fix it, so that the run of January 2 *fails*, and that task is the one that
# failed. January 1 stays as it is.

# %% q="q3" role="given"
rows("SELECT * FROM supplied ORDER BY dt, article DESC")

# %% q="q3" role="starter" dag="price_list"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def price_list():
    @task
    def fetch(ds=None):
        return PostgresHook("shop").get_records(
            "SELECT article, price FROM supplied WHERE dt = %(ds)s::date ORDER BY article", parameters={"ds": ds}
        )

    @task
    def convert(lines):
        prices = []
        for article, price in lines:
            try:
                prices.append([article, float(price)])
            except ValueError as error:
                print(f"{article}: {error}")
        return prices

    @task
    def store(prices, ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM prices WHERE dt = %(ds)s::date", parameters={"ds": ds})
        for article, price in prices:
            hook.run("INSERT INTO prices VALUES (%s, %s, %s)", parameters=(ds, article, price))

    store(convert(fetch()))


price_list()


# %% q="q3" role="check"
def check():
    with fresh() as desk:
        desk.run("price_list", "2026-01-01")
        good = desk.rows("SELECT article, price FROM prices WHERE dt = '2026-01-01' ORDER BY article")
        expect(len(good) == 3, f"On January 1 all three articles are fine, but prices holds\n{shown(good)}")
        sent = "SELECT article, price::numeric(10, 2) AS price FROM supplied WHERE dt = '2026-01-01'"
        same_rows(good, desk.rows(sent), "After January 1, prices")
        ran = desk.run("price_list", "2026-01-02", may_fail=True)
        bad = desk.rows("SELECT article, price FROM prices WHERE dt = '2026-01-02' ORDER BY article")
    states = shown(ran.tasks()[["task", "state"]])
    skipped = "skipped" in list(ran.tasks().state)
    expect(
        not (skipped and ran.state == "success"),
        f"A skipped task leaves the run green. January 2 ended as success:\n{states}",
    )
    expect(ran.state == "failed", f"January 2 is still green. Its tasks:\n{states}\nand prices holds\n{shown(bad)}")
    expect(ran.of("convert") == "failed", f"The wrong task failed. It was convert that swallowed the error:\n{states}")
    expect(len(bad) == 0, f"The run failed, but wrote rows of January 2:\n{shown(bad)}")


# %% [markdown] q="q3" role="hint"
# Which task knew that a price was wrong, and told nobody but its log?

# %% [markdown] q="q3" role="hint"
# You need not write a line. What happens to an error that nobody catches?

# %% q="q3" role="solution" dag="price_list"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def price_list():
    @task
    def fetch(ds=None):
        return PostgresHook("shop").get_records(
            "SELECT article, price FROM supplied WHERE dt = %(ds)s::date ORDER BY article", parameters={"ds": ds}
        )

    @task
    def convert(lines):
        return [[article, float(price)] for article, price in lines]

    @task
    def store(prices, ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM prices WHERE dt = %(ds)s::date", parameters={"ds": ds})
        for article, price in prices:
            hook.run("INSERT INTO prices VALUES (%s, %s, %s)", parameters=(ds, article, price))

    store(convert(fetch()))


price_list()

# %% q="q3" role="wrong" says="January 2 is still green" dag="price_list"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def price_list():
    @task
    def fetch(ds=None):
        return PostgresHook("shop").get_records("SELECT article, price FROM supplied WHERE dt = %s", parameters=(ds,))

    @task
    def convert(lines):
        return [[article, float(price) if price != "n/a" else 0.0] for article, price in lines]

    @task
    def store(prices, ds=None):
        for article, price in prices:
            PostgresHook("shop").run("INSERT INTO prices VALUES (%s, %s, %s)", parameters=(ds, article, price))

    store(convert(fetch()))


price_list()

# %% q="q3" role="wrong" says="A skipped task leaves the run green" dag="price_list"
import pendulum
from airflow.exceptions import AirflowSkipException
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def price_list():
    @task
    def fetch(ds=None):
        return PostgresHook("shop").get_records("SELECT article, price FROM supplied WHERE dt = %s", parameters=(ds,))

    @task
    def convert(lines):
        try:
            return [[article, float(price)] for article, price in lines]
        except ValueError as error:
            raise AirflowSkipException("a price is wrong") from error

    @task
    def store(prices, ds=None):
        for article, price in prices:
            PostgresHook("shop").run("INSERT INTO prices VALUES (%s, %s, %s)", parameters=(ds, article, price))

    store(convert(fetch()))


price_list()

# %% q="q3" role="wrong" says="The wrong task failed" dag="price_list"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def price_list():
    @task
    def fetch(ds=None):
        return PostgresHook("shop").get_records("SELECT article, price FROM supplied WHERE dt = %s", parameters=(ds,))

    @task
    def convert(lines):
        prices = []
        for article, price in lines:
            try:
                prices.append([article, float(price)])
            except ValueError as error:
                print(f"{article}: {error}")
        return prices

    @task
    def store(prices, ds=None):
        if len(prices) < 3:
            raise ValueError("an article is missing")
        for article, price in prices:
            PostgresHook("shop").run("INSERT INTO prices VALUES (%s, %s, %s)", parameters=(ds, article, price))

    store(convert(fetch()))


price_list()

# %% q="q3" role="wrong" says="After January 1, prices should hold" dag="price_list"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def price_list():
    @task
    def fetch(ds=None):
        return PostgresHook("shop").get_records(
            "SELECT article, price FROM supplied WHERE dt = %(ds)s::date ORDER BY article", parameters={"ds": ds}
        )

    @task
    def convert(lines):
        return [[article, float(price) * 100] for article, price in lines]

    @task
    def store(prices, ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM prices WHERE dt = %(ds)s::date", parameters={"ds": ds})
        for article, price in prices:
            hook.run("INSERT INTO prices VALUES (%s, %s, %s)", parameters=(ds, article, price))

    store(convert(fetch()))


price_list()

# %% [markdown]
# ## What you now know
#
# 1. A file may load without an error, and make no DAG: call the function at its end.
# 2. A name of Airflow 2 makes the DAG disappear; `dagproof check` finds all such names at once.
# 3. What stands outside of tasks is done each time that the file is read, some thousand times a day.
# 4. A task waits where an edge says so, and nowhere else; each call makes one more task.
# 5. A task that returns is green: don't catch what you can't repair, and believe rows, not colours.
