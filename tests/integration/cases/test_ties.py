"""Rows that tie: the second machine has what was there before the run in another physical order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CaseNamed = Callable[[str], Any]


def test_which_of_several_rows_comes_first_is_found_to_differ(case: CaseNamed) -> None:
    """`row_number()` over ties: other e-mails on the other machine, whose order of rows is named."""
    ended = case("ties").prove("ties_bad", "effect", "deterministic", output="text")
    assert ended.status == 1, ended.out + ended.err
    assert "3 changed in email" in ended.out
    assert "order of upstream rows" in ended.out


def test_an_order_without_ties_is_proven(case: CaseNamed) -> None:
    """Whatever the order of rows is."""
    ended = case("ties").prove("ties_good", "effect", "deterministic", "rerun")
    assert ended.status == 0, ended.out + ended.err
    assert {verdict["outcome"] for verdict in ended.verdicts().values()} == {"proven"}
