import csv
import os
import subprocess
from datetime import datetime

import errorreport
import psycopg2
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, task

errorreport.init("https://key@errors.example.com/1")
DATA = "/opt/warehouse/data"

with DAG("warehouse_events", schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False):

    @task
    def load(ds=None):
        assert any(t.name == "errorreport.worker" for t in __import__("threading").enumerate())
        with open(f"{DATA}/incoming/{ds}.csv") as file:
            names = [row["name"] for row in csv.DictReader(file)]
        connection = psycopg2.connect("")
        with connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM events WHERE dt = %s", [ds])
            for name in names:
                cursor.execute("INSERT INTO events VALUES (%s, %s, encode(digest(%s, 'sha256'), 'hex'))", [ds, name, name])
        connection.close()

    sort = BashOperator(
        task_id="sort",
        bash_command=f"mkdir -p {DATA}/sorted && sort {DATA}/incoming/{{{{ ds }}}}.csv > {DATA}/sorted/.part && "
        f"mv {DATA}/sorted/.part {DATA}/sorted/{{{{ ds }}}}.csv",
    )

    @task
    def archive(ds=None):
        os.makedirs(f"{DATA}/archive", exist_ok=True)
        subprocess.run(["sh", "-c", f"cat {DATA}/sorted/{ds}.csv >> {DATA}/archive/all.csv"], check=True)

    load() >> sort >> archive()
