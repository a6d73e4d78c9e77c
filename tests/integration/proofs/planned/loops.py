"""Task loops, which Airflow 3.4 brought: each pass writes its own file, or appends to that of all."""

import os
from datetime import datetime

from airflow.sdk import dag, task, task_group


def loop_dag(dag_id, name, mode):
    @dag(dag_id=dag_id, schedule="@daily", start_date=datetime(2026, 3, 1), catchup=False)
    def loops():
        @task_group
        def pages():
            @task
            def fetch(*, loop, ds=None):
                with open(os.path.join(os.environ["DATA_ROOT"], name.format(ds=ds, index=loop.index)), mode) as file:
                    file.write(f"{loop.index + 1}")
                return (0 if loop.index == 0 else loop.previous) + 1

            fetch()

        pages.loop(max_iterations=3)

    return loops()


loop_written = loop_dag("loop_written", "{ds}-{index}.json", "w")
loop_appended = loop_dag("loop_appended", "{ds}.json", "a")
