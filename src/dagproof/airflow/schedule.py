"""Which run the scheduler would make for a date: its logical date, data interval, run_after, run type and run id."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from dagproof.airflow import clocks, consumed, private
from dagproof.errors import WorkerError
from dagproof.inside.exchange import PlannedRun

#: The longest time between two runs for which a change of the clocks makes a difference.
LONGEST_GAP = timedelta(days=32)
#: How many runs of a schedule that must be followed from its start date are looked at before giving up.
MAX_RUNS = 500_000


def scheduler_dag(dag: Any) -> Any:
    """Return `dag` as the scheduler sees it: serialized and read back."""
    kind = private.Serialization
    return kind.deserialize_dag(kind.serialize_dag(dag))


def default_dates(dag: Any, count: int = 3) -> list[str]:
    """Return dates that say much: the schedule's first two, then the first in each month that follows.

    Where the clocks of the DAG's time zone change, they are those around a change, and the first one of the schedule
    where it is in another month.
    """
    serialized = scheduler_dag(dag)
    if not is_periodic(serialized):
        start = serialized.start_date or datetime(2026, 1, 30, tzinfo=timezone.utc)
        days = [start + timedelta(days=n) for n in range(count)]
        if not _by_assets(serialized) and (change := clocks.next_change(serialized.timezone, start)):
            days = [_local(serialized, change.moment) + timedelta(days=n) for n in (-1, 0, 1)]
        return [day.date().isoformat() for day in days]
    infos = list(itertools.islice(runs(serialized, None), 2))
    if not infos:
        raise WorkerError(f"{dag.dag_id} has no scheduled run (start_date {serialized.start_date}); give --date")
    if around := _around_a_change(serialized, infos):
        return [_name(serialized, info) for info in around]
    month = _local(serialized, date_of(infos[-1]))
    while len(infos) < count:
        month = (month.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        info = next(runs(serialized, month), None)
        if info is None:
            break
        if date_of(info) > date_of(infos[-1]):
            infos.append(info)
    return [_name(serialized, info) for info in infos]


def _around_a_change(serialized: Any, infos: list[Any]) -> list[Any]:
    """Return the runs around the first change of the clocks after the schedule begins; none where there is no change.

    For a schedule of days that is a day of 23 hours, the one before and the one after: a day that is taken for 24 hours
    reaches into one of them. Within days it is the hour that there is twice.
    """
    first, *others = (date_of(info) for info in infos)
    gap = max(others, default=first) - first
    if not gap or gap > LONGEST_GAP:
        return []
    within_days = gap < timedelta(hours=20)
    timetable = next(iter(getattr(serialized.timetable, "_timetables", ())), serialized.timetable)  # several crons
    zone = getattr(timetable, "_timezone", None) or serialized.timezone
    change = clocks.next_change(zone, first, forward=not within_days)
    if change is None:
        return []
    if within_days:
        twice = next(runs(serialized, change.moment - change.shift), None)
        found = [twice, *itertools.islice(runs(serialized, change.moment), 2)]
    else:
        near = runs(serialized, max(first, change.moment - 2 * gap - timedelta(days=5)))
        upcoming = list(
            itertools.takewhile(lambda info: date_of(info) <= change.moment + gap + timedelta(days=4), near)
        )
        done = [info for info in upcoming if date_of(info) <= change.moment]
        found = [*done[-2:], *upcoming[len(done) :]][:3]
    around = list({date_of(info): info for info in found if info is not None}.values())[: 2 if within_days else 3]
    if len(around) < 2:
        return []  # the schedule ends before
    month = _local(serialized, date_of(around[0])).replace(day=1).date()
    is_elsewhere = _local(serialized, first).date() < month
    kept = {date_of(info): info for info in (*infos[: 1 if is_elsewhere else max(0, 3 - len(around))], *around)}
    return [kept[date] for date in sorted(kept)]


def run_for(dag: Any, date: str) -> PlannedRun:
    """Return the run that the scheduler would make of `dag` for `date`.

    A bare date means the day's first scheduled run, in the timezone of the DAG. A DAG without a schedule gets the
    run that a person would trigger for that date, one scheduled by assets a run with no logical date, and one that
    runs continuously a run about the day that begins then. A DAG of partitions gets the run about the partition of that
    date, which may also be named by its key; where no schedule makes the keys, the date is one, as it is written.

    Raises:
        WorkerError: `date` is no date, or the schedule has no run on it.
    """
    serialized = scheduler_dag(dag)
    keyed = consumed.moment_of(serialized.timetable, date)
    if keyed and is_periodic(serialized):
        info = next(runs(serialized, keyed), None)
        if info is not None and info.partition_key == date:
            return _described(serialized, info, date)
    moment, whole_day = parse_date(date, serialized.timezone)
    if not is_periodic(serialized):
        return _unscheduled(serialized, moment, date)
    until = moment + timedelta(days=1) if whole_day else moment + timedelta(seconds=1)
    info = next(runs(serialized, moment), None)
    if info is None or date_of(info) >= until:
        start = serialized.start_date
        if start is not None and until <= start:  # a run's interval may begin before it: the first one's, for instance
            raise WorkerError(f"{dag.dag_id} has no run on {date}: its start_date is {start.isoformat()}")
        following = f"; the next is {_name(serialized, info)}" if info is not None else ""
        raise WorkerError(
            f"{dag.dag_id} has no run on {date}: its schedule is {serialized.timetable.summary}{following}"
        )
    return _described(serialized, info, date)


def parse_date(text: str, tz: Any) -> tuple[datetime, bool]:
    """Return the moment that `text` names in the timezone `tz`, and whether it names a whole day.

    Raises:
        WorkerError: it is neither ``YYYY-MM-DD`` nor an ISO 8601 date and time.
    """
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise WorkerError(
            f"{text!r} is not a date; write YYYY-MM-DD, or YYYY-MM-DDTHH:MM for one run of a day"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=tz)
    return moment, "T" not in text and " " not in text


def runs(serialized: Any, earliest: datetime | None) -> Iterator[Any]:
    """Yield the runs of the schedule from `earliest` on, following it from the start date where it has to be."""
    start = serialized.start_date
    # Some way before it: near a change of the clocks, Airflow passes over a run when one starts to follow right there.
    # A partition may be some runs ahead of the run that is about it, which is then not found near its date.
    is_ahead = getattr(serialized.timetable, "_run_offset", 0) > 0
    can_jump = earliest is not None and _is_aligned(serialized.timetable) and not is_ahead
    jump = earliest - timedelta(days=2) if earliest is not None and can_jump else start
    if start is not None and jump is not None:
        jump = max(jump, start)
    restriction = private.TimeRestriction(earliest=_pendulum(jump), latest=_pendulum(serialized.end_date), catchup=True)
    info = None
    for _ in range(MAX_RUNS):
        info = _next(serialized.timetable, info, restriction)
        if info is None:
            return
        if earliest is None or date_of(info) >= earliest:
            yield info


def date_of(info: Any) -> Any:
    """Return the date that a run is about: its logical date, or the one of its partition."""
    return info.logical_date or getattr(info, "partition_date", None) or info.run_after


def _next(timetable: Any, last: Any, restriction: Any) -> Any:
    if hasattr(timetable, "next_dagrun_info_v2"):
        return timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=restriction)
    interval = last.data_interval if last is not None else None  # Airflow 3.1
    return timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)


def _is_aligned(timetable: Any) -> bool:
    """Tell whether the runs fall on the same moments wherever one starts to follow the schedule."""
    kinds = (private.CronDataIntervalTimetable, private.CronTriggerTimetable, private.MultipleCronTriggerTimetable)
    return isinstance(timetable, kinds)


def is_periodic(serialized: Any) -> bool:
    """Say whether a time that is known before starts a DAG's runs, rather than a person, an asset or the run before."""
    scheduled = bool(serialized.timetable.can_be_scheduled)
    return scheduled and not _by_assets(serialized) and not _is_continuous(serialized)


def _is_continuous(serialized: Any) -> bool:
    return isinstance(serialized.timetable, private.ContinuousTimetable)


def _by_assets(serialized: Any) -> bool:
    return bool(serialized.timetable.asset_condition) and not serialized.timetable.periodic


def _unscheduled(serialized: Any, moment: datetime, date: str) -> PlannedRun:
    if _is_continuous(serialized):  # a run is about the time since the last one: a day, as good as any
        covered = private.DataInterval(_pendulum(moment), _pendulum(moment + timedelta(days=1)))
        kind = private.DagRunType.SCHEDULED
        run_id = private.DagRun.generate_run_id(run_type=kind, logical_date=covered.start, run_after=covered.end)
        return _planned(serialized, date, kind, covered.start, covered, covered.end, run_id)
    assets = _by_assets(serialized)
    kind = private.DagRunType.ASSET_TRIGGERED if assets else private.DagRunType.MANUAL
    logical = None if assets else _pendulum(moment)
    run_after = _pendulum(moment)
    interval = None if assets else serialized.timetable.infer_manual_data_interval(run_after=logical)
    run_id = private.DagRun.generate_run_id(run_type=kind, logical_date=logical, run_after=run_after)
    parted = any(getattr(serialized.timetable, name, False) for name in ("partitioned", "partitioned_at_runtime"))
    planned = _planned(serialized, date, kind, logical, interval, run_after, run_id)
    return replace(planned, partition_key=date) if parted else planned


def _described(serialized: Any, info: Any, date: str) -> PlannedRun:
    kind = private.DagRunType.SCHEDULED
    # Airflow 3.1 named a scheduled run by its logical date, later ones by run_after
    named_by = info.run_after if hasattr(serialized.timetable, "next_dagrun_info_v2") else info.logical_date
    if key := getattr(info, "partition_key", None):
        run_id = kind.generate_run_id(suffix=f"{info.run_after.isoformat()}__{key}")  # without Airflow's random letters
        planned = _planned(serialized, date, kind, None, None, info.run_after, run_id)
        return replace(planned, partition_key=key, partition_date=info.partition_date.isoformat())
    run_id = serialized.timetable.generate_run_id(run_type=kind, run_after=named_by, data_interval=info.data_interval)
    return _planned(serialized, date, kind, info.logical_date, info.data_interval, info.run_after, run_id)


def _planned(
    serialized: Any, date: str, kind: Any, logical: Any, interval: Any, run_after: Any, run_id: str
) -> PlannedRun:
    return PlannedRun(
        str(serialized.dag_id),
        run_id,
        run_type=str(kind),
        run_after=run_after.isoformat(),
        date=date,
        logical_date=logical.isoformat() if logical else None,
        data_interval=(interval.start.isoformat(), interval.end.isoformat()) if interval else None,
    )


def _name(serialized: Any, info: Any) -> str:
    """Return the shortest text that :func:`run_for` reads back as this run."""
    local = _local(serialized, date_of(info))
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    first = next(runs(serialized, day), None)
    if first is not None and date_of(first) == date_of(info):
        return str(local.date().isoformat())
    return str(date_of(info).isoformat())


def _local(serialized: Any, moment: datetime) -> datetime:
    return moment.astimezone(serialized.timezone)


def _pendulum(moment: datetime | None) -> Any:
    import pendulum

    return None if moment is None else pendulum.instance(moment).in_timezone("UTC")
