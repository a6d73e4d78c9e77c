"""Each law finds what it is there for, and accuses no load that is healthy: whole proofs of modelled DAGs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from dagproof.laws import all_laws
from tests.unit.laws.modelled import Here, Load, Stores, prove

#: How many histories are tried: where it takes none that are drawn, those that always are.
TRIED = {"history": 30}
LAWS = [law.name for law in all_laws() if law.name != "late"]  # which is about slots and sensors


def healthy(stores: Stores, here: Here) -> Iterator[None]:
    """Replaces the day in one go."""
    yield
    stores.replace("orders", here.date, stores.day(here.date))


def healthy_file(stores: Stores, here: Here) -> Iterator[None]:
    """Writes the day's file in one go."""
    yield
    stores.files[f"{here.date}.csv"] = repr(stores.day(here.date))


def writes_nothing(stores: Stores, here: Here) -> Iterator[None]:
    """Selects no row."""
    yield
    stores.replace("orders", here.date, [])


def notes_the_machine(stores: Stores, here: Here) -> Iterator[None]:
    yield
    stores.replace("orders", here.date, [(here.machine.hostname, here.date)])


def adds_to_another_number_of_rows(stores: Stores, here: Here) -> Iterator[None]:
    """Of which two fresh runs agree in nothing but how many there are."""
    yield
    stores.add("orders", [(uuid4().hex, here.date), (uuid4().hex, here.date)])


def loads_as_today(stores: Stores, here: Here) -> Iterator[None]:
    yield
    today = here.clock.date().isoformat()
    stores.replace("orders", today, [(item, today) for item in stores.source[here.date]])


def closes_in_december(stores: Stores, here: Here) -> Iterator[None]:
    """Loads nothing in the last month of the year."""
    yield
    stores.replace("orders", here.date, [] if here.clock.month == 12 else stores.day(here.date))


def appends(stores: Stores, here: Here) -> Iterator[None]:
    yield
    stores.add("orders", stores.day(here.date))


def appends_to_a_file(stores: Stores, here: Here) -> Iterator[None]:
    yield
    stores.files["all.csv"] = stores.files.get("all.csv", "") + repr(stores.day(here.date))


def appends_the_third_time(stores: Stores, here: Here) -> Iterator[None]:
    yield
    times = stores.source.setdefault(f"loads of {here.date}", [])
    times.append("load")
    (stores.add if len(times) > 2 else lambda name, rows: stores.replace(name, here.date, rows))(
        "orders", stores.day(here.date)
    )


def counts_the_try(stores: Stores, here: Here) -> Iterator[None]:
    yield
    stores.replace("orders", here.date, [(f"try {here.attempt}", here.date)])


def fails_the_second_time(stores: Stores, here: Here) -> Iterator[None]:
    yield
    if stores.tables.get(f"lock of {here.date}"):
        raise KeyError("a lock is there")
    stores.add(f"lock of {here.date}", [(here.date,)])


def deletes_then_inserts(stores: Stores, here: Here) -> Iterator[None]:
    yield
    stores.replace("orders", here.date, [])
    yield
    stores.replace("orders", here.date, stores.day(here.date))


def marks_then_loads(stores: Stores, here: Here) -> Iterator[None]:
    yield
    is_marked = (here.date,) in stores.tables.get("marks", [])
    stores.replace("marks", here.date, [(here.date,)])
    yield
    if not is_marked:
        stores.replace("orders", here.date, stores.day(here.date))


def writes_half_a_file(stores: Stores, here: Here) -> Iterator[None]:
    yield
    stores.files[f"{here.date}.csv"] = "half"
    yield
    stores.files[f"{here.date}.csv"] = repr(stores.day(here.date))


def keeps_the_last(stores: Stores, here: Here) -> Iterator[None]:
    yield
    stores.tables["latest"] = [(here.date,)]


def deletes_from_the_day_on(stores: Stores, here: Here) -> Iterator[None]:
    yield
    stores.tables["orders"] = [row for row in stores.tables.get("orders", []) if row[-1] < here.date]
    stores.add("orders", stores.day(here.date))


def overwrites_a_file(stores: Stores, here: Here) -> Iterator[None]:
    yield
    stores.files["all.csv"] = repr(stores.day(here.date))


def looks_then_inserts(stores: Stores, here: Here) -> Iterator[None]:
    yield
    others = [row for row in stores.tables.get("orders", []) if row[-1] != here.date]
    yield
    stores.tables["orders"] = [*others, *stores.day(here.date)]


def looks_at_the_day_then_inserts(stores: Stores, here: Here) -> Iterator[None]:
    yield
    mine = [row for row in stores.tables.get("orders", []) if row[-1] == here.date]
    yield
    stores.tables["orders"] = [row for row in stores.tables.get("orders", []) if row not in mine]
    stores.add("orders", stores.day(here.date))


def looks_when_it_is_there(stores: Stores, here: Here) -> Iterator[None]:
    """Makes its table in one go, and replaces days in two from then on."""
    yield
    if "orders" not in stores.tables:
        stores.replace("orders", here.date, stores.day(here.date))
        return
    mine = [row for row in stores.tables["orders"] if row[-1] == here.date]
    yield
    stores.tables["orders"] = [row for row in stores.tables["orders"] if row not in mine]
    stores.add("orders", stores.day(here.date))


def upserts(stores: Stores, here: Here) -> Iterator[None]:
    yield
    old = [row for row in stores.tables.get("orders", []) if row[-1] == here.date]
    stores.replace("orders", here.date, sorted({*old, *stores.day(here.date)}))


def notes_the_run(stores: Stores, here: Here) -> Iterator[None]:
    yield
    stores.replace("orders", here.date, [(here.run_id, here.date)])


def keeps_what_ran_twice(stores: Stores, here: Here) -> Iterator[None]:
    """Closes a day that has been loaded twice: a correction after that is never loaded."""
    yield
    times = stores.source.setdefault(f"loads of {here.date}", [])
    times.append("load")
    if len(times) < 3:
        stores.replace("orders", here.date, stores.day(here.date))


def logs_the_error(stores: Stores, here: Here) -> Iterator[None]:
    """Takes what its load meets, and ends well."""
    with suppress(ConnectionError):
        yield
        stores.replace("orders", here.date, stores.day(here.date))


def adds_again_after_an_error(stores: Stores, here: Here) -> Iterator[None]:
    """Removes the day's rows at its first try only."""
    yield
    if here.attempt == 1:
        stores.replace("orders", here.date, [])
    stores.add("orders", [row for row in stores.day(here.date) if row[0] == "a"])
    yield
    stores.add("orders", [row for row in stores.day(here.date) if row[0] != "a"])


def loads_in_two_halves(stores: Stores, here: Here) -> Iterator[None]:
    """Replaces the day with a half of it, and then with all of it."""
    yield
    stores.replace("orders", here.date, stores.day(here.date)[:1])
    yield
    stores.replace("orders", here.date, stores.day(here.date))


def marks_whatever_comes(stores: Stores, here: Here) -> Iterator[None]:
    """Marks a day as done, also after an error that stays, and does not load it again."""
    if (here.date,) in stores.tables.get("marks", []):
        return
    try:
        yield
        stores.replace("orders", here.date, stores.day(here.date))
    finally:
        stores.replace("marks", here.date, [(here.date,)])


def loads_again_after_an_error(stores: Stores, here: Here) -> Iterator[None]:
    """Takes an error, and loads all the same."""
    with suppress(ConnectionError):
        yield
    stores.replace("orders", here.date, stores.day(here.date))


FAULTS = [
    (writes_nothing, "effect", "vacuous", 1),
    (notes_the_machine, "deterministic", "non-deterministic", 1),
    (loads_as_today, "clock", "clock-dependent", 1),
    (closes_in_december, "clock", "clock-dependent", 1),
    (appends, "rerun", "non-idempotent", 2),
    (appends_to_a_file, "rerun", "non-idempotent", 2),
    (adds_to_another_number_of_rows, "rerun", "non-idempotent", 2),
    (appends_the_third_time, "rerun", "non-idempotent", 3),
    (appends, "retry", "not retry-safe", 1),
    (counts_the_try, "retry", "not retry-safe", 1),
    (fails_the_second_time, "retry", "not retry-safe", 1),
    (deletes_then_inserts, "crash", "not atomic", 2),
    (marks_then_loads, "crash", "not crash-safe", 2),
    (writes_half_a_file, "crash", "not atomic", 1),
    (logs_the_error, "outage", "loses rows in silence", 1),
    (adds_again_after_an_error, "outage", "not healed by running again", 1),
    (marks_whatever_comes, "outage", "loses rows in silence", 1),
    (loads_in_two_halves, "outage", "not atomic", 1),
    (keeps_the_last, "order", "order-dependent", 2),
    (deletes_from_the_day_on, "order", "order-dependent", 2),
    (deletes_from_the_day_on, "containment", "leaks outside its partition", 2),
    (keeps_the_last, "containment", "leaks outside its partition", 2),
    (overwrites_a_file, "containment", "leaks outside its partition", 2),
    (looks_then_inserts, "overlap", "not concurrency-safe", 1),
    (looks_at_the_day_then_inserts, "overlap", "not concurrency-safe", 1),
    (looks_when_it_is_there, "overlap", "not concurrency-safe", 2),
    (upserts, "correction", "keeps stale rows", 3),
    (notes_the_run, "backfill", "incremental ≠ full refresh", 1),
    (keeps_what_ran_twice, "history", "history-dependent", 4),
]


@pytest.mark.parametrize(
    ("load", "law", "word", "steps"), [pytest.param(*case, id=f"{case[0].__name__}-{case[1]}") for case in FAULTS]
)
def test_a_law_finds_its_fault(load: Load, law: str, word: str, steps: int, tmp_path: Path) -> None:
    """With its word, and with a history that has no step too many."""
    verdict = prove(load, law, tmp_path, max_histories=TRIED.get(law, 1))
    assert (verdict.outcome, verdict.verdict) == ("falsified", word), verdict
    assert len(verdict.history or ()) == steps


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(
    "load", [pytest.param(load, id=load.__name__) for load in (healthy, healthy_file, loads_again_after_an_error)]
)
def test_no_law_accuses_a_healthy_load(load: Load, law: str, tmp_path: Path) -> None:
    """Each of them proves it."""
    verdict = prove(load, law, tmp_path, max_histories=TRIED.get(law, 1))
    assert verdict.outcome == "proven", verdict


@pytest.mark.parametrize("law", sorted({law for _, law, _, _ in FAULTS} - {"effect"}))
def test_an_exemption_from_another_law_hides_nothing(law: str, tmp_path: Path) -> None:
    """It is for one law."""
    load = next(load for load, found_by, _, _ in FAULTS if found_by == law)
    others = {other: ("*", "orders", "latest") for other in LAWS if other != law}
    assert prove(load, law, tmp_path, max_histories=TRIED.get(law, 1), exempt=others).outcome == "falsified"


@pytest.mark.parametrize("law", [law for law in LAWS if law != "effect"])
def test_where_nothing_is_compared_nothing_is_proven(law: str, tmp_path: Path) -> None:
    """All that a healthy load writes is exempt."""
    verdict = prove(healthy, law, tmp_path, max_histories=TRIED.get(law, 1), exempt={law: ("orders",)})
    assert verdict.outcome == "not-applicable", verdict
    assert "orders" in str(verdict.reason)
