# %% [markdown]
# # 3 · Rerun a date, get the same rows
#
# On Sunday the owner of a small shop looks at the sales of January 1: 61.50. On Monday she looks again: 123.00, for the
# same day. No code has changed. No order has come in. Somebody has pressed *Clear*.
#
# In this lesson you find out why, fix it, and *prove* that it is fixed.

# %%
from course import axes, backfill, forget_runs, fresh, picture, prove, q1, q2, q3, q4, rerun, rows, run, sql, start

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


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def append_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(INSERT, parameters={"ds": ds})

    load()


append_orders()

# %%
run("append_orders", "2026-01-01")

# %% [markdown]
# It is green. Now look at the rows. They lie on your *desk*: a database that keeps what your runs write.

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
# A run is not "what happens today". A run is *for a date*, and a date may be run any number of times. A task is retried. A
# run is cleared. A whole month is run again because a column was wrong. Each of them starts the same code for a date
# whose rows are there already.
#
# `INSERT` adds. So every repeat adds.
#
# You could have clicked *Clear* and counted rows by hand. A machine does it better. This makes fresh worlds, runs dates
# once in some and twice in others, and compares all rows. (A *world* has a database of its own, in which there are the
# shop's orders and nothing else. What is on your desk plays no part.)

# %%
prove("append_orders", "2026-01-01", "2026-01-02").rerun()

# %% [markdown]
# Read it from the top: which rows differ, and the shortest *history* that shows it, a list of runs. The mark `~` stands at
# the step that made them differ. Then come the task and the line that wrote the rows. Last comes each *law* that was
# tried: `rerun` says that running a date again leaves the same rows.
#
# In a shell, in the lesson's folder `notebooks/work/03_rerun_a_date`, `dagproof prove append_orders --law rerun` says so,
# too.
#
# ## The fix
#
# First make room, then fill it. A load of a date replaces *that date*. `run` takes both statements at once, as a list.

# %% dag="replace_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def replace_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


replace_orders()

# %% [markdown]
# ## The proof

# %%
proof = prove("replace_orders", "2026-01-01").rerun()
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


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
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


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def truncate_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(["TRUNCATE orders", INSERT], parameters={"ds": ds})

    load()


truncate_orders()

# %%
fresh()  # an empty desk
run("truncate_orders", "2026-01-01", "2026-01-02")
assert len(rows("SELECT * FROM orders WHERE dt = '2026-01-01'")) == 0
rows(BY_DAY)

# %% [markdown]
# January the first is gone. A rerun of any one date is fine, so the law `rerun` is satisfied. The law that sees it is
# `containment`: a run leaves the rows of other dates alone.

# %%
told = prove("truncate_orders", "2026-01-01", "2026-01-02").containment()
assert not told
assert prove("truncate_orders", "2026-01-01").rerun()
told

# %% [markdown]
# `replace_orders` passes that, too:

# %%
proof = prove("replace_orders", "2026-01-01", "2026-01-02").containment()
assert proof
proof

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: the whole table
#
# This load deletes too much. Fix it, so that a rerun leaves the same rows, and other days' rows stay.

# %% q="q1" role="starter" dag="delete_all_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def delete_all_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(["DELETE FROM orders", INSERT], parameters={"ds": ds})

    load()


delete_all_orders()


# %% q="q1" role="check"
def check():
    dates = ["2026-01-01", "2026-01-02"]
    proven("delete_all_orders", "containment", dates=dates)
    proven("delete_all_orders", "rerun", dates=dates[:1])
    tables = left("delete_all_orders", *dates)
    found = tables["orders"].groupby("dt").size()
    expect(list(found) == [6, 6], f"Each day has six orders, but after two days there are: {found.to_dict()}")
    same_rows(tables["orders"], orders_of(tables, *dates), "After both days, orders")


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


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
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


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
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


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def delete_all_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


delete_all_orders()

# %% q="q1" role="wrong" says="After both days, orders should hold" dag="delete_all_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE_THE_DAY = "DELETE FROM orders WHERE dt = (%(ds)s)::date"
INSERT = """
    INSERT INTO orders
    SELECT number, customer, 1, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def delete_all_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE_THE_DAY, INSERT], parameters={"ds": ds})

    load()


delete_all_orders()

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: `ON CONFLICT` on a new id
#
# The table `identified_orders` has a key, `id`. "On conflict, do nothing", says this load. So a rerun can't add a row. Can it?
#
# Run it twice on the desk and look, if you like. Then fix the DAG: the same six orders a day, each with the same id, after
# any number of reruns.

# %% q="q2" role="starter" dag="uuid_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

UPSERT = """
    INSERT INTO identified_orders
    SELECT gen_random_uuid(), number, customer, total, %(ds)s::date FROM placed_orders
    WHERE placed_at::date = %(ds)s::date
    ON CONFLICT (id) DO NOTHING
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def uuid_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(UPSERT, parameters={"ds": ds})

    load()


uuid_orders()


# %% q="q2" role="check"
def check():
    date = "2026-01-01"
    tables = left("uuid_orders", date)
    found = tables["identified_orders"]
    expect(len(found) == 6, f"{date} has six orders, but after one run there are {len(found)}:\n{shown(found)}")
    same_rows(found, orders_of(tables, date), "After one run, identified_orders")
    proven("uuid_orders", "rerun", dates=[date])
    with fresh() as desk:
        desk.run("uuid_orders", date)
        ids = desk.rows("SELECT number, id::text FROM identified_orders ORDER BY number")
        desk.run("uuid_orders", date, kind="rerun")
        later = desk.rows("SELECT number, id::text FROM identified_orders ORDER BY number")
    one = f"Order 0 had the id {ids.id[0]}, and after a rerun it has {later.id[0]}."
    expect(ids.equals(later), f"{one} A table that refers to the first id refers to nothing now.")


# %% [markdown] q="q2" role="hint"
# When do two rows conflict? When they have the same `id`. Which `id` does an order get, and which one the next time?

# %% [markdown] q="q2" role="hint"
# Making room first, as `replace_orders` does, is not enough: the rows come back with new ids, and whatever refers to the
# old ones refers to nothing. Make the id out of the order's number: the same number, the same id. In PostgreSQL, `md5(number::text)::uuid` is one.

# %% q="q2" role="solution" dag="uuid_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

UPSERT = """
    INSERT INTO identified_orders
    SELECT md5('order ' || number)::uuid, number, customer, total, %(ds)s::date FROM placed_orders
    WHERE placed_at::date = %(ds)s::date
    ON CONFLICT (id) DO NOTHING
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def uuid_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(UPSERT, parameters={"ds": ds})

    load()


uuid_orders()

# %% q="q2" role="wrong" says="after one run: 6 rows   after this: 12 rows" dag="uuid_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

UPSERT = """
    INSERT INTO identified_orders
    SELECT gen_random_uuid(), number, customer, total, %(ds)s::date FROM placed_orders
    WHERE placed_at::date = %(ds)s::date
    ON CONFLICT (id) DO UPDATE SET number = EXCLUDED.number, customer = EXCLUDED.customer, total = EXCLUDED.total
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def uuid_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(UPSERT, parameters={"ds": ds})

    load()


uuid_orders()

# %% q="q2" role="wrong" says="has six orders, but after one run there are 1" dag="uuid_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

UPSERT = """
    INSERT INTO identified_orders
    SELECT md5(%(ds)s)::uuid, number, customer, total, %(ds)s::date FROM placed_orders
    WHERE placed_at::date = %(ds)s::date
    ON CONFLICT (id) DO NOTHING
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def uuid_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(UPSERT, parameters={"ds": ds})

    load()


uuid_orders()

# %% q="q2" role="wrong" says="Order 0 had the id" dag="uuid_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

MAKE_ROOM = "DELETE FROM identified_orders WHERE dt = %(ds)s::date"
UPSERT = """
    INSERT INTO identified_orders
    SELECT gen_random_uuid(), number, customer, total, %(ds)s::date FROM placed_orders
    WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def uuid_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([MAKE_ROOM, UPSERT], parameters={"ds": ds})

    load()


uuid_orders()

# %% [markdown]
# ## When the source changes
#
# Repeats are not the only reason to run a date again. The source may have been wrong, and is corrected. Then a rerun has
# to leave what the corrected data give, and *nothing of the old*.
#
# An "upsert" updates what is there and inserts what is not:

# %% dag="watch_upsert"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

UPSERT = """
    INSERT INTO keyed_orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
    ON CONFLICT (number) DO UPDATE SET customer = EXCLUDED.customer, total = EXCLUDED.total, dt = EXCLUDED.dt
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def watch_upsert():
    @task
    def load(ds=None):
        PostgresHook("shop").run(UPSERT, parameters={"ds": ds})

    load()


watch_upsert()

# %% [markdown]
# Order 2 is cancelled after the first run. The date runs again.

# %%
fresh()
run("watch_upsert", "2026-01-01")
sql("DELETE FROM placed_orders WHERE number = 2")
rerun("watch_upsert", "2026-01-01")
left = rows("""
    SELECT k.number, k.customer, p.number IS NOT NULL AS still_placed
    FROM keyed_orders k LEFT JOIN placed_orders p USING (number) ORDER BY 1
""")
assert list(left[~left.still_placed].number) == [2]
left

# %% [markdown]
# The cancelled order is still there, and no rerun will ever remove it. An upsert never deletes. The law `correction` sees
# that, once you configure how the source may change. Here the file `cancelled.sql` in the lesson's folder does so: it
# deletes the first order of the date.

# %%
told = prove("watch_upsert", "2026-01-01").correction()
assert not told
told

# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: the order that was cancelled
#
# Fix the upsert, so that a rerun leaves nothing of an order that was cancelled.

# %% q="q3" role="starter" dag="upsert_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

UPSERT = """
    INSERT INTO keyed_orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
    ON CONFLICT (number) DO UPDATE SET customer = EXCLUDED.customer, total = EXCLUDED.total, dt = EXCLUDED.dt
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def upsert_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(UPSERT, parameters={"ds": ds})

    load()


upsert_orders()


# %% q="q3" role="check"
def check():
    dates = ["2026-01-01", "2026-01-02"]
    proven("upsert_orders", "correction", "containment", dates=dates)
    tables = left("upsert_orders", *dates)
    found = tables["keyed_orders"].groupby("dt").size()
    expect(list(found) == [6, 6], f"Each day has six orders, but after two days there are: {found.to_dict()}")
    same_rows(tables["keyed_orders"], orders_of(tables, *dates), "After both days, keyed_orders")


# %% [markdown] q="q3" role="hint"
# Which rows may be there after the run of a date? Those that the source has now. What becomes of all others of that date?

# %% [markdown] q="q3" role="hint"
# Give a list of two statements, as in `replace_orders`. The first one makes room for the date.

# %% q="q3" role="solution" dag="upsert_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

MAKE_ROOM = "DELETE FROM keyed_orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO keyed_orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def upsert_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([MAKE_ROOM, INSERT], parameters={"ds": ds})

    load()


upsert_orders()

# %% q="q3" role="wrong" says="upsert_orders keeps stale rows" dag="upsert_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO keyed_orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
    ON CONFLICT (number) DO NOTHING
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def upsert_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(INSERT, parameters={"ds": ds})

    load()


upsert_orders()

# %% q="q3" role="wrong" says="leaks outside its partition" dag="upsert_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM keyed_orders"
INSERT = """
    INSERT INTO keyed_orders
    SELECT number, customer, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def upsert_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds})

    load()


upsert_orders()

# %% q="q3" role="wrong" says="After both days, keyed_orders should hold" dag="upsert_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

MAKE_ROOM = "DELETE FROM keyed_orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO keyed_orders
    SELECT number, 'Ada', total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def upsert_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([MAKE_ROOM, INSERT], parameters={"ds": ds})

    load()


upsert_orders()

# %% [markdown] q="q4" role="prompt"
# ## Exercise 4: who loaded this row?
#
# This load writes down which run has loaded a row, and removes the rows of *that run* first. A rerun is the same run, with
# the same run id. So nothing is added.
#
# But runs don't live for ever: old runs are deleted when Airflow's database is cleaned. `forget_runs` does that here. The rows
# stay. If the date is then loaded once more, say by a backfill, that is another run:

# %% q="q4" role="given" dag="watch_traces"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM traced_orders WHERE run_id = %(run_id)s"
INSERT = """
    INSERT INTO traced_orders
    SELECT number, total, %(ds)s::date, %(run_id)s FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def watch_traces():
    @task
    def load(ds=None, run_id=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds, "run_id": run_id})

    load()


watch_traces()

# %% q="q4" role="given"
fresh()
run("watch_traces", "2026-01-01")
rerun("watch_traces", "2026-01-01")
assert len(rows("SELECT * FROM traced_orders")) == 6
forget_runs()
backfill("watch_traces", "2026-01-01")
traces = rows(
    "SELECT dt, split_part(run_id, '__', 1) AS by, count(*) AS orders FROM traced_orders GROUP BY 1, 2 ORDER BY 2"
)
assert list(traces.orders) == [6, 6]
traces

# %% [markdown] q="q4" role="given"
# Now each order is there twice. Fix the load: whichever run loads a date, however often, the same rows are there
# afterwards, and those of other days stay.

# %% q="q4" role="starter" dag="traced_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM traced_orders WHERE run_id = %(run_id)s"
INSERT = """
    INSERT INTO traced_orders
    SELECT number, total, %(ds)s::date, %(run_id)s FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def traced_orders():
    @task
    def load(ds=None, run_id=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds, "run_id": run_id})

    load()


traced_orders()


# %% q="q4" role="check"
def check():
    date = "2026-01-01"
    with fresh() as desk:
        desk.run("traced_orders", date)
        once = desk.rows("SELECT * FROM traced_orders ORDER BY number")
        desk.forget_runs()
        desk.run("traced_orders", date, kind="backfill")
        twice = desk.rows("SELECT * FROM traced_orders ORDER BY number, run_id")
        desk.run("traced_orders", "2026-01-02")
        kept = desk.rows(f"SELECT * FROM traced_orders WHERE dt = '{date}' ORDER BY number, run_id")
        placed = f"SELECT number, total, placed_at::date AS dt FROM placed_orders WHERE placed_at::date = '{date}'"
        wanted = desk.rows(placed)
    rule = "After another run of the date, the rows should be the same as before."
    expect(len(twice) == len(once), f"{rule} There were {len(once)}, and now there are {len(twice)}:\n{shown(twice)}")
    expect(len(once) == 6, f"{date} has six orders, but there are {len(once)} rows:\n{shown(once)}")
    same_rows(once, wanted, "After one run, traced_orders")
    expect(once.equals(twice), f"{rule} Before:\n{shown(once, 2)}\nNow:\n{shown(twice, 2)}")
    expect(twice.equals(kept), f"The run of January 2 has left this of January 1:\n{shown(kept, 2)}")


# %% [markdown] q="q4" role="hint"
# What do all runs of a date have in common? Remove the old rows by that, and not by the run.

# %% [markdown] q="q4" role="hint"
# Then look at the column `run_id` itself: if it says who came last, two runs of one date don't leave the same rows. It may stay empty.

# %% q="q4" role="solution" dag="traced_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

REMOVE = "DELETE FROM traced_orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO traced_orders (number, total, dt)
    SELECT number, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def traced_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([REMOVE, INSERT], parameters={"ds": ds})

    load()


traced_orders()

# %% q="q4" role="wrong" says="the rows should be the same as before. Before" dag="traced_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM traced_orders WHERE run_id LIKE '%%' || %(ds)s || '%%'"
INSERT = """
    INSERT INTO traced_orders
    SELECT number, total, %(ds)s::date, %(run_id)s FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def traced_orders():
    @task
    def load(ds=None, run_id=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds, "run_id": run_id})

    load()


traced_orders()

# %% q="q4" role="wrong" says="There were 6, and now there are 12" dag="traced_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM traced_orders WHERE run_id = 'run ' || %(run_id)s"
INSERT = """
    INSERT INTO traced_orders
    SELECT number, total, %(ds)s::date, 'run ' || %(run_id)s FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def traced_orders():
    @task
    def load(ds=None, run_id=None):
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds, "run_id": run_id})

    load()


traced_orders()

# %% q="q4" role="wrong" says="has left this of January 1" dag="traced_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO traced_orders (number, total, dt)
    SELECT number, total, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def traced_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run(["TRUNCATE traced_orders", INSERT], parameters={"ds": ds})

    load()


traced_orders()

# %% q="q4" role="wrong" says="After one run, traced_orders should hold" dag="traced_orders"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

REMOVE = "DELETE FROM traced_orders WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO traced_orders (number, total, dt)
    SELECT number, 1, %(ds)s::date FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def traced_orders():
    @task
    def load(ds=None):
        PostgresHook("shop").run([REMOVE, INSERT], parameters={"ds": ds})

    load()


traced_orders()

# %% [markdown]
# ## What you now know
#
# 1. A run is for a date, and a date may be run any number of times.
# 2. `INSERT` alone adds at each repeat. Make room first, and only for the date.
# 3. `ON CONFLICT` protects nothing when the key is new each time, and an upsert never deletes.
# 4. What differs from run to run (a run id, a new uuid) belongs neither in a key nor in a row.
# 5. `effect`, `rerun`, `containment` and `correction` say so by machine, with the rows that are wrong.
