"""What importing the files of a DAG folder gave: DAGs, tasks, events, errors. Plain data, with places in the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Show: TypeAlias = Callable[[str], str]
"""Turns an absolute path into the one that people are told."""


@dataclass(frozen=True)
class Spot:
    """A place in a file; columns count from 1."""

    path: str
    line: int
    column: int = 1
    end_line: int = 0


Spots: TypeAlias = tuple[Spot, ...]
"""The way from a DAG file to where something happens: the calls on the stack, the outermost first."""


@dataclass(frozen=True)
class Awaits:
    """What an ExternalTaskSensor waits for."""

    dag_id: str | None
    task_ids: tuple[str, ...]
    task_group_id: str | None
    shifted: bool


@dataclass(frozen=True)
class LoadedTask:
    """A task as Airflow sees it, with all defaults applied. What can't be told is None."""

    task_id: str
    spots: Spots
    type: str
    module: str
    bases: tuple[str, ...]
    """The full names of its class and of all that it is made of."""
    mapped: bool
    sensor: bool
    given: frozenset[str]
    """The arguments that somebody gave: the file, the DAG's default_args, or the operator's own class."""
    mode: str | None
    deferrable: bool | None
    defers: bool
    """Whether its class has an execution of its own that can wait without a worker."""
    timeout: float | None
    poke_interval: float | None
    exponential_backoff: bool
    retries: int | None
    execution_timeout: float | None
    pool: str | None
    start_date: str | None
    end_date: str | None
    awaits: Awaits | None
    triggers: str | None
    """The id of the DAG that it triggers."""
    outlets: tuple[str, ...]
    inlets: tuple[str, ...]
    fields: Mapping[str, str]
    """Its templated fields that are texts."""


@dataclass(frozen=True)
class Schedule:
    """When a DAG runs: the name of its timetable, what the scheduler keeps of it, and the assets it waits for."""

    timetable: str
    summary: str
    timezone: str
    assets: tuple[str, ...]
    periodic: bool
    """Whether time starts its runs."""


@dataclass(frozen=True)
class LoadedDag:
    """A DAG as Airflow sees it."""

    dag_id: str
    spots: Spots
    given: frozenset[str]
    """The arguments that the file gave."""
    schedule: Schedule
    catchup: bool
    start_date: str | None
    end_date: str | None
    default_args: frozenset[str]
    task_groups: tuple[str, ...]
    tasks: tuple[LoadedTask, ...]
    unserializable: str | None
    """Why the scheduler could not serialize it."""
    group_cycle: tuple[str, ...] | None = None
    """The task groups, and tasks beside them, that depend on each other; None where nobody looked."""


@dataclass(frozen=True)
class Event:
    """Something that importing a file did."""

    kind: str
    """``connect``, ``database``, ``process``, ``write``, ``variable`` or ``connection``."""
    what: str
    spots: Spots
    refused: bool
    by_import: bool
    """Whether it was an installed module that did it, while it was imported."""


@dataclass(frozen=True)
class LoadError:
    """Why a file did not import."""

    type: str
    message: str
    spots: Spots
    module: str | None = None
    """The module that was not found."""
    refused: bool = False
    """Whether something that the file tried to do had been refused, which it may not have taken well."""
    text: str | None = None
    """The line that is no Python."""
    died: bool = False
    """Whether the process hung or ended: nothing is known of the file but its events."""


@dataclass
class LoadedFile:
    """What importing one file gave."""

    path: str
    dags: tuple[LoadedDag, ...] = ()
    made: tuple[tuple[str, Spots], ...] = ()
    """The id and place of each DAG that was made, whether Airflow finds it or not."""
    events: tuple[Event, ...] = ()
    error: LoadError | None = None
    seconds: float = 0.0
    threads: int = 0
    """How many threads importing it started."""
    made_up: tuple[str, ...] = ()
    """What was looked up and has no value here, so that something was made up for it."""
    imported: tuple[str, ...] = ()
    """The user's own files that it imported."""
    later: tuple[LoadedDag, ...] | None = None
    """Its DAGs when it is imported some 400 days later; None where nothing in it asks for the time."""


@dataclass(frozen=True)
class Dates:
    """The logical dates of a DAG from `since` to `until`, as seconds."""

    dates: frozenset[int]
    since: int
    until: int


@dataclass(frozen=True)
class Waiting:
    """Which dates of its producer a sensor waits for, on each of its own: ``(own, awaited, …)`` as seconds."""

    dag_id: str
    task_id: str
    producer: str
    waits: tuple[tuple[int, ...], ...]


@dataclass
class LoadedFolder:
    """What importing a whole folder gave."""

    files: dict[str, LoadedFile] = field(default_factory=dict)
    whole: bool = False
    """Whether these are all files of the DAG folder, so that what is not among them does not exist."""
    dates: dict[str, Dates | None] = field(default_factory=dict)
    """The dates of DAGs that sensors wait for; None for one that time does not start."""
    waiting: tuple[Waiting, ...] = ()

    def dags(self) -> Iterator[tuple[LoadedFile, LoadedDag]]:
        """Yield each DAG with its file."""
        for file in self.files.values():
            for dag in file.dags:
                yield file, dag

    @property
    def sound(self) -> bool:
        """Whether every file could be imported: only then is it known what does not exist."""
        return self.whole and not any(file.error for file in self.files.values())


def spots(data: list[dict[str, Any]], show: Show) -> Spots:
    """Return places as the loader tells them."""
    return tuple(Spot(show(one["path"]), one["line"], one["column"], one["end_line"]) for one in data)


def loaded_dag(data: Mapping[str, Any], show: Show) -> LoadedDag:
    """Return a DAG as the loader describes it."""
    return LoadedDag(
        dag_id=data["dag_id"],
        spots=spots(data["chain"], show),
        given=frozenset(data["given"]),
        schedule=Schedule(**{**data["schedule"], "assets": tuple(data["schedule"]["assets"])}),
        catchup=data["catchup"],
        start_date=data["start_date"],
        end_date=data["end_date"],
        default_args=frozenset(data["default_args"]),
        task_groups=tuple(data["task_groups"]),
        tasks=tuple(_task(task, show) for task in data["tasks"]),
        unserializable=data["unserializable"],
        group_cycle=tuple(data["group_cycle"]) if data.get("group_cycle") is not None else None,
    )


def _task(data: Mapping[str, Any], show: Show) -> LoadedTask:
    fields = {name: value for name, value in data.items() if name != "chain"}
    awaits = data["awaits"]
    return LoadedTask(
        **{
            **fields,
            "spots": spots(data["chain"], show),
            "given": frozenset(data["given"]),
            "awaits": awaits and Awaits(**{**awaits, "task_ids": tuple(awaits["task_ids"])}),
            **{name: tuple(data[name]) for name in ("bases", "outlets", "inlets")},
        }
    )


def loaded_file(path: str, outcome: Mapping[str, Any], show: Show) -> LoadedFile:
    """Return what the loader tells of one file."""
    events = tuple(Event(**{**_no_chain(e), "spots": spots(e["chain"], show)}) for e in outcome["events"])
    result = outcome["result"]
    if result is None:
        died = outcome["died"]
        error = LoadError(
            "", died["how"], spots(died["chain"], show), died=True, refused=any(e.refused for e in events)
        )
        return LoadedFile(path, events=events, error=error)
    told = result["error"]
    return LoadedFile(
        path,
        dags=tuple(loaded_dag(dag, show) for dag in result["dags"]),
        made=tuple((one["dag_id"], spots(one["chain"], show)) for one in result["made"]),
        events=events,
        error=told and LoadError(**{**_no_chain(told), "spots": spots(told["chain"], show)}),
        seconds=result["seconds"],
        threads=result["threads"],
        made_up=tuple(result["made_up"]),
        imported=tuple(show(file) for file in result["imported"]),
    )


def _no_chain(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "chain"}
