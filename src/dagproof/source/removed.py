"""What Airflow 3 does not have any more: names, parameters, variables of the context; by the version it went with."""

from __future__ import annotations

import json
from functools import cache
from importlib import metadata, resources
from typing import NamedTuple

from dagproof.source.moves import SAME_ARGUMENTS, moved, moved_module
from dagproof.source.target import Version


class Removed(NamedTuple):
    """Something that is gone, and what to use in its place, where there is something."""

    name: str
    instead: str = ""
    since: str = ""
    """The release of a provider that lacks it first, such as ``apache-airflow-providers-http 5.0.0``."""
    certain: bool = True
    """Whether every release of that provider that came with the targeted Airflow lacks it."""


DAG_PARAMETERS = {
    "schedule_interval": "schedule",
    "timetable": "schedule",
    "concurrency": "max_active_tasks",
    "fail_stop": "fail_fast",
    "default_view": "",
    "orientation": "",
    "full_filepath": "",
}
TASK_PARAMETERS = {"task_concurrency": "max_active_tis_per_dag"}
"""Refused by every operator."""
STANDARD_PARAMETERS = {"provide_context": "", "xcom_push": "do_xcom_push"}
"""Refused by the standard operators; those of others may have parameters of the same name."""
PARAMETERS_OF = {
    "TriggerDagRunOperator": {"execution_date": "logical_date"},
    "BranchDateTimeOperator": {"use_task_execution_date": "use_task_logical_date"},
    "BranchDayOfWeekOperator": {"use_task_execution_day": "use_task_logical_date"},
    "DayOfWeekSensor": {"use_task_execution_day": "use_task_logical_date"},
}
TRIGGER_RULES = {"dummy": "always", "none_failed_or_skipped": "none_failed_min_one_success"}
CONTEXT = {
    "conf": "",
    "execution_date": "logical_date",
    "next_ds": "data_interval_end | ds",
    "next_ds_nodash": "data_interval_end | ds_nodash",
    "next_execution_date": "data_interval_end",
    "prev_ds": "prev_data_interval_start_success | ds",
    "prev_ds_nodash": "prev_data_interval_start_success | ds_nodash",
    "prev_execution_date": "prev_data_interval_start_success",
    "prev_execution_date_success": "prev_data_interval_start_success",
    "tomorrow_ds": "macros.ds_add(ds, 1)",
    "tomorrow_ds_nodash": "macros.ds_add(ds, 1)",
    "yesterday_ds": "macros.ds_add(ds, -1)",
    "yesterday_ds_nodash": "macros.ds_add(ds, -1)",
    "triggering_dataset_events": "triggering_asset_events",
}
RUNS = ("dag_run", "ti", "task_instance")
"""Their ``execution_date`` is gone too."""


def removed_name(name: str, version: Version) -> Removed | None:
    """Return the part of a full name that can't be imported any more from some version of Airflow on."""
    if not name.startswith("airflow."):
        return None
    if name.startswith("airflow.providers."):
        return _of_provider(name)
    parts = name.split(".")
    for count in range(2, len(parts) + 1):
        key = ".".join(parts[:count])
        since = removed_names().get(key)
        if since and since <= version:
            instead = moved(name) or moved_module(key) or _INSTEAD.get(key) or _INSTEAD.get(parts[count - 1], "")
            return Removed(key, instead)
    return None


def replacement(name: str) -> str:
    """Return the new name that a fix may write for an old one; empty where it is not sure that it takes the same."""
    if name in SAME_ARGUMENTS:
        found = _of_provider(name)
        return found.instead if found else ""
    return moved(name)


def _of_provider(name: str) -> Removed | None:
    """Return what a name of a provider was, where the provider does not have it any more."""
    known = provider_names()
    parts = name.split(".")
    keys = [".".join(parts[:count]) for count in range(3, len(parts) + 1)]
    gone = [key for key in keys if key in known]
    if not gone:
        return None
    _, package, since, month = known[gone[0]]
    installed = _installed(package)
    if installed and installed < tuple(map(int, since.split("."))):
        return None
    instead = known[gone[-1]].instead
    rest = name.removeprefix(gone[-1])
    if rest and instead and instead.rpartition(".")[2][:1].islower():
        instead += rest
    return Removed(name, instead, f"{package} {since}", bool(installed) or month <= OLDEST_AIRFLOW)


OLDEST_AIRFLOW = "2025-09"
"""The month of Airflow 3.1, the oldest version that is supported."""


class ProviderName(NamedTuple):
    """What a release of a provider lacks first, and what to use in its place."""

    instead: str
    package: str
    since: str
    month: str


@cache
def provider_names() -> dict[str, ProviderName]:
    """Return the full names of what providers don't have any more; a module stands for all that was in it.

    `constraints/removed_provider_names.py` derives them from the providers' releases.
    """
    text = resources.files("dagproof.source").joinpath("provider_names.json").read_text(encoding="utf-8")
    found = {}
    for provider, releases in json.loads(text).items():
        package, prefix = f"apache-airflow-providers-{provider}", "airflow.providers." + provider.replace("-", ".")
        for since, release in releases.items():
            for name, instead in release["names"].items():
                found[f"{prefix}.{name}"] = ProviderName(instead, package, since, release["month"])
    return found


@cache
def _installed(package: str) -> tuple[int, ...]:
    """The release of a provider that is installed here; empty where none is."""
    try:
        return tuple(int(part) for part in metadata.version(package).split(".")[:3] if part.isdigit())
    except metadata.PackageNotFoundError:
        return ()


@cache
def removed_names() -> dict[str, Version]:
    """Return the full names of modules, and of what was in them, with the version of Airflow that lacks them first.

    What went in 3.0 is under 3.1, the oldest version that is supported.
    """
    text = resources.files("dagproof.source").joinpath("removed_names.json").read_text(encoding="utf-8")
    found: dict[str, Version] = {}
    for version, modules in json.loads(text).items():
        major, minor = version.split(".")
        for module, names in modules.items():
            found.update({f"{module}.{name}": (int(major), int(minor)) for name in names.split()})
    return found


_INSTEAD = {
    "airflow.timetables.datasets": "airflow.timetables.assets",
    "datasets": "airflow.sdk.Asset",
    "days_ago": "a fixed pendulum.datetime(…)",
    "dummy": "airflow.providers.standard.operators.empty.EmptyOperator",
    "dummy_operator": "airflow.providers.standard.operators.empty.EmptyOperator",
    "email_operator": "airflow.providers.smtp.operators.smtp",
    "subdag": "TaskGroup",
    "subdag_operator": "TaskGroup",
    "base_sensor_operator": "airflow.sdk.BaseSensorOperator",
    "base_hook": "airflow.sdk.BaseHook",
    "apply_defaults": "nothing: it is done anyway",
    "contrib": "the provider that has it now",
    "create_timetable": "a timetable of airflow.timetables",
    "sql": "airflow.providers.common.sql",
    "weekday": "airflow.providers.standard.utils.weekday",
}
