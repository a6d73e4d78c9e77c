"""What reads the current time, and what draws at random."""

from __future__ import annotations

_NOW = ("now", "utcnow", "today")
_PANDAS = [f"pandas.{kind}.{name}" for kind in ("Timestamp", "DatetimeIndex") for name in _NOW]
_AIRFLOW = [
    f"{module}.{name}"
    for module in ("airflow.utils.timezone", "airflow.sdk.timezone", "airflow.sdk._shared.timezones.timezone")
    for name in ("utcnow",)
]
_PENDULUM = [f"pendulum.{name}" for name in ("now", "today", "tomorrow", "yesterday", "DateTime.now", "DateTime.today")]
_OF_QUERIES = [
    f"{module}.{name}"
    for module in ("sqlalchemy.func", "sqlalchemy.sql.func", "pyspark.sql.functions")
    for name in ("now", "current_date", "current_timestamp", "localtimestamp", "getdate", "sysdate")
]
"""They build SQL that reads the clock."""
WALL_CLOCKS = frozenset(
    [f"datetime.datetime.{name}" for name in _NOW]
    + ["datetime.date.today"]
    + [f"time.{name}" for name in ("time", "time_ns", "clock_gettime", "clock_gettime_ns")]
    + _PENDULUM
    + ["pendulum.DateTime.utcnow", "pendulum.Date.today"]
    + [f"airflow.macros.datetime.{name}" for name in _NOW]
    + _PANDAS
    + _AIRFLOW
    + _OF_QUERIES
    + ["django.utils.timezone.now", "arrow.now", "arrow.utcnow", "airflow.utils.dates.days_ago"]
)
CLOCKS_WITHOUT_ARGUMENT = {
    "time.gmtime": 0,
    "time.localtime": 0,
    "time.ctime": 0,
    "time.asctime": 0,
    "time.strftime": 1,
    "arrow.get": 0,
    "email.utils.formatdate": 0,
    "email.utils.localtime": 0,
    "pyspark.sql.functions.unix_timestamp": 0,
}
"""These read the clock when they get no more than so many arguments."""
CLOCKS_OF_TEXT = frozenset({"pandas.Timestamp", "pandas.to_datetime", "numpy.datetime64", "dateparser.parse"})
"""These read the clock when they are given a word such as "now"."""
CLOCK_WORDS = frozenset({"now", "today", "tomorrow", "yesterday"})
OPERATORS_BY_CLOCK = frozenset({"BranchDayOfWeekOperator", "BranchDateTimeOperator", "DayOfWeekSensor"})
"""Airflow's operators that go by the wall clock unless one of these arguments is true."""
BY_LOGICAL_DATE = ("use_task_logical_date", "use_task_execution_day", "use_task_execution_date")
"""The newest name first; the others are those of Airflow 2."""

UNSTEADY = frozenset(
    [f"uuid.{name}" for name in ("uuid1", "uuid4", "uuid6", "uuid7")]
    + ["os.urandom", "random.SystemRandom", "secrets.SystemRandom"]
    + ["ulid.new", "ulid.ULID", "shortuuid.uuid", "nanoid.generate", "sqlalchemy.func.random", "sqlalchemy.func.rand"]
    + [f"secrets.{name}" for name in ("token_bytes", "token_hex", "token_urlsafe", "choice", "randbelow", "randbits")]
)
UNSEEDED = frozenset(
    ["random.Random", "numpy.random.default_rng", "numpy.random.RandomState", "numpy.random.SeedSequence"]
    + [f"pyspark.sql.functions.{name}" for name in ("rand", "randn")]
)
"""They differ each time when they get no argument."""
_DRAWS = (
    "random randint randrange uniform choice choices sample shuffle gauss normalvariate betavariate expovariate "
    "gammavariate lognormvariate paretovariate triangular vonmisesvariate weibullvariate getrandbits randbytes"
)
DRAWS = frozenset(f"random.{name}" for name in _DRAWS.split())
"""They give the same again after ``random.seed(…)``."""
NUMPY_DRAWS = frozenset(
    f"numpy.random.{name}"
    for name in [
        "rand",
        "randn",
        "randint",
        "random",
        "random_sample",
        "choice",
        "shuffle",
        "permutation",
        "normal",
        "uniform",
        "poisson",
        "bytes",
    ]
)
"""They give the same again after ``numpy.random.seed(…)``."""
