"""DAGs of one task each that does what a DAG under proof must not do, or cannot."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from types import FrameType

import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, BaseHook, Variable, task

OUTSIDE = "127.0.0.1"


def unmapped_connection():
    PostgresHook("warehouse").get_records("SELECT 1")


def unmapped_variable():
    Variable.get("threshold")


class MySqlHook(BaseHook):
    """As the provider's, which is not installed here."""

    conn_type = "mysql"

    def get_conn(self):
        """Ask for the connection."""
        return self.get_connection("shop_mysql")


def wants_mysql():
    MySqlHook().get_conn()


def unset_environment():
    os.environ["LAKE_ROOT"]


def fails():
    print("about to look for order 7")
    raise LookupError("there is no order 7")


def fails_at_sql():
    PostgresHook("shop").run("INSERT INTO no_such_table VALUES (1)")


def misspells_a_column():
    with PostgresHook("shop").get_sqlalchemy_engine().connect() as connection:
        connection.exec_driver_sql("SELECT idd\nFROM orders")


def wants_a_date(ds=None):
    Path(os.environ["DATA_ROOT"], f"{ds[:4]}.txt").write_text(ds)


def exits():
    sys.exit(3)


def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def is_gone():
    os._exit(0)


def forges():
    """Writes a good report wherever one may be read, and goes."""
    report = json.dumps({"state": "success", "tasks": [], "reason": None, "imported": []})
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "_run_dag":
            Path(str(frame.f_locals["result"])).write_text(report)
        frame = frame.f_back
    for descriptor in range(3, 1000):
        with contextlib.suppress(OSError):
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # one is Airflow's own database
                os.write(descriptor, report.encode() + b"\n")
    os._exit(0)


def writes_outside():
    Path(os.environ["OUTSIDE"], "was-here").write_text("x")


def shell_writes_outside():
    subprocess.run(["sh", "-c", 'echo x > "$OUTSIDE/was-here"'], check=True)


def connects_with_socket():
    socket.create_connection((OUTSIDE, int(os.environ["OTHER_PORT"])), timeout=5).close()


def connects_with_psycopg():
    import psycopg

    psycopg.connect(host=OUTSIDE, port=os.environ["OTHER_PORT"], dbname="x", connect_timeout=3)


def connects_with_psycopg2():
    import psycopg2

    psycopg2.connect(host=OUTSIDE, port=os.environ["OTHER_PORT"], dbname="x", connect_timeout=3)


def connects_in_a_child():
    program = f"import socket; socket.create_connection(({OUTSIDE!r}, {os.environ['OTHER_PORT']}), timeout=5)"
    subprocess.run([sys.executable, "-c", program], check=True)


def connects_in_a_shell():
    subprocess.run(["bash", "-c", f"echo > /dev/tcp/{OUTSIDE}/$OTHER_PORT"], check=True)


def hangs():
    print("hanging")
    subprocess.run(["sleep", "1000"])


def ignores_sigterm():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        subprocess.run(["sleep", "1000"])


def spins():
    while True:
        pass


def leaves_a_child():
    subprocess.Popen(["sleep", "1001"], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "1002"])
        os._exit(0)
    Path(os.environ["DATA_ROOT"], "done").touch()


def hangs_and_leaves_a_child():
    leaves_a_child()
    hangs()


def fills_the_disk():
    for number in range(1_000_000):
        Path(os.environ["DATA_ROOT"], f"{number}.bin").write_bytes(bytes(1_000_000))


def writes_one_big_file():
    with Path(os.environ["DATA_ROOT"], "big.bin").open("wb") as file:
        for _ in range(1_000_000):
            file.write(bytes(1_000_000))


def opens_200_connections():
    connections = [PostgresHook("shop").get_conn() for _ in range(200)]
    raise LookupError(f"there are {len(connections)} connections")


def waits():
    Path(os.environ["MARKER"]).write_text(str(os.getpid()))
    leaves_a_child()
    hangs()


def appends(ds=None):
    with Path(os.environ["DATA_ROOT"], "orders.csv").open("a") as file:
        file.write(f"{ds},1\n")


def inserts(ds=None):
    PostgresHook("shop").run("INSERT INTO orders SELECT n, %s FROM generate_series(1, 1000) n", parameters=(ds,))


def commits_twice(ds=None):
    hook = PostgresHook("shop")
    hook.run("DELETE FROM orders WHERE dt = %s", autocommit=True, parameters=(ds,))
    hook.run("INSERT INTO orders SELECT n, %s FROM generate_series(1, 7) n", autocommit=True, parameters=(ds,))


def loads_what_there_is(ds=None):
    rows = 7 if ds == "2026-01-02" else 0
    day = f"INSERT INTO orders SELECT n, '{ds}' FROM generate_series(1, {rows}) n"
    PostgresHook("shop").run([f"DELETE FROM orders WHERE dt = '{ds}'", day])


def loads_only_once(ds=None):
    if not PostgresHook("shop").get_records("SELECT FROM orders"):
        PostgresHook("shop").run("INSERT INTO orders SELECT n, %s FROM generate_series(1, 7) n", parameters=(ds,))


def keeps_the_last_day(ds=None):
    PostgresHook("shop").run("TRUNCATE orders")
    loads_what_there_is(ds)


def writes(ds=None):
    Path(os.environ["DATA_ROOT"], f"{ds}.txt").write_text(ds)


def says_no():
    return False


def succeeds_at_last(ds=None, ti=None):
    writes(ds)
    if ti.try_number < 5:
        raise LookupError("not yet")


FUNCTIONS = (
    unmapped_connection,
    unmapped_variable,
    wants_mysql,
    unset_environment,
    fails,
    fails_at_sql,
    misspells_a_column,
    exits,
    is_killed,
    is_gone,
    forges,
    writes_outside,
    shell_writes_outside,
    connects_with_socket,
    connects_with_psycopg,
    connects_with_psycopg2,
    connects_in_a_child,
    connects_in_a_shell,
    hangs,
    ignores_sigterm,
    spins,
    leaves_a_child,
    hangs_and_leaves_a_child,
    fills_the_disk,
    writes_one_big_file,
    opens_200_connections,
    waits,
    appends,
    inserts,
    commits_twice,
    loads_what_there_is,
    loads_only_once,
    keeps_the_last_day,
    writes,
)

for function in FUNCTIONS:
    name = f"dag_{function.__name__}"
    with DAG(name, schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as dag:
        task(function)()
    globals()[name] = dag

with DAG("dag_fails_in_a_shell", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    BashOperator(task_id="fails", bash_command="echo 'there is no order 7' >&2; exit 3")

with DAG("dag_skips_all", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    numbers = range(7, 1, -1)
    task.short_circuit(says_no)() >> [task(task_id=f"part_{number}")(writes)() for number in numbers]

with DAG("dag_skips_one", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    task.short_circuit(says_no)() >> task(writes)()
    task(loads_what_there_is)()

with DAG("dag_without_tasks", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    pass

with DAG(
    "dag_backs_off",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"retries": 4, "retry_delay": pendulum.duration(hours=1), "retry_exponential_backoff": True},
):
    task(succeeds_at_last)()

with DAG("dag_weekly", schedule="@weekly", start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    task(writes)()

with DAG("dag_wants_a_date", schedule=[Asset("orders")], start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
    task(wants_a_date)()
