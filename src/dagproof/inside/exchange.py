"""What the driver asks of a worker about runs, and what it gets back: frozen data that goes through JSON.

The driver, the worker and the child that runs a DAG import this module. So it needs the standard library alone, and
nothing that is slow to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dagproof.inside.machine import Machine
from dagproof.inside.plain import Plain
from dagproof.inside.plans import FileWatch, PokePlan

#: The key under which requests, replies and results carry what the user's code cannot know.
ORIGIN = "proof of origin"

# Runs, and what is asked of them


@dataclass(frozen=True)
class PlannedRun(Plain):
    """The run that the scheduler makes of a DAG for a date; moments are in ISO 8601."""

    dag_id: str
    run_id: str
    run_type: str
    run_after: str
    date: str = ""
    """As the user wrote it, or as the schedule gives it; empty for a run that another DAG triggers."""
    logical_date: str | None = None
    data_interval: tuple[str, str] | None = None
    partition_key: str | None = None
    partition_date: str | None = None
    consumes: tuple[tuple[str, str], ...] = ()
    """The runs, by DAG and run id, whose asset events it is about, if it is about those."""

    @property
    def due(self) -> datetime:
        """When the scheduler may start it."""
        return datetime.fromisoformat(self.run_after)


@dataclass(frozen=True)
class Watch(Plain):
    """The snapshots to take after each task: of which stores, and the empty folder that they are put into."""

    into: str
    databases: Mapping[str, str]
    """Addresses, by how the names of tables there begin."""
    files: str
    home: str
    scratch: tuple[str, ...] = ()
    of: str = ""
    """What follows the names of tasks, where they are not of the DAG under proof."""


@dataclass(frozen=True)
class Retries(Plain):
    """How many retries each task has, whatever its file says."""

    least: int = 0
    most: int | None = None


@dataclass(frozen=True)
class RunOptions(Plain):
    """What a step asks for besides the run itself."""

    watch: Watch | None = None
    retries: Retries | None = None
    lose: str | None = None
    """The task whose worker is lost after its work; all tasks where it is empty, none where it is None."""
    stop: str = ""
    """The task that fails before it does anything."""
    clear: str = ""
    """The task that is cleared, with all that come after it."""
    arrivals: tuple[PlannedArrival, ...] = ()
    files: FileWatch | None = None
    tripwire: tuple[str, ...] = ()
    """The folders of the user's code, to note who asks there for the time or for something random."""
    poke: PokePlan | None = None
    handlers: tuple[str, ...] = ()
    """The folders of the user's code, to note which of its handlers take an error."""


@dataclass(frozen=True)
class RunRequest(Plain):
    """One run of a DAG in a world."""

    run: PlannedRun
    clock: str
    """Where the wall clock starts."""
    machine: Machine
    cwd: str
    timeout: float
    disk: int
    """How many bytes it may write."""
    log: str
    result: str
    may_fail: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each DAG, the tasks that may fail."""
    instead: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For each DAG, the tasks that are taken out (see :mod:`dagproof.airflow.taken_out`)."""
    conf: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """For each DAG, the conf of its runs."""
    options: RunOptions = RunOptions()
    triggered: bool = False
    """Whether another DAG has triggered it."""
    turn: Mapping[str, str] = field(default_factory=dict)
    """The databases in which rows get another physical order between tasks, where the machine turns them."""


@dataclass(frozen=True)
class PlannedArrival(Plain):
    """A run of another DAG that happens at a moment of this one."""

    moment: str
    request: RunRequest


# What a run reports


@dataclass(frozen=True, order=True)
class LeftOut(Plain):
    """Something that a verdict does not vouch for, and why.

    `why` follows `what`, or precedes it where it begins with ``not``: ``publish ran in no history (skipped)``, but
    ``not compared: users.loaded_at``. Where it ends with :data:`dagproof.runs.scope.ASIDE`, `what` stands before that:
    ``also spoke to service s3: neither compared nor restored``. `setting` is the key of the DAG's own table,
    ``world.allow`` and similar, or an option such as ``--max-points``; it is empty where no setting leaves it out.
    """

    what: str
    why: str
    setting: str = ""


@dataclass(frozen=True)
class TaskRun(Plain):
    """One try of a task."""

    task_id: str
    map_index: int
    try_number: int
    state: str | None
    where: str | None
    """``file.py:line`` of its code, where that is known."""
    error: str | None
    raised: str | None
    """``file.py:line`` of the last line of the user's own code that the error went through."""
    started: float
    """By the monotonic clock that driver and child have in common, as `ended` is."""
    ended: float
    begun: str
    """By the clock of the world, as `over` is."""
    over: str


@dataclass(frozen=True)
class TaskState(Plain):
    """What became of a task instance; `state` None is one that still waits."""

    task_id: str
    map_index: int
    state: str | None
    try_number: int


@dataclass(frozen=True)
class Failure(Plain):
    """A task that failed, or did not run because another failed; `wanted` where the configuration lets it."""

    task_id: str
    map_index: int
    state: str | None
    error: str | None
    raised: str | None
    wanted: bool


@dataclass(frozen=True)
class FileOperation(Plain):
    """Something that happened to a file of the world, and the task that did it."""

    what: str
    task: str


@dataclass(frozen=True)
class Trip(Plain):
    """A line of the user's code that asked for `what`."""

    what: str
    task: str
    file: str
    line: int
    code: str
    own: bool
    """Whether the line asks itself, and no library for it."""
    at: float
    """When, by the monotonic clock that driver and child have in common."""


@dataclass(frozen=True)
class Taken(Plain):
    """An error that a handler in the user's code took, so that it went no further."""

    error: str
    task: str
    file: str
    line: int
    code: str


@dataclass(frozen=True)
class RunReport(Plain):
    """What a run reports of itself, and what the driver knows of it besides; empty for a step without a run."""

    dag: str = ""
    state: str = ""
    """``success`` or ``failed``; ``timeout``, ``full`` or ``died`` where its process did not come to its end."""
    reason: str | None = None
    """Why it could not go on, where dagproof is who says so."""
    dag_run: str = ""
    """Airflow's own word for how it ended."""
    failures: tuple[Failure, ...] = ()
    callbacks: Mapping[str, str] = field(default_factory=dict)
    """The callbacks that failed, with their errors."""
    beside: tuple[RunReport, ...] = ()
    """Runs of other DAGs that were made for it."""
    dated: bool = True
    """Whether it has a logical date."""
    tasks: tuple[TaskRun, ...] = ()
    states: tuple[TaskState, ...] = ()
    slots: Mapping[str, float] = field(default_factory=dict)
    """Virtual seconds for which each task held a worker slot."""
    skipped: float = 0.0
    """Seconds that its clock jumped over."""
    files: tuple[FileOperation, ...] = ()
    reads: tuple[FileOperation, ...] = ()
    """The files of the world that were opened for reading."""
    pokes: tuple[FileOperation, ...] = ()
    """The pokes of sensors, and the waits of triggers."""
    taken: tuple[Taken, ...] = ()
    trips: tuple[Trip, ...] = ()
    imported: tuple[str, ...] = ()
    compiled: tuple[str, ...] = ()
    """The files of the modules that it had to compile, since no bytecode of them was there."""
    ended: str = ""
    seconds: float = 0.0

    # What the driver adds

    clock: str = ""
    other_clock: str = ""
    """When the other run of an overlap began."""
    reached: bool = False
    """Whether the run that was to be held, or to meet an error, came to its point."""
    passed: bool = True
    """Whether the other run of an overlap ended, or waited for a lock, while the first one was held."""
    again: tuple[str, ...] = ()
    """The dates of an overlap that had to run again."""
    refused: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    unturned: tuple[str, ...] = ()
    """The tables whose rows could not be put into another order."""
    fingerprint: str = ""
    """The same for worlds in which the next run finds the same; after a crash only."""


# DAGs


@dataclass(frozen=True)
class DagFacts(Plain):
    """What a worker knows of a DAG that it has loaded."""

    file: str
    tasks: Mapping[str, str | None]
    """Each task, with ``file.py:line`` of its code where that is known."""
    sensors: tuple[str, ...] = ()
    depends_on_past: tuple[str, ...] = ()
    max_active_runs: int = 16
    callbacks: tuple[str, ...] = ()
    triggers: Mapping[str, str] = field(default_factory=dict)
    """Each task that triggers a DAG, and which."""
    params: tuple[str, ...] = ()


@dataclass(frozen=True)
class CatalogueRequest(Plain):
    """Import the whole DAG folder; the answer is a :class:`Catalogue`."""


@dataclass(frozen=True)
class Catalogue(Plain):
    """The file of each DAG, and the reason for each file that does not load."""

    dags: Mapping[str, str]
    errors: Mapping[str, str]


@dataclass(frozen=True)
class LoadRequest(Plain):
    """Load DAGs; the answer is a :class:`Loaded`."""

    dags: tuple[str, ...]
    template: str
    """The metadata database that every world starts from."""
    makes_template: bool
    """Whether this worker is the one that adds the DAGs to it."""
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Loaded(Plain):
    """What was loaded, and what the fence around runs does not hold on this kernel, for people."""

    dags: Mapping[str, DagFacts]
    not_held: tuple[str, ...]


@dataclass(frozen=True)
class PlanRequest(Plain):
    """The runs of a DAG for some dates, the default ones where there are none; the answer is a :class:`Plan`."""

    dag: str
    dates: tuple[str, ...]


@dataclass(frozen=True)
class Plan(Plain):
    """The run that the scheduler makes for each date."""

    runs: tuple[PlannedRun, ...]


@dataclass(frozen=True)
class Started(Plain):
    """The process id of the child that a :class:`RunRequest` has begun; its :class:`RunReport` follows."""

    pid: int


@dataclass(frozen=True)
class CallRequest(Plain):
    """Call ``file.py:function`` in a child; the answer is a :class:`Called`."""

    function: str
    arguments: Mapping[str, str]
    result: str
    timeout: float


@dataclass(frozen=True)
class Called(Plain):
    """Why a call failed; None when it did not."""

    reason: str | None


@dataclass(frozen=True)
class Allowed(Plain):
    """What runs may write and connect to: what :class:`dagproof.inside.guard.Guard` takes."""

    writable: tuple[str, ...]
    floor: tuple[str, ...]
    endpoints: tuple[tuple[str, int], ...]
    beside: Mapping[str, tuple[str, str]]
    paths: Mapping[str, str] = field(default_factory=dict)
    """Paths that lead into the world, and where to (see :mod:`dagproof.inside.mounts`)."""


Request = CatalogueRequest | LoadRequest | PlanRequest | RunRequest | CallRequest
Answer = Catalogue | Loaded | Plan | Started | RunReport | Called
REQUESTS: dict[str, type[Request]] = {
    kind.__name__: kind for kind in (CatalogueRequest, LoadRequest, PlanRequest, RunRequest, CallRequest)
}


def request_to_json(request: Request) -> Mapping[str, object]:
    """Return a request with its kind, for :func:`request_from_json`."""
    return {"kind": type(request).__name__, "request": request.to_json()}


def request_from_json(data: Mapping[str, Any]) -> Request:
    """Read what :func:`request_to_json` gave."""
    return REQUESTS[data["kind"]].from_json(data["request"])
