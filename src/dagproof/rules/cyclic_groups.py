"""Task groups depend on each other."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.loaded.model import LoadedDag, LoadedFile
from dagproof.rules.base import FINE, Finding, Rule, Verdict
from dagproof.source.dagfile import DagFile, Place
from dagproof.source.groupcycles import GroupCycle, Node, group_cycles

ADVICE = (
    "Airflow 3.5 refuses such a DAG (import error), and in earlier versions its grid can fail (error 500); "
    "move a task out of its group, so that one group comes after the other"
)


class CyclicGroups(Rule):
    """Task groups depend on each other.

    ## What it does
    Finds task groups, and tasks beside them, that come both before and after each other: a task of the first group
    before one of the second group, and a task of the second group before one of the first. The tasks themselves need
    not form a cycle. If the file is not imported, it ignores groups in a loop or a branch.

    ## Why is this bad
    Airflow sorts the groups, and no order exists. Airflow 3.5 rejects the DAG with an import error. In earlier
    versions the DAG runs, but its grid view can fail with an error 500.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, TaskGroup

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        with TaskGroup("files"):
            fetch, clean = EmptyOperator(task_id="fetch"), EmptyOperator(task_id="clean")
        with TaskGroup("rows"):
            load = EmptyOperator(task_id="load")
        fetch >> load >> clean
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, TaskGroup

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        with TaskGroup("files"):
            fetch = EmptyOperator(task_id="fetch")
        with TaskGroup("rows"):
            load = EmptyOperator(task_id="load")
        clean = EmptyOperator(task_id="clean")
        fetch >> load >> clean
    ```
    """

    name = "cyclic-groups"
    code = "DP008"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at what comes before what."""
        for one in group_cycles(dagfile):
            edge = one.edges[-1]
            places = (*one.chain, Place(edge.scope.module, edge.node))
            dag_id = dagfile.dags[0].dag_id if len(dagfile.dags) == 1 else None
            yield self.found(dagfile, places, f"{_told(one)}; {ADVICE}", dag_id=dag_id)

    def judge_dag(self, dag: LoadedDag, file: LoadedFile) -> Verdict:
        """Look at the groups that there really are."""
        if dag.group_cycle is None:
            return None
        if not dag.group_cycle:
            return FINE
        return f"{_listed(dag.group_cycle)} depend on each other; {ADVICE}"


def _told(one: GroupCycle) -> str:
    members = _listed([_shown(node) for node in one.members])
    steps = [f"{_id(edge.first)} comes before {_id(edge.second)} (line {edge.node.lineno})" for edge in one.edges]
    return f"{members} depend on each other: {_listed(steps)}"


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _shown(node: Node) -> str:
    kind = "task group" if node.is_group else "task"
    return f"the {kind} {node.name!r}" if node.name else f"a {kind} (line {node.made.lineno})"


def _id(node: Node) -> str:
    return ".".join(one.name or "…" for one in (*node.around, node))
