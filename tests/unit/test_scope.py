"""What was compared and what was left out, in words."""

from __future__ import annotations

import pytest

from dagproof.inside.exchange import LeftOut, RunReport
from dagproof.runs.scope import MOST_NAMED, Compared, listed, reported, sentences
from dagproof.stores.snapshot import File, Snapshot, Table


def test_what_was_left_out_for_the_same_reason_is_one_sentence() -> None:
    """Reasons that begin with `not` precede what they are about, others follow it; the setting comes last."""
    entries = [
        LeftOut("t.a", "not compared", "ignore"),
        LeftOut("publish", "ran in no history (skipped)"),
        LeftOut("t.b", "not compared", "ignore"),
        LeftOut("t.b", "not compared", "exempt.rerun"),
        LeftOut("archive", "ran in no history (skipped)"),
        LeftOut("archive", "ran in no history (skipped)"),
        LeftOut("service s3", "also connected to: neither compared nor restored", "world.services"),
        LeftOut("notify", "failed, as allowed: ConnectionError: no chat", "may_fail"),
    ]
    assert sentences(entries) == [
        "not compared: t.a, t.b (ignore)",
        "publish, archive ran in no history (skipped)",
        "not compared: t.b (exempt.rerun)",
        "also connected to service s3: neither compared nor restored (world.services)",
        "notify failed, as allowed: ConnectionError: no chat (may_fail)",
    ]


def test_what_is_much_is_counted() -> None:
    """A line stays a line."""
    (line,) = sentences(LeftOut(f"t{n}", "not tried") for n in range(MOST_NAMED + 3))
    assert line.endswith(f"t{MOST_NAMED - 1} and 3 more")


def test_the_most_rows_and_bytes_are_kept() -> None:
    """Of each table and file, over all snapshots."""
    compared = Compared()
    assert (compared.shown(), compared.to_json()) == ([], {"tables": {}, "files": {}})
    for rows in (2, 3, 1):
        table, file = Table("t", ("a",), (), (b"1",) * rows), File("f", rows * 1000, (), None)
        compared.add(Snapshot({"t": table}), Snapshot(files={"f": file}))
    assert compared.to_json() == {"tables": {"t": 3}, "files": {"f": 3000}}
    assert compared.shown() == ["1 table: t (3 rows)", "1 file: f (3,000 bytes)"]


def test_names_are_listed_once_with_their_settings() -> None:
    """And without brackets where there is no setting."""
    assert listed(["a", "b", "a"], ["ignore", "", "ignore"]) == "a, b (ignore)"
    assert listed(["a"], [""]) == "a"


def test_runs_beside_a_run_report_too() -> None:
    """However deep."""
    once, again = LeftOut("s3", "not compared"), LeftOut("s3", "not compared", "world.services")
    inner = RunReport(left_out=(once,), beside=(RunReport(left_out=(again,)),))
    assert list(reported([RunReport(beside=(inner,)), RunReport()])) == [once, again]


@pytest.mark.parametrize("setting", ["", "ignore"])
def test_it_goes_through_json(setting: str) -> None:
    """With its three fields."""
    entry = LeftOut("t", "not compared", setting)
    assert LeftOut.from_json(entry.to_json()) == entry
