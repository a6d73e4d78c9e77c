from airflow.operators.dummy_operator import DummyOperator  # type: ignore[import-not-found]  # it is gone
from airflow.sdk import DAG

# unset_part_of_airflow
with DAG("unset_" + "part_of_airflow", schedule=None):
    DummyOperator(task_id="nothing")  # noqa: AIR302 - that is what is tested
