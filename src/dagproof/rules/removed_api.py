"""A DAG file uses what its Airflow does not have any more."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source import context
from dagproof.source.dagfile import Body, Dag, DagFile, Place, Site, Task
from dagproof.source.names import visible
from dagproof.source.removed import (
    CONTEXT,
    DAG_PARAMETERS,
    PARAMETERS_OF,
    STANDARD_PARAMETERS,
    TASK_PARAMETERS,
    TRIGGER_RULES,
    Removed,
    removed_name,
)
from dagproof.source.ruffing import Remark
from dagproof.source.settings import Settings
from dagproof.source.target import shown
from dagproof.source.values import constant
from dagproof.source.versions import depends_on_version

PULL = "name the task: task_ids=…"
ORM = re.compile(
    r"airflow\.settings\.(?:get_)?[sS]ession(?:\(\))?$|airflow\.settings\.(?:Non)?Session\w*$"
    r"|airflow\.utils\.(?:session|db)\.create_session$|airflow\.models(?:\.dagrun)?\.DagRun\.find\w*$"
)
ORM_DECORATOR = re.compile(r"airflow\.utils\.(?:session|db)\.provide_session$")
STANDARD = (
    "airflow.operators.",
    "airflow.sensors.",
    "airflow.providers.standard.",
    "airflow.sdk.",
    "airflow.decorators.",
)


class RemovedApi(Rule):
    """The file uses something that the targeted Airflow has removed.

    ## What it does
    Finds imports of modules and names that were removed (also in modules of your own that the file imports), operators
    and modules that no release of a provider for Airflow 3 has (`PostgresOperator`, `SimpleHttpOperator`), parameters
    of DAGs and operators that are refused, trigger rules that are unknown, and context variables that tasks and
    templates no longer get, such as `execution_date` and `next_ds`. Each is checked against the version that `airflow`
    in `[tool.dagproof]` names, which is the installed one by default: `airflow.datasets` is gone since 3.2 only. In
    tasks, it also finds: `xcom_pull` without `task_ids`, which asks for what the task itself pushed; `execution_date`
    of `ti` and `dag_run`; sessions on the metadata database; and `default_var` of the SDK's `Variable.get`. Where ruff
    is installed, its rules AIR301 to AIR303 are asked too; what only they know is doubtful. An import with a fallback
    (`try` … `except ImportError`) is fine, and so is code that only runs on other versions of Airflow, in a branch
    that asks for the version.

    ## Why is this bad
    The DAG does not load, and all its runs stop with the upgrade; or it loads, and a template or task fails at night,
    when it asks for a date that it used to get.

    ## Example
    ```python
    import pendulum
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG

    with DAG("orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        BashOperator(task_id="load", bash_command="load --from {{ execution_date }} --to {{ next_execution_date }}")
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
    from airflow.timetables.interval import CronDataIntervalTimetable

    DAILY = CronDataIntervalTimetable("@daily", timezone="UTC")

    with DAG("orders", schedule=DAILY, start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        BashOperator(task_id="load", bash_command="load --from {{ data_interval_start }} --to {{ data_interval_end }}")
    ```
    """

    name = "removed-api"
    code = "DP007"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at imports, parameters, and what is asked of the context; then at what ruff says."""
        look = _Look(self, dagfile)
        found = [*look.of_imports(), *look.of_attributes(), *look.of_dags(), *look.of_tasks(), *look.of_context()]
        found += [*look.of_runs(), *look.of_pulls(), *look.of_database(), *look.of_variables()]
        own = [finding for finding in found if finding]
        yield from own
        lines = {finding.line for finding in own}
        for remark in dagfile.resolver.project.remarks(dagfile.module):
            if remark.line not in lines and not _is_known(remark):
                yield look.of_ruff(remark)


def _is_known(remark: Remark) -> bool:
    """Whether we tell better than ruff: where the name is gone from this version, and what the context gives."""
    ours = {*CONTEXT, *DAG_PARAMETERS, *TASK_PARAMETERS, *STANDARD_PARAMETERS}
    return remark.name.startswith("airflow.") or remark.name in ours


class _Look:
    """What one file uses that is gone."""

    def __init__(self, rule: RemovedApi, dagfile: DagFile) -> None:
        self.rule = rule
        self.dagfile = dagfile
        self.version = dagfile.resolver.project.airflow
        self.airflow = f"Airflow {shown(self.version)}"

    def of_imports(self) -> Iterator[Finding | None]:
        """Imports that fail."""
        for body in self.dagfile.bodies:
            for one in body.scope.imports:
                gone = None if one.is_guarded else removed_name(one.target, self.version)
                if gone:
                    places = (*body.chain, Place(body.scope.module, one.node))
                    yield self._gone(gone, places, body.task)

    def of_attributes(self) -> Iterator[Finding | None]:
        """Calls of what a module that is still there does not have any more: ``dates.days_ago(1)``."""
        for phase in ("parse", "run"):
            for site in self.dagfile.sites("parse" if phase == "parse" else "run"):
                gone = removed_name(site.names[0], self.version) if len(site.names) == 1 else None
                if gone and self._is_reached_by_attribute(site, gone.name):
                    yield self._gone(gone, (*site.body.chain, site.place), site.body.task)

    def _gone(self, gone: Removed, places: tuple[Place, ...], task: Task | None) -> Finding | None:
        if not gone.since:
            return self._found(places, f"{gone.name} does not exist in {self.airflow}", gone.instead, task)
        message = f"{gone.name} was removed in {gone.since}"
        return self._found(places, message, gone.instead, task, certain=gone.certain)

    def _is_reached_by_attribute(self, site: Site, name: str) -> bool:
        root: ast.expr = site.call.func
        while isinstance(root, ast.Attribute):
            root = root.value
        bindings = visible(root, site.scope) if isinstance(root, ast.Name) and root is not site.call.func else []
        is_import = len(bindings) == 1 and bindings[0].kind == "import" and not bindings[0].block
        return is_import and removed_name(bindings[0].target, self.version) is None

    def of_dags(self) -> Iterator[Finding | None]:
        """Parameters of DAGs."""
        for dag in self.dagfile.dags:
            for name, instead in DAG_PARAMETERS.items():
                value = dag.arguments.known.get(name)
                if value and self._is_airflows(dag):
                    places = (*dag.chain, Place(value.scope.module, value.node))
                    message = f"a DAG of {self.airflow} refuses the parameter {name}"
                    yield self._found(places, message, instead, dag_id=dag.dag_id)
            if isinstance(dag.node, ast.Call) and len(dag.node.args) > 1 and self._is_airflows(dag):
                message = f"a DAG of {self.airflow} takes only its id as a positional argument"
                yield self._found((*dag.chain, dag.place), message, "keywords for the other ones", dag_id=dag.dag_id)

    def _is_airflows(self, dag: Dag) -> bool:
        """Whether it is Airflow's own class or decorator; one of the project may have parameters of its own."""
        function = dag.node.func if isinstance(dag.node, ast.Call) else dag.node
        return all(name.startswith("airflow.") for name in self.dagfile.resolver.names(function, dag.scope))

    def of_tasks(self) -> Iterator[Finding | None]:
        """Parameters and trigger rules of tasks."""
        for task in self.dagfile.tasks:
            if any(name.startswith("airflow.") for name in task.names):
                yield from self._of_task(task)

    def _of_task(self, task: Task) -> Iterator[Finding | None]:
        name = task.names[0].removesuffix("()")
        refused = {**TASK_PARAMETERS, **PARAMETERS_OF.get(name.rpartition(".")[2], {})}
        if name.startswith(STANDARD):
            refused |= STANDARD_PARAMETERS
        for key, value in task.arguments.known.items():
            if key in refused:
                places = (*task.chain, Place(value.scope.module, value.node))
                message = f"{name.rpartition('.')[2]} of {self.airflow} refuses the parameter {key}"
                yield self._found(places, message, refused[key], task)
        given = Settings(task, self.dagfile).given("trigger_rule")
        rule = constant(given, self.dagfile.resolver) if given else None
        if given and isinstance(rule, str) and rule in TRIGGER_RULES:
            places = (*task.chain, Place(given.scope.module, given.node))
            yield self._found(places, f"{self.airflow} has no trigger rule {rule!r}", TRIGGER_RULES[rule], task)

    def of_context(self) -> Iterator[Finding | None]:
        """What templates, functions and their parameters are not given any more."""
        for task in self.dagfile.tasks:
            for name, text, line in context.in_templates(self.dagfile, task):
                message = f"{self.airflow} gives templates no {name}"
                places = (*task.chain, text.place._replace(inside=line))
                yield self._found(places, message, CONTEXT.get(name, "logical_date"), task)
            for name, place in context.parameters(self.dagfile, task):
                message = f"{self.airflow} gives tasks no {name}: the parameter stays without a value"
                chain = task.entries[0][1] if place.module is not self.dagfile.module else task.chain
                yield self._found((*chain, place), message, CONTEXT[name], task)
        for body in self.dagfile.bodies:
            if body.phase == "run":
                for name, place, fails in context.in_code(self.dagfile, body):
                    what = "a KeyError" if fails else "None"
                    message = f"{self.airflow} gives tasks no {name}: this is {what}"
                    yield self._found((*body.chain, place), message, CONTEXT[name], body.task)

    def of_runs(self) -> Iterator[Finding | None]:
        """What runs and task instances don't have any more."""
        for body in self._running():
            for name, place in context.dates_of_runs(self.dagfile, body):
                message = f"{name} does not exist in {self.airflow}: this is an AttributeError"
                instead = "dag_run.logical_date" if name.startswith("dag_run.") else "logical_date of the context"
                yield self._found((*body.chain, place), message, instead, body.task)

    def of_pulls(self) -> Iterator[Finding | None]:
        """XComs that are pulled from no task by name."""
        for body in self._running():
            for key, place in context.pulls(self.dagfile, body):
                message = f"without task_ids, xcom_pull asks {self.airflow} for {key} of this very task, and gets None"
                yield self._found((*body.chain, place), f"{message}; {PULL}", "", body.task)
        for task in self.dagfile.tasks:
            for told, text, line in context.pulls_in_templates(self.dagfile, task):
                message = f"without task_ids, {told} asks {self.airflow} for what this very task pushed, and gets None"
                places = (*task.chain, text.place._replace(inside=line))
                yield self._found(places, f"{message}; {PULL}", "", task)

    def of_database(self) -> Iterator[Finding | None]:
        """Sessions on the metadata database, which tasks don't get any more."""
        for body in self._running():
            for site in self.dagfile.sites_of([body]):
                name = next((name for name in site.names if ORM.match(name)), None)
                if name:
                    yield self._session(name.removesuffix("()"), (*body.chain, site.place), body.task)
            for node in body.scope.decorators:
                home = body.scope.parent or body.scope
                for name in self.dagfile.resolver.names(node, home):
                    if ORM_DECORATOR.match(name):
                        place = Place(body.scope.module, node)
                        yield self._session(name, (*body.chain, place), body.task)

    def _session(self, name: str, places: tuple[Place, ...], task: Task | None) -> Finding | None:
        message = f"{name}() opens the metadata database, which {self.airflow} refuses to tasks (RuntimeError)"
        return self._found(places, message, "the REST API, or what the context gives", task)

    def of_variables(self) -> Iterator[Finding | None]:
        """A parameter that the Variable of ``airflow.sdk`` does not have."""
        for site in [*self.dagfile.sites("parse"), *self.dagfile.sites("run")]:
            if "default_var" in {k.arg for k in site.call.keywords} and "airflow.sdk.Variable.get" in site.names:
                message = "Variable.get() of airflow.sdk refuses the parameter default_var (TypeError)"
                yield self._found((*site.body.chain, site.place), message, "default", site.body.task)

    def _running(self) -> list[Body]:
        return [body for body in self.dagfile.bodies if body.phase == "run"]

    def of_ruff(self, remark: Remark) -> Finding:
        """What only ruff says."""
        module = self.dagfile.module
        node = ast.Name("", lineno=remark.line, end_lineno=remark.line, col_offset=remark.column - 1)
        text = remark.text.replace("`", "").rstrip(";. ")
        return self.rule.found(self.dagfile, (Place(module, node),), f"ruff says: {text}", certain=False)

    def _found(
        self,
        places: tuple[Place, ...],
        message: str,
        instead: str,
        task: Task | None = None,
        dag_id: str | None = None,
        *,
        certain: bool = True,
    ) -> Finding | None:
        """A finding; None where the code only goes this way on other versions of Airflow."""
        if depends_on_version(places):
            return None
        advice = f"; use {instead}" if instead else ""
        return self.rule.found(self.dagfile, places, f"{message}{advice}", task=task, dag_id=dag_id, certain=certain)
