"""What Airflow needs before it starts: its database, the password of `admin`, the warehouse's pool and its tables.

Each part may be done again, and changes nothing then.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import psycopg

SQL = Path("/opt/warehouse/etl/sql")


def main() -> None:
    """Do all of it.

    Raises:
        subprocess.CalledProcessError: the metadata database could not be migrated, or the pool not be made.
        psycopg.Error: the warehouse's tables could not be made.
    """
    subprocess.run(["airflow", "db", "migrate"], check=True)
    pool = [os.environ["WAREHOUSE_POOL"], os.environ["WAREHOUSE_SLOTS"], "Tasks that work on the shop's warehouse"]
    subprocess.run(["airflow", "pools", "set", *pool], check=True)
    passwords = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    passwords.write_text(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}), encoding="utf-8")
    passwords.chmod(0o600)
    told = json.loads(os.environ["AIRFLOW_CONN_POSTGRES_DEFAULT"])
    with psycopg.connect(
        host=told["host"], user=told["login"], password=told["password"], dbname=told["schema"]
    ) as connection:
        for path in sorted(SQL.glob("*.sql")):
            # The others are queries and data; these may be applied again, and say so.
            if b"CREATE TABLE IF NOT EXISTS" in (text := path.read_bytes()):
                connection.execute(text)


if __name__ == "__main__":
    main()
