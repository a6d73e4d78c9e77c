import os

from airflow.sdk import DAG

# unset_environment
root = os.environ["LAKE_ROOT"]
with DAG("unset_" + "environment", schedule=None):
    pass
