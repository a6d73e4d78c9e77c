from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import Metadata, asset


@asset(schedule="@daily")
def raw_orders(self, context):
    day = context["dag_run"].run_after.date().isoformat()
    hook = PostgresHook("marts")
    hook.run(["DELETE FROM orders WHERE dt = %(day)s", "INSERT INTO orders VALUES (%(day)s, 10), (%(day)s, 20)"],
             parameters={"day": day})
    yield Metadata(self, extra={"day": day, "rows": 2})
