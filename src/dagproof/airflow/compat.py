"""What has another place in each line of Airflow, under one name."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any


def _first(*places: str) -> Any:
    """Return the first of ``module:name`` that exists.

    Raises:
        ImportError: none does; this Airflow is not one of those that are supported.
    """
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise ImportError(f"this Airflow has none of {', '.join(places)}; 3.1 to 3.3 are supported")


def bundle_dag_bag() -> Any:
    """Return the class BundleDagBag (moved in 3.2)."""
    return _first("airflow.dag_processing.dagbag:BundleDagBag", "airflow.models.dagbag:BundleDagBag")


def sync_bag_to_db() -> Any:
    """Return the function sync_bag_to_db (moved in 3.2)."""
    return _first("airflow.dag_processing.dagbag:sync_bag_to_db", "airflow.models.dagbag:sync_bag_to_db")


def serialization() -> Any:
    """Return the class with serialize_dag and deserialize_dag (split from SerializedDAG in 3.2)."""
    module = "airflow.serialization.serialized_objects"
    return _first(f"{module}:DagSerialization", f"{module}:SerializedDAG")


def serialized_dag() -> Any:
    """Return the class of a deserialized DAG (moved in 3.2)."""
    return _first(
        "airflow.serialization.definitions.dag:SerializedDAG", "airflow.serialization.serialized_objects:SerializedDAG"
    )


def task_failed(ti: Any, error: BaseException, log: Any, context: Any) -> Any:
    """Return what a task that failed tells its supervisor, and its state (since 3.3 the error may decide on that)."""
    from airflow.sdk.execution_time import task_runner

    failed: Any = task_runner._handle_current_task_failed
    accepted = len(inspect.signature(failed).parameters)
    return failed(*(ti, error, log, context)[:accepted])
