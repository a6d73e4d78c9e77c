"""The file does input or output while it is parsed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dagproof.loaded.model import Event, LoadedFile
from dagproof.rules.base import Finding, Rule
from dagproof.source.dagfile import DagFile, Site
from dagproof.source.outside import uses_database, uses_network

PROCESS = re.compile(
    r"subprocess\.(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput)$|os\.(?:system|popen)$"
)
WRITING = re.compile(
    r"pathlib\.(?:Path|PosixPath)\(\)(?:\.parent|\.absolute\(\)|\.resolve\(\))*\.write_(?:text|bytes)$"
)
DOES = {
    "connect": "connects to",
    "database": "connects to the database",
    "process": "starts the process",
    "write": "writes",
}
"""What importing a file may be seen to do."""
OPENING = ("open", "io.open", "builtins.open")


class TopLevelIo(Rule):
    """The file does input or output while it is parsed.

    ## What it does
    Finds requests over the network, connections to databases, subprocesses and the writing of files in code that runs
    when the file is parsed: at its top level, in the body of a DAG, in modules of your own that it imports, and in the
    functions that any of these call. Reading a file beside the DAG is fine.

    ## Why is this bad
    The DAG processor parses the file every 30 seconds or so, and so does each task before it runs. A slow answer slows
    down the parsing of all DAGs; no answer makes the DAG disappear; and what is written is written thousands of times.

    ## Example
    ```python
    import pendulum
    import requests
    from airflow.sdk import dag, task

    TABLES = requests.get("https://example.org/tables", timeout=10).json()


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def copy_tables():
        @task
        def copy(table):
            print(table)

        copy.expand(table=TABLES)


    copy_tables()
    ```

    ## Use instead
    ```python
    from datetime import timedelta

    import pendulum
    import requests
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def copy_tables():
        @task(retries=3, execution_timeout=timedelta(minutes=5))
        def list_tables():
            return requests.get("https://example.org/tables", timeout=10).json()

        @task
        def copy(table):
            print(table)

        copy.expand(table=list_tables())


    copy_tables()
    ```
    """

    name = "top-level-io"
    code = "DP101"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each call that happens while the file is parsed."""
        for site in dagfile.sites("parse"):
            found = _what_it_does(site)
            if found:
                message = f"{found[0]}() {found[1]} each time the file is parsed; do it in a task"
                yield self.found(dagfile, (*site.body.chain, site.place), message)

    def check_loaded(self, file: LoadedFile) -> Iterator[Finding]:
        """Tell what importing the file really did."""
        for event in file.events:
            if event.kind in DOES and not (event.by_import and event.kind in ("process", "write")):
                message = f"this {DOES[event.kind]} {_shown(event)} each time the file is parsed; do it in a task"
                yield self.found_at(event.spots, message, certain=not event.by_import)


def _shown(event: Event) -> str:
    return f"{event.what} (that was refused here)" if event.refused else event.what


def _what_it_does(site: Site) -> tuple[str, str] | None:
    """What a call is, and what it does; None for one that does nothing of the kind."""
    for name in site.names:
        if uses_network((name,)):
            return name, "uses the network"
        if uses_database((name,)):
            return name, "uses a database"
        if PROCESS.match(name):
            return name, "starts a process"
        if WRITING.match(name) or (name in OPENING and _writes(site.call)):
            return name, "writes a file"
    return None


def _writes(call: ast.Call) -> bool:
    mode = call.args[1] if len(call.args) > 1 else None
    for keyword in call.keywords:
        mode = keyword.value if keyword.arg == "mode" else mode
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and bool(set(mode.value) & set("wax+"))
