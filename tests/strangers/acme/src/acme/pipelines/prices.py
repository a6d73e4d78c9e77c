import os
import sys
from datetime import datetime
from pathlib import Path

from airflow.sdk import DAG, task

from acme.loading import load

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIG = tomllib.loads(Path(os.environ["ACME_CONFIG"]).read_text())

with DAG("acme_prices", schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False):

    @task
    def prices(ds=None):
        load(ds, [(sku, len(ds) + number) for number, sku in enumerate(CONFIG["skus"])])

    prices()
