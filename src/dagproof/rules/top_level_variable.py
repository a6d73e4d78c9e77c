"""A Variable or Connection is looked up while the file is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dagproof.loaded.model import LoadedFile
from dagproof.rules.base import Finding, Rule
from dagproof.source.dagfile import DagFile

LOOK_UP = re.compile(
    r"airflow\.(?:\w+\.)*(?:Variable\.(?:get|set|update|delete|setdefault)"
    r"|(?:\w*Hook(?:\(\))?)\.(?:get_connections?|get_hook)"
    r"|Connection\.(?:get|get_connection_from_secrets))$"
)


class TopLevelVariable(Rule):
    """A Variable or Connection is looked up while the file is parsed.

    ## What it does
    Finds `Variable.get(…)`, `BaseHook.get_connection(…)` and similar in code that runs when the file is parsed: at
    its top level, in the body of a DAG, in arguments of operators, in modules of your own that it imports, and in the
    functions that any of these call.

    ## Why is this bad
    The DAG processor parses the file every 30 seconds or so. Each time, every look-up in every file asks the metadata
    database or the secrets backend. A missing Variable then keeps the DAG from loading, instead of failing one task.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG, Variable

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        BashOperator(task_id="load", bash_command="load " + Variable.get("bucket"))
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        BashOperator(task_id="load", bash_command="load {{ var.value.bucket }}")
    ```
    """

    name = "top-level-variable"
    code = "DP102"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each call that happens while the file is parsed."""
        for site in dagfile.sites("parse"):
            found = [name for name in site.names if LOOK_UP.match(name)]
            if found:
                shown = ".".join(found[0].split(".")[-2:])
                message = f"{shown}() is called each time the file is parsed; look it up in the task, or in a template"
                yield self.found(dagfile, (*site.body.chain, site.place), message)

    def check_loaded(self, file: LoadedFile) -> Iterator[Finding]:
        """Tell what importing the file really looked up."""
        for event in file.events:
            if event.kind in ("variable", "connection"):
                told = f"the {event.kind.capitalize()} {event.what!r} is looked up each time the file is parsed"
                yield self.found_at(event.spots, f"{told}; look it up in the task, or in a template")
