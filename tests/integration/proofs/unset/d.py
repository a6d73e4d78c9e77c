from airflow.sdk import DAG, Variable

# unset_and_hidden
try:
    host = Variable.get("host")
except Exception:
    raise RuntimeError("no host") from None
with DAG("unset_" + "and_hidden", schedule=None):
    pass
