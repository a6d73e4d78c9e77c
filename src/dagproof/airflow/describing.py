"""Describe a loaded DAG as plain data, for rules that know no Airflow."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from types import CodeType
from typing import Any

from dagproof.airflow import private
from dagproof.airflow.engine import replace
from dagproof.airflow.frames import Place, UserCode

LONGEST_TEXT = 2_000
ONCE = ("OnceTimetable", "ContinuousTimetable")


class Recorder:
    """Writes down where each DAG and each task is made, and what a DAG is told."""

    def __init__(self, user: UserCode) -> None:
        self.user = user
        self.dags: list[tuple[Any, list[str], list[Place]]] = []
        """Each DAG that is made, the names of the arguments it is given, and where."""
        self.tasks: dict[int, list[Place]] = {}

    def install(self) -> None:
        """Look at DAGs and tasks from now on."""
        from airflow.sdk import DAG

        original, add = DAG.__init__, DAG.add_task

        @wraps(original)
        def init(dag: Any, *args: Any, **kwargs: Any) -> None:
            self.dags.append((dag, sorted(kwargs), self.user.chain(sys._getframe(1))))
            original(dag, *args, **kwargs)

        @wraps(add)
        def add_task(dag: Any, task: Any) -> None:
            self.tasks.setdefault(id(task), self.user.chain(sys._getframe(1)))
            add(dag, task)

        replace(DAG, __init__=init, add_task=add_task)

    def made(self) -> list[dict[str, object]]:
        """Return the id and place of every DAG that was made, found by Airflow or not."""
        return [
            {"dag_id": dag.dag_id, "chain": chain} for dag, _, chain in self.dags if isinstance(_id(dag), str) and chain
        ]

    def of(self, dag: Any) -> tuple[list[str], list[Place]]:
        """Return what a DAG was given, and where it was made."""
        return next(((given, chain) for one, given, chain in self.dags if one is dag), ([], []))


def _id(dag: Any) -> object:
    return getattr(dag, "dag_id", None)  # one whose __init__ failed has none


def describe(dag: Any, recorder: Recorder) -> dict[str, object]:
    """Return a DAG as plain data."""
    given, chain = recorder.of(dag)
    serialized, why_not = _serialized(dag)
    return {
        "dag_id": dag.dag_id,
        "chain": chain,
        "given": given,
        "schedule": _schedule(dag, serialized),
        "catchup": bool(dag.catchup),
        "start_date": _moment(dag.start_date),
        "end_date": _moment(dag.end_date),
        "default_args": sorted(dag.default_args or {}),
        "task_groups": sorted(group for group in dag.task_group_dict if group),
        "tasks": [_task(task, recorder) for task in dag.tasks],
        "unserializable": why_not,
        "group_cycle": _group_cycle(dag),
    }


def _group_cycle(dag: Any) -> list[str]:
    """Return the ids of task groups, and tasks beside them, that each come before and after another one of them."""
    groups = dag.task_group.get_task_group_dict()

    def parents(group_id: str | None) -> list[str | None]:
        group = groups.get(group_id)
        return [*parents(group.parent_group.group_id), group_id] if group and group.parent_group else [None]

    after: dict[str, set[str]] = {}
    for task in dag.tasks:
        for other in task.downstream_list:
            ways = [
                [*parents(one.task_group.group_id if one.task_group else None), one.task_id] for one in (task, other)
            ]
            first, second = next(((a, b) for a, b in zip(*ways, strict=False) if a != b), (None, None))
            if first is not None and second is not None:
                after.setdefault(first, set()).add(second)
    left = dict(after)
    while ends := {one for ones in left.values() for one in ones} - {one for one, ones in left.items() if ones}:
        left = {one: ones - ends for one, ones in left.items()}
    waited = {one for ones in left.values() for one in ones}
    found = sorted(one for one, ones in left.items() if ones and one in waited)
    return found if any(one in groups for one in found) else []


def _schedule(dag: Any, serialized: Mapping[str, Any]) -> dict[str, object]:
    timetable = dag.timetable
    told = serialized.get("dag", {}).get("timetable")
    return {
        "timetable": type(timetable).__name__,
        "summary": _text(told) if told else repr(timetable),
        "timezone": str(getattr(dag, "timezone", "")),
        "assets": sorted(_assets(getattr(timetable, "asset_condition", None))),
        "periodic": not _never_by_time(timetable),
    }


def _never_by_time(timetable: Any) -> bool:
    names = {kind.__name__ for kind in type(timetable).__mro__}
    if not getattr(timetable, "can_be_scheduled", True) or names & {"NullTimetable", *ONCE}:
        return True
    return "AssetTriggeredTimetable" in names and "AssetOrTimeSchedule" not in names


def _assets(condition: Any) -> set[str]:
    """The assets in a condition, but for those that something outside watches."""
    if hasattr(condition, "objects"):
        return {uri for part in condition.objects for uri in _assets(part)}
    return set() if getattr(condition, "watchers", None) else _uris([condition])


def _serialized(dag: Any) -> tuple[Mapping[str, Any], str | None]:
    """Return a DAG as the scheduler keeps it, or nothing and why it can't be kept."""
    try:
        return private.Serialization.to_dict(dag), None
    except Exception as error:
        while isinstance(error.__cause__, Exception):
            error = error.__cause__
        return {}, f"{type(error).__name__}: {_first_line(error)}"


_text = json.JSONEncoder(sort_keys=True, default=str).encode  # what json.dumps is, whatever a file made of that


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:500] if lines else ""


def _task(task: Any, recorder: Recorder) -> dict[str, object]:
    mapped = hasattr(task, "expand_input")
    kind = task.operator_class if mapped else type(task)
    values = _Values(task, mapped)
    return {
        "task_id": task.task_id,
        "chain": recorder.tasks.get(id(task), []),
        "type": task.task_type,
        "module": kind.__module__,
        "bases": [f"{one.__module__}.{one.__qualname__}" for one in kind.__mro__ if one is not object],
        "mapped": mapped,
        "sensor": _is_sensor(task, kind),
        "given": sorted(values.given),
        "mode": values.text("mode"),
        "deferrable": values.flag("deferrable"),
        "defers": _defers(kind),
        "timeout": values.seconds("timeout"),
        "poke_interval": values.seconds("poke_interval"),
        "exponential_backoff": bool(values.flag("exponential_backoff")),
        "retries": _whole(getattr(task, "retries", None)),
        "execution_timeout": values.seconds("execution_timeout"),
        "pool": getattr(task, "pool", None),
        "start_date": _moment(task.start_date),
        "end_date": _moment(task.end_date),
        "awaits": _awaits(values, kind),
        "triggers": values.text("trigger_dag_id") if _is_a(kind, "TriggerDagRunOperator") else None,
        "outlets": sorted(_uris(getattr(task, "outlets", None))),
        "inlets": sorted(_uris(getattr(task, "inlets", None))),
        "fields": _fields(task, values),
    }


class _Values:
    """What a task is told: the attributes of an operator, the arguments of a mapped one."""

    def __init__(self, task: Any, mapped: bool) -> None:
        self._task = task
        self._mapped = mapped
        kwargs = getattr(task, "partial_kwargs", {}) if mapped else private.given_to(task)
        self._kwargs: Mapping[str, Any] = kwargs if isinstance(kwargs, Mapping) else {}
        self.given = set(self._kwargs)
        if mapped:
            expanded = getattr(task.expand_input, "value", None)
            self._expanded = set(expanded) if isinstance(expanded, Mapping) else {"*"}
            self.given |= self._expanded

    def get(self, name: str) -> Any:
        if not self._mapped:
            return getattr(self._task, name, None)
        return None if self._expanded & {name, "*"} else self._kwargs.get(name)

    def text(self, name: str) -> str | None:
        value = self.get(name)
        return value if isinstance(value, str) else None

    def flag(self, name: str) -> bool | None:
        value = self.get(name)
        return value if isinstance(value, bool) else None

    def seconds(self, name: str) -> float | None:
        value = self.get(name)
        if isinstance(value, timedelta):
            return value.total_seconds()
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def texts(self, name: str) -> list[str] | None:
        value = self.get(name)
        if isinstance(value, str):
            return [value]
        if isinstance(value, list | tuple | set):
            return [one for one in value if isinstance(one, str)]
        return None


def _is_sensor(task: Any, kind: type) -> bool:
    return bool(getattr(task, "_is_sensor", False)) or _is_a(kind, "BaseSensorOperator")


def _is_a(kind: type, name: str) -> bool:
    return any(one.__name__ == name for one in kind.__mro__)


def _defers(kind: type) -> bool:
    """Say whether a class has an execution of its own that can wait without a worker."""
    methods = (vars(one).get("execute") for one in kind.__mro__)
    return any("defer" in name or "TaskDeferred" in name for method in methods for name in _names(method))


def _names(method: Any) -> Iterable[str]:
    while hasattr(method, "__wrapped__"):
        method = method.__wrapped__
    code = getattr(method, "__code__", None)
    return (*code.co_names, *code.co_freevars) if isinstance(code, CodeType) else ()


def _awaits(values: _Values, kind: type) -> dict[str, object] | None:
    if not _is_a(kind, "ExternalTaskSensor"):
        return None
    return {
        "dag_id": values.text("external_dag_id"),
        "task_ids": values.texts("external_task_ids") or values.texts("external_task_id") or [],
        "task_group_id": values.text("external_task_group_id"),
        "shifted": bool(values.get("execution_delta") or values.get("execution_date_fn")),
    }


def _fields(task: Any, values: _Values) -> dict[str, str]:
    """The texts of templated fields."""
    texts = {str(name): values.text(str(name)) for name in getattr(task, "template_fields", ()) or ()}
    return {name: text[:LONGEST_TEXT] for name, text in texts.items() if text is not None}


def _uris(assets: Any) -> set[str]:
    found = set()
    for asset in assets or ():
        uri = getattr(asset, "uri", None) or getattr(asset, "name", None)
        if isinstance(uri, str):
            found.add(uri)
    return found


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else None
