"""The general loader on a real PostgreSQL: any table, any partition, all or nothing."""

from __future__ import annotations

import datetime
import decimal
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import psycopg.conninfo
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from etl.errors import DuplicateKeyError, LoadError
from etl.load import load_partition

pytestmark = pytest.mark.each_server

ROOT = Path(__file__).parents[3]
DAYS = [datetime.date(2024, 2, day) for day in (27, 28, 29)]
DAY = DAYS[2]

Database = psycopg.Connection[Any]


@pytest.fixture
def database(warehouse: Database) -> Database:
    """A connection to a database with an empty table `t`."""
    warehouse.execute("CREATE TABLE t (id bigint, name text, dt date NOT NULL, UNIQUE (id, dt))")
    return warehouse


def batch(*users: tuple[int, str | None], dt: datetime.date = DAY) -> pa.RecordBatch:
    """Return rows of `t`."""
    columns = [[i for i, _ in users], [name for _, name in users], [dt] * len(users)]
    return pa.record_batch(
        [pa.array(c, k) for c, k in zip(columns, [pa.int64(), pa.string(), pa.date32()], strict=True)],
        names=["id", "name", "dt"],
    )


def rows(database: Database, query: str = "SELECT * FROM t ORDER BY dt, id") -> list[tuple[Any, ...]]:
    """Return what a reader sees."""
    return database.execute(sql.SQL(query)).fetchall()


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10) | st.sampled_from(
    ["", "\\.", "\n\\.\n", '"', '""', "\r\n", ",", "\\N", "NULL", " "]
)
users = st.dictionaries(st.integers(-(2**63), 2**63 - 1), texts | st.none(), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(loads=st.lists(st.tuples(st.sampled_from(DAYS), users), max_size=6))
def test_any_sequence_of_loads_leaves_the_last_load_of_each_partition(
    database: Database, loads: list[tuple[datetime.date, dict[int, str | None]]]
) -> None:
    """Repeats, orders and sizes do not matter, and any text survives: empty is not NULL."""
    database.execute("TRUNCATE t")
    for day, content in loads:
        assert load_partition(database, "t", column="dt", value=day, rows=[batch(*content.items(), dt=day)]) == len(
            content
        )
    last = dict(loads)
    assert rows(database) == [(i, n, day) for day in sorted(last) for i, n in sorted(last[day].items())]


def frame_of(*users: tuple[int, str | None]) -> pd.DataFrame:
    """Return rows of `t` as a DataFrame."""
    return pd.DataFrame(  # type: ignore[no-any-return, unused-ignore]  # the stubs differ from version to version
        {"id": [i for i, _ in users], "name": pd.Series([n for _, n in users], dtype=object), "dt": DAY}
    )


@pytest.mark.parametrize("kind", ["frame", "frame with index", "table", "batches", "reader", "parquet", "no batch"])
def test_rows_come_as_frame_batches_table_or_parquet(database: Database, tmp_path: Path, kind: str) -> None:
    """Each kind of rows leaves the same ones."""
    content = batch((1, "Ada"), (2, None), (3, ""))
    table = pa.Table.from_batches([content])
    pq.write_table(table, tmp_path / "t.parquet")
    frame = frame_of((1, "Ada"), (2, None), (3, ""))
    kinds: dict[str, Any] = {
        "frame": frame,
        "frame with index": frame.set_index(pd.Index(["x", "y", "z"], name="label")),
        "table": table,
        "batches": iter([content.slice(0, 1), content.slice(1)]),
        "reader": table.to_reader(1),
        "parquet": tmp_path / "t.parquet",
        "no batch": iter([]),
    }
    expected = [] if kind == "no batch" else [(1, "Ada", DAY), (2, None, DAY), (3, "", DAY)]
    load_partition(database, "t", column="dt", value=DAY, rows=[batch((9, "old"))])
    assert load_partition(database, "t", column="dt", value=DAY, rows=kinds[kind]) == len(expected)
    assert rows(database) == expected


def test_large_frames_arrive_whole(database: Database) -> None:
    """Over several pieces, in any order of columns."""
    count = 40_000
    frame = pd.DataFrame({"dt": DAY, "name": ["x"] * count, "id": range(count)})
    assert load_partition(database, "t", column="dt", value=DAY, rows=frame) == count
    assert rows(database, "SELECT count(*), sum(id), min(name), min(dt) FROM t") == [
        (count, count * (count - 1) // 2, "x", DAY)
    ]


def test_types_are_preserved(database: Database) -> None:
    """Each Arrow type and each pandas type that has a counterpart keeps its value, and its absence."""
    database.execute(
        "CREATE TABLE typed (part int, i smallint, b boolean, f float8, r float4, n numeric, d date, ts timestamp, "
        "tz timestamptz, c text, raw bytea, gaps bigint, j jsonb)"
    )
    frame = pd.DataFrame(
        {
            "part": [1, 1],
            "i": pd.array([-32768, None], dtype="Int16"),
            "b": pd.array([True, None], dtype="boolean"),
            "f": [0.1 + 0.2, None],
            "r": pd.Series([1.5, None], dtype="float32"),
            "n": [decimal.Decimal("12345678901234567890.123456789"), None],
            "d": [datetime.date(1, 1, 1), None],
            "ts": pd.Series(["2024-02-29 23:59:59.123456", None], dtype="datetime64[us]"),
            "tz": pd.Series([pd.Timestamp("2024-02-29 23:59:59.123456+02:00"), None]),
            "c": pd.Categorical(["x", None]),
            "raw": [b"\x00\xff\\", None],
            "gaps": [2.0**52, None],
            "j": ['{"a": "b, \\"c\\""}', None],
        }
    )
    load_partition(database, "typed", column="part", value=1, rows=frame)
    first, second = rows(database, "SELECT * FROM typed ORDER BY i NULLS LAST")
    instant = datetime.datetime(2024, 2, 29, 21, 59, 59, 123456, tzinfo=datetime.timezone.utc)
    assert first == (
        1,
        -32768,
        True,
        0.1 + 0.2,
        1.5,
        decimal.Decimal("12345678901234567890.123456789"),
        datetime.date(1, 1, 1),
        datetime.datetime(2024, 2, 29, 23, 59, 59, 123456),
        instant,
        "x",
        b"\x00\xff\\",
        2**52,
        {"a": 'b, "c"'},
    )
    assert second == (1, *[None] * 12)


@pytest.mark.parametrize("name", ['a"b', "a.b", "Select", "drop table t; --", "ü é", "%s", "{}", "a'b"])
def test_identifiers_are_taken_literally(database: Database, name: str) -> None:
    """Schema, table and columns of any name, and nothing of it is run as SQL."""
    make = sql.SQL("CREATE SCHEMA {0}; CREATE TABLE {0}.{0} ({0} text, v int)").format(sql.Identifier(name))
    database.execute(make)
    content = [pa.record_batch([pa.array([name]), pa.array([1])], names=[name, "v"])]
    for _ in range(2):
        assert load_partition(database, (name, name), column=name, value=name, rows=content) == 1
    query = sql.SQL("SELECT * FROM {0}.{0}").format(sql.Identifier(name))
    assert database.execute(query).fetchall() == [(name, 1)]
    assert rows(database) == []


def test_rows_without_the_partition_column_get_it(database: Database) -> None:
    """And columns that they do not have get their default."""
    database.execute("CREATE TABLE d (id bigint, kind text DEFAULT 'none', part text)")
    load_partition(database, "d", column="part", value="a,b", rows=[pa.record_batch([pa.array([1])], names=["id"])])
    assert rows(database, "SELECT * FROM d") == [(1, "none", "a,b")]


def failing(*good: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield some rows, then break."""
    yield from good
    raise RuntimeError("the source broke")


BROKEN = [
    pytest.param(lambda: failing(batch((1, "new"))), RuntimeError, "the source broke", id="source breaks"),
    pytest.param(
        lambda: [batch((1, "new"), (2, "b")), batch((2, "c"))],
        DuplicateKeyError,
        "Key (id, dt)=(2, 2024-02-29) already exists. The partition is as it was before.",
        id="duplicate key",
    ),
    pytest.param(lambda: [batch((1, "a\0b"))], LoadError, "invalid byte sequence", id="NUL"),
    pytest.param(lambda: [batch((1, "x"), dt=DAYS[0])], LoadError, "have another dt", id="another partition"),
    pytest.param(lambda: [batch((1, "x")), batch((2, "x"), dt=DAYS[0])], LoadError, "another dt", id="a later row"),
    pytest.param(
        lambda: [batch((1, "x")).rename_columns(["id", "nmae", "dt"])], LoadError, "no column 'nmae'", id="column"
    ),
    pytest.param(lambda: pd.DataFrame({"id": [1.5], "dt": DAY}), LoadError, "'id' does not fit bigint", id="fraction"),
    pytest.param(lambda: pd.DataFrame({"id": ["x"], "dt": DAY}), LoadError, "invalid input syntax", id="no number"),
    pytest.param(lambda: pd.DataFrame({"name": [["a"]], "dt": DAY}), LoadError, "has no CSV form", id="nested"),
    pytest.param(lambda: pd.DataFrame({"id": [1], "dt": [None]}), LoadError, "another dt", id="no partition"),
]


@pytest.mark.parametrize(("make", "error", "message"), BROKEN)
def test_a_broken_load_leaves_the_old_rows(database: Database, make: Any, error: type[Exception], message: str) -> None:
    """And the connection can be used again."""
    load_partition(database, "t", column="dt", value=DAY, rows=[batch((1, "old"), (5, "old"))])
    before = rows(database)
    with pytest.raises(error) as caught:
        load_partition(database, "t", column="dt", value=DAY, rows=make())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert rows(database) == before


def test_a_missing_table_is_named(database: Database) -> None:
    """With the file that makes it."""
    with pytest.raises(LoadError, match=r"The load of x.users where dt = 2024-02-29 has no target: .*schema.sql"):
        load_partition(database, ("x", "users"), column="dt", value=DAY, rows=[])


def test_no_partition_and_no_psycopg_3_are_refused(database: Database) -> None:
    """Both are mistakes of the caller."""
    with pytest.raises(ValueError, match="must not be None"):
        load_partition(database, "t", column="dt", value=None, rows=[])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="psycopg 3"):
        load_partition(object(), "t", column="dt", value=DAY, rows=[])  # type: ignore[arg-type]


def test_a_load_is_part_of_the_callers_transaction(database: Database) -> None:
    """Two loads become visible together, or not at all."""
    with pytest.raises(RuntimeError), database.transaction():
        load_partition(database, "t", column="dt", value=DAYS[0], rows=[batch((1, "a"), dt=DAYS[0])])
        load_partition(database, "t", column="dt", value=DAYS[1], rows=failing(batch((1, "a"), dt=DAYS[1])))
    assert rows(database) == []


def another(database: Database) -> Database:
    """Open a second connection to the same database."""
    return psycopg.connect(database.info.dsn, password=database.info.password)


def test_a_reader_sees_the_old_rows_until_the_end(database: Database) -> None:
    """Never none, never a mix."""
    load_partition(database, "t", column="dt", value=DAY, rows=[batch((1, "old"))])

    def watched() -> Iterator[pa.RecordBatch]:
        for number in (1, 2, 3):
            yield batch((number, "new"))
            with another(database) as reader:
                assert rows(reader) == [(1, "old", DAY)]

    load_partition(database, "t", column="dt", value=DAY, rows=watched())
    assert len(rows(database)) == 3


@pytest.mark.parametrize("unique", [True, False])
def test_loads_of_one_partition_at_once_leave_one_of_them(database: Database, unique: bool) -> None:
    """They take turns, also where no constraint would catch the double rows."""
    if not unique:
        database.execute("ALTER TABLE t DROP CONSTRAINT t_id_dt_key")
    together = threading.Barrier(4)
    errors: list[BaseException] = []

    def load(name: str) -> None:
        try:
            with another(database) as connection:
                together.wait()
                for _ in range(5):
                    content = [batch(*[(i, name) for i in range(start, start + 50)]) for start in (0, 50)]
                    load_partition(connection, "t", column="dt", value=DAY, rows=content)
                    connection.commit()
        except BaseException as error:
            errors.append(error)

    loaders = [threading.Thread(target=load, args=(name,)) for name in "abcd"]
    for loader in loaders:
        loader.start()
    for loader in loaders:
        loader.join()
    assert errors == []
    assert [i for i, _, _ in rows(database)] == list(range(100))
    assert len({name for _, name, _ in rows(database)}) == 1


def test_loads_of_different_partitions_do_not_wait_for_each_other(database: Database) -> None:
    """The lock is that of one partition."""
    with another(database) as first:
        load_partition(first, "t", column="dt", value=DAYS[0], rows=[batch((1, "a"), dt=DAYS[0])])
        database.execute("SET lock_timeout = '2s'")
        load_partition(database, "t", column="dt", value=DAYS[1], rows=[batch((1, "b"), dt=DAYS[1])])
    assert len(rows(database)) == 2


MEASURE = """
import datetime, resource, sys
import psycopg, pyarrow as pa
from etl.load import load_partition
DAY = datetime.date(2024, 2, 29)
def batches(rows):
    for start in range(0, rows, 10_000):
        ids = pa.array(range(start, min(start + 10_000, rows)))
        yield pa.record_batch([ids, pa.array(["some name of thirty characters"] * len(ids))], names=["id", "name"])
with psycopg.connect(sys.argv[1]) as connection:
    load_partition(connection, "t", column="dt", value=DAY, rows=batches(int(sys.argv[2])))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_stays_flat(database: Database) -> None:
    """Ten times the rows take no more memory."""
    info = database.info
    url = psycopg.conninfo.make_conninfo(info.dsn, password=info.password)
    peaks = []
    for count in (50_000, 500_000):
        command = [sys.executable, "-c", MEASURE, url, str(count)]
        peaks.append(int(subprocess.check_output(command, env={**os.environ, "PYTHONPATH": str(ROOT)})))
    assert peaks[1] < peaks[0] + 15_000  # kilobytes; 450,000 more rows are 20,000 of them and more
