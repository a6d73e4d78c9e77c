"""What the scheduler gives a run of assets: the events that triggered it, and the partition that these are about."""

from __future__ import annotations

from typing import Any

from dagproof.airflow import private
from dagproof.inside.exchange import PlannedRun


def events(dag: Any, run: PlannedRun, session: Any) -> list[Any]:
    """Return the events, of assets that `dag` is scheduled by, that the runs which came first for its date have left.

    Those are the runs in ``consumes``: of each DAG that the configuration names in `after`.
    """
    timetable = dag.timetable
    starts_it = run.run_type != "scheduled" or getattr(timetable, "asset_gated", False)  # Airflow 3.4 has gates
    if not starts_it or not timetable.asset_condition or not run.consumes:
        return []
    from sqlalchemy import select, tuple_

    AssetEvent = private.AssetEvent  # noqa: N806 - it is a class
    of_runs = tuple_(AssetEvent.source_dag_id, AssetEvent.source_run_id).in_(run.consumes)
    found = session.scalars(select(AssetEvent).where(of_runs).order_by(AssetEvent.timestamp, AssetEvent.id))
    return [event for event in found if _is_of(event, timetable.asset_condition)]


def _is_of(event: Any, condition: Any) -> bool:
    assets = {(key.name, key.uri) for key, _ in condition.iter_assets()}
    names = {getattr(ref, "name", None) or ref.uri for ref in condition.iter_asset_refs()}
    aliases = {name for name, _ in condition.iter_asset_aliases()}
    return (
        (event.asset.name, event.asset.uri) in assets
        or not names.isdisjoint({event.asset.name, event.asset.uri})
        or any(alias.name in aliases for alias in event.source_aliases)
    )


def partition(dag: Any, key: str | None, date: Any, consumed: list[Any]) -> dict[str, object]:
    """Return the partition that a run is about, as arguments of ``create_dagrun``; none where it has none.

    It is the one of `key` and `date`; for a run that assets trigger, the one to which the schedule maps the producer's.
    """
    if key is None:
        return {}
    timetable = dag.timetable
    sources = [event for event in consumed if getattr(event, "partition_key", None)]
    if sources and getattr(timetable, "partitioned", False):
        mapper = timetable.get_partition_mapper(name=sources[0].asset.name, uri=sources[0].asset.uri)
        mapped = mapper.to_downstream(sources[0].partition_key)
        key = mapped if isinstance(mapped, str) else next(iter(mapped))
        date = None
    return {"partition_key": key, "partition_date": date or moment_of(timetable, key)}


def moment_of(timetable: Any, key: str) -> Any:
    """Return the moment that a partition key of a schedule stands for; None where it stands for none."""
    resolve = getattr(timetable, "resolve_partition_date", None)  # since Airflow 3.3
    if resolve is None:
        return None
    try:
        return resolve(key)
    except ValueError:  # it is no key of this schedule
        return None
