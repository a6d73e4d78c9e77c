# %% [markdown]
# # 9 · Hidden inputs
#
# In August somebody backfills January. It is the same code, and the same orders. The report is another one: the orders have become 217 days older, and sit in other boxes.
#
# A run should be a function of its date and of its data. Whatever else it reads is a *hidden input*: the clock, the machine, chance. In this lesson you find hidden inputs with rules, which read the code, and with laws, which run it.

# %%
from course import axes, findings, fresh, picture, prove, q1, q2, q3, rows, run, sql, start

start("09")

# %% [markdown]
# ## What happens
#
# This DAG writes down how old each order is.

# %% dag="ages_by_today"
from datetime import date

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM order_ages WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO order_ages
    SELECT number, %(ds)s::date, %(age)s FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def ages_by_today():
    @task
    def load(ds=None):
        age = (date.today() - date.fromisoformat(ds)).days
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds, "age": age})

    load()


ages_by_today()

# %%
run("ages_by_today", "2026-01-01")
on_time = rows("SELECT number, dt, age FROM order_ages ORDER BY number")
assert set(on_time.age) == {0}
on_time

# %% [markdown]
# Now the same date, in a fresh world whose clock shows an August evening. `at` says so. No one has to wait for it.

# %%
fresh()
run("ages_by_today", "2026-01-01", at="2026-08-06T21:00:00+00:00")
months_later = rows("SELECT number, dt, age FROM order_ages ORDER BY number")
assert set(months_later.age) == {217}
months_later

# %%
figure, plot = axes(height=2.2)
plot.bar(months_later.number, months_later.age, width=0.5, color="#c62828", label="run in August")
plot.scatter(on_time.number, on_time.age, s=60, color="#2e7d32", zorder=3, clip_on=False, label="run on time")
plot.set_xlabel("order")
plot.set_ylabel("age in days")
plot.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
picture(figure, "the age of six orders: 0 days when run on time, 217 days when run in August")

# %% [markdown]
# ## Why
#
# `date.today()` is an input that nobody passes. A run on time, a retry after midnight and a backfill each get another one. The law `clock` runs a date when it is due, and again months later, just before midnight, at the year's end, and when the clocks change. And it names who asked for the time:

# %%
prove("ages_by_today", "2026-01-01").clock()

# %% [markdown]
# ## The fix
#
# Ask the run, not the clock. `logical_date` and `ds` are the same in every run of a date. Here the age is the one that an order has on the evening of the run's date: 0 days, whenever the run takes place.

# %% dag="ages_by_date"
from datetime import date

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

DELETE = "DELETE FROM order_ages WHERE dt = %(ds)s::date"
INSERT = """
    INSERT INTO order_ages
    SELECT number, %(ds)s::date, %(age)s FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def ages_by_date():
    @task
    def load(ds=None, logical_date=None):
        age = (logical_date.date() - date.fromisoformat(ds)).days
        PostgresHook("shop").run([DELETE, INSERT], parameters={"ds": ds, "age": age})

    load()


ages_by_date()

# %%
proof = prove("ages_by_date", "2026-01-01").clock()
assert proof
proof

# %% [markdown]
# ## Another machine
#
# A clock is not the only thing that differs. This DAG sorts the orders of a customer into one of three boxes:

# %% dag="boxes_by_hash"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = "INSERT INTO boxes VALUES (%s, %s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def boxes_by_hash():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM boxes WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = "SELECT number, customer FROM placed_orders WHERE placed_at::date = %(ds)s::date"
        for number, customer in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, customer, hash(customer) % 3))

    load()


boxes_by_hash()

# %% [markdown]
# In one process it is always the same box. Python's `hash` of a text, though, is salted anew for each process, unless `PYTHONHASHSEED` is set:

# %%
import subprocess
import sys


def told(code, salt):
    command = [sys.executable, "-c", f"print({code})"]
    ended = subprocess.run(command, env={"PYTHONHASHSEED": salt}, capture_output=True, text=True)
    return ended.stdout.strip()


box = "hash('Ada') % 1000"
assert told(box, "1") == told(box, "1") != told(box, "2")
{"the same salt": told(box, "1") == told(box, "1"), "another salt": told(box, "1") == told(box, "2")}

# %% [markdown]
# The order of a `set` of texts depends on that hash, too. A `dict` keeps the order in which it was filled.


# %%
def orders(code):
    return {told(code, salt) for salt in "1234"}


assert len(orders("{'Ada', 'Ben', 'Cleo', 'Dora', 'Emil'}")) > 1
assert orders("{'Ada': 1, 'Ben': 2, 'Cleo': 3}") == {"{'Ada': 1, 'Ben': 2, 'Cleo': 3}"}

# %% [markdown]
# The law `deterministic` runs a date on two machines: with another salt, another name and another time zone.

# %%
prove("boxes_by_hash", "2026-01-01").deterministic()

# %% [markdown]
# `zlib.crc32` is a hash that is the same everywhere.

# %% dag="boxes_by_checksum"
from zlib import crc32

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = "INSERT INTO boxes VALUES (%s, %s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def boxes_by_checksum():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM boxes WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = "SELECT number, customer FROM placed_orders WHERE placed_at::date = %(ds)s::date"
        for number, customer in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, customer, crc32(customer.encode()) % 3))

    load()


boxes_by_checksum()

# %%
proof = prove("boxes_by_checksum", "2026-01-01").deterministic()
assert proof
proof

# %% [markdown]
# ## "The latest"
#
# "Latest" is a clock, too: it is whatever has come in by now. This DAG loads the newest day that the source has.

# %% dag="newest_day"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO newest_orders
    SELECT number, %(ds)s::date, placed_at::date FROM placed_orders
    WHERE placed_at::date = (SELECT max(placed_at::date) FROM placed_orders)
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def newest_day():
    @task
    def load(ds=None):
        PostgresHook("shop").run(["DELETE FROM newest_orders WHERE dt = %(ds)s::date", INSERT], parameters={"ds": ds})

    load()


newest_day()

# %%
run("newest_day", "2026-01-01")
found = rows("SELECT DISTINCT dt, placed FROM newest_orders")
assert [str(day) for day in found.placed] == ["2026-02-28"]
found

# %% [markdown]
# Run for January the first, it has loaded the last day of February. Write `WHERE placed_at::date = %(ds)s::date`, and it is the day that was asked for.
#
# ## The order of a sum
#
# PostgreSQL promises no order of rows, unless you ask for one. An `UPDATE` that changes nothing is enough for another:

# %%
QUERY = "SELECT number FROM order_ages"
before = list(rows(QUERY).number)
sql("UPDATE order_ages SET age = age WHERE number = 0")
after = list(rows(QUERY).number)
assert before == [0, 1, 2, 3, 4, 5]
assert after == [1, 2, 3, 4, 5, 0]
before, after

# %% [markdown]
# And numbers with a floating point don't add up the same in each order.

# %%
from functools import reduce
from operator import add

totals, reordered = [1e16, 1.0, -1e16], [1e16, -1e16, 1.0]
assert reduce(add, totals) != reduce(add, reordered)
reduce(add, totals), reduce(add, reordered)

# %% [markdown]
# For money take `numeric` in PostgreSQL and `Decimal` in Python. They are exact. `math.fsum` is exact for floats.

# %%
from decimal import Decimal
from math import fsum

assert fsum(totals) == fsum(reordered) == 1.0
assert 0.1 + 0.2 != 0.3
assert Decimal("0.1") + Decimal("0.2") == Decimal("0.3")

# %% [markdown]
# ## Rules find what the code says
#
# You need not run anything to find `date.today()`. `dagproof check` reads the file:

# %%
findings("ages_by_today", "--select", "wall-clock")

# %%
clean = findings("ages_by_date", "--select", "wall-clock")
assert clean
clean

# %% [markdown]
# ## Chance
#
# Chance is an input, too, and one that nobody can give again. Unless it has a *seed*: the same seed draws the same numbers, on every machine. In the same way `uuid.uuid5` makes the same id of the same text. Take the run's date.

# %%
import random
import uuid

drawn = [random.Random("2026-01-01").randint(1, 1000) for _ in range(3)]
ids = {str(uuid.uuid5(uuid.NAMESPACE_URL, "2026-01-01")) for _ in range(3)}
assert len(set(drawn)) == len(ids) == 1
drawn, ids

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: six hidden inputs
#
# This DAG has six. In a cell of your own, let the rules find them: `findings("hidden_inputs", "--select", "wall-clock", "--select", "random-source")`. Fix them all. Each column of a label keeps its sense:
#
# - `month`: the month of the run's date;
# - `week`: the week of the run's date;
# - `batch`: an id, another one for each date;
# - `loaded_at`: a time of loading on the run's date;
# - `lucky`: a lucky number from 1 to 6, drawn for each date;
# - `seconds`: that time of loading in seconds since 1970.
#
# And all of them are the same whenever the date is run. `logical_date` is given to the task already.

# %% q="q1" role="starter" dag="hidden_inputs"
import random
import time
import uuid
from datetime import date, datetime, timezone

import pandas as pd
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO labels
    SELECT number, %(ds)s::date, %(month)s, %(batch)s, %(loaded_at)s, %(week)s, %(lucky)s, %(seconds)s
    FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hidden_inputs():
    @task
    def label(ds=None, logical_date=None):
        values = {
            "ds": ds,
            "month": date.today().month,
            "batch": str(uuid.uuid4()),
            "loaded_at": datetime.now(timezone.utc),
            "week": pd.Timestamp.now().week,
            "lucky": random.randint(1, 6),
            "seconds": int(time.time()),
        }
        PostgresHook("shop").run(["DELETE FROM labels WHERE dt = %(ds)s::date", INSERT], parameters=values)

    label()


hidden_inputs()


# %% q="q1" role="check"
def check():
    date = "2026-02-10"
    told = findings("hidden_inputs", "--select", "wall-clock", "--select", "random-source")
    expect(not told, f"The rules still find something:\n\n{told}")
    found = left("hidden_inputs", date)["labels"]
    expect(len(found) == 6, f"{date} has six orders, but there are {len(found)} labels.")
    expect(set(found.month) == {"2"}, f"{date} lies in month 2, and the labels say:\n{shown(found)}")
    expect(set(found.week) == {"7"}, f"{date} lies in week 7, and the labels say:\n{shown(found)}")
    expect(set(found.lucky) <= set("123456"), f"A lucky number is one from 1 to 6, and the labels say:\n{shown(found)}")
    expect(found.batch[0] and found.loaded_at[0] and found.seconds[0], f"Something is left out:\n{shown(found)}")
    days = {int(seconds) // 86400 for seconds in found.seconds}
    expect(days == {20494}, f"The seconds of {date} begin at {20494 * 86400}, and the labels say:\n{shown(found)}")
    other = left("hidden_inputs", "2026-01-01")["labels"]
    for name in ("batch", "loaded_at"):
        one, two = found[name][0], other[name][0]
        expect(one != two, f"Two dates have one {name}: {date} has {one}, and 2026-01-01 has {two}.")
    lucky, days = found.lucky[0], [f"2026-01-0{day}" for day in range(1, 6)]
    varies = any(left("hidden_inputs", day)["labels"].lucky[0] != lucky for day in days)
    expect(varies, f"A lucky number is drawn for each date, and six dates have the same: {lucky}.")
    proven("hidden_inputs", "deterministic", "clock", dates=[date])


# %% [markdown] q="q1" role="hint"
# `logical_date` is a date and time. It knows its month, its `isocalendar()`, and its `timestamp()`.

# %% [markdown] q="q1" role="hint"
# Chance may stay, if it is the same each time: `random.Random(ds)` draws the same numbers for the same date. And `uuid.uuid5` makes an id out of a text.

# %% q="q1" role="solution" dag="hidden_inputs"
import random
import uuid

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO labels
    SELECT number, %(ds)s::date, %(month)s, %(batch)s, %(loaded_at)s, %(week)s, %(lucky)s, %(seconds)s
    FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hidden_inputs():
    @task
    def label(ds=None, logical_date=None):
        values = {
            "ds": ds,
            "month": int(ds[5:7]),
            "batch": str(uuid.uuid5(uuid.NAMESPACE_DNS, ds)),
            "loaded_at": logical_date,
            "week": logical_date.isocalendar().week,
            "lucky": random.Random(ds).randint(1, 6),
            "seconds": int(logical_date.timestamp()),
        }
        PostgresHook("shop").run(["DELETE FROM labels WHERE dt = %(ds)s::date", INSERT], parameters=values)

    label()


hidden_inputs()

# %% q="q1" role="wrong" says="changed in loaded_at" dag="hidden_inputs"
import random
import uuid

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO labels
    SELECT number, %(ds)s::date, %(month)s, %(batch)s, %(loaded_at)s, %(week)s, %(lucky)s, %(seconds)s
    FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hidden_inputs():
    @task
    def label(ds=None, logical_date=None):
        values = {
            "ds": ds,
            "month": int(ds[5:7]),
            "batch": str(uuid.uuid5(uuid.NAMESPACE_DNS, ds)),
            "loaded_at": pendulum.now("UTC"),
            "week": logical_date.isocalendar().week,
            "lucky": random.Random(ds).randint(1, 6),
            "seconds": int(logical_date.timestamp()),
        }
        PostgresHook("shop").run(["DELETE FROM labels WHERE dt = %(ds)s::date", INSERT], parameters=values)

    label()


hidden_inputs()

# %% q="q1" role="wrong" says="lies in month 2, and the labels say" dag="hidden_inputs"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO labels
    SELECT number, %(ds)s::date, %(month)s, %(batch)s, %(loaded_at)s, %(week)s, %(lucky)s, %(seconds)s
    FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hidden_inputs():
    @task
    def label(ds=None, logical_date=None):
        values = {
            "ds": ds,
            "month": 1,
            "batch": "batch",
            "loaded_at": logical_date,
            "week": 1,
            "lucky": 4,
            "seconds": 0,
        }
        PostgresHook("shop").run(["DELETE FROM labels WHERE dt = %(ds)s::date", INSERT], parameters=values)

    label()


hidden_inputs()

# %% q="q1" role="wrong" says="Two dates have one batch" dag="hidden_inputs"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO labels
    SELECT number, %(ds)s::date, %(month)s, %(batch)s, %(loaded_at)s, %(week)s, %(lucky)s, %(seconds)s
    FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hidden_inputs():
    @task
    def label(ds=None, logical_date=None):
        values = {
            "ds": ds,
            "month": logical_date.month,
            "batch": "batch",
            "loaded_at": logical_date,
            "week": logical_date.isocalendar().week,
            "lucky": 4,
            "seconds": int(logical_date.timestamp()),
        }
        PostgresHook("shop").run(["DELETE FROM labels WHERE dt = %(ds)s::date", INSERT], parameters=values)

    label()


hidden_inputs()

# %% q="q1" role="wrong" says="six dates have the same: 4" dag="hidden_inputs"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = """
    INSERT INTO labels
    SELECT number, %(ds)s::date, %(month)s, %(batch)s, %(loaded_at)s, %(week)s, %(lucky)s, %(seconds)s
    FROM placed_orders WHERE placed_at::date = %(ds)s::date
"""


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def hidden_inputs():
    @task
    def label(ds=None, logical_date=None):
        values = {
            "ds": ds,
            "month": logical_date.month,
            "batch": f"batch of {ds}",
            "loaded_at": logical_date,
            "week": logical_date.isocalendar().week,
            "lucky": 4,
            "seconds": int(logical_date.timestamp()),
        }
        PostgresHook("shop").run(["DELETE FROM labels WHERE dt = %(ds)s::date", INSERT], parameters=values)

    label()


hidden_inputs()

# %% [markdown]
# ## What no rule sees
#
# Rules know the names of clocks. Not every clock has such a name. The next two exercises break no rule, and are right each time you try them. They are found by running them at another time, and on another machine.

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: the courier's dates
#
# The courier writes when an order was delivered, as text: `05 Jan`. The year goes without saying, he says. Each order arrives on the day of the run. Prove the law `clock` about the DAG, and fix it. The run's own date knows the year.

# %% q="q2" role="starter" dag="courier_dates"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from dateutil.parser import parse

INSERT = "INSERT INTO deliveries VALUES (%s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def courier_dates():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM deliveries WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = "SELECT number, to_char(placed_at, 'DD Mon') FROM placed_orders WHERE placed_at::date = %(ds)s::date"
        for number, said in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, parse(said).date()))

    load()


courier_dates()


# %% q="q2" role="check"
def check():
    date = "2026-01-01"
    found = left("courier_dates", date)["deliveries"]
    expect(len(found) == 6, f"{date} has six orders, but there are {len(found)} deliveries.")
    expect(
        set(found.delivered) == {date}, f"The orders of {date} are delivered on that day, and you have:\n{shown(found)}"
    )
    proven("courier_dates", "clock", dates=[date])
    with fresh() as desk:
        desk.execute("INSERT INTO placed_orders VALUES (9001, 'Ada', 1, '2027-03-05 10:00+00')")
        desk.run("courier_dates", "2027-03-05")
        there = desk.rows("SELECT number, dt, delivered FROM deliveries ORDER BY number")
    expect(
        [str(day) for day in there.delivered] == ["2027-03-05"],
        f"One order comes in on 2027-03-05, and is delivered on that day. You have:\n{shown(there)}",
    )


# %% [markdown] q="q2" role="hint"
# What does `parse("05 Jan")` take for the year? Try it: `from dateutil.parser import parse`.

# %% [markdown] q="q2" role="hint"
# Give it the year: the first four letters of `ds`. Or give `parse` a `default` to fill gaps from.

# %% q="q2" role="solution" dag="courier_dates"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from dateutil.parser import parse

INSERT = "INSERT INTO deliveries VALUES (%s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def courier_dates():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM deliveries WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = "SELECT number, to_char(placed_at, 'DD Mon') FROM placed_orders WHERE placed_at::date = %(ds)s::date"
        for number, said in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, parse(f"{said} {ds[:4]}").date()))

    load()


courier_dates()

# %% q="q2" role="wrong" says="depends on the clock" dag="courier_dates"
from datetime import datetime

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from dateutil.parser import parse

INSERT = "INSERT INTO deliveries VALUES (%s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def courier_dates():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM deliveries WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = "SELECT number, to_char(placed_at, 'DD Mon') FROM placed_orders WHERE placed_at::date = %(ds)s::date"
        for number, said in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, parse(said, default=datetime.now()).date()))

    load()


courier_dates()

# %% q="q2" role="wrong" says="1900-01-01" dag="courier_dates"
from datetime import datetime

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = "INSERT INTO deliveries VALUES (%s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def courier_dates():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM deliveries WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = "SELECT number, to_char(placed_at, 'DD Mon') FROM placed_orders WHERE placed_at::date = %(ds)s::date"
        for number, said in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, datetime.strptime(said, "%d %b").date()))

    load()


courier_dates()

# %% q="q2" role="wrong" says="One order comes in on 2027-03-05" dag="courier_dates"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from dateutil.parser import parse

INSERT = "INSERT INTO deliveries VALUES (%s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def courier_dates():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM deliveries WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = "SELECT number, to_char(placed_at, 'DD Mon') FROM placed_orders WHERE placed_at::date = %(ds)s::date"
        for number, said in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, parse(f"{said} 2026").date()))

    load()


courier_dates()

# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: the hour of the order
#
# The till gives seconds since 1970. This DAG writes the hour at which each order was placed. The shop counts in UTC. Prove the law `deterministic` about it, and fix it.

# %% q="q3" role="starter" dag="order_hours"
from datetime import datetime

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = "INSERT INTO hours VALUES (%s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def order_hours():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM hours WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = """
            SELECT number, extract(epoch FROM placed_at)::bigint FROM placed_orders WHERE placed_at::date = %(ds)s::date
        """
        for number, seconds in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, datetime.fromtimestamp(seconds).hour))

    load()


order_hours()


# %% q="q3" role="check"
def check():
    date = "2026-01-01"
    found = left("order_hours", date)["hours"]
    hours = sorted(int(hour) for hour in found.hour)
    expect(
        hours == [2, 6, 10, 14, 18, 22],
        f"Orders are placed at 2, 6, 10, 14, 18 and 22 h UTC. You have:\n{shown(found)}",
    )
    proven("order_hours", "deterministic", dates=[date])


# %% [markdown] q="q3" role="hint"
# `datetime.fromtimestamp(seconds)` gives the time of a place. Of which one?

# %% [markdown] q="q3" role="hint"
# It takes a second argument, the time zone.

# %% q="q3" role="solution" dag="order_hours"
from datetime import datetime, timezone

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = "INSERT INTO hours VALUES (%s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def order_hours():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM hours WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = """
            SELECT number, extract(epoch FROM placed_at)::bigint FROM placed_orders WHERE placed_at::date = %(ds)s::date
        """
        for number, seconds in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, datetime.fromtimestamp(seconds, tz=timezone.utc).hour))

    load()


order_hours()

# %% q="q3" role="wrong" says="is not deterministic" dag="order_hours"
from datetime import datetime, timezone

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = "INSERT INTO hours VALUES (%s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def order_hours():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM hours WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = """
            SELECT number, extract(epoch FROM placed_at)::bigint FROM placed_orders WHERE placed_at::date = %(ds)s::date
        """
        for number, seconds in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, datetime.fromtimestamp(seconds).replace(tzinfo=timezone.utc).hour))

    load()


order_hours()

# %% q="q3" role="wrong" says="14, 18 and 22 h UTC. You have" dag="order_hours"
from datetime import datetime
from zoneinfo import ZoneInfo

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task

INSERT = "INSERT INTO hours VALUES (%s, %s, %s)"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def order_hours():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run("DELETE FROM hours WHERE dt = %(ds)s::date", parameters={"ds": ds})
        query = """
            SELECT number, extract(epoch FROM placed_at)::bigint FROM placed_orders WHERE placed_at::date = %(ds)s::date
        """
        for number, seconds in hook.get_records(query, parameters={"ds": ds}):
            hook.run(INSERT, parameters=(number, ds, datetime.fromtimestamp(seconds, tz=ZoneInfo("Europe/Paris")).hour))

    load()


order_hours()

# %% [markdown]
# ## What you now know
#
# 1. A run is a function of its date and its data. Everything else that it reads is a hidden input.
# 2. Ask the run for the time: `ds` and `logical_date` are the same in every run of a date.
# 3. Machines differ: in their time zone, their name, and the salt of Python's hashes.
# 4. Chance may stay where it has a seed. Money is added up in exact numbers.
# 5. Rules find the clocks that have a name. The laws `clock` and `deterministic` find the others.
