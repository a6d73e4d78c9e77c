# %% [markdown]
# # 6 · Depending on yesterday
#
# On January 2 nobody counts the till. A task fails, somebody sees it, and goes home. On January 10 the owner asks why
# the balance is that of January 1. Since that day nothing was red. Nothing was green, either.
#
# In this lesson you see what `depends_on_past` does when yesterday went wrong, and how to design a DAG without it.

# %%
from course import axes, fresh, picture, prove, q1, q2, rerun, rows, run, sql, start, tasks

start("06")

# %% [markdown]
# ## The pipeline
#
# Each evening the till is counted. The table `till` has a row for each day:

# %%
rows("SELECT * FROM till ORDER BY dt LIMIT 4")

# %% [markdown]
# At 23:00 a run adds the day's cash to the balance of yesterday. Days have to come in order, or the balance is wrong.
# So somebody has set `depends_on_past`: a task starts only if the same task of the run before is done.

# %% dag="waiting_balance"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="0 23 * * *", start_date=START, catchup=True, default_args={"depends_on_past": True})
def waiting_balance():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        counted = hook.get_first("SELECT cash FROM till WHERE dt = %s", parameters=(ds,))
        if counted is None:
            raise ValueError(f"nobody has counted the till of {ds}")
        latest = hook.get_first("SELECT balance FROM balances ORDER BY dt DESC LIMIT 1") or [0]
        hook.run("INSERT INTO balances VALUES (%s, %s, %s)", parameters=(ds, counted[0], latest[0] + counted[0]))

    @task
    def publish():
        print("the balance is on the web page")

    load() >> publish()


waiting_balance()

# %% [markdown]
# ## What happens
#
# Nobody has counted the till of January 2. Here are four days:

# %%
sql("DELETE FROM till WHERE dt = '2026-01-02'")
DATES = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]
runs = [run("waiting_balance", date) for date in DATES]
assert [ran.of("load") for ran in runs] == ["success", "failed", None, None]
runs[1]

# %%
runs[2]

# %% [markdown]
# January 2 has failed, as it should. Look at January 3. Here it is called `failed`, because dagproof gave up: *no task
# of the run can start*. Airflow itself doesn't give up. In its database the run is still running, and so it stays for
# as long as you let it:

# %% airflow=true
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import select

with create_session() as session:
    runs = session.scalars(select(DagRun).where(DagRun.dag_id == "waiting_balance").order_by(DagRun.logical_date))
    states = {f"{run.logical_date:%b %d}": str(run.state) for run in runs}
print(states)
assert states == {"Jan 01": "success", "Jan 02": "failed", "Jan 03": "running", "Jan 04": "running"}

# %% [markdown]
# There is no red task to be alarmed about:

# %%
tasks(runs[2])


# %% [markdown]
# A task with the state `none` has not started. It is not *skipped*, and it is not *upstream_failed*. It is **blocked**.
# All four days, side by side:


# %%
def states_picture(runs):
    colours = {"success": "#2e7d32", "failed": "#c62828", "upstream_failed": "#a1662f", "none": "#757575"}
    figure, plot = axes(height=1.3)
    told = []
    for column, ran in enumerate(runs):
        for line, name in enumerate(("load", "publish")):
            state = ran.of(name) or "none"
            plot.barh(line, 0.94, left=column, height=0.85, color=colours[state])
            plot.text(column + 0.47, line, state, ha="center", va="center", color="white", fontsize=9)
            told.append(f"{ran.step.date} {name}: {state}")
    plot.set_xticks([column + 0.47 for column in range(len(runs))], [ran.step.date for ran in runs])
    plot.set_yticks([0, 1], ["load", "publish"])
    plot.invert_yaxis()
    return picture(figure, "; ".join(told))


states_picture(runs)

# %% [markdown]
# ## Why
#
# `depends_on_past` asks one thing: was *this task*, in *the run before*, a success? (Or was it skipped? That counts
# as well.) If not, the task waits.
#
# * On January 2 `load` failed. So `load` of January 3 waits.
# * On January 3 `load` has not started. Not started is no success. So `load` of January 4 waits for January 3.
# * And so on. One failure holds up all days after it, and only the first one is red.
#
# Is it at least right, once the till is counted? Fix January 2 and let the days run again:

# %%
sql("INSERT INTO till VALUES ('2026-01-02', 110)")
runs = [rerun("waiting_balance", date) for date in DATES[1:]]
assert [ran.state for ran in runs] == ["success"] * 3
rows("SELECT * FROM balances ORDER BY dt")

# %% [markdown]
# Yes: 100 + 110 + 120 + 130 is 460. So far, so good. A week later January 3 is cleared once more, because of something
# else:

# %%
rerun("waiting_balance", "2026-01-03")
found = rows("SELECT * FROM balances ORDER BY dt, balance")
assert len(found) == 5
found

# %% [markdown]
# `depends_on_past` was content: January 2 *is* a success. It guards the first time only. The load takes "the latest
# balance" for yesterday's, and now the latest one is that of January 4.
#
# What did we gain? Days come in order the first time. Nothing more: the rows are not safe, and a failure is
# silent from the second day on. A proof says so in two lines. The law `order` says that running two dates in either order leaves identical rows.
# Here that can't even be tried:

# %%
proof = prove("waiting_balance", "2026-01-01", "2026-01-02").all("order", "rerun")
assert not proof
proof

# %% [markdown]
# ## The fix
#
# The task doesn't depend on a *run*. It depends on *data*: on the cash of all days up to its own. So let it read these
# data, by their dates. And if a day is missing, say which, and fail.

# %% dag="reading_balance"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
MISSING = """
    SELECT day::date FROM generate_series(date '2026-01-01', %(ds)s::date, interval '1 day') AS day
    WHERE NOT EXISTS (SELECT FROM till WHERE dt = day::date) ORDER BY day LIMIT 1
"""
DELETE = "DELETE FROM balances WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO balances SELECT dt, cash, (SELECT sum(cash) FROM till WHERE dt <= %(ds)s::date)
    FROM till WHERE dt = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def reading_balance():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        missing = hook.get_first(MISSING, parameters={"ds": ds})
        if missing:
            raise ValueError(f"nobody has counted the till of {missing[0]}")
        hook.run([DELETE, INSERT], parameters={"ds": ds})

    @task
    def publish():
        print("the balance is on the web page")

    load() >> publish()


reading_balance()

# %% [markdown]
# The same four days, without the cash of January 2:

# %%
fresh()
sql("DELETE FROM till WHERE dt = '2026-01-02'")
runs = [run("reading_balance", date) for date in DATES]
assert [ran.of("load") for ran in runs] == ["success", "failed", "failed", "failed"]
states_picture(runs)

# %%
runs[3]

# %% [markdown]
# Now every day that cannot be right is red, and each says why. It doesn't matter any more in which order they are fixed:

# %%
sql("INSERT INTO till VALUES ('2026-01-02', 110)")
for date in ("2026-01-04", "2026-01-02", "2026-01-03", "2026-01-03"):
    rerun("reading_balance", date)
found = rows("SELECT * FROM balances ORDER BY dt")
assert list(found.balance) == [100, 210, 330, 460]
found

# %% [markdown]
# ## The proof

# %%
proof = prove("reading_balance", "2026-01-01", "2026-01-02").all("effect", "rerun", "order", "containment")
assert proof
proof

# %% [markdown]
# ## When all days are too many
#
# After years of history, you may not want to add up all days each time. Then read *yesterday's balance by its date*,
# never "the latest". If it isn't there, fail and say so.

# %% dag="carried_balance"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
BEFORE = "SELECT balance FROM balances WHERE dt = %(ds)s::date - 1"
DELETE = "DELETE FROM balances WHERE dt = %(ds)s::date"
INSERT = "INSERT INTO balances SELECT dt, cash, %(before)s + cash FROM till WHERE dt = %(ds)s::date"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def carried_balance():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        before = [0] if ds == "2026-01-01" else hook.get_first(BEFORE, parameters={"ds": ds})
        if before is None:
            raise ValueError(f"there is no balance of the day before {ds}")
        hook.run([DELETE, INSERT], parameters={"ds": ds, "before": before[0]})

    load()


carried_balance()

# %%
fresh()
runs = [run("carried_balance", date) for date in ("2026-01-01", "2026-01-03", "2026-01-02")]
assert [ran.state for ran in runs] == ["success", "failed", "success"]
runs[1]

# %%
rerun("carried_balance", "2026-01-03")
sql("UPDATE till SET cash = 111 WHERE dt = '2026-01-02'")
rerun("carried_balance", "2026-01-02")
found = rows("SELECT * FROM balances ORDER BY dt")
assert list(found.balance) == [100, 211, 330]
found

# %% [markdown]
# It has a price. January 2 was corrected to 111, and ran again. January 3 still adds to the old balance: each day after
# a corrected one has to run again, too, and in order.

# %%
rerun("carried_balance", "2026-01-03")
found = rows("SELECT * FROM balances ORDER BY dt")
assert list(found.balance) == [100, 211, 331]
found

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: five histories
#
# The table `script` tells the tasks of this DAG what to do on a date: `ok`, `skip`, `fail`, or `fail after`, when
# `work` is fine and the task `after` fails. Both tasks depend on their past. Which task starts at the end of each of
# these histories? Write `"runs"` or `"blocked"`.
#
# | history | the question |
# |---|---|
# | `skip` | January 1 skips `work`. Does `work` of January 2 run? |
# | `chain` | January 1 fails. January 2 is tried. Does `work` of January 3 run? |
# | `fixed` | January 1 fails, is cleared, and succeeds. Does `work` of January 2 run? |
# | `gap` | January 1 succeeds. There never was a run of January 2. Does `work` of January 3 run? |
# | `after` | On January 1 `work` succeeds and `after` fails. Does `after` of January 2 run? |

# %% q="q1" role="given" dag="scripted"
import pendulum
from airflow.exceptions import AirflowSkipException
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(schedule="0 23 * * *", start_date=START, catchup=True, default_args={"depends_on_past": True})
def scripted():
    @task
    def work(ds=None):
        [what] = PostgresHook("shop").get_first("SELECT what FROM script WHERE dt = %s", parameters=(ds,))
        if what == "fail":
            raise ValueError("work fails")
        if what == "skip":
            raise AirflowSkipException("work is skipped")
        return what

    @task
    def after(what):
        if what == "fail after":
            raise ValueError("after fails")

    after(work())


scripted()

# %% q="q1" role="starter"
predicted = {
    "skip": ...,
    "chain": ...,
    "fixed": ...,
    "gap": ...,
    "after": ...,
}


# %% q="q1" role="check"
def check(predicted):
    first, second, third = "2026-01-01", "2026-01-02", "2026-01-03"
    histories = {
        "skip": ("work", ["skip", "ok"], [("run", first), ("run", second)]),
        "chain": ("work", ["fail", "ok", "ok"], [("run", first), ("run", second), ("run", third)]),
        "fixed": ("work", ["fail", "ok"], [("run", first), ("rerun", first), ("run", second)]),
        "gap": ("work", ["ok", "ok", "ok"], [("run", first), ("run", third)]),
        "after": ("after", ["fail after", "ok"], [("run", first), ("run", second)]),
    }
    expect(set(predicted) == set(histories), f"Predict these, and no others: {', '.join(histories)}")
    for name, said in predicted.items():
        expect(said in ("runs", "blocked"), f"{name}: write 'runs' or 'blocked', not {said!r}")
    for name, (asked, script, steps) in histories.items():
        with fresh() as desk:
            for day, what in enumerate(script, start=1):
                desk.execute(f"INSERT INTO script VALUES ('2026-01-0{day}', '{what}')")
            for kind, date in steps:
                if (kind, date) == ("rerun", first):
                    desk.execute(f"UPDATE script SET what = 'ok' WHERE dt = '{first}'")
                ran = desk.run("scripted", date, kind=kind, may_fail=True)
            told = "; ".join(f"{one.step.kind} {one.step.date}: {asked} {one.of(asked) or 'none'}" for one in desk.ran)
        happened = "blocked" if ran.of(asked) is None else "runs"
        expect(predicted[name] == happened, f"{name}: you say {predicted[name]!r}, but this happens: {told}")


# %% [markdown] q="q1" role="hint"
# Ask the same question each time: what was the state of *this task* in the run before? A success and a skip let it
# start, all else blocks it.

# %% [markdown] q="q1" role="hint"
# "The run before" is the one before among those *that there are*.

# %% q="q1" role="solution"
predicted = {
    "skip": "runs",
    "chain": "blocked",
    "fixed": "runs",
    "gap": "runs",
    "after": "blocked",
}

# %% q="q1" role="wrong" says="skip: you say 'blocked'"
predicted = {"skip": "blocked", "chain": "blocked", "fixed": "runs", "gap": "runs", "after": "blocked"}

# %% q="q1" role="wrong" says="chain: you say 'runs'"
predicted = {"skip": "runs", "chain": "runs", "fixed": "runs", "gap": "runs", "after": "runs"}

# %% q="q1" role="wrong" says="write 'runs' or 'blocked', not 'skipped'"
predicted = {"skip": "runs", "chain": "skipped", "fixed": "runs", "gap": "runs", "after": "blocked"}

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: do without `depends_on_past`
#
# The table `moved` says how many pieces came into the store on each day (went out, where it is negative). This DAG
# keeps the stock of each evening. Write it so that
#
# * no day waits for the run of another day,
# * any two days may change places, and any day may be rerun,
# * and the stock is right.

# %% q="q2" role="given"
rows("SELECT dt, pieces, sum(pieces) OVER (ORDER BY dt) AS stock_in_the_evening FROM moved ORDER BY dt LIMIT 4")

# %% q="q2" role="starter" dag="stock"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
DELETE = "DELETE FROM stock WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO stock SELECT dt, pieces + coalesce((SELECT pieces FROM stock ORDER BY dt DESC LIMIT 1), 0)
    FROM moved WHERE dt = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=START, catchup=True, default_args={"depends_on_past": True})
def stock():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


stock()


# %% q="q2" role="check"
def check():
    days = ["2026-01-01", "2026-01-02"]
    with fresh() as desk:
        desk.execute("ALTER TABLE stock RENAME TO lent")
        desk.run("stock", days[0], may_fail=True)
        desk.execute("ALTER TABLE lent RENAME TO stock")
        ran = desk.run("stock", days[1], may_fail=True)
        expect(
            any(state["state"] for state in ran.states),
            f"When January 1 has failed, January 2 is still blocked: {ran.reason}",
        )
    with fresh() as desk:
        desk.run("stock", *days, "2026-01-03")
        found = desk.rows("SELECT dt::text AS dt, pieces FROM stock ORDER BY dt")
    expect(list(found.pieces) == [50, 92, 126], f"In the evenings there are 50, 92 and 126 pieces, not\n{shown(found)}")
    order = verdict("stock", "order", days)
    if order.outcome == "not-applicable":
        raise IncorrectError(f"Some task still waits for the run before: {order.reason}")
    proven("stock", "order", "rerun", dates=days)


# %% [markdown] q="q2" role="hint"
# Which rows of `moved` make the stock of an evening? All of them have a date.

# %% [markdown] q="q2" role="hint"
# `sum(pieces)` of all days up to `ds`. Then nothing is left for which the task would have to wait.

# %% q="q2" role="solution" dag="stock"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
DELETE = "DELETE FROM stock WHERE dt = %(ds)s::date"
INSERT = "INSERT INTO stock SELECT %(ds)s::date, sum(pieces) FROM moved WHERE dt <= %(ds)s::date"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def stock():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


stock()

# %% q="q2" role="wrong" says="January 2 is still blocked" dag="stock"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
DELETE = "DELETE FROM stock WHERE dt = %(ds)s::date"
INSERT = "INSERT INTO stock SELECT %(ds)s::date, sum(pieces) FROM moved WHERE dt <= %(ds)s::date"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def stock():
    @task(depends_on_past=True)
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


stock()

# %% q="q2" role="wrong" says="depends on the order of its runs" dag="stock"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
DELETE = "DELETE FROM stock WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO stock SELECT dt, pieces + coalesce((SELECT pieces FROM stock ORDER BY dt DESC LIMIT 1), 0)
    FROM moved WHERE dt = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def stock():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


stock()

# %% q="q2" role="wrong" says="there are 50, 92 and 126 pieces" dag="stock"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
DELETE = "DELETE FROM stock WHERE dt = %(ds)s::date"
INSERT = "INSERT INTO stock SELECT dt, pieces FROM moved WHERE dt = %(ds)s::date"


@dag(schedule="0 23 * * *", start_date=START, catchup=True)
def stock():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


stock()

# %% [markdown]
# ## What you now know
#
# 1. `depends_on_past` looks at the same task in the run before. A success or a skip lets it start.
# 2. Anything else blocks it. Blocked is not skipped and not failed: it is no state at all, and nobody is told.
# 3. One failure blocks all days after it, one through the other.
# 4. It guards the first run of a day, not its reruns: "the latest row" is still wrong.
# 5. Depend on data, not on runs: read them by date, and fail with the name of what is missing.
