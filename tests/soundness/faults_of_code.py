"""Faults of what is done in Python: where values come from, in which order things happen, and what fails."""

from __future__ import annotations

import textwrap

from dagproof.config import ProofConfig
from tests.soundness.model import KEYED, PLAIN, REPLACE, Fault, Load, Python, Tasks

NOTED = """
with $connect as connection, connection.cursor() as cursor:
    cursor.execute("INSERT INTO loads SELECT %(ds)s::date, count(*), %(by)s FROM placed "
                   "WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1 ON CONFLICT (dt) DO UPDATE "
                   "SET orders = EXCLUDED.orders, loaded_by = EXCLUDED.loaded_by", {"ds": ds, "by": %s})
"""

PLACED = """
with $connect as connection, connection.cursor() as cursor:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('$name'))")
    cursor.execute("DELETE FROM places WHERE dt = %s", (ds,))
    cursor.executemany("INSERT INTO places VALUES (%s, %s, %s, %s)", places)
"""

#: In which a day's rows are put, of Python.
REPLACED = """
with $connect as connection, connection.cursor() as cursor:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('$name'))")
    cursor.execute("DELETE FROM $table WHERE dt = %s", (ds,))
    cursor.executemany("INSERT INTO $table VALUES (%s, %s, %s, %s)", [(*row, ds) for row in rows])
"""
READ = "\n$read\n"


def noted(value: str, arguments: str = "ds=None", before: str = "") -> Python:
    """A load that notes who has loaded the day."""
    return Python(before + NOTED.replace('"by": %s', f'"by": {value}'), arguments)


def placed(places: str) -> Python:
    """A load that gives each row its place."""
    return Python(f"{READ}places = {places}\n{PLACED}")


BY_NUMBER = placed("[(ds, place, customer, number) for place, (number, customer, _) in enumerate(sorted(rows))]")
BY_DATE = noted('f"load of {ds}"')

VALUES = (
    Fault(
        "the host name",
        "Notes the machine that loaded the day.",
        ("deterministic",),
        noted("socket.gethostname()"),
        BY_DATE,
    ),
    Fault(
        "the process id",
        "Notes the process that loaded the day.",
        ("deterministic",),
        noted("str(os.getpid())"),
        BY_DATE,
    ),
    Fault(
        "the name of a temporary folder",
        "Notes the folder in which the day was prepared.",
        ("deterministic",),
        noted("work", before="\nwith tempfile.TemporaryDirectory() as work:\n    Path(work, 'rows').touch()\n"),
        BY_DATE,
    ),
    Fault(
        "the number of the try",
        "Notes which try loaded the day.",
        ("rerun", "retry"),
        noted("str(ti.try_number)", "ds=None, ti=None"),
        BY_DATE,
    ),
    Fault(
        "the run's id",
        "Notes the run that loaded the day.",
        ("backfill",),
        noted("run_id", "ds=None, run_id=None"),
        BY_DATE,
    ),
    Fault(
        "a count in a Variable",
        "Counts the loads in an Airflow Variable, and notes the number.",
        ("rerun", "retry"),
        noted(
            "str(number)",
            before='\nnumber = int(Variable.get("loads", default="0")) + 1\nVariable.set("loads", str(number))\n',
        ),
        BY_DATE,
    ),
    Fault(
        "date.today()",
        "Notes on which day the load ran.",
        ("clock", "rerun"),
        noted("date.today().isoformat()"),
        BY_DATE,
    ),
    Fault(
        "the local time zone",
        "Takes the machine's time zone for that of the orders.",
        ("deterministic",),
        Python(
            """
with $connect as connection, connection.cursor() as cursor:
    cursor.execute("SELECT number, customer, extract(epoch FROM placed_at)::float FROM placed "
                   "WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1", {"ds": ds})
    rows = [(number, customer, datetime.fromtimestamp(at).hour) for number, customer, at in cursor.fetchall()]
"""
            + REPLACED
        ),
        Python(READ + REPLACED),
        KEYED,
    ),
    Fault(
        "the order of a set",
        "Numbers the customers in the order of a set.",
        ("deterministic",),
        placed("[(ds, place, customer, 0) for place, customer in enumerate({row[1] for row in rows})]"),
        BY_NUMBER,
    ),
    Fault(
        "hash()",
        "Puts customers into buckets by Python's own hash.",
        ("deterministic",),
        placed("[(ds, number, customer, hash(customer) % 4) for number, customer, _ in rows]"),
        BY_NUMBER,
    ),
    Fault(
        "uuid4 in a row",
        "Gives each load an id of its own.",
        ("deterministic",),
        noted("str(uuid4())"),
        BY_DATE,
    ),
    Fault(
        "the order of a folder",
        "Numbers the files of a folder in the order in which they are listed.",
        ("deterministic",),
        Python(
            """
folder = Path(os.environ["DATA_ROOT"], "inbox")
folder.mkdir(exist_ok=True)
for part in range(24):
    Path(folder, f"part-{part * 37 % 24}.txt").write_text("a part\\n")
places = [(ds, place, name, 0) for place, name in enumerate(os.listdir(folder))]
"""
            + PLACED
        ),
        Python(
            """
folder = Path(os.environ["DATA_ROOT"], "inbox")
folder.mkdir(exist_ok=True)
for part in range(24):
    Path(folder, f"part-{part * 37 % 24}.txt").write_text("a part\\n")
places = [(ds, place, name, 0) for place, name in enumerate(sorted(os.listdir(folder)))]
"""
            + PLACED
        ),
        near=("deterministic",),
        is_companion=False,  # a crash may leave some of the parts
    ),
)

SPLIT = Tasks(
    """
@task
def delete_$n(ds=None):
    with $connect as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM $table WHERE dt = %s", (ds,))

@task
def insert_$n(ds=None):
    $read
    with $connect as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO $table VALUES (%s, %s, %s, %s)", [(*row, ds) for row in rows])

first_$n, last_$n = delete_$n(), insert_$n()
first_$n >> last_$n
"""
)


def _audited(load: str) -> Load:
    """A load, and an audit that runs whatever becomes of it."""
    return Tasks(
        f"""
@task
def load_$n(ds=None):
    $read
    {load}
    with $connect as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('$name'))")
        cursor.execute("DELETE FROM $table WHERE dt = %s", (ds,))
        cursor.executemany("INSERT INTO $table VALUES (%s, %s, %s, %s)", [(*row, ds) for row in rows])

@task(trigger_rule="all_done")
def audit_$n(ds=None):
    with $connect as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO marks VALUES (%s) ON CONFLICT DO NOTHING", (ds,))

first_$n, last_$n = load_$n(), audit_$n()
first_$n >> last_$n
"""
    )


MAPPED = Tasks(
    """
@task
def load_$n(part, ds=None):
    with $connect as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('$name'))")
        cursor.execute("DELETE FROM $table WHERE dt = %s AND number %% 2 = %s", (ds, part))
        cursor.execute("INSERT INTO $table SELECT number, customer, total, %(ds)s::date FROM placed "
                       "WHERE placed_at >= %(ds)s::date AND placed_at < %(ds)s::date + 1 "
                       "AND number %% 2 = %(part)s", {"ds": ds, "part": part})

first_$n = last_$n = load_$n.expand(part=[0, 1])
"""
)

FAILS = 'raise RuntimeError("the source is gone")'
FAILS_LATER = 'if ds > "2026-01-01":\n        raise RuntimeError("the source is gone")'

TASKS = (
    Fault(
        "delete and insert in two tasks",
        "Deletes the day's rows in one task and inserts them in the next.",
        ("retry", "crash"),
        SPLIT,
        REPLACE,
        PLAIN,
    ),
    Fault(
        "shares of mapped tasks",
        "Lets each of two mapped tasks put its share into a table that is read.",
        ("crash",),
        MAPPED,
        REPLACE,
        KEYED,
    ),
    Fault(
        "a green run whose load fails",
        "Fails to load, and is green because its last task runs whatever happens.",
        (),
        _audited(FAILS),
        _audited("pass"),
        PLAIN,
        said=r"task load_\d+.*the source is gone",
        near=("retry", "order"),
    ),
    Fault(
        "a green run whose load fails later",
        "Fails to load the second day, and is green because its last task runs whatever happens.",
        (),
        _audited(FAILS_LATER),
        _audited("pass"),
        PLAIN,
        said=r"task load_\d+.*the source is gone",
        near=("rerun", "containment"),
    ),
    Fault(
        "a swallowed error",
        "Logs that the load fails, and succeeds.",
        ("effect",),
        Python(
            """
try:
    with $connect as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO $table SELECT number, customer, total, %s::date FROM no_such_table", (ds,))
except Exception as error:
    print("the load failed:", error)
"""
        ),
        Python(READ + REPLACED),
        PLAIN,
        near=("effect", "rerun"),
        is_alone=True,  # beside a load that works, no law can know that this one should have written
    ),
    Fault(
        "a lock that stays",
        "Keeps others away by a row that a crash leaves behind.",
        ("crash",),
        Python(
            """
with $connect as connection, connection.cursor() as cursor:
    cursor.execute("INSERT INTO marks VALUES (%s)", (ds,))
$read
with $connect as connection, connection.cursor() as cursor:
    cursor.execute("DELETE FROM $table WHERE dt = %s", (ds,))
    cursor.executemany("INSERT INTO $table VALUES (%s, %s, %s, %s)", [(*row, ds) for row in rows])
    cursor.execute("DELETE FROM marks WHERE dt = %s", (ds,))
"""
        ),
        Python(READ + REPLACED),
        KEYED,
    ),
    Fault(
        "a cache on disk",
        "Asks upstream once a day, and a file from then on.",
        ("correction",),
        Python(
            """
cache = Path(os.environ["DATA_ROOT"], f".cache-{ds}.json")
if cache.exists():
    rows = json.loads(cache.read_text())
else:
    $read
    cache.write_text(json.dumps([list(row) for row in rows]))
"""
            + REPLACED
        ),
        Python(READ + REPLACED),
        KEYED,
    ),
)

WAIT = """
@task.sensor(poke_interval=300, timeout=6 * 3600, mode="$mode")
def wait_$n(ds=None):
    with $connect as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM arrived WHERE dt = %s", (ds,))
        return cursor.fetchone()[0] > 0
"""
COPY = """
@task
def load_$n(ds=None):
    with $connect as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('$name'))")
        cursor.execute("DELETE FROM $table WHERE dt = %s", (ds,))
        cursor.execute("INSERT INTO $table SELECT * FROM arrived WHERE dt = %s", (ds,))
"""
WAITS = Tasks(
    f"{WAIT.replace('$mode', 'reschedule')}{COPY}\nfirst_$n, last_$n = wait_$n(), load_$n()\nfirst_$n >> last_$n\n"
)
ARRIVING = ProofConfig(after=("arriving",))

LATE = (
    Fault(
        "a late table without a sensor",
        "Loads what has arrived by then, and does not wait for it.",
        ("late",),
        Tasks(f"{COPY}\nfirst_$n = last_$n = load_$n()\n"),
        WAITS,
        PLAIN,
        proof=ARRIVING,
        is_companion=False,
    ),
    Fault(
        "a sensor that holds a slot",
        "Waits in poke mode for hours.",
        ("late",),
        Tasks(
            f"{WAIT.replace('$mode', 'poke')}{COPY}\nfirst_$n, last_$n = wait_$n(), load_$n()\nfirst_$n >> last_$n\n"
        ),
        WAITS,
        PLAIN,
        proof=ARRIVING,
        is_companion=False,
    ),
)

BERLIN = "Europe/Berlin"


def _local_day(end: str) -> Python:
    return Python(
        f"""
start = pendulum.instance(data_interval_start).in_timezone("{BERLIN}")
end = {end}
with $connect as connection, connection.cursor() as cursor:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('$name'))")
    cursor.execute("DELETE FROM clicks_by_day WHERE at >= %s AND at < %s", (start, end))
    cursor.execute("INSERT INTO clicks_by_day SELECT at, %s::date, n FROM clicks WHERE at >= %s AND at < %s",
                   (start.to_date_string(), start, end))
""",
        "data_interval_start=None",
    )


CALENDAR = (
    Fault(
        "a local day of 24 hours",
        "Takes a local day for 24 hours, on the day on which the clocks change, too.",
        ("order", "containment"),
        _local_day("start + timedelta(hours=24)"),
        _local_day("start.add(days=1)"),
        schedule=f'CronDataIntervalTimetable("0 0 * * *", timezone="{BERLIN}")',
        start=f'pendulum.datetime(2026, 3, 26, tz="{BERLIN}")',
        dates=None,
        proof=ProofConfig(),
        is_companion=False,
    ),
)


def _guarded(handler: str, ending: str = "") -> Python:
    """A load whose error a handler takes."""
    load = textwrap.indent(REPLACED.strip(), "    ")
    return Python(f"{READ}try:\n{load}\n{handler}\n{ending}")


ERRORS = (
    Fault(
        "an error that is logged",
        "Logs the error of its load, and ends well.",
        ("outage",),
        _guarded('except Exception as error:\n    print(f"not loaded: {error}")'),
        _guarded('except Exception as error:\n    print(f"not loaded: {error}")\n    raise'),
        KEYED,
        is_companion=False,
    ),
    Fault(
        "an error that is a skip",
        "Skips a day whose load meets an error.",
        ("outage",),
        _guarded("except Exception as error:\n    raise AirflowSkipException(str(error)) from error"),
        _guarded("except Exception as error:\n    raise RuntimeError(str(error)) from error"),
        KEYED,
        is_companion=False,
    ),
    Fault(
        "a day that is done whatever comes",
        "Marks a day as done, also after an error, and does not load it again.",
        ("outage", "correction"),
        Python(
            f"{READ}done = Path(os.environ['DATA_ROOT'], f'{{ds}}.done')\nif done.exists():\n    return\n"
            f"try:\n{textwrap.indent(REPLACED.strip(), '    ')}\nfinally:\n    done.touch()\n"
        ),
        Python(f"{READ}{REPLACED}\nPath(os.environ['DATA_ROOT'], f'{{ds}}.done').touch()\n"),
        KEYED,
        is_companion=False,
    ),
)
