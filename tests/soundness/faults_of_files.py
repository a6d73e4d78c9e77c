"""Faults of files, in each of several formats and places."""

from __future__ import annotations

from dataclasses import dataclass

from tests.soundness.faults_of_code import REPLACED
from tests.soundness.model import KEYED, Fault, Python

#: Where files lie: what is given to a run, a folder in it, below its home, and where it begins.
FOLDERS = {
    "{files}": 'Path(os.environ["DATA_ROOT"])',
    "a subfolder": 'Path(os.environ["DATA_ROOT"], "exports", "daily")',
    "home": 'Path.home() / ".partner"',
    "the working folder": 'Path("exports")',
}

#: What waits for whom: one process at a time writes the database in a file.
PARQUET_ROWS = (
    "pa.table({'number': [r[0] for r in rows], 'customer': [r[1] for r in rows], 'total': [r[2] for r in rows]})"
)
LINES = '"".join(f"{number},{customer},{total}\\n" for number, customer, total in rows)'


@dataclass(frozen=True)
class Format:
    """How a format of files is written: lines that write `rows` to `path` anew, and lines that add them."""

    suffix: str
    write: str
    append: str
    is_seen: bool = True
    """Whether its file operations are Python's, so that a run can be killed at them."""


FORMATS = {
    "csv": Format(
        "csv",
        'with open(path, "w", newline="") as file:\n    csv.writer(file).writerows(rows)\n',
        'with open(path, "a", newline="") as file:\n    csv.writer(file).writerows(rows)\n',
    ),
    "json": Format(
        "json",
        "with open(path, 'w') as file:\n    json.dump([list(row) for row in rows], file)\n",
        "rows = [*(json.loads(path.read_text()) if path.exists() else []), *map(list, rows)]\n"
        "path.write_text(json.dumps(rows))\n",
    ),
    "gzip": Format(
        "csv.gz",
        f'with gzip.open(path, "wt") as file:\n    file.write({LINES})\n',
        f'with gzip.open(path, "at") as file:\n    file.write({LINES})\n',
    ),
    "zip": Format(
        "zip",
        f'with zipfile.ZipFile(path, "w") as archive:\n    archive.writestr("orders.csv", {LINES})\n',
        'with zipfile.ZipFile(path, "a") as archive:\n'
        f'    archive.writestr(f"part-{{len(archive.namelist())}}.csv", {LINES})\n',
    ),
    "tar": Format(
        "tar",
        f'body = {LINES}.encode()\nwith tarfile.open(path, "w") as archive:\n'
        '    member = tarfile.TarInfo("orders.csv")\n    member.size, member.mtime = len(body), int(time.time())\n'
        "    archive.addfile(member, io.BytesIO(body))\n",
        f'body = {LINES}.encode()\nwith tarfile.open(path, "a") as archive:\n'
        '    member = tarfile.TarInfo(f"part-{len(archive.getnames())}.csv")\n    member.size = len(body)\n'
        "    archive.addfile(member, io.BytesIO(body))\n",
    ),
    "parquet": Format(
        "parquet",
        f"import pyarrow as pa\nimport pyarrow.parquet as pq\npq.write_table({PARQUET_ROWS}, path)\n",
        "import pyarrow as pa\nimport pyarrow.parquet as pq\n"
        f"table = {PARQUET_ROWS}\n"
        "if path.exists():\n    table = pa.concat_tables([pq.read_table(path), table])\npq.write_table(table, path)\n",
        is_seen=False,
    ),
    "sqlite": Format(
        "sqlite",
        "connection = sqlite3.connect(path)\n"
        'connection.execute("CREATE TABLE IF NOT EXISTS orders (number, customer, total, dt)")\n'
        'with connection:\n    connection.execute("DELETE FROM orders WHERE dt = ?", (ds,))\n'
        '    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", [(*row, ds) for row in rows])\n'
        "connection.close()\n",
        "connection = sqlite3.connect(path)\n"
        'connection.execute("CREATE TABLE IF NOT EXISTS orders (number, customer, total, dt)")\n'
        "with connection:\n"
        '    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", [(*row, ds) for row in rows])\n'
        "connection.close()\n",
        is_seen=False,
    ),
    "duckdb": Format(
        "duckdb",
        "import duckdb\n"
        "with duckdb.connect(str(path)) as connection:\n"
        '    connection.execute("CREATE TABLE IF NOT EXISTS orders (number INT, customer TEXT, total TEXT, dt DATE)")\n'
        '    connection.execute("BEGIN")\n    connection.execute("DELETE FROM orders WHERE dt = ?", (ds,))\n'
        '    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", [(*row, ds) for row in rows])\n'
        '    connection.execute("COMMIT")\n',
        "import duckdb\n"
        "with duckdb.connect(str(path)) as connection:\n"
        '    connection.execute("CREATE TABLE IF NOT EXISTS orders (number INT, customer TEXT, total TEXT, dt DATE)")\n'
        '    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", [(*row, ds) for row in rows])\n',
        is_seen=False,
    ),
}
DATABASES = ("sqlite", "duckdb")

TEMPORARY = 'Path(tempfile.gettempdir(), "exchange")'
#: What a verdict says of the folder for temporary files, which is emptied before each run.
NOT_COMPARED = r"temporary.*not compared"
MARK = """
with $connect as connection, connection.cursor() as cursor:
    cursor.execute("INSERT INTO marks VALUES (%s) ON CONFLICT DO NOTHING", (ds,))
"""

FOLDER = "\n$read\nfolder = $folder\nfolder.mkdir(parents=True, exist_ok=True)\n"


def _healthy(kind: str) -> Python:
    """The day's rows in a file of their own, put in place when it is whole; or replaced in a database."""
    form = FORMATS[kind]
    if kind in DATABASES:
        return Python(f'{FOLDER}path = folder / "orders.{form.suffix}"\n{form.write}')
    return Python(
        f'{FOLDER}target = folder / f"orders-{{ds}}.{form.suffix}"\n'
        f'path = folder / f".{{uuid4().hex}}.part"\n{form.write}os.replace(path, target)\n'
    )


def _appends(kind: str) -> Fault:
    form = FORMATS[kind]
    body = f'{FOLDER}path = folder / "orders.{form.suffix}"\n{form.append}'
    return Fault(
        f"append to a file: {kind}",
        f"Adds the day's rows to a file ({kind}).",
        ("rerun", "retry"),
        Python(body),
        _healthy(kind),
    )


def _for_all(kind: str) -> Fault:
    form = FORMATS[kind]
    body = (
        f'{FOLDER}target = folder / "orders.{form.suffix}"\n'
        f'path = folder / f".{{uuid4().hex}}.part"\n{form.write}os.replace(path, target)\n'
    )
    return Fault(
        f"one file for all days: {kind}",
        f"Overwrites the same file each day ({kind}).",
        ("order", "containment"),
        Python(body),
        _healthy(kind),
    )


def _in_place(kind: str) -> Fault:
    form = FORMATS[kind]
    said = "" if form.is_seen else r"library in C"
    return Fault(
        f"a file written in place: {kind}",
        f"Writes the day's file where it is read ({kind}).",
        ("crash",),
        Python(f'{FOLDER}path = folder / f"orders-{{ds}}.{form.suffix}"\n{form.write}'),
        _healthy(kind),
        said=said,
    )


FILES = (
    *(_appends(kind) for kind in FORMATS),
    *(_for_all(kind) for kind in ("csv", "gzip", "zip", "parquet")),
    *(_in_place(kind) for kind in ("csv", "json", "zip", "parquet")),
    Fault(
        "a file of its own for each run",
        "Writes the day's rows to a file with a new name in each run.",
        ("rerun", "deterministic"),
        Python(f'{FOLDER}path = folder / f"orders-{{ds}}-{{uuid4().hex}}.csv"\n{FORMATS["csv"].write}'),
        _healthy("csv"),
    ),
    Fault(
        "a file that says when",
        "Writes into the day's file when it was written.",
        ("deterministic",),
        Python(
            f'{FOLDER}rows = [(0, "written", datetime.now().isoformat()), *rows]\n'
            f'path = folder / f".{{uuid4().hex}}.part"\n{FORMATS["csv"].write}'
            'os.replace(path, folder / f"orders-{ds}.csv")\n'
        ),
        _healthy("csv"),
    ),
    Fault(
        "a temporary file for all",
        "Prepares each day's file under the same temporary name.",
        ("overlap",),
        Python(
            f'{FOLDER}path = folder / "orders.part"\n{FORMATS["csv"].write}'
            'os.replace(path, folder / f"orders-{ds}.csv")\n'
        ),
        _healthy("csv"),
    ),
    Fault(
        "append to a file: temporary",
        "Adds the day's rows to a file in the folder for temporary files, which survives, and notes the day.",
        (),
        Python(f'{FOLDER.replace("$folder", TEMPORARY)}path = folder / "orders.csv"\n{FORMATS["csv"].append}{MARK}'),
        Python(f"{_healthy('csv').body}{MARK}"),
        said=NOT_COMPARED,
        near=("rerun",),
    ),
    Fault(
        "a cache in the temporary folder",
        "Asks upstream once a day, and a temporary file from then on.",
        ("correction",),
        Python(
            f'path = {TEMPORARY} / f"{{ds}}.json"\npath.parent.mkdir(exist_ok=True)\n'
            "if path.exists():\n    rows = json.loads(path.read_text())\n"
            "else:\n    $read\n    path.write_text(json.dumps([list(row) for row in rows]))\n"
            f"{REPLACED}"
        ),
        Python(f"$read\n{REPLACED}"),
        KEYED,
        said=NOT_COMPARED,
    ),
    Fault(
        "an input that is moved",
        "Moves the file that it has loaded out of the way.",
        ("retry",),
        Python(
            f'{FOLDER}source = folder / f"drop-{{ds}}.csv"\n'
            'path = folder / f"orders-{ds}.csv"\n'
            "if not path.exists():\n"
            "    source.write_text(f'{len(rows)}\\n')\n"
            "os.replace(source, path)\n"
        ),
        _healthy("csv"),
    ),
)
