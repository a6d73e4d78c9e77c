"""Faults of what lies beside rows: indexes, constraints, views, functions, large objects."""

from __future__ import annotations

from tests.soundness.faults_of_rows import ONE_TASK
from tests.soundness.model import ALTERABLE, DELETE, INSERT, LOCK, PLAIN, Fault, sql


def _beside(*statements: str) -> tuple[str, ...]:
    """The day replaced, and these statements in the same transaction."""
    return (LOCK, DELETE, INSERT, *statements)


STRUCTURE = (
    Fault(
        "indexes pile up",
        "Makes the same index again in each run.",
        ("rerun", "retry"),
        sql(_beside("CREATE INDEX ON $table (customer)")),
        sql(_beside("CREATE INDEX IF NOT EXISTS by_customer ON $table (customer)")),
        ALTERABLE,
        ONE_TASK,
    ),
    Fault(
        "constraints pile up",
        "Adds the same constraint again in each run.",
        ("rerun", "retry"),
        sql(_beside("ALTER TABLE $table ADD CHECK (total >= 0)")),
        sql(
            _beside(
                "ALTER TABLE $table DROP CONSTRAINT IF EXISTS paid",
                "ALTER TABLE $table ADD CONSTRAINT paid CHECK (total >= 0)",
            )
        ),
        ALTERABLE,
        ONE_TASK,
    ),
    Fault(
        "a view of the last date",
        "Defines a view of the day that ran last.",
        ("order",),
        sql(_beside("CREATE OR REPLACE VIEW newest AS SELECT number, customer FROM $table WHERE dt = :ds")),
        sql(_beside("CREATE OR REPLACE VIEW newest AS SELECT number, customer FROM $table")),
        ALTERABLE,
        ONE_TASK,
    ),
    Fault(
        "a function of the last date",
        "Defines a function that returns the day that ran last.",
        ("order",),
        sql(
            _beside(
                "CREATE OR REPLACE FUNCTION newest_day() RETURNS date LANGUAGE sql AS $$fn$$ SELECT :ds::date $$fn$$"
            )
        ),
        sql(
            _beside(
                "CREATE OR REPLACE FUNCTION newest_day() RETURNS date "
                "LANGUAGE sql AS $$fn$$ SELECT max(dt) FROM keyed $$fn$$"
            )
        ),
        PLAIN,
        ONE_TASK,
    ),
    Fault(
        "large objects pile up",
        "Puts a document into a large object in each run, and forgets the one before.",
        ("rerun", "retry"),
        sql(_beside("SELECT lo_from_bytea(0, convert_to(:ds, 'UTF8'))")),
        sql(
            _beside(
                "SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = to_char(:ds::date, 'YYYYMMDD')::oid",
                "SELECT lo_from_bytea(to_char(:ds::date, 'YYYYMMDD')::oid, convert_to(:ds, 'UTF8'))",
            )
        ),
        PLAIN,
        ONE_TASK,
    ),
    Fault(
        "a materialized view refreshed first",
        "Refreshes a materialized view before it loads what the view is made of.",
        ("rerun",),
        sql(
            ("REFRESH MATERIALIZED VIEW sums",),
            (LOCK, "DELETE FROM summed WHERE dt = :ds", "INSERT INTO summed $rows"),
        ),
        sql((LOCK, "DELETE FROM summed WHERE dt = :ds", "INSERT INTO summed $rows", "REFRESH MATERIALIZED VIEW sums")),
        operators=ONE_TASK,
    ),
)
