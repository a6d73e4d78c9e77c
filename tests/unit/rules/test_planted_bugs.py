"""The planted bugs that can be seen in source are found by their rules, and their healthy twins are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagproof.check.checking import check
from dagproof.rules import all_rules

FOLDER = Path(__file__).parents[2] / "bugs" / "dags"
CAREFUL = ("DP204", "DP501", "DP502")
"""The planted bugs are short: they say nothing of catching up, retries and time limits."""


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("plain_insert", {"append-load"}),
        ("sql_operator_insert", {"append-load"}),
        ("psycopg_autocommit", {"append-load"}),
        ("file_append", {"append-load"}),
        ("counter_goes_up", {"append-load"}),
        ("file_stamped_now", {"wall-clock"}),
        ("partition_of_today", {"wall-clock"}),
        ("random_sample", {"random-source"}),
        ("conflict_on_uuid4", {"random-source", "unstable-key"}),
        ("empty_interval", {"zero-width-interval"}),
        ("hash_bucket", {"random-source"}),
        *[
            (name, {"swallowed-error"})
            for name in ("load_error_logged", "commit_in_handler", "fetch_error_is_no_order")
        ],
        *[
            (name, set())
            for name in (
                *(
                    "delete_insert",
                    "truncate_insert",
                    "upsert_tombstones",
                    "merge",
                    "sql_operator_delete_insert",
                    "psycopg_copy",
                ),
                *(
                    "load_tried_twice",
                    "fetch_error_fails",
                    "rollback_and_raise",
                    "mail_and_failure",
                    "dead_letters_loaded",
                ),
                *("file_rename", "file_stamped_by_schedule", "seeded_sample", "conflict_on_natural_key"),
                *(
                    "counter_by_day",
                    "conflict_on_uuid5",
                    "whole_interval",
                    "retention_by_date",
                    "mapped_tasks",
                    "created_at_by_schedule",
                ),
            )
        ],
    ],
)
def test_a_planted_bug_is_seen_in_its_source(name: str, rules: set[str]) -> None:
    """By these rules and no other, but for those about care; none for what is healthy."""
    looking = [rule for rule in all_rules() if rule.code not in CAREFUL]
    found = check([FOLDER / f"{name}.py"], looking, base=FOLDER)
    assert not found.unreadable
    assert {finding.rule for finding in found.findings} == rules
