# %% [markdown]
# # 11 · Capstone: a feed that is not your friend
#
# The shop gets a partner. Each night the partner sends a file with the day's orders. Sometimes it is late. Some lines are there twice, and some days are poisoned. You build the pipeline. At the end a machine examines it by every law there is, on dates that you have not seen.
#
# Take your time: this one is longer than the others.

# %%
from course import fresh, lesson_home, prove, q1, q2, q3, read, rerun, rows, run, start, step, tasks, timeline

start("11")

# %% [markdown]
# ## The partner
#
# The partner's DAG is `feed_daily`. It writes `feed/<date>.csv` below the folder `DATA_ROOT`. You can't change it.

# %%
assert run("feed_daily", "2026-01-02", "2026-01-05").state == "success"
print(read("feed/2026-01-02.csv"))

# %% [markdown]
# Blanks, an empty line, a line that is there twice, refunds, dots between thousands. And this is the fifth of January:

# %%
print(read("feed/2026-01-05.csv"))

# %% [markdown]
# ## What happens
#
# Somebody has tried already. It works, he says.

# %% dag="sales_naive"
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_naive():
    @task
    def load(ds=None):
        lines = Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv").read_text().splitlines()
        for line in lines[1:]:
            if line:
                number, customer, total = line.split(";")
                cents = int(total.replace(",", "").replace(".", ""))
                values = (int(number), customer, cents, ds)
                PostgresHook("shop").run("INSERT INTO naive_sales VALUES (%s, %s, %s, %s)", parameters=values)

    load()


sales_naive()

# %%
run("sales_naive", "2026-01-02")

# %%
naive = rows("SELECT * FROM naive_sales ORDER BY number")
assert len(naive) == 7
assert " Ada " in set(naive.customer)
naive.assign(customer=naive.customer.map(repr))

# %% [markdown]
# Does it? Seven rows of six orders. `' Ada '` has blanks. And so on: run it again, on the poisoned day, and on a day whose file comes an hour and a half late.

# %%
rerun("sales_naive", "2026-01-02")
doubled = rows("SELECT number, count(*) AS times FROM naive_sales GROUP BY number ORDER BY number")
assert sum(doubled.times) == 14
doubled

# %%
poisoned = run("sales_naive", "2026-01-05")
assert poisoned.state == "failed"
tasks(poisoned)

# %%
half = rows("SELECT number, customer, cents FROM naive_sales WHERE dt = '2026-01-05'")
assert list(half.number) == [24, 25, 24]
half

# %%
fresh()
late = step("late", "sales_naive", "2026-01-03", delay=90 * 60)
assert late.state == "failed"
timeline(late)

# %% [markdown]
# ## Why
#
# Each fault is one that you know by now. The load adds. It reads what it doesn't check. It takes for granted that the file is there. A bad line stops it half-way, and what was written before stays, because each row is committed by itself.
#
# ## What is wanted
#
# | table | what is in it |
# |---|---|
# | `sales (number, customer, cents, dt)` | each order once; the customer without blanks around; cents with their sign; the date of the run |
# | `rejects (dt, line, text)` | each line that is not an order: its place in the file, beginning with 1 for the header, and the line as it came; no empty lines |
#
# `number` is the key of `sales`; `dt` and `line` are the key of `rejects`. Both tables are there, and empty: `rows("SELECT * FROM sales")`.

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: read a line
#
# Write a function in a module of its own, without Airflow. It returns number, customer and cents, or raises `ValueError` for a line that is not an order: too few or too many fields, a number that is not a number, an empty customer, or a total that is not an amount. A total has digits, two of them after the comma, may have dots between thousands, and may begin with a minus.


# %% q="q1" role="starter" file="dags/feed_lines.py"
def read_line(line):
    """Return the order's number, customer and total in cents.

    Raises:
        ValueError: it is not an order.
    """


# %% q="q1" role="check"
GOOD = {
    "1;Ben;4,70": (1, "Ben", 470),
    " 12 ; Ada ;1.234,50 ": (12, "Ada", 123450),
    "4;Emil;-15,80": (4, "Emil", -1580),
    "5;Emil;-0,05": (5, "Emil", -5),
    "6;Ada;1.000.000,00": (6, "Ada", 100000000),
    "8;Ada;4,35": (8, "Ada", 435),
}
BAD = ["oops", "", "1;Ben", "1;Ben;4,70;x", "x;Ben;4,70", "1;;4,70", "1;  ;4,70", "1;Ben;1o,50", "1;Ben;", "1;Ben;4,7"]
BAD += ["1;Ben;4,-7", "1;Ben;--4,70"]
SUITE = f"""
import pytest
from feed_lines import read_line

@pytest.mark.parametrize(("line", "wanted"), {list(GOOD.items())!r})
def test_good(line, wanted):
    try:
        found = read_line(line)
    except Exception as error:
        found = error
    assert found == wanted, f"read_line({{line!r}}) should give {{wanted}}, and gives {{found!r}}"

@pytest.mark.parametrize("line", {BAD!r})
def test_bad(line):
    try:
        found = read_line(line)
    except ValueError:
        return
    except Exception as error:
        found = error
    assert False, f"read_line({{line!r}}) should raise ValueError, and gives {{found!r}}"
"""


def check():
    (home / "tests").mkdir(exist_ok=True)
    (home / "tests" / "test_lines.py").write_text(SUITE)
    results = run_suite("tests/test_lines.py")[""]
    bad = [one["says"].removeprefix("AssertionError: ") for one in results if one["outcome"] != "passed"]
    expect(not bad, "\n".join(bad[:3]))


# %% [markdown] q="q1" role="hint"
# `int("x")` raises a ValueError by itself, and so does `a, b, c = "1;2".split(";")`. `strip()` is what takes blanks away.

# %% [markdown] q="q1" role="hint"
# Take the sign off first. `int("-0")` has forgotten it: -0,05 is the line that shows it.


# %% q="q1" role="solution" file="dags/feed_lines.py"
def read_line(line):
    """Return the order's number, customer and total in cents.

    Raises:
        ValueError: it is not an order.
    """
    number, customer, total = (part.strip() for part in line.split(";"))
    if not customer:
        raise ValueError("no customer")
    euros, cents = total.removeprefix("-").split(",")
    digits = euros.replace(".", "") + cents
    if len(cents) != 2 or not digits.isdigit():
        raise ValueError("not an amount")
    amount = int(digits)
    return int(number), customer, -amount if total.startswith("-") else amount


# %% q="q1" role="wrong" says="read_line('1;Ben;4,-7') should raise ValueError" file="dags/feed_lines.py"
def read_line(line):
    """Return the order's number, customer and total in cents.

    Raises:
        ValueError: it is not an order.
    """
    number, customer, total = (part.strip() for part in line.split(";"))
    if not customer:
        raise ValueError("no customer")
    euros, cents = total.removeprefix("-").split(",")
    if len(cents) != 2:
        raise ValueError("no cents")
    amount = int(euros.replace(".", "")) * 100 + int(cents)
    return int(number), customer, -amount if total.startswith("-") else amount


# %% q="q1" role="wrong" says="read_line('1;;4,70') should raise ValueError" file="dags/feed_lines.py"
def read_line(line):
    """Return the order's number, customer and total in cents.

    Raises:
        ValueError: it is not an order.
    """
    number, customer, total = line.split(";")
    return int(number), customer.strip(), int(total.replace(".", "").replace(",", ""))


# %% q="q1" role="wrong" says="read_line('4;Emil;-15,80') should give (4, 'Emil', -1580)" file="dags/feed_lines.py"
def read_line(line):
    """Return the order's number, customer and total in cents.

    Raises:
        ValueError: it is not an order.
    """
    number, customer, total = (part.strip() for part in line.split(";"))
    euros, cents = total.split(",")
    return int(number), customer, int(euros.replace(".", "")) * 100 + int(cents)


# %% q="q1" role="wrong" says="read_line('8;Ada;4,35') should give (8, 'Ada', 435)" file="dags/feed_lines.py"
import re


def read_line(line):
    """Return the order's number, customer and total in cents.

    Raises:
        ValueError: it is not an order.
    """
    number, customer, total = (part.strip() for part in line.split(";"))
    if not customer or not re.fullmatch(r"-?[\d.]+,\d\d", total):
        raise ValueError("no order")
    return int(number), customer, int(float(total.replace(".", "").replace(",", ".")) * 100)


# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: the rows of a day
#
# Now the DAG. This first draft has to leave the right rows in `sales` and `rejects` for any one day whose file is there, a poisoned one, too. `read_line` is yours.

# %% q="q2" role="starter" dag="sales_draft"
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_draft():
    @task
    def load(ds=None):
        path = Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")

    load()


sales_draft()


# %% q="q2" role="check"
def cents_of(order):
    cents = round(float(order.total) * 100)
    return {1: cents * 100, 4: -cents}.get(int(order.number) % 6, cents)


def check():
    for date, bad in (("2026-01-02", 0), ("2026-01-05", 3)):
        tables = left("sales_draft", date)
        sales, rejects, placed = tables["sales"], tables["rejects"], tables["placed_orders"]
        wanted = {row.number: row.customer for row in placed.itertuples() if row.placed_at.startswith(date)}
        found = dict(zip(sales.number, sales.customer, strict=True))
        expect(found == wanted, f"{date} has these orders: {wanted}\nYour sales have: {found}")
        expect(set(sales.dt) == {date}, f"The sales of {date} have another date:\n{shown(sales)}")
        back = [n for n, cents in zip(sales.number, sales.cents, strict=True) if cents.startswith("-")]
        refunds = [n for n in wanted if int(n) % 6 == 4]
        expect(sorted(back) == refunds, f"{date} has a refund, order {refunds}. Your sales below zero are {back}.")
        due = {row.number: cents_of(row) for row in placed.itertuples() if row.number in wanted}
        cents = {number: int(cents) for number, cents in zip(sales.number, sales.cents, strict=True)}
        expect(cents == due, f"The cents of {date} are {due}\nYour sales have: {cents}")
        expect(len(rejects) == bad, f"{date} has {bad} lines that are not orders. You have rejected:\n{shown(rejects)}")
        if bad:
            lines = dict(zip(rejects.line, rejects.text, strict=True))
            expect(lines.get("5") == "oops", f"Line 5 of {date} is 'oops'. You have rejected: {lines}")


# %% [markdown] q="q2" role="hint"
# `enumerate(lines, start=1)` counts lines as people do. The first one is the header, and empty ones are nothing at all.

# %% [markdown] q="q2" role="hint"
# Collect first, in a dict by the order's number: what is there twice is in it once. Then write all of it with one call of `run`, which takes a list of statements. `json_to_recordset(%(sales)s::json)` makes rows of a JSON text.

# %% q="q2" role="solution" dag="sales_draft"
import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line

CLEAR_SALES = "DELETE FROM sales WHERE dt = %(ds)s::date"
CLEAR_REJECTS = "DELETE FROM rejects WHERE dt = %(ds)s::date"
ADD_SALES = """
    INSERT INTO sales SELECT number, customer, cents, %(ds)s::date
    FROM json_to_recordset(%(sales)s::json) AS given (number integer, customer text, cents integer)
"""
ADD_REJECTS = """
    INSERT INTO rejects SELECT %(ds)s::date, line, text
    FROM json_to_recordset(%(rejects)s::json) AS given (line integer, text text)
"""


def feed_of(ds):
    return Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_draft():
    @task(retries=2)
    def load(ds=None):
        sales, rejects = {}, []
        for place, line in enumerate(feed_of(ds).read_text().splitlines()[1:], start=2):
            try:
                number, customer, cents = read_line(line)
            except ValueError:
                if line:
                    rejects.append({"line": place, "text": line})
            else:
                sales[number] = {"number": number, "customer": customer, "cents": cents}
        values = {"ds": ds, "sales": json.dumps(list(sales.values())), "rejects": json.dumps(rejects)}
        PostgresHook("shop").run([CLEAR_SALES, CLEAR_REJECTS, ADD_SALES, ADD_REJECTS], parameters=values)

    load()


sales_draft()

# %% q="q2" role="wrong" says="has 3 lines that are not orders. You have rejected" dag="sales_draft"
import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line

CLEAR_SALES = "DELETE FROM sales WHERE dt = %(ds)s::date"
CLEAR_REJECTS = "DELETE FROM rejects WHERE dt = %(ds)s::date"
ADD_SALES = """
    INSERT INTO sales SELECT number, customer, cents, %(ds)s::date
    FROM json_to_recordset(%(sales)s::json) AS given (number integer, customer text, cents integer)
"""
ADD_REJECTS = """
    INSERT INTO rejects SELECT %(ds)s::date, line, text
    FROM json_to_recordset(%(rejects)s::json) AS given (line integer, text text)
"""


def feed_of(ds):
    return Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_draft():
    @task(retries=2)
    def load(ds=None):
        sales, rejects = {}, []
        for place, line in enumerate(feed_of(ds).read_text().splitlines()[1:], start=2):
            try:
                number, customer, cents = read_line(line)
            except ValueError:
                if line:
                    print(line)
            else:
                sales[number] = {"number": number, "customer": customer, "cents": cents}
        values = {"ds": ds, "sales": json.dumps(list(sales.values())), "rejects": json.dumps(rejects)}
        PostgresHook("shop").run([CLEAR_SALES, CLEAR_REJECTS, ADD_SALES, ADD_REJECTS], parameters=values)

    load()


sales_draft()

# %% q="q2" role="wrong" says="Your sales have: {}" dag="sales_draft"
import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line

CLEAR_SALES = "DELETE FROM sales WHERE dt = %(ds)s::date"
CLEAR_REJECTS = "DELETE FROM rejects WHERE dt = %(ds)s::date"
ADD_SALES = """
    INSERT INTO sales SELECT number, customer, cents, %(ds)s::date
    FROM json_to_recordset(%(sales)s::json) AS given (number integer, customer text, cents integer)
"""
ADD_REJECTS = """
    INSERT INTO rejects SELECT %(ds)s::date, line, text
    FROM json_to_recordset(%(rejects)s::json) AS given (line integer, text text)
"""


def feed_of(ds):
    return Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_draft():
    @task(retries=2)
    def load(ds=None):
        sales, rejects = {}, []
        for place, line in enumerate(feed_of(ds).read_text().splitlines()[1:], start=2):
            try:
                number, customer, cents = read_line(line)
            except ValueError:
                if line:
                    rejects.append({"line": place, "text": line})
            else:
                sales[number] = {"number": number, "customer": customer, "cents": cents}
        values = {"ds": ds, "sales": json.dumps(list(sales.values())), "rejects": json.dumps(rejects)}
        PostgresHook("shop").run([CLEAR_SALES, CLEAR_REJECTS, ADD_REJECTS], parameters=values)

    load()


sales_draft()

# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: the examination
#
# Copy your draft, name it `sales_daily`, and make it good:
#
# - it waits for a file that comes late, and holds no worker slot between two looks (`late`);
# - a rerun, a retry and a backfill change nothing (`rerun`, `retry`, `backfill`);
# - it may be killed at any point (`crash`), and run twice at once (`overlap`);
# - its rows depend on the date alone: not on the clock, nor on the machine (`clock`, `deterministic`);
# - dates may run in any order, and none touches another (`order`, `containment`);
# - when the partner sends a day again, nothing of the old one stays (`correction`).
#
# Prove single laws while you work: `prove("sales_daily", "2026-01-02").late()`, `.crash()`, `.overlap()`, `.correction()`. The examination tries all of them, on other dates, and compares every column of both tables with the partner's orders. It can take a minute.

# %% q="q3" role="starter" dag="sales_daily"
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_daily():
    @task
    def load(ds=None):
        path = Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")

    load()


sales_daily()

# %% q="q3" role="check" seconds="900"
TWO_DATES = ["containment", "order"]
LAWS = ["effect", "late", "correction", "rerun", "retry", "backfill"]
LAWS += ["clock", "deterministic", "overlap", "crash", "history"]


def cents_of(order):
    cents = round(float(order.total) * 100)
    return {1: cents * 100, 4: -cents}.get(int(order.number) % 6, cents)


def check():
    from dagproof.histories import Step

    dates = ["2026-02-10", "2026-02-27"]
    tables = left("sales_daily", *dates)
    sales, rejects = tables["sales"], tables["rejects"]
    there = (len(sales), len(rejects))
    expect(there == (12, 3), f"Two days should give 12 sales and 3 rejects; there are {there[0]} and {there[1]}.")
    given = tables["placed_orders"]
    wanted = given[given.placed_at.str[:10].isin(dates)].copy()
    wanted["cents"], wanted["dt"] = [cents_of(order) for order in wanted.itertuples()], wanted.placed_at.str[:10]
    same_rows(sales, wanted[["number", "customer", "cents", "dt"]], f"After {' and '.join(dates)}, sales")
    said = f"2026-02-10 is a poisoned day: its lines 5, 6 and 7 are not orders. You have rejected:\n{shown(rejects)}"
    expect(sorted(rejects.line) == ["5", "6", "7"] and set(rejects.dt) == {"2026-02-10"}, said)
    first = min(int(order.number) for order in wanted.itertuples() if order.dt == "2026-02-10")
    lines = ["oops", f"{first + 1000};;12,00", f"{first + 2000};Ada;1o,50"]
    came = list(rejects.sort_values("line").text)
    expect(came == lines, f"The lines 5, 6 and 7 of 2026-02-10 came as {lines}. Your rejects have {came}.")
    with fresh() as desk:
        ran = desk.play("sales_daily", Step("late", dates[0], delay=90 * 60))
        expect(
            ran.state == "success", f"When the file comes 90 minutes late, the run ends as {ran.state}: {ran.reason}"
        )
        held = max(ran.slots.values()) / 60
        said = f"The file comes 90 minutes late, and a task held its worker slot for {held:.0f} minutes."
        expect(held < 20, f"{said} Let go of it between two looks.")
    proven("sales_daily", *LAWS, dates=dates[:1])
    proven("sales_daily", *TWO_DATES, dates=dates)
    return f"All {len(LAWS + TWO_DATES)} laws are proven, on days that you had not seen. This is your certificate."


# %% [markdown] q="q3" role="hint"
# To wait: `@task.sensor(mode="reschedule", poke_interval=300, timeout=12 * 3600)` makes a sensor of a function that returns True or False. A `FileSensor` does it, too: its connection `fs_default` is `DATA_ROOT`.

# %% [markdown] q="q3" role="hint"
# To be killed at any point: all four statements, two that make room and two that fill it, in *one* transaction. One call of `run` with a list is one. So is `with hook.get_conn() as connection, connection.cursor() as cursor:` up to its end.

# %% [markdown] q="q3" role="hint"
# A law is falsified? Its report has the shortest history, and the rows. Let it happen on the desk with `run`, `rerun` and `step`, and look.

# %% q="q3" role="solution" dag="sales_daily"
import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line

CLEAR_SALES = "DELETE FROM sales WHERE dt = %(ds)s::date"
CLEAR_REJECTS = "DELETE FROM rejects WHERE dt = %(ds)s::date"
ADD_SALES = """
    INSERT INTO sales SELECT number, customer, cents, %(ds)s::date
    FROM json_to_recordset(%(sales)s::json) AS given (number integer, customer text, cents integer)
"""
ADD_REJECTS = """
    INSERT INTO rejects SELECT %(ds)s::date, line, text
    FROM json_to_recordset(%(rejects)s::json) AS given (line integer, text text)
"""


def feed_of(ds):
    return Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_daily():
    @task.sensor(mode="reschedule", poke_interval=300, timeout=12 * 3600)
    def wait(ds=None):
        return feed_of(ds).exists()

    @task(retries=2)
    def load(ds=None):
        sales, rejects = {}, []
        for place, line in enumerate(feed_of(ds).read_text().splitlines()[1:], start=2):
            try:
                number, customer, cents = read_line(line)
            except ValueError:
                if line:
                    rejects.append({"line": place, "text": line})
            else:
                sales[number] = {"number": number, "customer": customer, "cents": cents}
        values = {"ds": ds, "sales": json.dumps(list(sales.values())), "rejects": json.dumps(rejects)}
        PostgresHook("shop").run([CLEAR_SALES, CLEAR_REJECTS, ADD_SALES, ADD_REJECTS], parameters=values)

    wait() >> load()


sales_daily()

# %% q="q3" role="wrong" says="its lines 5, 6 and 7 are not orders" dag="sales_daily"
import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line

CLEAR_SALES = "DELETE FROM sales WHERE dt = %(ds)s::date"
CLEAR_REJECTS = "DELETE FROM rejects WHERE dt = %(ds)s::date"
ADD_SALES = """
    INSERT INTO sales SELECT number, customer, cents, %(ds)s::date
    FROM json_to_recordset(%(sales)s::json) AS given (number integer, customer text, cents integer)
"""
ADD_REJECTS = """
    INSERT INTO rejects SELECT %(ds)s::date, line, text
    FROM json_to_recordset(%(rejects)s::json) AS given (line integer, text text)
"""


def feed_of(ds):
    return Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_daily():
    @task.sensor(mode="reschedule", poke_interval=300, timeout=12 * 3600)
    def wait(ds=None):
        return feed_of(ds).exists()

    @task(retries=2)
    def load(ds=None):
        sales, rejects = {}, []
        for place, line in enumerate(feed_of(ds).read_text().splitlines()[1:], start=1):
            try:
                number, customer, cents = read_line(line)
            except ValueError:
                if line:
                    rejects.append({"line": place, "text": line})
            else:
                sales[number] = {"number": number, "customer": customer, "cents": cents}
        values = {"ds": ds, "sales": json.dumps(list(sales.values())), "rejects": json.dumps(rejects)}
        PostgresHook("shop").run([CLEAR_SALES, CLEAR_REJECTS, ADD_SALES, ADD_REJECTS], parameters=values)

    wait() >> load()


sales_daily()

# %% q="q3" role="wrong" says="FileNotFoundError" dag="sales_daily"
import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line

CLEAR_SALES = "DELETE FROM sales WHERE dt = %(ds)s::date"
CLEAR_REJECTS = "DELETE FROM rejects WHERE dt = %(ds)s::date"
ADD_SALES = """
    INSERT INTO sales SELECT number, customer, cents, %(ds)s::date
    FROM json_to_recordset(%(sales)s::json) AS given (number integer, customer text, cents integer)
"""
ADD_REJECTS = """
    INSERT INTO rejects SELECT %(ds)s::date, line, text
    FROM json_to_recordset(%(rejects)s::json) AS given (line integer, text text)
"""


def feed_of(ds):
    return Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_daily():
    @task(retries=2)
    def load(ds=None):
        sales, rejects = {}, []
        for place, line in enumerate(feed_of(ds).read_text().splitlines()[1:], start=2):
            try:
                number, customer, cents = read_line(line)
            except ValueError:
                if line:
                    rejects.append({"line": place, "text": line})
            else:
                sales[number] = {"number": number, "customer": customer, "cents": cents}
        values = {"ds": ds, "sales": json.dumps(list(sales.values())), "rejects": json.dumps(rejects)}
        PostgresHook("shop").run([CLEAR_SALES, CLEAR_REJECTS, ADD_SALES, ADD_REJECTS], parameters=values)

    load()


sales_daily()

# %% q="q3" role="wrong" says="sales_daily keeps stale rows" dag="sales_daily"
import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line

CLEAR_REJECTS = "DELETE FROM rejects WHERE dt = %(ds)s::date"
ADD_SALES = """
    INSERT INTO sales SELECT number, customer, cents, %(ds)s::date
    FROM json_to_recordset(%(sales)s::json) AS given (number integer, customer text, cents integer)
    ON CONFLICT (number) DO UPDATE SET cents = EXCLUDED.cents, customer = EXCLUDED.customer
"""
ADD_REJECTS = """
    INSERT INTO rejects SELECT %(ds)s::date, line, text
    FROM json_to_recordset(%(rejects)s::json) AS given (line integer, text text)
"""


def feed_of(ds):
    return Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_daily():
    @task.sensor(mode="reschedule", poke_interval=300, timeout=12 * 3600)
    def wait(ds=None):
        return feed_of(ds).exists()

    @task(retries=2)
    def load(ds=None):
        sales, rejects = {}, []
        for place, line in enumerate(feed_of(ds).read_text().splitlines()[1:], start=2):
            try:
                number, customer, cents = read_line(line)
            except ValueError:
                if line:
                    rejects.append({"line": place, "text": line})
            else:
                sales[number] = {"number": number, "customer": customer, "cents": cents}
        values = {"ds": ds, "sales": json.dumps(list(sales.values())), "rejects": json.dumps(rejects)}
        PostgresHook("shop").run([CLEAR_REJECTS, ADD_SALES, ADD_REJECTS], parameters=values)

    wait() >> load()


sales_daily()

# %% q="q3" role="wrong" says=", sales should hold" dag="sales_daily"
import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line

CLEAR_SALES = "DELETE FROM sales WHERE dt = %(ds)s::date"
CLEAR_REJECTS = "DELETE FROM rejects WHERE dt = %(ds)s::date"
ADD_SALES = """
    INSERT INTO sales SELECT number, customer, cents, %(ds)s::date
    FROM json_to_recordset(%(sales)s::json) AS given (number integer, customer text, cents integer)
"""
ADD_REJECTS = """
    INSERT INTO rejects SELECT %(ds)s::date, line, text
    FROM json_to_recordset(%(rejects)s::json) AS given (line integer, text text)
"""


def feed_of(ds):
    return Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_daily():
    @task.sensor(mode="reschedule", poke_interval=300, timeout=12 * 3600)
    def wait(ds=None):
        return feed_of(ds).exists()

    @task(retries=2)
    def load(ds=None):
        sales, rejects = {}, []
        for place, line in enumerate(feed_of(ds).read_text().splitlines()[1:], start=2):
            try:
                number, customer, cents = read_line(line)
            except ValueError:
                if line:
                    rejects.append({"line": place, "text": line})
            else:
                sales[number] = {"number": number, "customer": customer, "cents": 1 if cents else 0}
        values = {"ds": ds, "sales": json.dumps(list(sales.values())), "rejects": json.dumps(rejects)}
        PostgresHook("shop").run([CLEAR_SALES, CLEAR_REJECTS, ADD_SALES, ADD_REJECTS], parameters=values)

    wait() >> load()


sales_daily()

# %% q="q3" role="wrong" says="of 2026-02-10 came as ['oops'" dag="sales_daily"
import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from feed_lines import read_line

CLEAR_SALES = "DELETE FROM sales WHERE dt = %(ds)s::date"
CLEAR_REJECTS = "DELETE FROM rejects WHERE dt = %(ds)s::date"
ADD_SALES = """
    INSERT INTO sales SELECT number, customer, cents, %(ds)s::date
    FROM json_to_recordset(%(sales)s::json) AS given (number integer, customer text, cents integer)
"""
ADD_REJECTS = """
    INSERT INTO rejects SELECT %(ds)s::date, line, text
    FROM json_to_recordset(%(rejects)s::json) AS given (line integer, text text)
"""


def feed_of(ds):
    return Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_daily():
    @task.sensor(mode="reschedule", poke_interval=300, timeout=12 * 3600)
    def wait(ds=None):
        return feed_of(ds).exists()

    @task(retries=2)
    def load(ds=None):
        sales, rejects = {}, []
        for place, line in enumerate(feed_of(ds).read_text().splitlines()[1:], start=2):
            try:
                number, customer, cents = read_line(line)
            except ValueError:
                if line:
                    rejects.append({"line": place, "text": line.strip("; o")})
            else:
                sales[number] = {"number": number, "customer": customer, "cents": cents}
        values = {"ds": ds, "sales": json.dumps(list(sales.values())), "rejects": json.dumps(rejects)}
        PostgresHook("shop").run([CLEAR_SALES, CLEAR_REJECTS, ADD_SALES, ADD_REJECTS], parameters=values)

    wait() >> load()


sales_daily()

# %% q="q3" role="wrong" says="held its worker slot for" dag="sales_daily"
import json
import os
from pathlib import Path

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import dag, task
from feed_lines import read_line

CLEAR_SALES = "DELETE FROM sales WHERE dt = %(ds)s::date"
CLEAR_REJECTS = "DELETE FROM rejects WHERE dt = %(ds)s::date"
ADD_SALES = """
    INSERT INTO sales SELECT number, customer, cents, %(ds)s::date
    FROM json_to_recordset(%(sales)s::json) AS given (number integer, customer text, cents integer)
"""
ADD_REJECTS = """
    INSERT INTO rejects SELECT %(ds)s::date, line, text
    FROM json_to_recordset(%(rejects)s::json) AS given (line integer, text text)
"""


def feed_of(ds):
    return Path(os.environ["DATA_ROOT"], "feed", f"{ds}.csv")


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def sales_daily():
    wait = FileSensor(task_id="wait", filepath="feed/{{ ds }}.csv", poke_interval=300, timeout=12 * 3600)

    @task(retries=2)
    def load(ds=None):
        sales, rejects = {}, []
        for place, line in enumerate(feed_of(ds).read_text().splitlines()[1:], start=2):
            try:
                number, customer, cents = read_line(line)
            except ValueError:
                if line:
                    rejects.append({"line": place, "text": line})
            else:
                sales[number] = {"number": number, "customer": customer, "cents": cents}
        values = {"ds": ds, "sales": json.dumps(list(sales.values())), "rejects": json.dumps(rejects)}
        PostgresHook("shop").run([CLEAR_SALES, CLEAR_REJECTS, ADD_SALES, ADD_REJECTS], parameters=values)

    wait >> load()


sales_daily()

# %% [markdown]
# ## What you now know
#
# 1. Read a feed in a function of its own, and keep what you can't read: with its place, as it came.
# 2. Wait for a file with a sensor that is rescheduled, and let go of the slot.
# 3. Make room for the date and fill it, in one transaction.
# 4. Keys in the database stop what two runs at once would do.
# 5. Don't say that a pipeline is safe to rerun. Prove it.
