"""Proofs with everything that a report can show, made by hand: no DAG runs for them."""

from __future__ import annotations

from dagproof.histories import Step
from dagproof.inside.exchange import LeftOut
from dagproof.laws import Verdict
from dagproof.laws.verdict import ERROR, FALSIFIED, NOT_APPLICABLE, PROVEN, FaultOutcome
from dagproof.proof.verdicts import Proof
from dagproof.runs.scope import Compared
from dagproof.stores.diff import Change, Diff, Example, FileDiff, TableDiff

FIRST, SECOND, THIRD = DATES = ("2026-01-01", "2026-01-02", "2026-02-01")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;"
RIGHT_TO_LEFT = "שלום \u202eevil\u202c"
MESSAGES = ("BEGIN", "DELETE FROM users_daily", "COPY users_daily", "CopyData 64 KiB", "CopyDone", "COMMIT")


def atomic_load() -> tuple[FaultOutcome, ...]:
    """A load in one transaction, cut off at each message: the old rows until the commit is there."""
    faults = []
    for index, what in enumerate(MESSAGES, start=1):
        for when in ("before", "after"):
            survived = "new" if (what, when) == ("COMMIT", "after") else "old"
            faults.append(FaultOutcome("wire", index, when, what, "load_users", survived, healed=True))
    return tuple(faults)


def torn_load() -> tuple[FaultOutcome, ...]:
    """A load that commits in between, and a file that is moved into place; some messages are left out."""
    wire = [
        FaultOutcome("wire", 3, "before", "DELETE FROM orders", "load_orders", "old", healed=True),
        FaultOutcome("wire", 3, "after", "DELETE FROM orders", "load_orders", "old", healed=True),
        FaultOutcome("wire", 4, "before", "COMMIT", "load_orders", "old", healed=True),
        FaultOutcome("wire", 4, "after", "COMMIT", "load_orders", "partial", healed=True, note="0 of 1,000 rows"),
        FaultOutcome("wire", 5, "before", "COPY orders", "load_orders", "partial", healed=True),
        FaultOutcome(
            "wire", 5, "after", "COPY orders", "load_orders", "partial", healed=False, note="it waits for ever"
        ),
        FaultOutcome("wire", 62, "before", "COMMIT", "load_orders", "partial", healed=True),
        FaultOutcome("wire", 62, "after", "COMMIT", "load_orders", "new", healed=True),
    ]
    files = [
        FaultOutcome("file", 1, "before", "open orders.csv.part", "export", "old", healed=True),
        FaultOutcome("file", 1, "after", "open orders.csv.part", "export", "scratch", healed=True),
        FaultOutcome("file", 2, "before", "rename orders.csv", "export", "scratch", healed=True),
        FaultOutcome("file", 2, "after", "rename orders.csv", "export", "new", healed=True),
    ]
    return (*wire, *files)


def duplicating(rows: int = 200) -> Verdict:
    """A plain insert: a rerun doubles the table."""
    examples = tuple(Example("duplicated", {"id": str(n), "dt": FIRST}, times=2) for n in range(1, rows + 1))
    table = TableDiff("users_daily", 1000, 2000, duplicated=1000, examples=examples, left_out=1000 - rows)
    return Verdict(
        "rerun",
        FALSIFIED,
        verdict="non-idempotent",
        histories=4,
        seconds=2.5,
        history=(Step("run", FIRST), Step("run", SECOND), Step("rerun", FIRST)),
        diff=Diff((table,)),
        ignored=("users_daily.loaded_at",),
        left=("1,000 rows", "1,500 rows", "2,000 rows"),
        shrunk_from=9,
        written_by="task load_users, at etl/users.py:88",
        replay="7f3a9c",
    )


def every_change() -> Diff:
    """Rows of each kind, in two tables, with values that are hard to show, and files."""
    orders = TableDiff(
        "orders",
        5,
        6,
        added=2,
        missing=1,
        changed=2,
        duplicated=1,
        columns=("note", "total"),
        examples=(
            Example("duplicated", {"id": "7", "shop": "Zürich"}, times=3),
            Example(
                "changed", {"id": "8", "shop": HOSTILE}, "note", None, "", also=(Change("total", "10.00", "12.50"),)
            ),
            Example("added", {"id": "9", "shop": "NULL"}),
            Example("missing", {"id": "10", "shop": RIGHT_TO_LEFT}),
            Example("changed", {"id": "11", "shop": "tab\tand end "}, "note", "x" * 9_900 + "old", "x" * 9_900 + "new"),
            Example("added", {"id": "12", "shop": "y" * 10_000}),
        ),
    )
    wide = TableDiff(
        "order_lines",
        None,
        1,
        added=1,
        examples=(Example("added", {f"a_rather_long_column_{n}": f"value {n}" for n in range(12)}),),
    )
    files = (
        FileDiff("exports/orders.csv", "changed", "line 2: 'a' became 'b'"),
        FileDiff("exports/lock", "added", "0 bytes"),
    )
    return Diff((orders, wide), files)


def everything() -> tuple[Proof, ...]:
    """Three DAGs: one proven, one that breaks laws, one that cannot be run."""
    healthy = (
        Verdict("effect", PROVEN, histories=3, seconds=0.4),
        Verdict("deterministic", PROVEN, histories=3, seconds=0.8),
        Verdict(
            "rerun",
            PROVEN,
            histories=6,
            seconds=1.6,
            ignored=("reports/*.html", "users.loaded_at"),
            noise=("users.loaded_at",),
            compared=Compared({"users": 1000}, {"raw/users.csv": 1}),
            left_out=(
                LeftOut("reports/*.html", "not compared", "ignore"),
                LeftOut("users.loaded_at", "not compared, as fresh runs differ there"),
                LeftOut("publish", "ran in no history (skipped)"),
            ),
            faults=atomic_load(),
        ),
    )
    broken = (
        Verdict(
            "effect",
            PROVEN,
            histories=3,
            seconds=0.4,
            left_out=(LeftOut("the run for 2026-02-01", "writes nothing; name dates for which there are data"),),
        ),
        Verdict(
            "deterministic",
            FALSIFIED,
            verdict="non-deterministic",
            histories=1,
            history=(Step("run", FIRST),),
            diff=every_change(),
            left=("6 rows",),
            shrunk_from=1,
            written_by="task load_orders, at dags/orders.py:12",
            replay="0b1c2d",
            faults=torn_load(),
            faults_left_out="56 of 60 CopyData messages: they are alike",
        ),
        duplicating(),
    )
    failed = (
        Verdict(
            "effect", ERROR, reason="the run failed in task load: no disk", log_tail=f"OSError: no disk\n{HOSTILE}"
        ),
        Verdict("deterministic", ERROR, reason="the run failed in task load: no disk"),
        Verdict("rerun", NOT_APPLICABLE, reason="the run writes nothing, so there is nothing to compare"),
    )
    return (
        Proof("consumer_users_daily", 0, DATES, healthy, 31.7, ("users_daily.loaded_at", "reports/*.html")),
        Proof("orders_daily", 7, DATES, broken, 12.3),
        Proof("an_export_to_elsewhere_with_quite_a_long_name", 0, (FIRST,), failed, 4.0),
    )
