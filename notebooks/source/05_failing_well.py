# %% [markdown]
# # 5 · Failing well
#
# It is ten past midnight. The load of the shop's orders is being run again, because a price was wrong. Then the machine
# that it runs on is taken away. At seven the owner looks at January the first: no orders. Not the old ones, not the
# new ones. None.
#
# Every task fails one day. In this lesson you make loads that fail *well*: they leave all of the old or all of the new,
# and the next run heals them.

# %%
from course import axes, crash, fresh, picture, prove, q1, q2, q3, q4, read, rerun, rows, run, start, tasks, timeline

start("05")

# %% [markdown]
# ## The load
#
# It replaces a day: first it makes room, then it fills it. A rerun is fine.

# %% dag="two_steps"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def two_steps():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run(DELETE, parameters={"ds": ds})
        hook.run(INSERT, parameters={"ds": ds})

    load()


two_steps()

# %%
run("two_steps", "2026-01-01")

# %%
DAY = "SELECT * FROM orders WHERE dt = '2026-01-01'"
assert len(rows(DAY)) == 6
rows(DAY)

# %% [markdown]
# ## What happens
#
# A task talks to PostgreSQL in messages. Here are some messages of this load, with their numbers. `crash` runs the date
# again and kills the process right before a message. We try one after the other, and count the rows that a reader sees
# after each crash.

# %%
MESSAGES = {2: "DELETE", 7: "COMMIT", 9: "BEGIN", 10: "INSERT", 15: "COMMIT"}
seen = []
for number in MESSAGES:
    crash("two_steps", "2026-01-01", f"message {number}")
    seen.append(len(rows(DAY)))
assert seen == [6, 6, 0, 0, 0]

figure, plot = axes(height=2)
plot.bar([f"{number}: {what}" for number, what in MESSAGES.items()], seen, color="#2e7d32")
plot.set_ylabel("rows seen")
plot.set_xlabel("killed before message …")
picture(figure, f"rows that a reader sees after a crash before each message: {seen}")

# %% [markdown]
# There is a hole. A reader who looks while it lasts sees an empty day. And if nobody runs the date again, it lasts for ever.
#
# ## Why
#
# Each call of `hook.run` is one transaction: all of it happens, or nothing. Here are two calls, so there are two
# transactions. The first one deletes, and is done. What comes after it may never come.
#
# ## The fix
#
# One call with both statements is one transaction.

# %% dag="one_transaction"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def one_transaction():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


one_transaction()

# %% [markdown]
# ## The proof
#
# The law `crash` does by itself what we did by hand. It crashes the first run of a date at each point, and then a
# rerun. After each crash it looks at the rows, runs the date again, and looks once more.

# %%
proof = prove("one_transaction", "2026-01-01").crash()
assert proof
proof

# %% [markdown]
# ## The commit that nobody heard of
#
# Here is a load that only adds. As long as we run it once, it is right. Or is it?

# %% dag="unheard"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def unheard():
    @task
    def load(ds=None):
        PostgresHook("shop").run(INSERT, parameters={"ds": ds})

    load()


unheard()

# %% [markdown]
# Message 7 of this load is the `COMMIT`. This time the process lives, and the message arrives. But the network breaks
# right after it, so that the answer is lost:

# %%
fresh()
ran = crash("unheard", "2026-01-01", "reply 7")
assert ran.state == "failed"
print("the run:", ran.state)
print("the error:", ran.attempts[0]["error"].split(" This ")[0])
print("rows:", len(rows(DAY)))
assert len(rows(DAY)) == 6

# %% [markdown]
# The task has *failed*, and its rows are *there*. PostgreSQL has committed; only the answer was lost. Of course
# somebody clears the failed task, so that it runs again:

# %%
rerun("unheard", "2026-01-01")
assert len(rows(DAY)) == 12
rows(DAY + " ORDER BY number")

# %% [markdown]
# *A failed task may have done its work.* No transaction helps against that. What helps is a load that can be repeated,
# as `one_transaction` can.
#
# ## Files: write, then rename
#
# A file has no transaction. This task writes the day's report in place:

# %% dag="in_place"
import os
from pathlib import Path

import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def in_place():
    @task
    def write(ds=None):
        path = Path(os.environ["DATA_ROOT"]) / "report.txt"
        path.write_text(f"6 orders on {ds}\n")

    write()


in_place()

# %%
run("in_place", "2026-01-01")
print(read("report.txt"))

# %% [markdown]
# Now the next day. The task is killed as soon as it has opened the file:

# %%
crash("in_place", "2026-01-02", "file 1")
assert read("report.txt") == ""
print("report.txt:", repr(read("report.txt")))

# %% [markdown]
# The old report is gone, and the new one has not come. Opening a file for writing empties it.
#
# So write to another name, and rename when all is written. On one disk a rename happens, or it does not.

# %% dag="write_then_rename"
import os
from pathlib import Path

import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def write_then_rename():
    @task
    def write(ds=None):
        path = Path(os.environ["DATA_ROOT"]) / "report.txt"
        part = path.with_suffix(".part")
        part.write_text(f"6 orders on {ds}\n")
        os.replace(part, path)

    write()


write_then_rename()

# %%
fresh()
run("write_then_rename", "2026-01-01")
crash("write_then_rename", "2026-01-02", "file 2")
print(read())
assert read("report.txt") == "6 orders on 2026-01-01\n"
print("report.txt:", repr(read("report.txt")))

# %% [markdown]
# It was killed right before the rename. The old report is whole. The new one lies beside it, under a name that no
# reader takes for a report; the next run writes it anew.

# %% [markdown]
# ## Try again, but not everything
#
# Some failures heal by themselves. The shop's server is down for a backup until half past eleven. A run starts at
# eleven, and Airflow tries a task again if you configure how often (`retries`; without it, the setting
# `default_task_retries` counts, which is 0 unless somebody has changed it) and after how long (`retry_delay`).

# %% dag="patient"
from datetime import datetime, timedelta, timezone

import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def patient():
    @task
    def without_retries():
        ask_the_shop()

    @task(retries=2)
    def with_retries():
        ask_the_shop()

    @task(retries=2, retry_delay=timedelta(minutes=20))
    def with_delay():
        ask_the_shop()

    without_retries()
    with_retries()
    with_delay()


def ask_the_shop():
    if datetime.now(timezone.utc).time().isoformat() < "23:30":
        raise ConnectionError("the shop is down for a backup")


patient()

# %%
fresh()
ran = run("patient", "2026-01-01")
assert (ran.of("without_retries"), ran.of("with_retries"), ran.of("with_delay")) == ("failed", "failed", "success")
timeline(ran)

# %%
tries = [attempt["from"][11:16] for attempt in ran.attempts if attempt["task_id"] == "with_retries"]
assert tries == ["23:01", "23:06", "23:11"]
assert [attempt["task_id"] for attempt in ran.attempts].count("without_retries") == 1
assert ran.slots["with_delay"] < 60
print(tries)
tasks(ran)

# %% [markdown]
# Without a `retry_delay` Airflow waits five minutes. Two retries end at eleven past eleven: too early for this shop.
# Ask how long the other side is down at most, and make retries × delay longer than that. The waiting costs nothing:
# between two tries a task holds no place on a worker.
#
# Other failures never heal. A broken order is as broken in an hour. `AirflowFailException` says: do not try again.
# (It is in `airflow.exceptions` for Airflow 3.1 and later ones alike; the later ones warn, and name their new place.)

# %% dag="impatient"
import pendulum
from airflow.exceptions import AirflowFailException
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def impatient():
    @task(retries=2)
    def value_error():
        raise ValueError("order 3 has no customer")

    @task(retries=2)
    def fail_exception():
        raise AirflowFailException("order 3 has no customer")

    value_error()
    fail_exception()


impatient()

# %%
fresh()
ran = run("impatient", "2026-01-01")
tries = {name: sum(a["task_id"] == name for a in ran.attempts) for name in ("value_error", "fail_exception")}
assert tries == {"value_error": 3, "fail_exception": 1}
timeline(ran)

# %% [markdown]
# ## The green run that failed
#
# The load needs a staging folder. A last task cleans it up, and it has to do so even when the load fails. The rule
# `all_done` says: start when those before me have ended, however they have ended.

# %% dag="green_leaf"
import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def green_leaf():
    @task
    def make_folder():
        pass

    @task
    def load():
        raise ConnectionError("the shop is down for a backup")

    @task(trigger_rule="all_done")
    def clean_up():
        pass

    make_folder() >> load() >> clean_up()


green_leaf()

# %%
ran = run("green_leaf", "2026-01-01")
print(ran)
assert ran.state == "success"
assert ran.of("load") == "failed"
tasks(ran)

# %% [markdown]
# The load has failed, and the run is a *success*. Counting red runs will not show it.
#
# Airflow looks at the *leaves* only, the tasks after which nothing comes. If they are fine, the run is. Here the leaf
# is `clean_up`, and cleaning up went well.
#
# The fix is to say what `clean_up` is: a *teardown* of `make_folder`. Once the folder is made, it runs, whatever
# becomes of the tasks between. And the state of the run does not depend on it.

# %% dag="teardown"
import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def teardown():
    @task
    def make_folder():
        pass

    @task
    def load():
        raise ConnectionError("the shop is down for a backup")

    @task
    def clean_up():
        pass

    folder = make_folder()
    folder >> load() >> clean_up().as_teardown(setups=folder)


teardown()

# %%
ran = run("teardown", "2026-01-01")
print(ran)
assert ran.state == "failed"
assert ran.of("clean_up") == "success"
tasks(ran)

# %% [markdown]
# The folder is cleaned up, and the run is red, as it should be.

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: no hole
#
# The prices of January the first are corrected, and its load runs again. It is killed at each of its messages, and after
# each crash somebody reads the day. Fix the load, so that there are always six orders: all with the old prices, or all
# with the new ones. A rerun that nobody kills loads the new ones. (`autocommit=True` makes each statement a transaction
# of its own.)

# %% q="q1" role="starter" dag="hole"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

STATEMENTS = [
    "DELETE FROM orders WHERE dt = %(ds)s::date",
    "INSERT INTO orders SELECT number, customer, total, %(ds)s::date"
    " FROM placed_orders WHERE placed_at::date = %(ds)s::date",
]


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hole():
    @task
    def load(ds=None):
        PostgresHook("shop").run(STATEMENTS, autocommit=True, parameters={"ds": ds})

    load()


hole()


# %% q="q1" role="check"
from dagproof.histories import Step


def check():
    day = "SELECT number, customer, total, dt::text AS dt FROM orders ORDER BY number"
    source = """SELECT number, customer, total, placed_at::date::text AS dt FROM placed_orders
                WHERE placed_at::date = '2026-01-01' ORDER BY number"""
    with fresh() as desk:
        desk.run("hole", "2026-01-01")
        old = desk.rows(day)
        same_rows(old, desk.rows(source), "After one run, orders")
        for number in range(1, 200):
            desk.execute("UPDATE placed_orders SET total = total + 1")
            new = desk.rows(source)
            ran = desk.play("hole", Step("crash", "2026-01-01", point=f"message {number}"))
            found = desk.rows(day)
            if ran.state == "success":  # it has sent fewer messages
                same_rows(found, new, "The prices were corrected. After a rerun that nobody killed, orders")
                return
            says = (
                f"After a crash of the rerun, before its message {number}, the day should have six orders. There are "
            )
            expect(len(found) >= 6, f"{says}only {len(found)}:\n{shown(found)}")
            expect(len(found) == 6, f"{says}{len(found)}:\n{shown(found, most=15)}")
            if not found.equals(old):
                same_rows(found, new, f"Killed before its message {number}, the rerun left a mixture. Orders")
            old = found
    expect(False, "The load sends more than 200 messages for six orders. Write them with one statement.")


# %% [markdown] q="q1" role="hint"
# How many transactions does the load have? It should have one.

# %% [markdown] q="q1" role="hint"
# `run` makes one transaction of a list of statements, unless you pass `autocommit=True`.

# %% q="q1" role="solution" dag="hole"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

STATEMENTS = [
    "DELETE FROM orders WHERE dt = %(ds)s::date",
    "INSERT INTO orders SELECT number, customer, total, %(ds)s::date"
    " FROM placed_orders WHERE placed_at::date = %(ds)s::date",
]


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hole():
    @task
    def load(ds=None):
        PostgresHook("shop").run(STATEMENTS, parameters={"ds": ds})

    load()


hole()

# %% q="q1" role="wrong" says="only 0" dag="hole"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

STATEMENTS = [
    "DELETE FROM orders WHERE dt = %(ds)s::date",
    "INSERT INTO orders SELECT number, customer, total, %(ds)s::date"
    " FROM placed_orders WHERE placed_at::date = %(ds)s::date",
]


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hole():
    @task
    def load(ds=None):
        for statement in STATEMENTS:
            PostgresHook("shop").run(statement, parameters={"ds": ds})

    load()


hole()

# %% q="q1" role="wrong" says="There are 12" dag="hole"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hole():
    @task
    def load(ds=None):
        insert = (
            "INSERT INTO orders SELECT number, customer, total, %(ds)s::date"
            " FROM placed_orders WHERE placed_at::date = %(ds)s::date"
        )
        delete_doubles = "DELETE FROM orders a USING orders b WHERE a.number = b.number AND a.ctid < b.ctid"
        PostgresHook("shop").run([insert, delete_doubles], autocommit=True, parameters={"ds": ds})

    load()


hole()

# %% q="q1" role="wrong" says="should have six orders. There are only 0" dag="hole"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

STATEMENTS = [
    "DELETE FROM orders WHERE dt = %(ds)s::date",
    "INSERT INTO orders SELECT number, customer, total, %(ds)s::date"
    " FROM placed_orders WHERE placed_at::date = %(ds)s::date",
]


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hole():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        for question in ("SELECT 1", "SELECT 2", "SELECT 3"):
            hook.get_first(question)
        for statement in STATEMENTS:
            hook.run(statement, parameters={"ds": ds})

    load()


hole()

# %% q="q1" role="wrong" says="After a rerun that nobody killed" dag="hole"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

STATEMENTS = [
    "DELETE FROM orders WHERE dt = %(ds)s::date",
    "INSERT INTO orders SELECT number, customer, total, %(ds)s::date"
    " FROM placed_orders WHERE placed_at::date = %(ds)s::date",
]


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hole():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        if not hook.get_first("SELECT 1 FROM orders WHERE dt = %(ds)s::date", parameters={"ds": ds}):
            hook.run(STATEMENTS, parameters={"ds": ds})

    load()


hole()

# %% q="q1" role="wrong" says="After one run, orders should hold" dag="hole"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

STATEMENTS = [
    "DELETE FROM orders WHERE dt = %(ds)s::date",
    "INSERT INTO orders SELECT number, customer, total, %(ds)s::date"
    " FROM placed_orders WHERE placed_at::date = %(ds)s::date",
]


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hole():
    @task
    def load(ds=None):
        one_price = STATEMENTS[1].replace("total", "1")
        PostgresHook("shop").run([STATEMENTS[0], one_price], parameters={"ds": ds})

    load()


hole()

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: all of a file or nothing
#
# Every morning a program of the shop reads `orders.csv`. Fix the task, so that a reader always finds a whole file: the old
# one or the new one.

# %% q="q2" role="starter" dag="csv_file"
import os
from pathlib import Path

import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def csv_file():
    @task
    def write(ds=None):
        path = Path(os.environ["DATA_ROOT"]) / "orders.csv"
        with path.open("w") as file:
            file.write("number,dt\n")
            for number in range(6):
                file.write(f"{number},{ds}\n")

    write()


csv_file()


# %% q="q2" role="check"
from dagproof.histories import Step


def check():
    with fresh() as desk:
        desk.run("csv_file", "2026-01-01")
        path = desk.files / "orders.csv"
        expect(path.exists(), "A run should leave the file orders.csv, but there is none.")
        old = path.read_text()
        expect(old.count("2026-01-01\n") == 6, f"orders.csv should have a line for each of six orders, but has:\n{old}")
        new = old.replace("2026-01-01", "2026-01-02")
        for number in range(1, 50):
            ran = desk.play("csv_file", Step("crash", "2026-01-02", point=f"file {number}"))
            path = desk.files / "orders.csv"
            says = f"After a crash at the file operation {number} of the next day's run,"
            expect(path.exists(), f"{says} orders.csv is gone.")
            text = path.read_text()
            if ran.state == "success":  # it has done fewer operations
                break
            expect(text in (old, new), f"{says} orders.csv is neither the old nor the new one. Its text is {text!r}.")
        expect(text == new, f"The run of 2026-01-02 should write that day's orders, but orders.csv has:\n{text}")
        desk.run("csv_file", "2026-01-01", kind="rerun")
        text = (desk.files / "orders.csv").read_text()
        expect(text == old, f"A rerun of 2026-01-01 should write that day's orders again, but orders.csv has:\n{text}")


# %% [markdown] q="q2" role="hint"
# Which names may a reader not take for `orders.csv`? Write there.

# %% [markdown] q="q2" role="hint"
# `os.replace(part, path)` puts one file in the place of another, in one step.

# %% q="q2" role="solution" dag="csv_file"
import os
from pathlib import Path

import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def csv_file():
    @task
    def write(ds=None):
        path = Path(os.environ["DATA_ROOT"]) / "orders.csv"
        unfinished = path.with_name("orders.csv.part")
        with unfinished.open("w") as file:
            file.write("number,dt\n")
            for number in range(6):
                file.write(f"{number},{ds}\n")
        os.replace(unfinished, path)

    write()


csv_file()

# %% q="q2" role="wrong" says="orders.csv is gone" dag="csv_file"
import os
from pathlib import Path

import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def csv_file():
    @task
    def write(ds=None):
        path = Path(os.environ["DATA_ROOT"]) / "orders.csv"
        part = path.with_name("orders.csv.part")
        lines = ["number,dt\n", *(f"{number},{ds}\n" for number in range(6))]
        part.write_text("".join(lines))
        path.unlink(missing_ok=True)
        part.rename(path)

    write()


csv_file()

# %% q="q2" role="wrong" says="neither the old nor the new" dag="csv_file"
import os
import shutil
from pathlib import Path

import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def csv_file():
    @task
    def write(ds=None):
        path = Path(os.environ["DATA_ROOT"]) / "orders.csv"
        part = path.with_name("orders.csv.part")
        lines = ["number,dt\n", *(f"{number},{ds}\n" for number in range(6))]
        part.write_text("".join(lines))
        shutil.copyfile(part, path)

    write()


csv_file()

# %% q="q2" role="wrong" says="should write that day's orders, but orders.csv has" dag="csv_file"
import os
from pathlib import Path

import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def csv_file():
    @task
    def write(ds=None):
        path = Path(os.environ["DATA_ROOT"]) / "orders.csv"
        if path.exists():
            return
        part = path.with_name("orders.csv.part")
        lines = ["number,dt\n", *(f"{number},{ds}\n" for number in range(6))]
        part.write_text("".join(lines))
        os.replace(part, path)

    write()


csv_file()

# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: red or green?
#
# Three DAGs. What becomes of a run of each: `"success"` or `"failed"`?

# %% q="q3" role="given" dag="two_leaves"
import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def two_leaves():
    @task
    def load():
        raise ConnectionError("the shop is down for a backup")

    @task(trigger_rule="all_done")
    def clean_up():
        pass

    @task
    def publish():
        pass

    load() >> [clean_up(), publish()]


two_leaves()

# %% q="q3" role="given" dag="alarm"
import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def alarm():
    @task
    def load():
        raise ConnectionError("the shop is down for a backup")

    @task(trigger_rule="one_failed")
    def send_alarm():
        pass

    load() >> send_alarm()


alarm()

# %% q="q3" role="given" dag="broken_teardown"
import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def broken_teardown():
    @task
    def make_folder():
        pass

    @task
    def load():
        pass

    @task
    def clean_up():
        raise OSError("the folder is gone")

    folder = make_folder()
    folder >> load() >> clean_up().as_teardown(setups=folder)


broken_teardown()

# %% q="q3" role="starter"
states = {"two_leaves": ..., "alarm": ..., "broken_teardown": ...}


# %% q="q3" role="check"
def check(states):
    expect(isinstance(states, dict), "states should be a dict with a state for each of the three DAGs.")
    with fresh() as desk:
        for name in ("two_leaves", "alarm", "broken_teardown"):
            ran = desk.run(name, "2026-01-01", may_fail=True)
            said = states.get(name)
            tasks = ran.tasks()[["task", "state"]]
            expect(
                said == ran.state, f"You say {said!r} of {name}. Its run is a {ran.state!r}; its tasks:\n{shown(tasks)}"
            )


# %% [markdown] q="q3" role="hint"
# Find the leaves. Is one of them failed, or kept from running by a failure?

# %% [markdown] q="q3" role="hint"
# A teardown is not counted. In `broken_teardown`, what is the last task that counts?

# %% q="q3" role="solution"
states = {"two_leaves": "failed", "alarm": "success", "broken_teardown": "success"}

# %% q="q3" role="wrong" says="of two_leaves"
states = {"two_leaves": "success", "alarm": "success", "broken_teardown": "success"}

# %% q="q3" role="wrong" says="of alarm"
states = {"two_leaves": "failed", "alarm": "failed", "broken_teardown": "success"}

# %% [markdown] q="q4" role="prompt"
# ## Exercise 4: how often, how long, and what for
#
# From eleven in the evening the shop is down, until one o'clock at the longest. The run starts one minute past eleven.
# Set up the task, so that
#
# - it has loaded the orders by two o'clock,
# - it asks the shop at most six times,
# - it does not try again when the shop answers with a broken order (a `ValueError`).

# %% q="q4" role="starter" dag="policy"
from datetime import datetime, timedelta, timezone

import pendulum
from airflow.exceptions import AirflowFailException
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def policy():
    @task
    def load(ds=None):
        ask_the_shop(ds)

    load()


def ask_the_shop(ds):
    if datetime.now(timezone.utc).hour in (23, 0):
        raise ConnectionError("the shop is down for a backup")
    if ds == "2026-01-02":
        raise ValueError("order 8 has no customer")


policy()


# %% q="q4" role="check"
def check():
    def tries(ran):
        return "its tries began at " + ", ".join(attempt["from"][11:16] for attempt in ran.attempts)

    with fresh() as desk:
        good = desk.run("policy", "2026-01-01", may_fail=True)
        expect(good.state == "success", f"The shop was up again at 01:00, but the task gave up: {tries(good)}.")
        ended = good.attempts[-1]["to"][11:16]
        early = f"It was green at {ended}, when the shop was still down. What has it loaded?"
        expect(good.attempts[-1]["to"] >= "2026-01-02T01:00", early)
        held = good.slots["load"] / 60
        sleeps = f"The task held its worker slot for {held:.0f} minutes. Let Airflow wait between two tries."
        expect(held < 10, sleeps)
        expect(good.attempts[-1]["to"] < "2026-01-02T02:00", f"It came after two o'clock: {tries(good)}.")
        expect(len(good.attempts) <= 6, f"It asked {len(good.attempts)} times: {tries(good)}.")
        bad = desk.run("policy", "2026-01-02", may_fail=True)
        expect(bad.state == "failed", "A broken order should make the run fail, but it is green.")
        late = [attempt for attempt in bad.attempts if attempt["from"] >= "2026-01-03T01:00"]
        expect(len(late) == 1, f"The order was as broken the second time: {tries(bad)}.")


# %% [markdown] q="q4" role="hint"
# Two hours have to pass in five retries at most. How long is the delay at least?

# %% [markdown] q="q4" role="hint"
# Catch the `ValueError` in the task, and raise what Airflow does not try again.

# %% q="q4" role="solution" dag="policy"
from datetime import datetime, timedelta, timezone

import pendulum
from airflow.exceptions import AirflowFailException
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def policy():
    @task(retries=5, retry_delay=timedelta(minutes=30))
    def load(ds=None):
        try:
            ask_the_shop(ds)
        except ValueError as error:
            raise AirflowFailException(str(error)) from error

    load()


def ask_the_shop(ds):
    if datetime.now(timezone.utc).hour in (23, 0):
        raise ConnectionError("the shop is down for a backup")
    if ds == "2026-01-02":
        raise ValueError("order 8 has no customer")


policy()

# %% q="q4" role="wrong" says="the task gave up" dag="policy"
from datetime import datetime, timedelta, timezone

import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def policy():
    @task(retries=5)
    def load(ds=None):
        ask_the_shop(ds)

    load()


def ask_the_shop(ds):
    if datetime.now(timezone.utc).hour in (23, 0):
        raise ConnectionError("the shop is down for a backup")
    if ds == "2026-01-02":
        raise ValueError("order 8 has no customer")


policy()

# %% q="q4" role="wrong" says="as broken the second time" dag="policy"
from datetime import datetime, timedelta, timezone

import pendulum
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def policy():
    @task(retries=5, retry_delay=timedelta(minutes=30))
    def load(ds=None):
        ask_the_shop(ds)

    load()


def ask_the_shop(ds):
    if datetime.now(timezone.utc).hour in (23, 0):
        raise ConnectionError("the shop is down for a backup")
    if ds == "2026-01-02":
        raise ValueError("order 8 has no customer")


policy()

# %% q="q4" role="wrong" says="when the shop was still down" dag="policy"
from datetime import datetime, timedelta, timezone

import pendulum
from airflow.exceptions import AirflowFailException
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def policy():
    @task(retries=5, retry_delay=timedelta(minutes=30))
    def load(ds=None):
        try:
            ask_the_shop(ds)
        except ConnectionError:
            pass
        except ValueError as error:
            raise AirflowFailException(str(error)) from error

    load()


def ask_the_shop(ds):
    if datetime.now(timezone.utc).hour in (23, 0):
        raise ConnectionError("the shop is down for a backup")
    if ds == "2026-01-02":
        raise ValueError("order 8 has no customer")


policy()

# %% q="q4" role="wrong" says="The task held its worker slot for" dag="policy"
import time
from datetime import datetime, timedelta, timezone

import pendulum
from airflow.exceptions import AirflowFailException
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def policy():
    @task(retries=5, retry_delay=timedelta(minutes=30))
    def load(ds=None):
        try:
            while datetime.now(timezone.utc).hour in (23, 0):
                time.sleep(600)
            ask_the_shop(ds)
        except ValueError as error:
            raise AirflowFailException(str(error)) from error

    load()


def ask_the_shop(ds):
    if datetime.now(timezone.utc).hour in (23, 0):
        raise ConnectionError("the shop is down for a backup")
    if ds == "2026-01-02":
        raise ValueError("order 8 has no customer")


policy()

# %% [markdown]
# ## What you now know
#
# 1. A process can die between any two steps. What is seen then has to be all of the old or all of the new.
# 2. In a database: one transaction. With files: write to another name, then rename.
# 3. A failed task may have done its work. So make every load safe to repeat.
# 4. Retries × delay has to be longer than the other side is down; what never heals is not tried again.
# 5. A run is as green as its leaves. What cleans up is a teardown, not a leaf.
