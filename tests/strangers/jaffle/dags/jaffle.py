import re
from datetime import datetime
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, TaskGroup

MODELS = Path(__file__).parents[1] / "dbt" / "models"
RUN = "dbt run --select {model} --vars '{{ds: {{{{ ds }}}}}}'"
DEFAULTS = {"schedule": "@daily", "start_date": datetime(2026, 1, 1), "catchup": False}

with DAG("jaffle_bash", **DEFAULTS):
    BashOperator(
        task_id="dbt_run",
        bash_command=" && ".join(RUN.format(model=model) for model in ("stg_orders", "orders")),
        append_env=True,
    )

with DAG("jaffle_models", **DEFAULTS):
    # as cosmos does: a task for each model, in the order of what they read
    with TaskGroup("models"):
        tasks = {
            path.stem: BashOperator(task_id=f"{path.stem}_run", bash_command=RUN.format(model=path.stem), append_env=True)
            for path in sorted(MODELS.glob("*.sql"))
        }
        for path in MODELS.glob("*.sql"):
            for read in re.findall(r"FROM (\w+)", path.read_text()):
                if read in tasks:
                    tasks[read] >> tasks[path.stem]
