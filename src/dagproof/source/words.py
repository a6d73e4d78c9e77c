"""What Airflow's names mean, in every release and spelling that DAG files use."""

from __future__ import annotations

import re

from dagproof.source.names import Names

TASK = re.compile(r"airflow\.(?:sdk|decorators)(?:\.\w+)*?\.(?:task|setup|teardown)(?:\.\w+)*(?:\(\))?$")
DAG_CLASS = re.compile(r"airflow\.(?:\w+\.)*DAG$")
DAG_DECORATOR = re.compile(r"airflow\.(?:\w+\.)*(?:decorators|sdk)\.(?:\w+\.)*dag$")
ASSET_DECORATOR = re.compile(r"airflow\.(?:\w+\.)*sdk\.(?:\w+\.)*asset(?:\.multi)?$")
GROUP = re.compile(r"airflow\.(?:\w+\.)*TaskGroup$")
GROUP_DECORATOR = re.compile(r"airflow\.(?:\w+\.)*task_group(?:\.\w+)*$")
OPERATOR = re.compile(r"\.\w*(?:(?:Operator|Sensor)(?:Async)?|GenericTransfer)$")
SENSOR = re.compile(r"\.\w*Sensor(?:Async)?$")
OPERATOR_BASE = re.compile(r"airflow\.(?:\w+\.)*\w*(?:Operator|Sensor)(?:Async)?$")
SENSOR_BASE = re.compile(r"airflow\.(?:\w+\.)*\w*Sensor\w*$")


def is_task_decorator(names: Names) -> bool:
    """``task``, ``task.bash``, ``task(…)``, ``task.sensor(…)``, ``setup``, ``teardown``."""
    return any(TASK.match(name) for name in names)


def is_sensor_decorator(names: Names) -> bool:
    """``task.sensor``, called or not."""
    return any(TASK.match(name) and name.removesuffix("()").endswith(".sensor") for name in names)


def is_dag_class(names: Names) -> bool:
    """``DAG`` of ``airflow``, ``airflow.sdk`` or ``airflow.models``."""
    return any(DAG_CLASS.match(name) for name in names)


def is_dag_decorator(names: Names) -> bool:
    """``dag``, called or not."""
    return any(DAG_DECORATOR.match(name.removesuffix("()")) for name in names)


def is_asset_decorator(names: Names) -> bool:
    """``asset``, called or not."""
    return any(ASSET_DECORATOR.match(name.removesuffix("()")) for name in names)


def is_task_group(names: Names) -> bool:
    """``TaskGroup``."""
    return any(GROUP.match(name) for name in names)


def is_group_decorator(names: Names) -> bool:
    """``task_group``, called or not."""
    return any(GROUP_DECORATOR.match(name.removesuffix("()")) for name in names)
