"""A task that writes down what its run was told about its date."""

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import get_current_context, task


@task
def witness(schedule: str) -> None:
    """Insert one row into the table told; what the run was not told is NULL."""
    context = get_current_context()
    times = [context.get("logical_date"), context.get("data_interval_start"), context.get("data_interval_end")]
    times.append(context["dag_run"].run_after)
    texts = [f"{time:%Y-%m-%d %H:%M}" if time else None for time in times]
    PostgresHook("shop").run(
        "INSERT INTO told VALUES (%s, %s, %s, %s, %s, %s)", parameters=(schedule, context.get("ds"), *texts)
    )
