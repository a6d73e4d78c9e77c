"""Airflow's private parts, all that dagproof touches of them: what each is for, and where each line of Airflow has it.

Nothing else of dagproof imports from Airflow but from ``airflow.sdk``, its public face. ``private.TaskInstance`` is the
part of that name in :data:`PARTS`, imported when it is asked for. :func:`check` says which one an Airflow has no more.
"""

from __future__ import annotations

import importlib.machinery
import inspect
import zipimport
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from typing import Any, NamedTuple
from unittest.mock import patch

from dagproof.errors import WorkerError
from dagproof.loaded.deployment import airflow_version, supported

CHECK, PROVE = "check", "prove"


class Part(NamedTuple):
    """Something of Airflow that is not public."""

    why: str
    """What dagproof needs it for: goes on after "which dagproof needs to"."""
    places: tuple[str, ...]
    """``module`` or ``module:name.attribute``, the newest place first."""
    needed_by: tuple[str, ...] = (PROVE,)
    """The commands that can do nothing without it."""


_BOTH = (CHECK, PROVE)
_SERIALIZED = "airflow.serialization.serialized_objects"
_API = "airflow.api_fastapi.execution_api"
_CLIENT = "airflow.sdk.api.client"
_RUNNER = "airflow.sdk.execution_time.task_runner"
_TI = "airflow.models.taskinstance"

PARTS: dict[str, Part] = {
    # DAG files, and DAGs as the scheduler keeps them
    "BundleDagBag": Part(
        "load DAG files as the DAG processor does",
        ("airflow.dag_processing.dagbag:BundleDagBag", "airflow.models.dagbag:BundleDagBag"),  # moved in 3.2
        _BOTH,
    ),
    "sync_bag_to_db": Part(
        "write the DAGs to the metadata database",
        ("airflow.dag_processing.dagbag:sync_bag_to_db", "airflow.models.dagbag:sync_bag_to_db"),  # moved in 3.2
    ),
    "DagBundlesManager": Part("have a bundle of DAGs", ("airflow.dag_processing.bundles.manager:DagBundlesManager",)),
    "get_all_dag_bundles": Part(
        "keep dag.test() from reading the whole folder again",
        ("airflow.dag_processing.bundles.manager:DagBundlesManager.get_all_dag_bundles",),
    ),
    "sync_bundles_to_db": Part(
        "keep dag.test() from reading the whole folder again",
        ("airflow.dag_processing.bundles.manager:DagBundlesManager.sync_bundles_to_db",),
    ),
    "set_rendered_fields": Part(
        "keep no rendered templates of runs that nobody looks at", (f"{_CLIENT}:TaskInstanceOperations.set_rtif",)
    ),
    "TypeAdapter": Part("check rendered templates without building the check each time", (f"{_RUNNER}:TypeAdapter",)),
    "Serialization": Part(
        "see a DAG as the scheduler does",
        (f"{_SERIALIZED}:DagSerialization", f"{_SERIALIZED}:SerializedDAG"),  # split from SerializedDAG in 3.2
        _BOTH,
    ),
    "clear_dags": Part(
        "keep dag.test() from clearing the run that a step works on",
        (
            "airflow.serialization.definitions.dag:SerializedDAG.clear_dags",  # moved in 3.2
            f"{_SERIALIZED}:SerializedDAG.clear_dags",
        ),
    ),
    "init_kwargs": Part(
        "know what an operator was given",
        ("airflow.sdk.bases.operator:BaseOperator._BaseOperator__init_kwargs",),
        (CHECK,),
    ),
    # Schedules
    "TimeRestriction": Part("follow a schedule", ("airflow.timetables.base:TimeRestriction",), _BOTH),
    "DataInterval": Part("make a run of its own", ("airflow.timetables.base:DataInterval",), _BOTH),
    "ContinuousTimetable": Part("plan runs", ("airflow.timetables.simple:ContinuousTimetable",), _BOTH),
    "CronDataIntervalTimetable": Part("plan runs", ("airflow.timetables.interval:CronDataIntervalTimetable",), _BOTH),
    "CronTriggerTimetable": Part("plan runs", ("airflow.timetables.trigger:CronTriggerTimetable",), _BOTH),
    "MultipleCronTriggerTimetable": Part(
        "plan runs", ("airflow.timetables.trigger:MultipleCronTriggerTimetable",), _BOTH
    ),
    # Runs and tasks in the metadata database
    "settings": Part("have a metadata database of its own", ("airflow.settings",)),
    "initdb": Part("make a metadata database", ("airflow.utils.db:initdb",)),
    "create_session": Part("read the metadata database", ("airflow.utils.session:create_session",)),
    "Variable": Part("keep the Variables of a world", ("airflow.models.variable:Variable",), _BOTH),
    "Variable_get": Part("name the setting that gives a Variable", ("airflow.models.variable:Variable.get",)),
    "Connection": Part("see which Connections a file reads", ("airflow.models.connection:Connection",), (CHECK,)),
    "DagRun": Part("make the run that the scheduler would make", ("airflow.models.dagrun:DagRun",)),
    "get_or_create_dagrun": Part(
        "put the run of the scheduler in the place of the one that dag.test() makes",
        ("airflow.models.dagrun:get_or_create_dagrun",),
    ),
    "TaskInstance": Part("see the states of tasks", (f"{_TI}:TaskInstance",)),
    "trigger_timeout": Part("let deferred tasks time out", (f"{_TI}:TaskInstance.trigger_timeout",)),
    "next_retry_datetime": Part("retry without waiting", (f"{_TI}:TaskInstance.next_retry_datetime",)),
    "clear_task_instances": Part("clear a run as the UI does", (f"{_TI}:clear_task_instances",)),
    "TaskReschedule": Part("look again without waiting", ("airflow.models.taskreschedule:TaskReschedule",)),
    "AssetEvent": Part("give a run the events that triggered it", ("airflow.models.asset:AssetEvent",)),
    "DagRunType": Part("make the run that the scheduler would make", ("airflow.utils.types:DagRunType",), _BOTH),
    "DagRunTriggeredByType": Part(
        "make the run that the scheduler would make", ("airflow.utils.types:DagRunTriggeredByType",)
    ),
    "DagRunState": Part("see the states of runs", ("airflow.utils.state:DagRunState",)),
    "TaskInstanceState": Part("see the states of tasks", ("airflow.utils.state:TaskInstanceState",)),
    "State": Part("see the states of tasks", ("airflow.utils.state:State",)),
    # The Execution API, which tasks talk to
    "InProcessExecutionAPI": Part("answer tasks on the thread of a run", (f"{_API}.app:InProcessExecutionAPI",)),
    "versioned_api": Part(
        "build the Execution API of one version in less than seconds", (f"{_API}.app:CadwynWithOpenAPICustomization",)
    ),
    "execution_api_router": Part("build the Execution API", (f"{_API}.routes:execution_api_router",)),
    "api_version": Part(
        "let the Execution API know that tasks speak its newest version",
        (f"{_API}.versions:bundle.api_version_var",),
    ),
    "deleted_route_tag": Part("leave out routes of old versions", ("cadwyn.route_generation:_DELETED_ROUTE_TAG",)),
    "ExecutionClient": Part("know which HTTP library tasks talk with", (f"{_CLIENT}:Client",)),
    "trigger_dag_run": Part("let the runs happen that tasks trigger", (f"{_CLIENT}:DagRunOperations.trigger",)),
    # What runs tasks
    "run_task": Part("see what becomes of each task", ("airflow.sdk.definitions.dag:_run_task",)),
    "run_inline_trigger": Part(
        "let deferred tasks wait on the clock of a world", ("airflow.sdk.definitions.dag:_run_inline_trigger",)
    ),
    "run_task_in_process": Part(
        "know how long a task holds its slot", ("airflow.sdk.execution_time.supervisor:run_task_in_process",)
    ),
    "next_poke_interval": Part(
        "let sensors look without waiting", ("airflow.sdk.bases.sensor:BaseSensorOperator._get_next_poke_interval",)
    ),
    "execute_task": Part("lose a worker after the work of its task", (f"{_RUNNER}:_execute_task",)),
    "handle_trigger_dag_run": Part(
        "lose a worker after it has triggered a run", (f"{_RUNNER}:_handle_trigger_dag_run",)
    ),
    "run_callbacks": Part(
        "tell what a callback writes from what its task writes", (f"{_RUNNER}:_run_task_state_change_callbacks",)
    ),
    "handle_task_failed": Part(
        "let a task that lost its worker be retried", (f"{_RUNNER}:_handle_current_task_failed",)
    ),
}


def __getattr__(name: str) -> Any:
    """Return the part of that name.

    Raises:
        WorkerError: this Airflow has it no more.
    """
    if name not in PARTS:
        raise AttributeError(f"module {__name__!r} has no part {name!r}")
    owner, attribute = _spot(name)
    return getattr(owner, attribute) if attribute else owner


def check(command: str) -> None:
    """Look whether this Airflow has every part that a command needs.

    Raises:
        WorkerError: one or more are gone.
    """
    gone = [name for name, part in PARTS.items() if command in part.needed_by and _found(part) is None]
    if gone:  # a module that is there without the name says more than one that can't be imported, perhaps for that name
        raise WorkerError(_sentence(sorted(gone, key=lambda name: not _is_module_there(PARTS[name]))))


def given_to(operator: Any) -> Any:
    """Return the arguments that an operator was made with."""
    _spot("init_kwargs")
    return getattr(operator, "_BaseOperator__init_kwargs", {})


def dag_file_loaders() -> list[Any]:
    """Return the loaders that DAG files are imported with: Python's own, and since Airflow 3.4 one of Airflow's."""
    loaders: list[Any] = [importlib.machinery.SourceFileLoader, zipimport.zipimporter]
    with suppress(ImportError, AttributeError):
        loaders.append(import_module("airflow.sdk.importers.python_importer")._DefinitionSourceLoader)
    return loaders


@contextmanager
def patched(**parts: Any) -> Iterator[None]:
    """Put something in the place of parts for a while."""
    with ExitStack() as stack:
        for name, value in parts.items():
            stack.enter_context(patch.object(*_spot(name), value))
        yield


def _spot(name: str) -> tuple[Any, str]:
    """Return what holds a part, and under which name; no name where the part is a module."""
    found = _found(PARTS[name])
    if found is None:
        raise WorkerError(_sentence([name]))
    return found


def _found(part: Part) -> tuple[Any, str] | None:
    for place in part.places:
        module, _, path = place.partition(":")
        *outer, last = path.split(".")
        try:
            owner: Any = import_module(module)
            for attribute in outer:
                owner = getattr(owner, attribute)
            if last and last not in getattr(owner, "__annotations__", ()):  # a field without a default
                getattr(owner, last)
        except (ImportError, AttributeError):
            continue
        return owner, last
    return None


def _is_module_there(part: Part) -> bool:
    try:
        import_module(part.places[0].partition(":")[0])
    except ImportError:
        return False
    return True


def _sentence(gone: list[str]) -> str:
    first, others = PARTS[gone[0]], len(gone) - 1
    more = f" (nor {others} other names that it needs)" if others > 1 else " (nor one more name)" if others else ""
    name = first.places[0].replace(":", ".")
    return (
        f"Airflow {airflow_version()} has no {name} any more, which dagproof needs to {first.why}{more}; "
        f"use a supported version: {supported()}"
    )


def task_failed(ti: Any, error: BaseException, log: Any, context: Any) -> Any:
    """Return what a task that failed reports to its supervisor, and its state (since 3.3 the error may decide that)."""
    failed = __getattr__("handle_task_failed")
    accepted = len(inspect.signature(failed).parameters)
    return failed(*(ti, error, log, context)[:accepted])
