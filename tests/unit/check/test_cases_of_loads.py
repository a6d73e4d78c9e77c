"""Files in forms that people use, with what is right for each: loads, clocks, intervals, sensors, branches."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagproof.rules import all_rules
from dagproof.rules.engine.checking import check

CASES = Path(__file__).parents[2] / "cases" / "check"
OURS = frozenset(
    ("top-level-io", "append-load", "split-transaction", "wall-clock", "random-source", "zero-width-interval")
) | frozenset(("implicit-catchup", "poke-sensor", "skipped-join", "dateless-run"))
"""The rules that these cases are about; the files break others by the way."""
CERTAIN, DOUBTFUL = True, False

NOTHING = [
    "false_alarms/fa01_boto3_bucket.py",
    "false_alarms/fa02_to_sql_replace_then_append.py",
    "false_alarms/fa03_guard_in_helper.py",
    "false_alarms/fa04_unique_violation.py",
    "false_alarms/fa06_append_to_temporary_file.py",
    "false_alarms/fa08/dispatching_operator.py",
    "false_alarms/fa13_hash_of_row_number.py",
    "false_alarms/fa14_default_in_ddl.py",
    "false_alarms/fa15_temporary_file_with_uuid.py",
    "false_alarms/fa21_difference_in_two_tasks.py",
    "missed_gaps/producer_x.py",
]
FOUND = {
    "false_alarms/fa07_truncate_in_task_before.py": {("split-transaction", 12, DOUBTFUL)},
    "false_alarms/fa11_sensor_of_a_package.py": {("poke-sensor", 11, DOUBTFUL)},
    "false_alarms/fa12_error_table.py": {("append-load", 16, DOUBTFUL)},
    "false_alarms/fa18_duration_in_parts.py": {("wall-clock", 22, DOUBTFUL), ("wall-clock", 23, DOUBTFUL)},
    "missed/mf01_param_default_of_parsing.py": {("wall-clock", 13, CERTAIN), ("wall-clock", 14, CERTAIN)},
    "missed/mf02/through_builders.py": {("wall-clock", 9, CERTAIN), ("wall-clock", 14, CERTAIN)},
    "missed/mf04_connection_pool_at_parsing.py": {("top-level-io", 6, CERTAIN)},
    "missed/mf05_sql_in_psql.py": {
        ("append-load", 11, CERTAIN),
        ("append-load", 12, CERTAIN),
        ("wall-clock", 13, CERTAIN),
        ("append-load", 17, CERTAIN),
        ("wall-clock", 21, CERTAIN),
    },
    "missed/mf07_zero_width_in_arguments.py": {
        ("zero-width-interval", line, DOUBTFUL) for line in (19, 24, 29, 32, 40)
    },
    "missed/mf15_appends_of_libraries.py": {("append-load", line, CERTAIN) for line in (22, 27, 32, 36, 40, 44)},
    "missed/mf17_settings_of_dag_in_default_args.py": {
        ("implicit-catchup", 8, CERTAIN),
        ("implicit-catchup", 10, CERTAIN),
    },
    "missed_gaps/asset_ds.py": {("dateless-run", 15, CERTAIN)},
    "missed_gaps/async_copy.py": {("append-load", 16, CERTAIN)},
    "missed_gaps/async_insert.py": {("append-load", 16, CERTAIN)},
    "missed_gaps/branch_join.py": {("skipped-join", 18, CERTAIN)},
    "missed_gaps/bulk.py": {("append-load", 15, CERTAIN)},
    "missed_gaps/callback.py": {("append-load", 12, DOUBTFUL)},
    "missed_gaps/format_insert.py": {("append-load", 16, CERTAIN)},
    "missed_gaps/macro_today.py": {("wall-clock", 17, CERTAIN)},
    "missed_gaps/merge_autocommit.py": {("split-transaction", 17, CERTAIN)},
    "missed_gaps/sync_copy.py": {("append-load", 15, CERTAIN)},
    "missed_gaps/transfer.py": {("append-load", 12, CERTAIN)},
}


def found_in(name: str) -> set[tuple[str, int, bool]]:
    """What these rules find in a case, as from its own folder."""
    path = CASES / name
    rules = [rule for rule in all_rules() if rule.name in OURS]
    checked = check([path], rules, base=path.parent, airflow=(3, 3))
    assert not checked.unreadable
    return {(one.rule, one.line, one.certain) for one in checked.findings}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_said_of_what_is_fine(name: str) -> None:
    """A finding here costs as much as one that is missed."""
    assert found_in(name) == set()


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_is_found_where_it_is(name: str) -> None:
    """For sure, or doubtful where a person has to decide."""
    assert found_in(name) == FOUND[name]
