"""Names that moved in Airflow 3, where the new one takes the very arguments of the old one: a fix may write it."""

from __future__ import annotations

_STANDARD = "airflow.providers.standard"
_OPERATORS = {
    "bash": "BashOperator",
    "python": "PythonOperator BranchPythonOperator ShortCircuitOperator PythonVirtualenvOperator",
    "empty": "EmptyOperator",
    "trigger_dagrun": "TriggerDagRunOperator",
    "latest_only": "LatestOnlyOperator",
    "branch": "BaseBranchOperator",
    "datetime": "BranchDateTimeOperator",
    "weekday": "BranchDayOfWeekOperator",
}
_SENSORS = {
    "external_task": "ExternalTaskSensor ExternalTaskMarker",
    "filesystem": "FileSensor",
    "bash": "BashSensor",
    "python": "PythonSensor",
    "date_time": "DateTimeSensor DateTimeSensorAsync",
    "weekday": "DayOfWeekSensor",
}
_OLD_MODULES = {
    "airflow.operators.bash_operator": f"{_STANDARD}.operators.bash",
    "airflow.operators.python_operator": f"{_STANDARD}.operators.python",
    "airflow.operators.dagrun_operator": f"{_STANDARD}.operators.trigger_dagrun",
    "airflow.operators.branch_operator": f"{_STANDARD}.operators.branch",
    "airflow.operators.latest_only_operator": f"{_STANDARD}.operators.latest_only",
    "airflow.sensors.external_task_sensor": f"{_STANDARD}.sensors.external_task",
    "airflow.contrib.sensors.file_sensor": f"{_STANDARD}.sensors.filesystem",
}
_CLASSES = {
    "airflow.operators.dummy.DummyOperator": f"{_STANDARD}.operators.empty.EmptyOperator",
    "airflow.operators.dummy_operator.DummyOperator": f"{_STANDARD}.operators.empty.EmptyOperator",
    "airflow.datasets.Dataset": "airflow.sdk.Asset",
    "airflow.datasets.DatasetAlias": "airflow.sdk.AssetAlias",
    "airflow.models.baseoperator.chain": "airflow.sdk.chain",
    "airflow.models.baseoperator.cross_downstream": "airflow.sdk.cross_downstream",
    "airflow.utils.helpers.chain": "airflow.sdk.chain",
    "airflow.utils.helpers.cross_downstream": "airflow.sdk.cross_downstream",
    "airflow.hooks.base_hook.BaseHook": "airflow.sdk.BaseHook",
    "airflow.sensors.base_sensor_operator.BaseSensorOperator": "airflow.sdk.BaseSensorOperator",
}
SAME_ARGUMENTS = frozenset(
    {
        "airflow.providers.http.operators.http.SimpleHttpOperator",
        "airflow.providers.cncf.kubernetes.operators.kubernetes_pod.KubernetesPodOperator",
    }
)
"""Of those that providers renamed, the ones whose new name takes the same arguments; the names are in their table."""


def moved_module(name: str) -> str:
    """Return where the operators and sensors of an old module are now; empty for another one."""
    return _OLD_MODULES.get(name, "")


def moved(name: str) -> str:
    """Return the new full name of something of Airflow itself that moved; empty where that is not certain."""
    if name in _CLASSES:
        return _CLASSES[name]
    module, _, last = name.rpartition(".")
    new = _OLD_MODULES.get(module, "")
    for kind, table in (("operators", _OPERATORS), ("sensors", _SENSORS)):
        part = (new or module).rpartition(".")[2]
        is_there = new.startswith(f"{_STANDARD}.{kind}.") if new else module == f"airflow.{kind}.{part}"
        if is_there and last in table.get(part, "").split():
            return f"{_STANDARD}.{kind}.{part}.{last}"
    return ""
