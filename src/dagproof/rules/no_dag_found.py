"""A file that looks like a DAG file yields none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dagproof.loaded.model import LoadedFolder
from dagproof.rules.base import Finding, Rule, SourceFile


class NoDagFound(Rule):
    """A file makes a DAG that Airflow does not find.

    ## What it does
    Finds functions with the decorator `@dag`, and functions that make a DAG in a file that has none, which nothing in
    the file uses and no other file imports; DAGs that are made and not kept where Airflow looks, which is the top
    level of the module; and files that make DAGs without the words "airflow" and "dag" or "asset" in them, which
    Airflow skips without parsing them.

    ## Why is this bad
    Such a file looks right, but nothing ever runs, and there is no error.

    ## Example
    ```python
    import pendulum
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def orders():
        @task
        def load():
            print("loading")

        load()
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def orders():
        @task
        def load():
            print("loading")

        load()


    orders()
    ```
    """

    name = "no-dag-found"
    code = "DP002"

    def check_sources(self, sources: Sequence[SourceFile]) -> Iterator[Finding]:
        """Look for functions that nobody calls, and files that are skipped."""
        for source in sources:
            if source.imported:
                continue
            if source.skipped:
                for dag_id, spot in source.dags[:1]:
                    message = (
                        f"Airflow skips this file, which makes the DAG {dag_id!r}: the word 'airflow' is not in it; "
                        "add it in a comment"
                    )
                    yield self.found_at((spot,), message, dag_id=dag_id)
            for name, spot in source.dormant:
                message = f"{name}() makes a DAG, and nothing calls it: the DAG does not exist; call {name}()"
                yield self.found_at((spot,), message)

    def check_folder(self, folder: LoadedFolder, sources: Sequence[SourceFile]) -> Iterator[Finding]:
        """Look for DAGs that were made and not found, too."""
        yield from self.check_sources(sources)
        found = {dag.dag_id for _, dag in folder.dags()}
        for file in folder.files.values():
            lost = {} if file.error else {dag_id: spots for dag_id, spots in file.made if dag_id not in found}
            for dag_id, spots in lost.items():
                if spots[0].path == file.path:
                    message = (
                        f"the DAG {dag_id!r} is made here, and Airflow does not find it; "
                        "keep it in a variable at the top level of the module, or make it in a with statement"
                    )
                    yield self.found_at(spots, message, dag_id=dag_id)
