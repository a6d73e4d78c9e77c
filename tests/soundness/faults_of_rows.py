"""Faults of the rows that SQL writes."""

from __future__ import annotations

from dataclasses import replace

from tests.soundness.model import (
    ALTERABLE,
    BASH,
    CORRECTED,
    DELETE,
    HOOK,
    INSERT,
    KEYED,
    LOCK,
    OPERATOR,
    PLAIN,
    PSYCOPG,
    REPLACE,
    Fault,
    sql,
)

#: Operators that write all rows in one task: what is about one table has no shares.
ONE_TASK = (HOOK, PSYCOPG, OPERATOR, BASH)

UPSERT = (
    "INSERT INTO $table $rows ON CONFLICT (number) DO UPDATE "
    "SET customer = EXCLUDED.customer, total = EXCLUDED.total, dt = EXCLUDED.dt"
)
HALVES = ("mod(number, 2) = 0", "mod(number, 2) = 1")
BY_DAY = sql(
    (
        LOCK,
        "DELETE FROM customer_days WHERE dt = :ds",
        "INSERT INTO customer_days SELECT dt, customer, count(*) FROM ($rows) AS day GROUP BY dt, customer",
    )
)


ROWS = (
    Fault(
        "plain insert",
        "Inserts the day's rows without deleting those of the run before.",
        ("rerun", "retry", "crash", "correction"),
        sql((INSERT,)),
        REPLACE,
        PLAIN,
    ),
    Fault(
        "uuid key, ON CONFLICT DO NOTHING",
        "Guards an insert with ON CONFLICT on an id that is fresh in each run.",
        ("deterministic", "rerun", "retry"),
        sql(
            (
                "INSERT INTO identified SELECT gen_random_uuid(), number, customer, dt FROM ($rows) AS day "
                "ON CONFLICT (id) DO NOTHING",
            )
        ),
        sql(
            (
                LOCK,
                "DELETE FROM identified WHERE dt = :ds",
                "INSERT INTO identified SELECT md5(number::text)::uuid, number, customer, dt FROM ($rows) AS day",
            )
        ),
        operators=ONE_TASK,
    ),
    Fault(
        "now() in the key",
        "Makes the time of the load a part of the key.",
        ("deterministic", "rerun"),
        sql(("INSERT INTO stamped SELECT number, now(), dt FROM ($rows) AS day ON CONFLICT DO NOTHING",)),
        sql(
            (
                LOCK,
                "DELETE FROM stamped WHERE dt = :ds",
                "INSERT INTO stamped SELECT number, :ds::date, dt FROM ($rows) AS day",
            )
        ),
        operators=ONE_TASK,
    ),
    Fault(
        "a column of now()",
        "Lets a column default to the time of the load.",
        ("deterministic",),
        sql(
            (
                LOCK,
                "DELETE FROM created WHERE dt = :ds",
                "INSERT INTO created (number, dt) SELECT number, dt FROM ($rows) AS day",
            )
        ),
        sql(
            (
                LOCK,
                "DELETE FROM created WHERE dt = :ds",
                "INSERT INTO created SELECT number, dt, :ds::date FROM ($rows) AS day",
            )
        ),
        operators=ONE_TASK,
    ),
    Fault(
        "random sample",
        "Samples five of the day's rows at random.",
        ("deterministic",),
        sql((LOCK, DELETE, "INSERT INTO $table $rows ORDER BY random() LIMIT 5")),
        sql((LOCK, DELETE, "INSERT INTO $table $rows ORDER BY md5(number::text) LIMIT 5")),
        KEYED,
        ONE_TASK,
    ),
    Fault(
        "upsert never deletes",
        "Upserts the day's rows, so that those that vanish upstream stay.",
        ("correction",),
        sql((LOCK, UPSERT)),
        sql((LOCK, UPSERT, "DELETE FROM $table WHERE dt = :ds AND number NOT IN (SELECT number FROM ($rows) AS day)")),
        KEYED,
    ),
    Fault(
        "ON CONFLICT hides a change",
        "Keeps what is there already, even if it has changed upstream.",
        ("correction",),
        sql((LOCK, "INSERT INTO $table $rows ON CONFLICT DO NOTHING")),
        REPLACE,
        KEYED,
    ),
    Fault(
        "commit between delete and insert",
        "Deletes and inserts the day's rows, with a commit in between.",
        ("crash",),
        sql((LOCK, DELETE), (INSERT,)),
        REPLACE,
        KEYED,
    ),
    Fault(
        "rows committed in two halves",
        "Commits each half of the day's rows on its own.",
        ("crash",),
        sql(*((LOCK, f"{DELETE} AND {half}", f"{INSERT} AND {half}") for half in HALVES)),
        REPLACE,
        KEYED,
        ONE_TASK,
    ),
    Fault(
        "the last writer wins",
        "Notes the last order of each customer, whichever day runs last.",
        ("order", "containment"),
        sql(
            (
                LOCK,
                "INSERT INTO latest SELECT customer, max(number) FROM ($rows) AS day GROUP BY customer "
                "ON CONFLICT (customer) DO UPDATE SET number = EXCLUDED.number",
            )
        ),
        BY_DAY,
        operators=ONE_TASK,
    ),
    Fault(
        "check, then insert, without a lock",
        "Inserts the day's rows when none is there yet, and looks without a lock.",
        ("overlap", "correction"),
        sql(("INSERT INTO $table SELECT * FROM ($rows) AS day WHERE NOT EXISTS (SELECT FROM $table WHERE dt = :ds)",)),
        REPLACE,
        PLAIN,
        ONE_TASK,
    ),
    Fault(
        "delete and insert without a lock",
        "Replaces the day's rows where nothing keeps two runs apart.",
        ("overlap",),
        sql((DELETE, INSERT)),
        REPLACE,
        PLAIN,
        ONE_TASK,
    ),
    Fault(
        "a counter",
        "Adds the day's orders to a counter.",
        ("rerun", "retry", "crash"),
        sql(
            (
                LOCK,
                "INSERT INTO counts SELECT customer, count(*) FROM ($rows) AS day GROUP BY customer "
                "ON CONFLICT (customer) DO UPDATE SET orders = counts.orders + EXCLUDED.orders",
            )
        ),
        BY_DAY,
        operators=ONE_TASK,
    ),
    Fault(
        "a watermark",
        "Loads what is newer than the newest that was loaded.",
        ("order", "correction"),
        sql(
            (
                LOCK,
                "INSERT INTO $table SELECT * FROM ($rows) AS day "
                "WHERE number > coalesce((SELECT number FROM watermarks WHERE name = '$name'), -1)",
                "INSERT INTO watermarks SELECT '$name', max(number) FROM $table "
                "ON CONFLICT (name) DO UPDATE SET number = EXCLUDED.number",
            )
        ),
        REPLACE,
        PLAIN,
        ONE_TASK,
    ),
    Fault(
        "ties without an order",
        "Numbers the day's rows in the order of their customers, who have several each.",
        ("deterministic",),
        sql(
            (
                LOCK,
                "DELETE FROM places WHERE dt = :ds",
                "INSERT INTO places SELECT dt, row_number() OVER (ORDER BY customer), customer, number "
                "FROM ($rows) AS day",
            )
        ),
        sql(
            (
                LOCK,
                "DELETE FROM places WHERE dt = :ds",
                "INSERT INTO places SELECT dt, row_number() OVER (ORDER BY customer, number), customer, number "
                "FROM ($rows) AS day",
            )
        ),
        operators=ONE_TASK,
    ),
    Fault(
        "LIMIT without an order",
        "Loads the first five rows that come.",
        ("deterministic",),
        sql((LOCK, DELETE, "INSERT INTO $table $rows LIMIT 5")),
        sql((LOCK, DELETE, "INSERT INTO $table $rows ORDER BY number LIMIT 5")),
        PLAIN,
        ONE_TASK,
    ),
    Fault(
        "an identity column",
        "Numbers the rows anew in each load, though somebody keeps the numbers.",
        ("rerun", "retry"),
        sql(
            (
                LOCK,
                "DELETE FROM numbered WHERE dt = :ds",
                "INSERT INTO numbered (number, dt) SELECT number, dt FROM ($rows) AS day ORDER BY number",
            )
        ),
        sql(
            (
                LOCK,
                "DELETE FROM numbered WHERE dt = :ds",
                "INSERT INTO numbered OVERRIDING SYSTEM VALUE SELECT number, number, dt FROM ($rows) AS day",
            )
        ),
        proof=replace(CORRECTED, generated_keys={"numbered": "stable"}),
        operators=ONE_TASK,
    ),
    Fault(
        "a sequence",
        "Gives each row the next receipt.",
        ("rerun", "retry", "order"),
        sql(
            (
                LOCK,
                "DELETE FROM receipted WHERE dt = :ds",
                "INSERT INTO receipted SELECT nextval('receipts'), number, dt FROM ($rows ORDER BY number) AS day",
            )
        ),
        sql(
            (
                LOCK,
                "DELETE FROM receipted WHERE dt = :ds",
                "INSERT INTO receipted SELECT number, number, dt FROM ($rows) AS day",
            )
        ),
        operators=ONE_TASK,
    ),
    Fault(
        "a delete that reaches too far",
        "Deletes everything from the day on.",
        ("containment", "order"),
        sql((LOCK, "DELETE FROM $table WHERE dt >= :ds", INSERT)),
        REPLACE,
        (*PLAIN, *KEYED),
    ),
    Fault(
        "TRUNCATE for a day",
        "Empties the whole table before it loads a day.",
        ("containment", "order"),
        sql((LOCK, "TRUNCATE $table", INSERT)),
        REPLACE,
        ALTERABLE,
    ),
    Fault(
        "no upper bound",
        "Loads everything from the day on as the day's.",
        ("containment", "order"),
        sql((LOCK, UPSERT.replace("$rows", "$rows_from"))),
        REPLACE,
        KEYED,
        ONE_TASK,
    ),
    Fault(
        "today's partition",
        "Loads the day's rows into the partition of the current date.",
        ("clock", "backfill"),
        sql(
            (
                LOCK,
                "DELETE FROM $table WHERE dt = CURRENT_DATE",
                "INSERT INTO $table SELECT number, customer, total, CURRENT_DATE FROM ($rows) AS day",
            )
        ),
        REPLACE,
        PLAIN,
    ),
    Fault(
        "the balance of the day before",
        "Adds the day's total to the balance that is there.",
        ("order",),
        sql(
            (
                LOCK,
                "DELETE FROM balances WHERE dt = :ds",
                "INSERT INTO balances SELECT :ds::date, sum(total) + coalesce((SELECT total FROM balances "
                "WHERE dt < :ds::date ORDER BY dt DESC LIMIT 1), 0) FROM ($rows) AS day",
            )
        ),
        sql(
            (
                LOCK,
                "DELETE FROM balances WHERE dt = :ds",
                "INSERT INTO balances SELECT :ds::date, sum(total) FROM ($rows) AS day",
            )
        ),
        operators=ONE_TASK,
    ),
    Fault(
        "the mark before the rows",
        "Marks the day as loaded, commits, and loads it unless it has rows.",
        ("correction",),  # in two tasks, each of them is atomic
        sql(
            ("INSERT INTO marks VALUES (:ds) ON CONFLICT DO NOTHING",),
            (
                LOCK,
                "INSERT INTO $table SELECT * FROM ($rows) AS day WHERE NOT EXISTS (SELECT FROM $table WHERE dt = :ds)",
            ),
        ),
        REPLACE,
        KEYED,
        ONE_TASK,
    ),
    Fault(
        "a staging table for all",
        "Loads by way of a staging table that all runs share, and commits in between.",
        ("overlap", "order", "containment"),
        sql(
            ("TRUNCATE staged",),
            ("INSERT INTO staged $rows",),
            (LOCK, DELETE, "INSERT INTO $table SELECT * FROM staged"),
        ),
        sql(
            (LOCK, "CREATE TEMP TABLE fresh ON COMMIT DROP AS $rows", DELETE, "INSERT INTO $table SELECT * FROM fresh")
        ),
        PLAIN,
        ONE_TASK,
    ),
    Fault(
        "overlap after the first run",
        "Makes its table in the first run, and replaces the day without a lock in later ones.",
        ("overlap",),
        sql(
            (
                "CREATE TABLE IF NOT EXISTS made (number integer, customer text, total numeric(10, 2), dt date)",
                "LOCK TABLE made IN ACCESS SHARE MODE",
                "DELETE FROM made WHERE dt = :ds",
                "INSERT INTO made $rows",
            )
        ),
        sql(
            (
                LOCK,
                "CREATE TABLE IF NOT EXISTS made (number integer, customer text, total numeric(10, 2), dt date)",
                "DELETE FROM made WHERE dt = :ds",
                "INSERT INTO made $rows",
            )
        ),
        operators=ONE_TASK,
    ),
)
