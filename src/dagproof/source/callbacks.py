"""Functions that Airflow calls when a DAG or a task succeeds, or begins."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.source.dagfile import Chain, Dag, DagFile, Place, Task
from dagproof.source.values import Arguments, Value, followed

KEYS = ("on_success_callback", "on_execute_callback")
"""Those that a rerun calls again. What is called when something fails records that it did."""


def callbacks(dagfile: DagFile) -> Iterator[Task]:
    """Yield each such function, as if it were a task that runs it."""
    seen = set()
    for dag, value, chain, task_id in _given(dagfile):
        for name in (name for one in _each(value, dagfile) for name in dagfile.resolver.names(*one)):
            made = dagfile.resolver.project.definitions.get(name)
            if made and made.kind in ("function", "lambda") and made not in seen:
                seen.add(made)
                places = (*chain, Place(value.scope.module, value.node))
                task = Task(value.node, value.scope, (), task_id, Arguments({}, True), chain)
                task.entries.append((made, places))
                task.dag = dag
                yield task


def _given(dagfile: DagFile) -> Iterator[tuple[Dag | None, Value, Chain, str | None]]:
    for dag in dagfile.dags:
        for known in (dag.arguments.known, dagfile.default_args(dag).known):
            yield from ((dag, known[key], dag.chain, None) for key in KEYS if key in known)
    for task in dagfile.tasks:
        known = task.arguments.known
        yield from ((task.dag, known[key], task.chain, task.task_id) for key in KEYS if key in known)


def _each(value: Value, dagfile: DagFile) -> Iterator[Value]:
    """The callbacks themselves, where a list of them is given."""
    for one in followed(value, dagfile.resolver):
        elements = getattr(one.node, "elts", None)
        yield from (Value(node, one.scope) for node in elements) if elements else [one]
