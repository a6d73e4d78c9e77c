# %% [markdown]
# # 8 · Shape
#
# The accountant wants a line for each day: how many refunds there were, and how much was paid back. For January 3 there
# is no line. The run of January 3 is green. "So it was zero?" she asks. "Or did nobody look?"
#
# In this lesson DAGs get a shape: one task for each input, either this way or that way, groups, and pools. And you see
# which tasks a shape leaves out.

# %%
from course import airflow, axes, edges, picture, prove, q1, q2, q3, rows, run, start, tasks

start("08")

# %% [markdown]
# ## One task for each input
#
# These goods were sent back. On January 3 there were none:

# %%
rows("SELECT * FROM returned WHERE dt < '2026-01-04' ORDER BY dt, customer")

# %% [markdown]
# `refund.expand(line=…)` makes a task for each entry of a list: `refund` is *mapped* over it. That list is known only
# when the run is under way, so the DAG has a different number of tasks each day. `sum_up` waits for all of them.

# %% dag="mapped_refunds"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
LINES = "SELECT customer, total::text FROM returned WHERE dt = %(ds)s::date ORDER BY customer"
DELETE_DAY = "DELETE FROM days WHERE dt = %(ds)s::date"
SUM_UP = """
    INSERT INTO days SELECT %(ds)s::date, count(*), coalesce(sum(total), 0) FROM refunds WHERE dt = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def mapped_refunds():
    @task
    def lines(ds=None):
        return [list(line) for line in PostgresHook("shop").get_records(LINES, parameters={"ds": ds})]

    @task
    def refund(line, ds=None):
        customer, total = line
        delete = "DELETE FROM refunds WHERE dt = %s AND customer = %s"
        PostgresHook("shop").run(delete, parameters=(ds, customer))
        PostgresHook("shop").run("INSERT INTO refunds VALUES (%s, %s, %s)", parameters=(ds, customer, total))

    @task
    def sum_up(ds=None):
        PostgresHook("shop").run([DELETE_DAY, SUM_UP], parameters={"ds": ds})

    refund.expand(line=lines()) >> sum_up()


mapped_refunds()

# %%
three = run("mapped_refunds", "2026-01-01")
assert three.state == "success"
tasks(three)

# %%
one = run("mapped_refunds", "2026-01-02")
none = run("mapped_refunds", "2026-01-03")
assert none.state == "success"
tasks(none)

# %%
found = rows("SELECT * FROM days ORDER BY dt")
assert list(found.refunds) == [3, 1]
found

# %% [markdown]
# ## What happens
#
# With three inputs there are three tasks `refund`, with one there is one. With *no* input there is one line in the
# table, and it says `skipped`. So does `sum_up`, which had a line to write: zero.


# %%
def states_picture(*runs):
    colours = {"success": "#2e7d32", "failed": "#c62828", "skipped": "#a8437a", "upstream_failed": "#a1662f"}
    names = sorted({state["task_id"] for ran in runs for state in ran.states})
    figure, plot = axes(height=0.6 + 0.33 * len(names))
    told = []
    for column, ran in enumerate(runs):
        for line, name in enumerate(names):
            found = [state["state"] for state in ran.states if state["task_id"] == name]
            plot.barh(line, 0.94, left=column, height=0.85, color=colours.get(found[0], "#9e9e9e"))
            text = found[0] + (f" ×{len(found)}" if len(found) > 1 else "")
            plot.text(column + 0.47, line, text, ha="center", va="center", color="white", fontsize=9)
            told.append(f"{ran.step.date} {name}: {text}")
    plot.set_xticks([column + 0.47 for column in range(len(runs))], [ran.step.date for ran in runs])
    plot.set_yticks(range(len(names)), names)
    plot.invert_yaxis()
    return picture(figure, "; ".join(told))


states_picture(three, one, none)

# %% [markdown]
# ## Why
#
# A skip spreads. A task has a *trigger rule*, which says in which states its *upstream* tasks, those before it, must be. If nobody sets
# it, it is `all_success`:

# %% airflow=true
rule = load_dag("mapped_refunds").get_task("sum_up").trigger_rule
assert rule == "all_success"
print(rule.value)

# %% [markdown]
# A skipped task is no success. So `sum_up` is skipped, too. And a run in which some tasks were skipped, and none failed,
# is green.
#
# ## The fix
#
# `sum_up` has something to say even if there was nothing to refund. Only a *failure* should keep it from that. This
# rule is called `none_failed`.

# %% dag="counted_refunds"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
LINES = "SELECT customer, total::text FROM returned WHERE dt = %(ds)s::date ORDER BY customer"
DELETE_DAY = "DELETE FROM days WHERE dt = %(ds)s::date"
SUM_UP = """
    INSERT INTO days SELECT %(ds)s::date, count(*), coalesce(sum(total), 0) FROM refunds WHERE dt = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def counted_refunds():
    @task
    def lines(ds=None):
        return [list(line) for line in PostgresHook("shop").get_records(LINES, parameters={"ds": ds})]

    @task
    def refund(line, ds=None):
        customer, total = line
        delete = "DELETE FROM refunds WHERE dt = %s AND customer = %s"
        PostgresHook("shop").run(delete, parameters=(ds, customer))
        PostgresHook("shop").run("INSERT INTO refunds VALUES (%s, %s, %s)", parameters=(ds, customer, total))

    @task(trigger_rule="none_failed")
    def sum_up(ds=None):
        PostgresHook("shop").run([DELETE_DAY, SUM_UP], parameters={"ds": ds})

    refund.expand(line=lines()) >> sum_up()


counted_refunds()

# %%
states_picture(run("counted_refunds", "2026-01-03"))

# %%
found = rows("SELECT * FROM days ORDER BY dt")
assert list(found.refunds) == [3, 1, 0]
found

# %% [markdown]
# ## The proof
#
# The law `effect` says that a run writes something. Ask it about the day on which nothing was sent back:

# %%
proof = prove("mapped_refunds", "2026-01-03").effect()
assert not proof
proof

# %%
proof = prove("counted_refunds", "2026-01-03").all("effect", "rerun")
assert proof
proof

# %% [markdown]
# ## Either this way or that way
#
# A *branch* is a task that returns the name of the task to go on with, or a list of names. The others right after it are
# skipped. Afterwards the ways join, and something is to be done on every day. January 2, 2026, is a Friday, January 3 a
# Saturday.

# %% dag="branched_days"
import pendulum
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def branched_days():
    @task.branch
    def choose(ds=None):
        return "weekend" if pendulum.parse(ds).isoweekday() >= 6 else "workday"

    @task
    def workday(): ...

    @task
    def weekend(): ...

    @task
    def join(): ...

    @task(trigger_rule="none_failed_min_one_success")
    def patient_join(): ...

    ways = [workday(), weekend()]
    choose() >> ways
    ways >> join()
    ways >> patient_join()


branched_days()

# %%
friday, saturday = run("branched_days", "2026-01-02"), run("branched_days", "2026-01-03")
assert [ran.of("join") for ran in (friday, saturday)] == ["skipped", "skipped"]
assert [ran.of("patient_join") for ran in (friday, saturday)] == ["success", "success"]
states_picture(friday, saturday)

# %% [markdown]
# One of the two ways is always skipped. So a join with the usual rule is skipped on *every* day, and the run is green.
# `none_failed_min_one_success` is made for joins: no way has failed, and at least one was taken.
#
# ## The rules, tried
#
# Here are two tasks that do what a script tells them, and behind them a task for each of five rules. The followers are
# `EmptyOperator`s: tasks that do nothing.

# %% dag="ruled"
import pendulum
from airflow.exceptions import AirflowSkipException
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
RULES = ["all_success", "none_failed", "none_failed_min_one_success", "one_success", "all_done"]


def act(what):
    if what == "fail":
        raise ValueError("as the script says")
    if what == "skip":
        raise AirflowSkipException("as the script says")


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def ruled():
    @task
    def one(ds=None):
        act(PostgresHook("shop").get_first("SELECT one FROM script WHERE dt = %s", parameters=(ds,))[0])

    @task
    def other(ds=None):
        act(PostgresHook("shop").get_first("SELECT other FROM script WHERE dt = %s", parameters=(ds,))[0])

    before = [one(), other()]
    for rule in RULES:
        before >> EmptyOperator(task_id=rule, trigger_rule=rule)


ruled()

# %%
import pandas as pd

RULES = ["all_success", "none_failed", "none_failed_min_one_success", "one_success", "all_done"]
table = pd.DataFrame(index=RULES)
for date in ("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"):
    ran = run("ruled", date)
    table[f"{ran.of('one')} + {ran.of('other')}"] = [ran.of(rule) for rule in RULES]
assert list(table["success + skipped"]) == ["skipped", "success", "success", "success", "success"]
assert list(table["skipped + skipped"]) == ["skipped", "success", "skipped", "skipped", "success"]
assert list(table["success + failed"]) == ["upstream_failed"] * 3 + ["success"] * 2
table

# %% [markdown]
# Read a column from top to bottom. `upstream_failed` is the state of a task that can't run because one before it has
# failed. `all_done` and `one_success` run even so: look at the last column. A join that publishes something should not.
#
# ## Groups
#
# A *task group* does two things: its tasks get its name in front, and an edge to the group is an edge to its first tasks.
# Likewise, an edge from the group begins at its last tasks.

# %% dag="grouped"
import pendulum
from airflow.sdk import dag, task, task_group

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def grouped():
    @task
    def fetch(): ...

    @task
    def publish(): ...

    @task_group
    def check():
        @task
        def totals(): ...

        @task
        def customers(): ...

        totals()
        customers()

    fetch() >> check() >> publish()


grouped()

# %%
found = edges("grouped")
assert found == [
    ("check.customers", "publish"),
    ("check.totals", "publish"),
    ("fetch", "check.customers"),
    ("fetch", "check.totals"),
]
found

# %% [markdown]
# ## Pools
#
# A mapped task may become hundreds of tasks, and the vendor's server allows two connections. A *pool* has a number of
# slots, and a task that names the pool takes one of them while it runs.

# %% dag="pooled"
import pendulum
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def pooled():
    @task(pool="vendor")
    def ask(article): ...

    @task
    def tidy(): ...

    ask.expand(article=["tea", "coffee", "cocoa", "milk", "sugar"])
    tidy()


pooled()

# %% [markdown]
# On your desk tasks run one by one, so that no pool is ever full. Whether a pool works, only a scheduler can tell.
# `starts_at_once` (it lies in `dags/asking.py`) asks Airflow's own: all tasks of the run are due, which do you start?

# %%
run("pooled", "2026-01-01")

# %% airflow=true
from asking import starts_at_once

two = starts_at_once("pooled", vendor=2)
assert two == ["ask[0]", "ask[1]", "tidy"]
print("2 slots:", *two)
print("5 slots:", *starts_at_once("pooled", vendor=5))

# %% [markdown]
# With two slots, two of the five are started, and `tidy`, which does not need the pool. The others wait for their turn.
# A pool says how many may run at once, and nothing about which comes first: use edges for that.

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: the empty map that stays green
#
# Fix this DAG, so that `days` gets a line on each day without a failure, also on January 3, when nothing was sent
# back. On January 4 a total was mistyped, and `refund` fails. On that day there must be no line.

# %% q="q1" role="starter" dag="silent_refunds"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
CLOSE = [
    "DELETE FROM days WHERE dt = %(ds)s::date",
    "INSERT INTO days SELECT %(ds)s::date, count(*), coalesce(sum(total), 0) FROM returned WHERE dt = %(ds)s::date",
]


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def silent_refunds():
    @task
    def totals(ds=None):
        found = PostgresHook("shop").get_records("SELECT total::text FROM returned WHERE dt = %s", parameters=(ds,))
        return [total for (total,) in found]

    @task
    def refund(total):
        if float(total) < 0:
            raise ValueError(f"a refund of {total}")

    @task
    def close_day(ds=None):
        PostgresHook("shop").run(CLOSE, parameters={"ds": ds})

    refund.expand(total=totals()) >> close_day()


silent_refunds()


# %% q="q1" role="check"
def check():
    with fresh() as desk:
        ran = desk.run("silent_refunds", "2026-01-01", "2026-01-03")
        found = desk.rows("SELECT dt::text AS dt, refunds FROM days ORDER BY dt")
        expect(
            "2026-01-03" in list(found.dt),
            f"January 3 is green and has no line:\n{shown(ran.tasks()[['task', 'state']])}\ndays holds\n{shown(found)}",
        )
        right = [["2026-01-01", 3], ["2026-01-03", 0]]
        expect(found.values.tolist() == right, f"There were 3 and 0 refunds, but days holds\n{shown(found)}")
        ran = desk.run("silent_refunds", "2026-01-04", may_fail=True)
        found = desk.rows("SELECT dt::text AS dt, refunds FROM days WHERE dt = '2026-01-04'")
        expect(ran.of("refund") == "failed", "refund has to fail on January 4: its total is negative")
        expect(not len(found), f"On January 4 refund failed, and there is a line all the same:\n{shown(found)}")
    waits = ("refund", "close_day") in edges("silent_refunds")
    expect(waits, f"close_day does not wait for refund any more: {edges('silent_refunds')}")


# %% [markdown] q="q1" role="hint"
# `refund` is skipped on January 3. Which rule lets a task run after a skip, but not after a failure?

# %% [markdown] q="q1" role="hint"
# Look at the column `skipped + skipped` of the table above, and then at `success + failed`.

# %% q="q1" role="solution" dag="silent_refunds"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import TriggerRule, dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
CLOSE = [
    "DELETE FROM days WHERE dt = %(ds)s::date",
    "INSERT INTO days SELECT %(ds)s::date, count(*), coalesce(sum(total), 0) FROM returned WHERE dt = %(ds)s::date",
]


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def silent_refunds():
    @task
    def totals(ds=None):
        found = PostgresHook("shop").get_records("SELECT total::text FROM returned WHERE dt = %s", parameters=(ds,))
        return [total for (total,) in found]

    @task
    def refund(total):
        if float(total) < 0:
            raise ValueError(f"a refund of {total}")

    @task(trigger_rule=TriggerRule.NONE_FAILED)
    def close_day(ds=None):
        PostgresHook("shop").run(CLOSE, parameters={"ds": ds})

    refund.expand(total=totals()) >> close_day()


silent_refunds()

# %% q="q1" role="wrong" says="there is a line all the same" dag="silent_refunds"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
CLOSE = "INSERT INTO days SELECT %(ds)s::date, count(*), 0 FROM returned WHERE dt = %(ds)s::date"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def silent_refunds():
    @task
    def totals(ds=None):
        found = PostgresHook("shop").get_records("SELECT total::text FROM returned WHERE dt = %s", parameters=(ds,))
        return [total for (total,) in found]

    @task
    def refund(total):
        if float(total) < 0:
            raise ValueError(f"a refund of {total}")

    @task(trigger_rule="all_done")
    def close_day(ds=None):
        PostgresHook("shop").run(CLOSE, parameters={"ds": ds})

    refund.expand(total=totals()) >> close_day()


silent_refunds()

# %% q="q1" role="wrong" says="January 3 is green and has no line" dag="silent_refunds"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
CLOSE = "INSERT INTO days SELECT %(ds)s::date, count(*), 0 FROM returned WHERE dt = %(ds)s::date"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def silent_refunds():
    @task
    def totals(ds=None):
        found = PostgresHook("shop").get_records("SELECT total::text FROM returned WHERE dt = %s", parameters=(ds,))
        return [total for (total,) in found]

    @task
    def refund(total):
        if float(total) < 0:
            raise ValueError(f"a refund of {total}")

    @task(trigger_rule="none_failed_min_one_success")
    def close_day(ds=None):
        PostgresHook("shop").run(CLOSE, parameters={"ds": ds})

    refund.expand(total=totals()) >> close_day()


silent_refunds()

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: the join after a branch
#
# On workdays goods are counted and weighed, on weekends only looked at. After that, on every day, `publish` writes one
# line. It never does. Fix it. When one of the tasks before it fails, as `weigh` does on Monday, January 5, nothing may
# be published.

# %% q="q2" role="starter" dag="branched_goods"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
PUBLISH = ["DELETE FROM published WHERE dt = %(ds)s::date", "INSERT INTO published VALUES (%(ds)s, 'goods')"]


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def branched_goods():
    @task.branch
    def choose(ds=None):
        return "look" if pendulum.parse(ds).isoweekday() >= 6 else ["count", "weigh"]

    @task
    def look(): ...

    @task
    def count(): ...

    @task
    def weigh(ds=None):
        [what] = PostgresHook("shop").get_first("SELECT other FROM script WHERE dt = %s", parameters=(ds,))
        if what == "fail":
            raise ValueError("the scales are broken")

    @task
    def publish(ds=None):
        PostgresHook("shop").run(PUBLISH, parameters={"ds": ds})

    choose() >> [look(), count(), weigh()] >> publish()


branched_goods()


# %% q="q2" role="check"
def check():
    with fresh() as desk:
        for date, day in (("2026-01-02", "Friday"), ("2026-01-03", "Saturday")):
            ran = desk.run("branched_goods", date)
            found = desk.rows(f"SELECT * FROM published WHERE dt = '{date}'")
            states = shown(ran.tasks()[["task", "state"]])
            expect(len(found), f"{day} is green, and nothing is published:\n{states}")
            expect(len(found) == 1, f"{day} should publish one line, and there are {len(found)}:\n{shown(found)}")
            wanted = ["look"] if day == "Saturday" else ["count", "weigh"]
            came = [way for way in ("look", "count", "weigh") if ran.of(way) == "success"]
            expect(came == wanted, f"On {day} the way is {' and '.join(wanted)}, and no other:\n{states}")
        ran = desk.run("branched_goods", "2026-01-05", may_fail=True)
        found = desk.rows("SELECT * FROM published WHERE dt = '2026-01-05'")
        states = shown(ran.tasks()[["task", "state"]])
        expect(not len(found), f"On Monday weigh failed, and it was published all the same:\n{states}")
    wanted = {(way, "publish") for way in ("look", "count", "weigh")}
    expect(wanted <= set(edges("branched_goods")), f"publish does not wait for all ways: {edges('branched_goods')}")


# %% [markdown] q="q2" role="hint"
# The edges are right. On each day at least one of the three tasks is skipped.

# %% [markdown] q="q2" role="hint"
# Two of the five rules of the table run after a success and a skip, and never after a failure. Either will do.

# %% q="q2" role="solution" dag="branched_goods"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import TriggerRule, dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
PUBLISH = ["DELETE FROM published WHERE dt = %(ds)s::date", "INSERT INTO published VALUES (%(ds)s, 'goods')"]


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def branched_goods():
    @task.branch
    def choose(ds=None):
        return "look" if pendulum.parse(ds).isoweekday() >= 6 else ["count", "weigh"]

    @task
    def look(): ...

    @task
    def count(): ...

    @task
    def weigh(ds=None):
        [what] = PostgresHook("shop").get_first("SELECT other FROM script WHERE dt = %s", parameters=(ds,))
        if what == "fail":
            raise ValueError("the scales are broken")

    @task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    def publish(ds=None):
        PostgresHook("shop").run(PUBLISH, parameters={"ds": ds})

    choose() >> [look(), count(), weigh()] >> publish()


branched_goods()

# %% q="q2" role="wrong" says="it was published all the same" dag="branched_goods"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def branched_goods():
    @task.branch
    def choose(ds=None):
        return "look" if pendulum.parse(ds).isoweekday() >= 6 else ["count", "weigh"]

    @task
    def look(): ...

    @task
    def count(): ...

    @task
    def weigh(ds=None):
        [what] = PostgresHook("shop").get_first("SELECT other FROM script WHERE dt = %s", parameters=(ds,))
        if what == "fail":
            raise ValueError("the scales are broken")

    @task(trigger_rule="one_success")
    def publish(ds=None):
        PostgresHook("shop").run("INSERT INTO published VALUES (%s, 'goods')", parameters=(ds,))

    choose() >> [look(), count(), weigh()] >> publish()


branched_goods()

# %% q="q2" role="wrong" says="Saturday is green, and nothing is published" dag="branched_goods"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def branched_goods():
    @task.branch
    def choose(ds=None):
        return "look" if pendulum.parse(ds).isoweekday() >= 6 else ["count", "weigh"]

    @task
    def look(): ...

    @task
    def count(): ...

    @task
    def weigh(ds=None): ...

    @task
    def publish(ds=None):
        PostgresHook("shop").run("INSERT INTO published VALUES (%s, 'goods')", parameters=(ds,))

    ways = [count(), weigh()]
    choose() >> [look(), *ways]
    ways >> publish()


branched_goods()

# %% q="q2" role="wrong" says="On Friday the way is count and weigh, and no other" dag="branched_goods"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def branched_goods():
    @task
    def choose(ds=None):
        return "look" if pendulum.parse(ds).isoweekday() >= 6 else ["count", "weigh"]

    @task
    def look(): ...

    @task
    def count(): ...

    @task
    def weigh(ds=None): ...

    @task
    def publish(ds=None):
        PostgresHook("shop").run("INSERT INTO published VALUES (%s, 'goods')", parameters=(ds,))

    choose() >> [look(), count(), weigh()] >> publish()


branched_goods()

# %% q="q2" role="wrong" says="should publish one line, and there are 2" dag="branched_goods"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import TriggerRule, dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
PUBLISH = ["DELETE FROM published WHERE dt = %(ds)s::date", *["INSERT INTO published VALUES (%(ds)s, 'goods')"] * 2]


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def branched_goods():
    @task.branch
    def choose(ds=None):
        return "look" if pendulum.parse(ds).isoweekday() >= 6 else ["count", "weigh"]

    @task
    def look(): ...

    @task
    def count(): ...

    @task
    def weigh(ds=None):
        [what] = PostgresHook("shop").get_first("SELECT other FROM script WHERE dt = %s", parameters=(ds,))
        if what == "fail":
            raise ValueError("the scales are broken")

    @task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    def publish(ds=None):
        PostgresHook("shop").run(PUBLISH, parameters={"ds": ds})

    choose() >> [look(), count(), weigh()] >> publish()


branched_goods()

# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: predict a column
#
# The table of rules lacks a column: `one` fails and `other` is skipped. What becomes of each follower? Write
# `"success"`, `"skipped"`, `"failed"` or `"upstream_failed"`.

# %% q="q3" role="starter"
column = {
    "all_success": ...,
    "none_failed": ...,
    "none_failed_min_one_success": ...,
    "one_success": ...,
    "all_done": ...,
}


# %% q="q3" role="check"
def check(column):
    with fresh() as desk:
        ran = desk.run("ruled", "2026-01-06", may_fail=True)
    expect(ran.of("one") == "failed" and ran.of("other") == "skipped", "The DAG ruled has changed: run its cell again")
    rules = ["all_success", "none_failed", "none_failed_min_one_success", "one_success", "all_done"]
    expect(set(column) == set(rules), f"Predict these, and no others: {', '.join(rules)}")
    words = ["success", "skipped", "failed", "upstream_failed"]
    for rule, said in column.items():
        expect(said in words, f"{rule}: write one of {', '.join(words)}, not {said!r}")
    wrong = [rule for rule in rules if column[rule] != ran.of(rule)]
    told = {
        ("all_done", "skipped"): "all_done asks only whether all before it have come to an end.",
        ("all_done", "upstream_failed"): "all_done asks only whether all before it have come to an end.",
        ("one_success", "success"): "Which of the two was a success?",
    }
    if wrong:
        general = "Look for the column with a failure in it: what do the rules make of it?"
        why = told.get((wrong[0], column[wrong[0]]), general)
        raise IncorrectError(f"{wrong[0]} is not {column[wrong[0]]!r} after failed + skipped. {why}")


# %% [markdown] q="q3" role="hint"
# The difference between `skipped` and `upstream_failed` tells you later why a task didn't run. A failure before it
# weighs more than a skip.

# %% [markdown] q="q3" role="hint"
# Four of the five don't run.

# %% q="q3" role="solution"
column = dict.fromkeys(["all_success", "none_failed", "none_failed_min_one_success", "one_success"], "upstream_failed")
column["all_done"] = "success"

# %% q="q3" role="wrong" says="what do the rules make of it?"
column = dict.fromkeys(["all_success", "none_failed", "none_failed_min_one_success", "one_success"], "skipped")
column["all_done"] = "success"

# %% q="q3" role="wrong" says="write one of success, skipped, failed, upstream_failed, not False"
column = dict.fromkeys(["all_success", "none_failed", "none_failed_min_one_success", "one_success"], False)
column["all_done"] = True

# %% q="q3" role="wrong" says="all_done is not 'upstream_failed'"
column = dict.fromkeys(["all_success", "none_failed", "none_failed_min_one_success", "one_success"], "upstream_failed")
column["all_done"] = "upstream_failed"

# %% q="q3" role="wrong" says="Which of the two was a success?"
column = dict.fromkeys(["all_success", "none_failed", "none_failed_min_one_success"], "upstream_failed")
column |= {"one_success": "success", "all_done": "success"}

# %% [markdown]
# ## What you now know
#
# 1. A mapped task with no input is skipped, and what comes after it, too; the run is green.
# 2. `all_success`, the usual rule, is wrong after a branch, and after a map that may be empty.
# 3. `none_failed` runs after skips, `none_failed_min_one_success` joins ways; both stop at a failure.
# 4. `all_done` and `one_success` run though something failed: use them only for what is right then.
# 5. A group names tasks, an edge orders them, a pool limits how many run at once.
