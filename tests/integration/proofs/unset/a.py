from airflow.sdk import DAG, Variable

# unset_with_default
settings = Variable.get("settings", default=None)
with DAG("unset_" + "with_default", schedule=None, default_args={"retries": settings["retries"]}):
    pass
