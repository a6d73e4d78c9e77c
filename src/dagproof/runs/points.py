"""The points of a run: its messages to PostgreSQL and file operations, and where else it can meet an error."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dagproof.inside.exchange import RunReport, TaskRun
from dagproof.inside.plans import FilePlan, FileWatch
from dagproof.postgres.wire import Fault, Hold, Message, fault_points
from dagproof.postgres.wire import Watch as MessageWatch
from dagproof.processes.filelocks import waits_for_file_lock
from dagproof.worlds.connects import Connects
from dagproof.worlds.worker import Worker
from dagproof.worlds.world import World

#: The kinds of points at which a run can be killed, and those at which it can only meet an error.
KINDS = ("message", "reply", "file")
ONLY_ERRORS = ("connect", "read", "poke")


P = TypeVar("P")


@dataclass(frozen=True, order=True)
class Point:
    """A point of a run: ``message 7`` (it never reaches the server), ``reply 7`` (its answer is lost) or ``file 3``.

    At some a run can only meet an error: ``connect 2``, ``read 1`` (a file), ``poke 3`` (of a sensor or trigger).

    `what` happens there and the `task` that does it are for people; they are no part of the name.
    """

    kind: str
    number: int
    what: str = ""
    task: str = ""

    @property
    def name(self) -> str:
        """What a step calls it."""
        return f"{self.kind} {self.number}"


def point_named(name: str, kinds: Sequence[str] = KINDS) -> Point:
    """Return the point that a step names.

    Raises:
        ValueError: it is no point of one of the `kinds`.
    """
    kind, _, number = name.partition(" ")
    if kind not in kinds or not number.isdigit():
        raise ValueError(f"unknown point {name!r}; valid points: {', '.join(f'{kind} N' for kind in kinds)}")
    return Point(kind, int(number))


def thinned(points: Sequence[P], most: int) -> list[P]:
    """Return at most `most` of the points, spread over the run: of two and more, the first and the last are there."""
    if len(points) <= most:
        return list(points)
    return [points[round(n * (len(points) - 1) / max(1, most - 1))] for n in range(most)]


class Recording:
    """What a run does: on the wire, and as its process notes it for whoever asks for `files`."""

    def __init__(self, world: World, watch: MessageWatch | None, connects: Connects) -> None:
        self.files = FileWatch(world.worlds.stores_of_files)
        self._watch = watch
        self._connects = connects

    def points(self, report: RunReport) -> tuple[list[Point], str]:
        """Return the points of the run that has this report, and a sentence on those that were left out."""
        files = [Point("file", n, seen.what, seen.task) for n, seen in enumerate(report.files, start=1)]
        if self._watch is None:
            return files, ""
        messages = self._watch.messages
        worth = fault_points(messages)
        committed = _commits(messages)
        described = _described(messages)
        wire = [
            Point("message" if when == "before" else "reply", number, described[number][0], task)
            for number, when in worth.points
            if when == "before" or number in committed
            for task in [_task_at(described[number][1], report.tasks)]
        ]
        return wire + files, worth.thinned or ""

    def places(self, report: RunReport) -> list[Point]:
        """Return where the run that has this report can only meet an error: it cannot be killed there, nor held."""
        connects = [
            Point("connect", n, seen.what, _task_at(seen.time, report.tasks))
            for n, seen in enumerate(self._connects.seen, start=1)
        ]
        reads = [Point("read", n, seen.what, seen.task) for n, seen in enumerate(report.reads, start=1)]
        return [*connects, *reads, *(Point("poke", n, p.what, p.task) for n, p in enumerate(report.pokes, start=1))]

    def last_write(self, report: RunReport, names: set[str]) -> float:
        """Return until when the run that has this report may have written to one of the tables or files `names`.

        That is when it last spoke of such a table, or the end of the task that opened such a file. It is infinity where
        neither was seen: a function of the database may have written, or a library in C.
        """
        split = [name.rpartition(":") for name in names]  # a file and its table, or a database and its
        words = {path for path, _, _ in split if path} | {table.rpartition(".")[2] for _, _, table in split} | names
        spoken = list(_described(self._watch.messages).values()) if self._watch else []
        ended = {task.task_id: task.ended for task in report.tasks}
        done = [(seen.what, ended.get(seen.task, math.inf)) for seen in report.files]
        moments = [at for what, at in (*spoken, *done) if any(word in what for word in words)]
        return max(moments, default=math.inf)


@contextmanager
def recorded(world: World) -> Iterator[Recording]:
    """Record the run that happens within the block."""
    lane = world.lane()
    connects = Connects(world.worlds.named_places(world.worker.machine))
    world.worker.count_connects(connects)
    try:
        yield Recording(world, lane.watch() if lane else None, connects)
    finally:
        world.worker.count_connects(None)
        if lane:
            lane.clear()


def _described(messages: Sequence[Message]) -> dict[int, tuple[str, float]]:
    """Return, for each message, its SQL (or that of the statement it belongs to) and when it was sent."""
    statements: dict[int, str] = {}
    found = {}
    for message in messages:
        if message.kind in ("Query", "Parse"):
            statements[message.connection] = " ".join(message.text.split())
        what = statements.get(message.connection, "")
        if message.kind in ("CopyData", "CopyDone"):
            what = f"{message.kind} of {what}"
        found[message.index] = (what or message.kind, message.time)
    return found


def _commits(messages: Sequence[Message]) -> set[int]:
    """Return the messages after which the connection is in no transaction.

    Only of these is it worth losing the answer: within a transaction the server forgets everything when the connection
    breaks, as it does when the next message never comes.
    """
    within: dict[int, bool] = {}
    found = set()
    for message in messages:
        words = message.text.upper().replace(";", " ; ").split() if message.kind in ("Query", "Parse") else []
        if words[:1] in (["BEGIN"], ["START"]):
            within[message.connection] = not {"COMMIT", "END"} & set(words)
        elif words[:1] and words[0] in ("COMMIT", "END", "ROLLBACK", "ABORT") and "TO" not in words:
            within[message.connection] = False
        if not within.get(message.connection):
            found.add(message.index)
    return found


def _task_at(moment: float, tasks: Sequence[TaskRun]) -> str:
    """Return the task that was running at a moment: both sides have the same monotonic clock."""
    return next((task.task_id for task in tasks if task.started <= moment <= task.ended), "")


@dataclass(frozen=True)
class Kill:
    """How a run is cut off: the `files` that its request asks for, and what gets its process id once it has one."""

    started: Callable[[int], None]
    files: FileWatch | None = None


@contextmanager
def killed(world: World, point: Point) -> Iterator[Kill]:
    """Have the next run cut off at `point`.

    Where a message or a file operation does not come to pass, the process is killed before it. Where the answer is
    lost, the process lives on and sees its connection broken.
    """
    pids: list[int] = []

    def kill() -> str:
        deadline = time.monotonic() + 5.0
        while not pids and time.monotonic() < deadline:
            time.sleep(0.001)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return "cut"

    if point.kind == "file":
        yield Kill(pids.append, FileWatch(world.worlds.stores_of_files, FilePlan(point.number, "kill")))
        return
    lane = world.lane()
    if lane is None:
        raise ValueError(f"there is no {point.name}: the world has no database")
    if point.kind == "message":
        lane.plan(Fault(at=point.number, when="before", action="call", callback=kill))
    else:
        lane.plan(Fault(at=point.number, when="after", action="cut"))
    try:
        yield Kill(pids.append)
    finally:
        lane.clear()


class Held:
    """A run that is held at a point, until the other one has come past it or waits for it.

    Its request asks for `files`, where there are any.
    """

    def __init__(
        self,
        world: World,
        reached: Callable[[float], bool],
        release: Callable[[], None],
        files: FileWatch | None = None,
    ) -> None:
        self._world, self._reached, self.release, self.files = world, reached, release, files

    def wait_until_reached(self, worker: Worker) -> bool:
        """Wait until the run has come to the point; False when it ends without."""
        while not self._reached(0.002):
            if worker.has_finished(0.0):
                return self._reached(0.0)
        return True

    def wait_until_passed(self, other: Worker, pids: tuple[int, int], patience: float) -> bool:
        """Wait until the other run has ended, or waits for a lock that the held one has.

        `pids` are the processes of the held run and of the other one. After `patience` seconds without either, it is
        False: the other one may wait in a way that nobody sees, such as a loop around a try.
        """
        mine, others = pids
        deadline = time.monotonic() + patience
        with self._world.worlds.lock_watch() as is_waiting:
            while not other.has_finished(0.02):
                if is_waiting() or waits_for_file_lock(others, mine):
                    return True
                if time.monotonic() > deadline:
                    return False
        return True


@contextmanager
def held(world: World, point: Point) -> Iterator[Held]:
    """Have the next run held at `point`, and released at the end of the block at the latest."""
    if point.kind == "file":
        reached, go = (Path(world.worlds.run_folder, name) for name in ("held", "go"))
        plan = FilePlan(point.number, "hold", str(reached), str(go))

        def is_there(seconds: float) -> bool:
            time.sleep(0 if reached.exists() else seconds)
            return reached.exists()

        try:
            yield Held(world, is_there, go.touch, FileWatch(world.worlds.stores_of_files, plan))
        finally:
            go.touch()
        return
    lane = world.lane()
    if lane is None:
        raise ValueError(f"there is no {point.name}: the world has no database")
    hold = lane.plan(Hold(at=point.number))
    try:
        yield Held(world, hold.wait_reached, hold.release)
    finally:
        hold.release()
        lane.clear()
