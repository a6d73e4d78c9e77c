from airflow.sdk import DAG, Variable

# unset_but_innocent
retries = Variable.get("retries", default=3)
with DAG("unset_but_innocent", schedule=None, default_args={"retries": retries}):
    pass
