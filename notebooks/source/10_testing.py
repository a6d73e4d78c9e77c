# %% [markdown]
# # 10 · Testing like you mean it
#
# A customer brings something back and gets 3.50 €. The books say 2.50 €. All tests are green.
#
# In this lesson you write tests at several levels, and test *them*: with copies of the code that have a fault each. A test that never fails says nothing.

# %%
from course import ask_airflow, axes, fresh, lesson_home, picture, prove, put, q1, q2, q3, rows, run, start, suite

start("10")

# %% [markdown]
# ## What happens
#
# The till prints amounts as text: `1.234,50`. A function makes cents of them. It lies in a module of its own beside the DAG, and knows nothing of Airflow.


# %% file="dags/prices.py"
def cents(text):
    """Return an amount such as 1.234,50 in cents."""
    whole, _, rest = text.partition(",")
    return int(whole.replace(".", "")) * 100 + int(rest)


def text_of(cents):
    """Return cents as the till prints them."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole:,}".replace(",", ".") + f",{rest:02}"


# %% [markdown]
# A *unit test* calls the function with what its author has thought of.

# %% file="tests/test_examples.py"
from prices import cents


def test_an_amount():
    assert cents("12,00") == 1200


def test_a_large_amount():
    assert cents("1.234,50") == 123450


# %%
examples = suite("tests/test_examples.py")
assert set(examples.outcome) == {"passed"}
examples

# %% [markdown]
# Green. And here are the books:

# %% dag="receipts_daily"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task
from prices import cents

DELETE = "DELETE FROM amounts WHERE dt = %(ds)s::date"
DELETE_SUM = "DELETE FROM sums WHERE dt = %(ds)s::date"
SUM = "INSERT INTO sums SELECT %(ds)s::date, sum(cents) FROM amounts WHERE dt = %(ds)s::date"


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def receipts_daily():
    @task
    def load(ds=None):
        hook = PostgresHook("shop")
        hook.run(DELETE, parameters={"ds": ds})
        query = "SELECT number, amount FROM receipts WHERE dt = %(ds)s::date"
        for number, amount in hook.get_records(query, parameters={"ds": ds}):
            hook.run("INSERT INTO amounts VALUES (%s, %s, %s)", parameters=(number, ds, cents(amount)))

    @task
    def add_up(ds=None):
        PostgresHook("shop").run([DELETE_SUM, SUM], parameters={"ds": ds})

    load() >> add_up()


receipts_daily()

# %%
assert run("receipts_daily", "2026-01-01").state == "success"
books = rows("SELECT number, amount, cents FROM amounts JOIN receipts USING (number) ORDER BY number")
assert list(books.cents) == [123450, -250]
books

# %% [markdown]
# ## Why
#
# An example tests what came to somebody's mind. Nobody thought of a refund.
#
# A *property* says what holds for every input, and Hypothesis looks for one for which it doesn't. Here: printing an amount and reading it back gives the same amount. No example, no expected value.

# %% file="tests/test_property.py"
from hypothesis import given
from hypothesis.strategies import integers
from prices import cents, text_of


@given(integers(-1_000_000, 1_000_000))
def test_what_is_printed_is_read(amount):
    text = text_of(amount)
    assert cents(text) == amount, f"{text} is read as {cents(text)} cents"


# %%
found = suite("tests/test_property.py")
assert list(found.outcome) == ["failed"]
found

# %% [markdown]
# Hypothesis has drawn amounts until one failed, and then made it as small as it could: one cent below nothing.
#
# ## The fix


# %% file="dags/prices.py"
def cents(text):
    """Return an amount such as 1.234,50 in cents."""
    sign = -1 if text.startswith("-") else 1
    whole, _, rest = text.lstrip("-").partition(",")
    return sign * (int(whole.replace(".", "")) * 100 + int(rest))


def text_of(cents):
    """Return cents as the till prints them."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole:,}".replace(",", ".") + f",{rest:02}"


# %%
found = suite("tests/test_property.py")
assert list(found.outcome) == ["passed"]
found

# %% [markdown]
# ## Who tests the tests?
#
# Put a fault into the code, on purpose, and see whether a test fails. Such a copy is called a *mutant*. A suite that lets it live has a hole there.

# %%
MUTANTS = {
    "the sign is dropped": ("dags/prices.py", "-1 if", "1 if"),
    "dots stay in": ("dags/prices.py", 'replace(".", "")', 'replace(".", "0")'),
    "ten for a hundred": ("dags/prices.py", "* 100 +", "* 10 +"),
    "no cents": ("dags/prices.py", "+ int(rest)", "+ 0"),
}
by_examples = suite("tests/test_examples.py", MUTANTS)
assert list(by_examples["seen by"] == "nobody") == [True, False, False, False]
by_examples

# %%
by_property = suite("tests/test_property.py", MUTANTS)
assert "nobody" not in set(by_property["seen by"])
by_property

# %% [markdown]
# ## The levels
#
# Not every fault sits in a function. There are four levels at which you can look, and each needs more than the one before it:
#
# | level | what it does |
# |---|---|
# | unit | calls functions; no Airflow, no database |
# | integrity | loads the DAG file: does it import, are the tasks and edges right? |
# | run | runs the DAG once, and looks at the rows |
# | law | runs it in many ways, and compares the rows |
#
# Here are four faults:
#
# * `refunds`: the sign is dropped again;
# * `edge`: the sum is made before the amounts are loaded;
# * `swallowed`: the `INSERT` names a table that isn't there, and the error is caught;
# * `append`: nothing is deleted before the `INSERT`.
#
# The next cell writes down each as what stands there and what stands there instead, and makes a function of each level: it tells whether all is well. The cell after it puts in one fault after the other, and asks each level.

# %%
dags = lesson_home() / "dags"
healthy = {name: (dags / name).read_text() for name in ("prices.py", "receipts_daily.py")}
INSERT = """            hook.run("INSERT INTO amounts VALUES (%s, %s, %s)", parameters=(number, ds, cents(amount)))"""
SWALLOWED = """            try:
                hook.run("INSERT INTO amuonts VALUES (%s, %s, %s)", parameters=(number, ds, cents(amount)))
            except Exception:
                print("no luck today")"""
FAULTS = {
    "refunds": ("prices.py", "-1 if", "1 if"),
    "edge": ("receipts_daily.py", "load() >> add_up()", "add_up() >> load()"),
    "swallowed": ("receipts_daily.py", INSERT, SWALLOWED),
    "append": ("receipts_daily.py", 'hook.run(DELETE, parameters={"ds": ds})', "pass"),
}
EDGES = "print([(t.task_id, sorted(t.downstream_task_ids)) for t in load_dag('receipts_daily').tasks])"


def unit():
    return set(suite("tests/test_property.py").outcome) == {"passed"}


def integrity():
    return ask_airflow(EDGES) == "[('load', ['add_up']), ('add_up', [])]"


def one_run():
    ran = run("receipts_daily", "2026-01-01")
    there = rows("SELECT cents FROM amounts WHERE dt = '2026-01-01' ORDER BY number")
    return ran.state == "success" and list(there.cents) == [123450, -350]


def law():
    return bool(prove("receipts_daily", "2026-01-01").all("effect", "rerun"))


LEVELS = {"unit": unit, "integrity": integrity, "run": one_run, "law": law}
assert all(level() for level in LEVELS.values())

# %%
seen = {}
for fault, (name, old, new) in FAULTS.items():
    assert old in healthy[name]
    put(f"dags/{name}", healthy[name].replace(old, new))
    fresh()
    seen[fault] = [level for level, is_fine in LEVELS.items() if not is_fine()]
    put(f"dags/{name}", healthy[name])
seen

# %%
figure, plot = axes(width=5, height=2.2)
for y, fault in enumerate(FAULTS):
    for x, level in enumerate(LEVELS):
        sees = level in seen[fault]
        plot.scatter(x, y, s=160, marker="o" if sees else "x", color="#2e7d32" if sees else "#bbbbbb")
plot.set_xticks(range(len(LEVELS)), LEVELS)
plot.set_yticks(range(len(FAULTS)), FAULTS)
plot.set_ylim(len(FAULTS) - 0.5, -0.5)
plot.set_title("which level sees which fault", fontsize=10)
picture(figure, "; ".join(f"{fault} is seen by {', '.join(levels)}" for fault, levels in seen.items()))

# %%
assert "unit" in seen["refunds"]
assert seen["edge"][0] == "integrity"
assert seen["swallowed"][0] == "run"
assert seen["append"] == ["law"]

# %% [markdown]
# Each level sees something that those before it can't. None sees all:
#
# * A unit test doesn't know the DAG.
# * An integrity test doesn't run it. A task that does nothing has perfect edges.
# * A single run doesn't know what a second one would do.
# * A law compares runs with each other. It doesn't know which cents are right: `refunds` is wrong in each of them alike, and so only the others tell.
#
# And all of them run on a PostgreSQL that is started for the tests. The one in these lessons comes from a wheel. Is production in a container? Then `dagproof prove receipts_daily --postgres testcontainers` takes one, where there is a Docker engine.

# %%
from dagproof.postgres.servers import KINDS

KINDS

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: kill them all
#
# This is what a delivery costs. Write tests that pass for this code, and of which one fails for each fault that somebody could put into it. You don't know the faults. `suite("tests/test_fees.py")` runs them.


# %% q="q1" role="given" file="dags/fees.py"
def fee(total, express=False):
    """Return the fee in cents: 5 % of the total, 50 cents at least, nothing from 100 € on; express is 3 € more."""
    base = 0 if total >= 100_00 else max(50, total * 5 // 100)
    return base + (300 if express else 0)


# %% q="q1" role="starter" file="tests/test_fees.py"
from fees import fee


def test_fee(): ...


# %% q="q1" role="check"
FEES = "dags/fees.py"
MUTANTS = {
    "exactly 100 € costs a fee": (FEES, ">=", ">"),
    "everything from 10 € on is free": (FEES, "100_00", "10_00"),
    "there is no least fee": (FEES, "max(50, total * 5 // 100)", "total * 5 // 100"),
    "the least fee is the most": (FEES, "max", "min"),
    "the rate is 6 %": (FEES, "total * 5", "total * 6"),
    "express is free": (FEES, "base + (300 if express else 0)", "base"),
    "express is not added, it replaces": (FEES, "base + (300 if express else 0)", "300 if express else base"),
}


def check():
    results = run_suite("tests/test_fees.py", MUTANTS)
    right = results.pop("")
    expect(right, "There is no test in it: a function whose name begins with test_.")
    bad = [f"{one['test']}: {one['outcome']}, {one['says']}" for one in right if one["outcome"] != "passed"]
    expect(not bad, "The code is right, and your suite fails for it:\n" + "\n".join(bad))
    alive = [name for name, tests in results.items() if all(one["outcome"] == "passed" for one in tests)]
    expect(not alive, f"Seen by no test: {len(alive)} of {len(results)} faults. The first is: {alive and alive[0]}.")


# %% [markdown] q="q1" role="hint"
# Where does the code decide something? Test on both sides of each such place, and right on it.

# %% [markdown] q="q1" role="hint"
# The amounts 100 € and 99.99 €, a very small one, one in between (say 50 €), and each of two of them with `express=True`.

# %% q="q1" role="solution" file="tests/test_fees.py"
import pytest
from fees import fee


@pytest.mark.parametrize(
    ("total", "costs"), [(100_00, 0), (99_99, 499), (50_00, 250), (10_00, 50), (9_00, 50), (1, 50)]
)
def test_fee(total, costs):
    assert fee(total) == costs
    assert fee(total, express=True) == costs + 300


# %% q="q1" role="wrong" says="Seen by no test: " file="tests/test_fees.py"
from fees import fee


def test_fee():
    assert fee(50_00) == 250
    assert fee(200_00) == 0


# %% q="q1" role="wrong" says="The code is right, and your suite fails for it" file="tests/test_fees.py"
from fees import fee


def test_fee():
    assert fee(100_00) == 500


# %% q="q1" role="wrong" says="There is no test in it" file="tests/test_fees.py"
from fees import fee


def fee_is_right():
    assert fee(50_00) == 250


# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: what must hold?
#
# A bill is split among friends: `split(total, parts)` gives a list of cents. Write what must hold of it, for every total from 0 on and every number of parts from 1 on: nothing is lost, everybody gets a part, and nobody pays more than one cent more than another.
#
# `holds` gets the function itself, and returns True or False.


# %% q="q2" role="given"
def split(total, parts):
    least, rest = divmod(total, parts)
    return [least + 1] * rest + [least] * (parts - rest)


split(1000, 3)


# %% q="q2" role="starter"
def holds(split, total, parts): ...


# %% q="q2" role="check"
def fair(total, parts):
    least, rest = divmod(total, parts)
    return [least + 1] * rest + [least] * (parts - rest)


def loses_cents(total, parts):
    return [total // parts] * parts


def first_pays_the_rest(total, parts):
    least, rest = divmod(total, parts)
    return [least + rest] + [least] * (parts - 1)


def one_pays_all(total, parts):
    return [total]


EXAMPLES = [(0, 1), (1, 1), (1, 2), (10, 3), (1000, 3), (5, 7), (8, 4), (999, 10)]


def check(holds):
    for total, parts in EXAMPLES:
        expect(holds(fair, total, parts) is True, f"fair is right, but holds(fair, {total}, {parts}) is not True.")
    for wrong in (loses_cents, first_pays_the_rest, one_pays_all):
        seen = [holds(wrong, total, parts) is False for total, parts in EXAMPLES]
        given = wrong(1000, 6)
        expect(any(seen), f"{wrong.__name__}(1000, 6) gives {given}, and holds() finds nothing wrong with that.")


# %% [markdown] q="q2" role="hint"
# Call `split(total, parts)` once, and look at its `sum`, its `len`, its `max` and its `min`.

# %% [markdown] q="q2" role="hint"
# Three claims, joined by `and`.


# %% q="q2" role="solution"
def holds(split, total, parts):
    given = split(total, parts)
    return sum(given) == total and len(given) == parts and max(given) - min(given) <= 1


# %% q="q2" role="wrong" says="first_pays_the_rest(1000, 6) gives"
def holds(split, total, parts):
    given = split(total, parts)
    return sum(given) == total and len(given) == parts


# %% q="q2" role="wrong" says="fair is right, but holds(fair, 1, 2) is not True"
def holds(split, total, parts):
    given = split(total, parts)
    return sum(given) == total and len(set(given)) == 1


# %% q="q2" role="wrong" outcome="too slow" says="took more than"
def holds(split, total, parts):
    while True:
        pass


# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: the cheapest level
#
# Which is the cheapest level that sees each of these? Write `"unit"`, `"integrity"`, `"run"` or `"law"`.

# %% q="q3" role="starter"
cheapest = {
    "the file has a typing error, and does not import": ...,
    "the rate is 6 instead of 5 per cent": ...,
    "an INSERT names a column that the table does not have": ...,
    "a DELETE has no WHERE, and takes all days": ...,
}

# %% q="q3" role="check"
ANSWERS = {
    "typing error": ("integrity", "It stands in the DAG file, which a unit test doesn't load."),
    "rate": ("unit", "A function of its own gives another number, whoever calls it."),
    "INSERT": ("run", "Only the database knows its columns, and only a run asks it."),
    "DELETE": ("law", "A single run of one day is fine. It takes a second day to miss the first."),
}


def check(cheapest):
    for fault, level in cheapest.items():
        wanted, why = next(answer for words, answer in ANSWERS.items() if words in fault)
        levels = ["unit", "integrity", "run", "law"]
        expect(level in levels, f"{level!r} is no level; there is {', '.join(levels)}.")
        dearer = levels.index(level) > levels.index(wanted)
        told = "There is a cheaper one." if dearer else f"It is not seen there. {why}"
        expect(level == wanted, f"{fault}: not {level}. {told}")


# %% [markdown] q="q3" role="hint"
# Go through the levels from the cheapest on. Does it load the DAG file? Does it ask a database? Does it run a second date?

# %% [markdown] q="q3" role="hint"
# Each level is the answer once.

# %% q="q3" role="solution"
cheapest = dict(
    zip(
        [
            "the file has a typing error, and does not import",
            "the rate is 6 instead of 5 per cent",
            "an INSERT names a column that the table does not have",
            "a DELETE has no WHERE, and takes all days",
        ],
        ["integrity", "unit", "run", "law"],
        strict=True,
    )
)

# %% q="q3" role="wrong" says="not run. It is not seen there. A single run of one day is fine"
cheapest = {
    "the file has a typing error, and does not import": "integrity",
    "the rate is 6 instead of 5 per cent": "unit",
    "an INSERT names a column that the table does not have": "run",
    "a DELETE has no WHERE, and takes all days": "run",
}

# %% q="q3" role="wrong" says="not run. There is a cheaper one"
cheapest = {
    "the file has a typing error, and does not import": "run",
    "the rate is 6 instead of 5 per cent": "unit",
    "an INSERT names a column that the table does not have": "run",
    "a DELETE has no WHERE, and takes all days": "law",
}

# %% [markdown]
# ## What you now know
#
# 1. An example tests what somebody thought of. A property tests what nobody did.
# 2. A suite is tested by mutants: one that survives shows a hole.
# 3. Keep functions free of Airflow: then a test of them needs neither Airflow nor a database.
# 4. Integrity, a run, a law: each level sees what those before it can't.
# 5. A law compares runs. That the rows are *right* is for the other tests to say.
