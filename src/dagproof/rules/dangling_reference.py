"""A DAG refers to what does not exist in its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from dagproof.errors import nearest
from dagproof.loaded.model import Awaits, LoadedDag, LoadedFolder, LoadedTask, Spot
from dagproof.rules.base import Finding, Rule, SourceFile

NEARLY_THE_SAME = 0.9
POOLS_OF_AIRFLOW = ("default_pool",)


class DanglingReference(Rule):
    """A DAG refers to another DAG, a task, a pool or an asset that does not exist.

    ## What it does
    Finds an `ExternalTaskSensor` or `TriggerDagRunOperator` whose DAG is not in the folder, or whose task or group is
    not in that DAG; a pool that the option `pools` does not list, if it is set; and an asset that starts a DAG and
    that nothing produces, where one with nearly the same name is produced and unused (which is doubtful). List DAGs
    that live elsewhere in the option `dags = ["other_team_*"]`. If a file of the folder does not import, or only a
    part of the folder is checked, it finds nothing: it cannot know what exists then.

    ## Why is this bad
    A sensor waits until its timeout for something that never comes; a trigger fails each time; a task in a pool that
    does not exist never starts, and nothing reports why.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        TriggerDagRunOperator(task_id="report", trigger_dag_id="order_reports")

    with DAG("orders_report", schedule=None):
        pass
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        TriggerDagRunOperator(task_id="report", trigger_dag_id="orders_report")

    with DAG("orders_report", schedule=None):
        pass
    ```
    """

    name = "dangling-reference"
    code = "DP006"
    needs_import = True
    options: ClassVar[Mapping[str, Any]] = {"dags": (), "pools": ()}

    def check_folder(self, folder: LoadedFolder, sources: Sequence[SourceFile]) -> Iterator[Finding]:
        """Look at each task, once all DAGs are known."""
        dags = {dag.dag_id: dag for _, dag in folder.dags()}
        for file, dag in folder.dags():
            for task in dag.tasks:
                for message in self._of_task(task, dags if folder.sound else None):
                    spots = task.spots or (Spot(file.path, 1),)
                    yield self.found_at(spots, message, dag_id=dag.dag_id, task_id=task.task_id)
        if folder.sound:
            yield from self._of_assets(folder)

    def _of_task(self, task: LoadedTask, dags: Mapping[str, LoadedDag] | None) -> Iterator[str]:
        pools = (*POOLS_OF_AIRFLOW, *self.option("pools"))
        if self.option("pools") and task.pool and task.pool not in pools:
            yield f"there is no pool {task.pool!r}{nearest(task.pool, pools)}"
        if dags is None:
            return
        if task.awaits:
            yield from self._of_sensor(task.awaits, dags)
        if task.triggers and self._is_missing(task.triggers, dags):
            yield f"it triggers the DAG {task.triggers!r}, which is not in the folder{nearest(task.triggers, dags)}"

    def _of_sensor(self, awaits: Awaits, dags: Mapping[str, LoadedDag]) -> Iterator[str]:
        if awaits.dag_id is None or "{" in awaits.dag_id:
            return
        if self._is_missing(awaits.dag_id, dags):
            yield f"it waits for the DAG {awaits.dag_id!r}, which is not in the folder{nearest(awaits.dag_id, dags)}"
            return
        if awaits.dag_id not in dags:
            return
        tasks = {task.task_id for task in dags[awaits.dag_id].tasks}
        for task_id in awaits.task_ids:
            if "{" not in task_id and task_id not in tasks:
                yield f"the DAG {awaits.dag_id!r} has no task {task_id!r}{nearest(task_id, tasks)}"
        group, groups = awaits.task_group_id, dags[awaits.dag_id].task_groups
        if group and "{" not in group and group not in groups:
            yield f"the DAG {awaits.dag_id!r} has no task group {group!r}{nearest(group, groups)}"

    def _is_missing(self, dag_id: str, dags: Mapping[str, LoadedDag]) -> bool:
        elsewhere = any(fnmatchcase(dag_id, pattern) for pattern in self.option("dags"))
        return dag_id not in dags and "{" not in dag_id and not elsewhere

    def _of_assets(self, folder: LoadedFolder) -> Iterator[Finding]:
        made = {uri for _, dag in folder.dags() for task in dag.tasks for uri in task.outlets}
        awaited = {uri for _, dag in folder.dags() for uri in dag.schedule.assets}
        for file, dag in folder.dags():
            for uri in dag.schedule.assets:
                twins = get_close_matches(uri, made - awaited, n=1, cutoff=NEARLY_THE_SAME)
                if uri not in made and twins:
                    message = (
                        f"nothing in the folder produces the asset {uri!r} that starts this DAG, "
                        f"and nothing waits for {twins[0]!r}"
                    )
                    yield self.found_at(dag.spots or (Spot(file.path, 1),), message, dag_id=dag.dag_id, certain=False)
