"""A handler swallows any error of a load, and the task succeeds."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source.dagfile import DagFile
from dagproof.source.order import precedes
from dagproof.source.swallowing import Swallow, swallows


class SwallowedError(Rule):
    """A handler swallows any error of a load, and the task succeeds.

    ## What it does
    Finds `except Exception`, `except BaseException` and a bare `except` around a write, a query or a request in what
    tasks run, if the handler only logs: it neither raises, nor counts, nor passes the error on. It is certain where
    rows are written, or where later tasks work with what is missing. Loops that try again, and handlers that call
    something else, are left out. The law `outage` finds the rest: it makes the run hit the error.

    ## Why is this bad
    The task is green, so nobody looks and nothing is retried; the rows of that day never arrive.

    ## Example
    ```python
    import logging
    from datetime import timedelta

    import pendulum
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def load_orders():
        @task(retries=3, execution_timeout=timedelta(minutes=30))
        def load(ds=None):
            try:
                statements = [
                    "DELETE FROM orders WHERE dt = %(ds)s",
                    "INSERT INTO orders SELECT * FROM staging WHERE dt = %(ds)s",
                ]
                PostgresHook("shop").run(statements, parameters={"ds": ds})
            except Exception:
                logging.exception("load failed")

        load()


    load_orders()
    ```

    ## Use instead
    ```python
    from datetime import timedelta

    import pendulum
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def load_orders():
        @task(retries=3, execution_timeout=timedelta(minutes=30))
        def load(ds=None):
            statements = [
                "DELETE FROM orders WHERE dt = %(ds)s",
                "INSERT INTO orders SELECT * FROM staging WHERE dt = %(ds)s",
            ]
            PostgresHook("shop").run(statements, parameters={"ds": ds})

        load()


    load_orders()
    ```
    """

    name = "swallowed-error"
    code = "DP504"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at the code of each task."""
        after = None
        for task in dagfile.tasks:
            for found in swallows(dagfile, task):
                after = after or precedes(dagfile)
                certain = found.at_its_end and (found.writes or bool(after[task]))
                yield self.found(dagfile, found.places, _message(found), task=task, certain=certain)


def _message(found: Swallow) -> str:
    what = "of a write" if found.writes else "of what the task asks for"
    return (
        f"this swallows any error {what} and only logs it: the task is green without its rows, and nothing is retried; "
        "let the error propagate, or raise it again"
    )
