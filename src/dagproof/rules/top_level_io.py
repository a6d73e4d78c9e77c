"""The file does input or output while it is parsed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dagproof.loaded.model import Event, LoadedFile
from dagproof.rules.base import Finding, Rule
from dagproof.source.clients import (
    chain_names,
    connects_when_made,
    iterated,
    may_have_clients,
    sends,
    sends_when_iterated,
)
from dagproof.source.dagfile import Body, DagFile, Place, Site
from dagproof.source.outside import uses_database, uses_network
from dagproof.source.strings import texts
from dagproof.source.values import Value

PROCESS = re.compile(
    r"^subprocess\.(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput)$|^os\.(?:system|popen)$"
    r"|^pyspark\.sql\.(?:session\.)?SparkSession\.builder\b.*\.getOrCreate$|^pyspark\.(?:context\.)?SparkContext(?:\.getOrCreate)?$"
)
FRAMES = re.compile(
    r"(?:pandas|polars|geopandas|dask\.dataframe|modin\.pandas|awswrangler\.s3|fsspec|smart_open|xarray|s3fs)"
    r"\.(?:read_\w+|scan_\w+|open|open_dataset)$|pandas\.(?:io\.)?(?:read_\w+|json_normalize|DataFrame)\(\)(?:\.\w+(?:\(\))?)*"
    r"\.to_(?:csv|parquet|json|excel|pickle|feather|html|orc|stata|xml)$"
)
WRITES_FRAME = re.compile(
    r"pandas\.(?:read_\w+|json_normalize|DataFrame|concat|merge)\(\)(?:\.\w+(?:\(\))?)*"
    r"\.to_(?:csv|parquet|json|excel|pickle|feather|html|orc|stata|xml)$"
)
REMOTE = re.compile(r"(?:https?|ftps?|sftp|s3a?|s3n|gs|gcs|abfss?|az|adl|wasbs?|hdfs|ssh)://")
PATHS = ("filepath_or_buffer", "path_or_buf", "path", "io", "source", "excel_writer", "urlpath", "uri", "buf")
USES = {"network": "uses the network", "database": "uses a database"}
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
    functions that any of these call. Reading a file beside the DAG is fine, and so is making a client, a bucket, a
    table or a paginator that sends nothing until it is used. A pool of connections connects when it is made.

    ## Why is this bad
    The DAG processor parses the file every 30 seconds or so, and so does each task before it runs. A slow answer slows
    down the parsing of all DAGs; no answer makes the DAG disappear; and whatever it writes is written thousands of
    times.

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
            found = _what_it_does(site, dagfile)
            if found:
                message = f"{found[0]}() {found[1]} each time the file is parsed; do it in a task"
                yield self.found(dagfile, (*site.body.chain, site.place), message)
        for body in dagfile.bodies:
            if body.phase == "parse":
                yield from self._of_iterated(dagfile, body)

    def _of_iterated(self, dagfile: DagFile, body: Body) -> Iterator[Finding]:
        """What sends a request for each page of what a body iterates over."""
        if not may_have_clients(body.scope.module.text):
            return
        for node in iterated(body.scope, dagfile.resolver):
            for name in chain_names(node, body.scope, dagfile.resolver):
                if name.endswith("()") and (reached := sends_when_iterated(name.removesuffix("()"))):
                    message = f"iterating over {name} {USES[reached]} each time the file is parsed; do it in a task"
                    yield self.found(dagfile, (*body.chain, Place(body.scope.module, node)), message)
                    break

    def check_loaded(self, file: LoadedFile) -> Iterator[Finding]:
        """Tell what importing the file really did."""
        for event in file.events:
            if event.kind in DOES and not (event.by_import and event.kind in ("process", "write")):
                message = f"this {DOES[event.kind]} {_shown(event)} each time the file is parsed; do it in a task"
                yield self.found_at(event.spots, message, certain=not event.by_import)


def _shown(event: Event) -> str:
    return f"{event.what} (that was refused here)" if event.refused else event.what


def _what_it_does(site: Site, dagfile: DagFile) -> tuple[str, str] | None:
    """What a call is, and what it does; None for one that does nothing of the kind."""
    for name in site.names or chain_names(site.call.func, site.scope, dagfile.resolver):
        if uses_network((name,)):
            return name, USES["network"]
        if uses_database((name,)) or connects_when_made(name, site.call):
            return name, USES["database"]
        if reached := sends(name):
            return name, USES[reached]
        if FRAMES.match(name) and _is_remote(site, dagfile):
            return name, USES["network"]
        if PROCESS.search(name):
            return name, "starts a process"
        if WRITING.match(name) or (name in OPENING and _writes(site.call)) or _writes_frame(name, site, dagfile):
            return name, "writes a file"
    return None


def _is_remote(site: Site, dagfile: DagFile) -> bool:
    """Whether what a frame is read from, or written to, lies on another machine."""
    given = [*site.call.args[:1], *(keyword.value for keyword in site.call.keywords if keyword.arg in PATHS)]
    found = [text.text for node in given for text in texts(Value(node, site.scope), dagfile.resolver)]
    return any(REMOTE.match(text) for text in found)


def _writes_frame(name: str, site: Site, dagfile: DagFile) -> bool:
    """Whether a frame goes into a file: one that is given no path becomes a text."""
    if not WRITES_FRAME.match(name):
        return False
    given = [*site.call.args[:1], *(keyword.value for keyword in site.call.keywords if keyword.arg in PATHS)]
    return any(True for node in given for _ in texts(Value(node, site.scope), dagfile.resolver))


def _writes(call: ast.Call) -> bool:
    mode = call.args[1] if len(call.args) > 1 else None
    for keyword in call.keywords:
        mode = keyword.value if keyword.arg == "mode" else mode
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and bool(set(mode.value) & set("wax+"))
