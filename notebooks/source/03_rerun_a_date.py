# %% [markdown]
# # 3 · Rerun a date, get the same rows
#
# On Monday the owner of a small shop looks at January the first. It sold twice as much as on Sunday.
# No code has changed. No order has come in. Somebody has pressed *Clear*.
#
# In this lesson you find out why, mend it, and *prove* that it is mended.

# %%
from course import axes, fresh, picture, prove, q1, rerun, rows, run, start

start("03")

# %% [markdown]
# ## The shop
#
# The shop takes six orders a day. They lie in the table `placed_orders`, and nobody changes that.

# %%
rows("SELECT * FROM placed_orders WHERE placed_at::date = '2026-01-01' ORDER BY number")

# %% [markdown]
# A DAG copies each day's orders to the table `orders`. `ds` is the date that a run is for, as text.
#
# The first line, `%%dag append_orders`, writes the cell to the file `dags/append_orders.py`. Airflow runs in a process
# of its own, and reads it there.

# %% dag="append_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def append_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(INSERT, parameters={"ds": ds})

    load()


append_orders()

# %%
run("append_orders", "2026-01-01")

# %% [markdown]
# It is green. Now look at the rows.

# %%
BY_DAY = "SELECT dt, count(*) AS orders, sum(total) AS sold FROM orders GROUP BY dt ORDER BY dt"
rows(BY_DAY)

# %% [markdown]
# ## What happens
#
# Somebody clears the run. Airflow runs the date again.

# %%
rerun("append_orders", "2026-01-01")

# %%
rows(BY_DAY)

# %% [markdown]
# Both runs are green. The rows are wrong. Once more, and a picture of it:

# %%
counts = [6, 12]
rerun("append_orders", "2026-01-01")
counts.append(len(rows("SELECT * FROM orders")))
figure, plot = axes(height=2)
plot.bar(["run", "1st rerun", "2nd rerun"], counts, color="#c62828")
plot.axhline(6, color="#2e7d32", linestyle="--")
plot.set_ylabel("rows")
plot.set_title("6 orders were placed (green line)", fontsize=10)
assert counts == [6, 12, 18]
picture(figure, "6, 12 and 18 rows after a run and two reruns; 6 orders were placed")

# %% [markdown]
# ## Why
#
# A run is not "what happens today". A run is *for a date*, and a date is run as often as it takes. A task is retried. A
# run is cleared. A whole month is run again because a column was wrong. Each of them starts the same code for a date
# whose rows are there already.
#
# `INSERT` adds. So every repeat adds.
#
# You could have clicked *Clear* and counted rows by hand. A machine does it better. This makes fresh worlds, runs dates
# once in some and twice in others, and compares all rows:

# %%
prove("append_orders", "2026-01-01", "2026-01-02").rerun()

# %% [markdown]
# Read it from the bottom: the task and line that wrote the rows, the shortest history that shows the fault, the rows
# themselves. In a shell, `dagproof prove append_orders --law rerun` prints the same.
#
# ## The fix
#
# First make room, then fill it. A load of a date replaces *that date*. Both statements are given to one call, so that
# they are done together or not at all.

# %% dag="replace_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def replace_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


replace_orders()

# %% [markdown]
# ## The proof

# %%
proof = prove("replace_orders", "2026-01-01", "2026-01-02").rerun()
assert proof
proof

# %% [markdown]
# ## A proof about nothing
#
# Be careful. Here is a DAG that no rerun can hurt:

# %% dag="empty_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = '2062-01-01'
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def empty_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(INSERT, parameters={"ds": ds})

    load()


empty_orders()

# %%
prove("empty_orders", "2026-01-01").all("effect", "rerun")

# %% [markdown]
# The year is mistyped, so that it writes no row. No row is the same as no row. That is why there is the law `effect`:
# a run has to write something. And `rerun` doesn't say *proven* here, it says that there is nothing to compare.
#
# ## Not the neighbour's rows
#
# A second thing can go wrong. This load empties the *whole* table first:

# %% dag="truncate_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def truncate_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(["TRUNCATE orders", INSERT], parameters={"ds": ds})

    load()


truncate_orders()

# %%
fresh()
run("truncate_orders", "2026-01-01", "2026-01-02")
assert len(rows("SELECT * FROM orders WHERE dt = '2026-01-01'")) == 0
rows(BY_DAY)

# %% [markdown]
# January the first is gone. A rerun of any one date is fine, so `rerun` is content. The law that sees it is
# `containment`: a run leaves the rows of other dates alone.

# %%
prove("truncate_orders", "2026-01-01", "2026-01-02").all("rerun", "containment")

# %% [markdown]
# `replace_orders` passes both:

# %%
assert prove("replace_orders", "2026-01-01", "2026-01-02").all("effect", "rerun", "containment")

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: the whole table
#
# This load deletes too much. Mend it, so that a rerun leaves the same rows, and other days' rows stay.

# %% q="q1" role="starter" dag="delete_all_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def delete_all_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(["DELETE FROM orders", INSERT], parameters={"ds": ds})

    load()


delete_all_orders()


# %% q="q1" role="check"
def check():
    dates = ["2026-01-01", "2026-01-02"]
    proven("delete_all_orders", "effect", "rerun", "containment", dates=dates)
    with fresh() as desk:
        desk.run("delete_all_orders", *dates)
        found = desk.rows("SELECT dt, count(*) AS orders FROM orders GROUP BY dt ORDER BY dt")
        expect(list(found.orders) == [6, 6], f"Each day has six orders, but after two days there are:\n{shown(found)}")


# %% [markdown] q="q1" role="hint"
# Which rows belong to the run of a date? The table has a column for it.

# %% [markdown] q="q1" role="hint"
# `DELETE` takes a `WHERE`. The parameter `%(ds)s` can be used in each statement of the list.

# %% q="q1" role="solution" dag="delete_all_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE_THE_DAY = "DELETE FROM orders WHERE dt = (%(ds)s)::date"
INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def delete_all_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE_THE_DAY, INSERT], parameters={"ds": ds})

    load()


delete_all_orders()

# %% q="q1" role="wrong" says="6 duplicated" dag="delete_all_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def delete_all_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(INSERT, parameters={"ds": ds})

    load()


delete_all_orders()

# %% q="q1" role="wrong" says="leaks outside its partition" dag="delete_all_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM orders WHERE dt <= %(ds)s::date"
INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def delete_all_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


delete_all_orders()
