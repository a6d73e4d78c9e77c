# %% [markdown]
# # 0 · Set up in five minutes
#
# It is your first day at the shop. There is a pipeline that nobody has ever seen green, on a laptop that nobody has set up. In this lesson you check that everything is installed, see a first run, and fix what is broken: first a pipeline, then a setting.
#
# Run a cell with *Shift+Enter*. The first one takes some seconds: it starts a PostgreSQL and an Airflow that belong to this notebook alone. Both stop when you close the notebook. What you write stays, in the folder `work` beside the notebooks.

# %%
from course import doctor, lesson_home, prove, q1, q2, q3, rows, run, start, start_airflow, tasks, timeline

start("00")

# %%
well = doctor()
assert well
well

# %% [markdown]
# All of it should have a tick. A cross comes with what is wrong.
#
# ## A first run
#
# A DAG is a Python file. It says which tasks there are, and in which order they run. This one has two tasks. The first line, `%%dag greetings_daily`, writes the cell to the file `dags/greetings_daily.py`. Airflow runs in a process of its own, and reads the file there.

# %% dag="greetings_daily"
import time

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def greetings_daily():
    @task
    def think(ds=None):
        time.sleep(20 * 60)
        return f"hello on {ds}"

    @task
    def greet(words, ds=None):
        PostgresHook("shop").run(
            "INSERT INTO greeting VALUES (%(ds)s, %(words)s)", parameters={"ds": ds, "words": words}
        )

    greet(think())


greetings_daily()

# %% [markdown]
# `schedule="0 23 * * *"` says when a run is due: each day at 23:00. (It is written as *cron* writes it: minute, hour, day of the month, month, day of the week.) The first run is the first such moment at or after the `start_date`, and `catchup=True` also runs the days that are already past. In this course you start runs yourself, and need not wait until they are due.
#
# A run is always *for a date*. Let us run the first of January.

# %%
first = run("greetings_daily", "2026-01-01")
assert first.state == "failed"
first

# %% [markdown]
# ## What happens
#
# The run is red. It says so itself: which task, and which error. Each task has a state of its own:

# %%
tasks(first)

# %%
timeline(first)

# %% [markdown]
# The picture is drawn from the run. `think` has thought for twenty minutes, and then `greet` failed. You didn't have to wait: the clock of the run is simulated, and jumps ahead.
#
# ## Why
#
# `relation "greeting" does not exist`: PostgreSQL has no table of that name. Which tables are there?

# %%
rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")

# %% [markdown]
# The table is called `greetings`. An *s* is missing.
#
# ## The fix
#
# Write the file again, with the right name.

# %% dag="greetings_daily"
import time

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def greetings_daily():
    @task
    def think(ds=None):
        time.sleep(20 * 60)
        return f"hello on {ds}"

    @task
    def greet(words, ds=None):
        PostgresHook("shop").run(
            "INSERT INTO greetings VALUES (%(ds)s, %(words)s)", parameters={"ds": ds, "words": words}
        )

    greet(think())


greetings_daily()

# %%
second = run("greetings_daily", "2026-01-01")
assert second.state == "success"
second

# %% [markdown]
# ## The proof
#
# Green says that no task raised an error. It doesn't say that anything was written. So look at the rows:

# %%
found = rows("SELECT * FROM greetings")
assert list(found.words) == ["hello on 2026-01-01"]
found

# %% [markdown]
# A machine can look, too. A *law* is something that must hold of a DAG's runs. The law `effect` says that a run writes something. It is tried in a fresh database, so that what you did above plays no part.

# %%
proof = prove("greetings_daily", "2026-01-01").effect()
assert proof
proof

# %% [markdown] q="q1" role="prompt"
# ## Exercise 1: your first green run
#
# Let the task write one row for its date into the table `greetings (dt date, words text)`. The words are yours. `ds` is the date of the run, as text.
#
# Edit the next cell, run it, and then run `q1.check()` below it. Stuck? Take away the `#` before `q1.hint()`, and run that cell; `q1.solution()` shows an answer.

# %% q="q1" role="starter" dag="my_first_dag"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def my_first_dag():
    @task
    def greet(ds=None): ...

    greet()


my_first_dag()


# %% q="q1" role="check"
def check():
    for date in ("2026-01-01", "2026-01-02"):
        found = left("my_first_dag", date)["greetings"]
        expect(len(found), f"The run for {date} is green, but it has written no row into greetings.")
        expect(
            len(found) == 1,
            f"The run for {date} should write one row, and it has written {len(found)}:\n{shown(found)}",
        )
        expect(found.dt[0] == date, f"The run for {date} has written a row of another date:\n{shown(found)}")
        expect(found.words[0], f"The run for {date} has written a row without words:\n{shown(found)}")


# %% [markdown] q="q1" role="hint"
# `PostgresHook("shop").run(statement, parameters={"ds": ds})` runs an SQL statement. Look at `greetings_daily` above.

# %% [markdown] q="q1" role="hint"
# The statement is `INSERT INTO greetings VALUES (…, …)`. `%(ds)s` in it stands for the parameter `ds`.

# %% q="q1" role="solution" dag="my_first_dag"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def my_first_dag():
    @task
    def greet(ds=None):
        PostgresHook("shop").run("INSERT INTO greetings VALUES (%(ds)s, 'hello')", parameters={"ds": ds})

    greet()


my_first_dag()

# %% q="q1" role="wrong" says="it has written no row into greetings" dag="my_first_dag"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def my_first_dag():
    @task
    def greet(ds=None):
        return f"hello on {ds}"

    greet()


my_first_dag()

# %% q="q1" role="wrong" says="has written a row of another date" dag="my_first_dag"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def my_first_dag():
    @task
    def greet(ds=None):
        PostgresHook("shop").run("INSERT INTO greetings VALUES ('2026-01-01', 'hello')")

    greet()


my_first_dag()

# %% q="q1" role="wrong" outcome="error" says="UndefinedTable" dag="my_first_dag"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def my_first_dag():
    @task
    def greet(ds=None):
        PostgresHook("shop").run("INSERT INTO greeting VALUES (%(ds)s, 'hello')", parameters={"ds": ds})

    greet()


my_first_dag()

# %% [markdown] q="q2" role="prompt"
# ## Exercise 2: what becomes of the others?
#
# This DAG has three tasks, one after the other. The second one fails. Run it, look at its tasks, and write down the last state of each.

# %% q="q2" role="given" dag="three_tasks"
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag(schedule="0 23 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def three_tasks():
    @task
    def one(): ...

    @task
    def two():
        raise ValueError("no")

    @task
    def three(): ...

    one() >> two() >> three()


three_tasks()

# %% q="q2" role="starter"
states = {"one": ..., "two": ..., "three": ...}


# %% q="q2" role="check"
def check(states):
    with fresh() as desk:
        ran = desk.run("three_tasks", "2026-01-01", may_fail=True)
    for task_id in ("one", "two", "three"):
        expect(task_id in states, f"There is no state for {task_id} in {states}.")
        expect(states[task_id] in {one["state"] for one in ran.states}, f"No task has the state {states[task_id]!r}.")
        expect(states[task_id] == ran.of(task_id), f"{task_id} did not end as {states[task_id]!r}. Did it run at all?")


# %% [markdown] q="q2" role="hint"
# `ran = run("three_tasks", "2026-01-01")`, and then `tasks(ran)`.

# %% [markdown] q="q2" role="hint"
# A task that cannot run, because one before it has failed, has a state of its own: it is not `failed`.

# %% q="q2" role="solution"
states = {"one": "success", "two": "failed", "three": "upstream_failed"}

# %% q="q2" role="wrong" says="three did not end as 'failed'"
states = {"one": "success", "two": "failed", "three": "failed"}

# %% q="q2" role="wrong" says="No task has the state 'skipped'"
states = {"one": "success", "two": "failed", "three": "skipped"}

# %% [markdown]
# ## Where Airflow lives
#
# The Airflow of this notebook needs no set-up. Your own one will. It keeps its settings, its DAG files, its logs and, unless you say otherwise, its database in one folder: the one that the environment variable `AIRFLOW_HOME` names. This starts an Airflow with just that variable:

# %%
home = lesson_home() / "airflow"
well = start_airflow(AIRFLOW_HOME=str(home))
assert well
assert repr(well).count(f"{home}/") == 4
well

# %% [markdown]
# Now break it. A path that doesn't begin with `/` counts from wherever you happen to be.

# %%
broken = start_airflow(AIRFLOW_HOME="airflow")
assert not broken
broken

# %% [markdown]
# Airflow refuses: started from another folder, it would find another database there, an empty one.

# %% [markdown] q="q3" role="prompt"
# ## Exercise 3: fix AIRFLOW_HOME
#
# Name a home with which Airflow starts, and can keep its database. `lesson_home()` is a folder that is yours. Somebody has left a file `notes.txt` in it.

# %% q="q3" role="starter"
settings = {"AIRFLOW_HOME": ...}


# %% q="q3" role="check"
def why_it_keeps_nothing(place):
    """Return why nothing can be kept below the folder; None when something can."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / "kept").write_text("")
        (place / "kept").unlink()
    except OSError as error:
        return error.strerror


def check(settings):
    expect(set(settings) == {"AIRFLOW_HOME"}, f"Set AIRFLOW_HOME, and nothing else; you have set {sorted(settings)}.")
    place = Path(str(settings["AIRFLOW_HOME"]))
    taken = any(part.is_file() for part in (place, *place.parents))
    expect(not taken, f"{place.name} is a file, or lies below one: Airflow cannot keep anything in there.")
    starts, words = start_airflow({"AIRFLOW_HOME": str(place)})
    expect(starts, f"With AIRFLOW_HOME={place} Airflow does not start: {words}")
    why = why_it_keeps_nothing(place)
    expect(why is None, f"Airflow starts, but cannot keep its database in {place}: {why}. Name a folder of your own.")


# %% [markdown] q="q3" role="hint"
# The path has to begin with `/`. `str(lesson_home())` does.

# %% [markdown] q="q3" role="hint"
# The folder need not be there yet. But there may be no file of its name.

# %% q="q3" role="solution"
settings = {"AIRFLOW_HOME": str(lesson_home() / "my_airflow")}

# %% q="q3" role="wrong" says="Cannot use relative path"
settings = {"AIRFLOW_HOME": "my_airflow"}

# %% q="q3" role="wrong" says="cannot keep its database in /proc/airflow"
settings = {"AIRFLOW_HOME": "/proc/airflow"}

# %% q="q3" role="wrong" says="notes.txt is a file"
settings = {"AIRFLOW_HOME": str(lesson_home() / "notes.txt")}

# %% [markdown]
# ## What you now know
#
# 1. A DAG is a Python file, and a run of it is for a date.
# 2. Each task has a state: one that raises is `failed`, and what comes after it is `upstream_failed`.
# 3. Green means that no task raised. Whether anything was written is seen in the rows.
# 4. The law `effect` looks for you, in a database of its own.
# 5. `AIRFLOW_HOME` is a path that begins with `/`.
