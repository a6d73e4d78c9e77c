from airflow.models import Variable
from airflow.sdk import DAG

# unset_in_models
host = Variable.get("host")  # noqa: AIR311 - the old place works, too
with DAG("unset_" + "in_models", schedule=None):
    pass
