"""Errors that a run meets: on the way to PostgreSQL and to other servers, in its files, and in its sensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dagproof.histories import Step
from dagproof.histories.outages import OUTAGES
from dagproof.inside.exchange import RunReport
from dagproof.inside.plans import FilePlan, FileWatch, PokePlan
from dagproof.postgres.server import LOOPBACK
from dagproof.postgres.wire import Error, Fault, Lane
from dagproof.runs.points import KINDS, ONLY_ERRORS, Point, point_named
from dagproof.worlds.connects import Connects
from dagproof.worlds.world import World

#: What a server answers new sessions while it goes down.
SHUTTING_DOWN = ("57P03", "the database system is shutting down")


@dataclass(frozen=True)
class Disturbance:
    """What the request of the run asks for, and whether the run that has a report has met the error."""

    reached: Callable[[RunReport], bool]
    files: FileWatch | None = None
    poke: PokePlan | None = None


@contextmanager
def disturbed(world: World, step: Step) -> Iterator[Disturbance]:
    """Have the next run meet the error of `step` at its point, once or each time after that, too.

    Raises:
        ValueError: there is no such point.
    """
    point = point_named(step.point, (*KINDS, *ONLY_ERRORS))
    number, lasts = OUTAGES[step.error].number, bool(step.lasts)
    if point.kind in ("file", "read"):
        plan = FilePlan(point.number, "fail", error=number, of=point.kind, lasts=lasts)
        watch = FileWatch(world.worlds.stores_of_files, plan)
        yield Disturbance(lambda report: _reached(report, point), files=watch)
    elif point.kind == "poke":
        poke = PokePlan(point.number, number, lasts)
        yield Disturbance(lambda report: _reached(report, point), poke=poke)
    else:
        with _on_the_way(world, step, point) as reached:
            yield Disturbance(lambda report: reached())


def _reached(report: RunReport, point: Point) -> bool:
    happened = {"file": report.files, "read": report.reads, "poke": report.pokes}[point.kind]
    return len(happened) >= point.number


@contextmanager
def _on_the_way(world: World, step: Step, point: Point) -> Iterator[Callable[[], bool]]:
    """Let a connection fail when it is opened, or at a message or the reply to it."""
    lane = world.lane()
    if lane is None and point.kind != "connect":
        raise ValueError(f"there is no {point.name}: the world has no database")
    connects = _connects(world, step, point, lane)
    world.worker.count_connects(connects)
    try:
        if lane is None or point.kind == "connect":
            yield lambda: connects.reached
        else:
            planned = lane.plan(_planned(step, point, lane, connects))
            yield lambda: planned.reached
    finally:
        world.worker.count_connects(None)
        if lane:
            lane.clear()


def _connects(world: World, step: Step, point: Point, lane: Lane | None) -> Connects:
    names = world.worlds.named_places(world.worker.machine)
    if point.kind != "connect":
        return Connects(names)
    outage, lasts = OUTAGES[step.error], bool(step.lasts)

    def turn_away() -> None:
        if lane:
            lane.turn_away(outage.sqlstate, outage.text, lasting=lasts)

    return Connects(names, point.number, lasts=lasts, instead=turn_away if outage.sqlstate else None)


def _planned(step: Step, point: Point, lane: Lane, connects: Connects) -> Fault | Error:
    """Return what the lane has to let happen.

    A server that is gone, or shutting down, for good is so for all sessions, and lets no new one begin.
    """
    outage, lasts = OUTAGES[step.error], bool(step.lasts)

    def go_down() -> str:
        lane.turn_away(*SHUTTING_DOWN, lasting=True)
        if not outage.sqlstate:
            connects.take_down((LOOPBACK, lane.port))
            lane.cut_all()
        return "cut"

    if outage.sqlstate:
        reached = (lambda: lane.turn_away(*SHUTTING_DOWN, lasting=True)) if lasts and outage.ends_session else None
        return Error(
            point.number,
            outage.sqlstate,
            outage.text,
            fatal=outage.ends_session,
            lasting=lasts and not outage.ends_session,
            reached=reached,
        )
    when = "before" if point.kind == "message" else "after"
    if lasts:
        return Fault(at=point.number, when=when, action="call", callback=go_down)
    return Fault(at=point.number, when=when, action="cut")
