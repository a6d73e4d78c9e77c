"""Texts in other languages: whatever stands in them, they are read without an error, and in little time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagproof.source import shell, sqladds, sqlfilters, sqlkeys, sqltext, sqlwrites, templates
from dagproof.source.moments import with_moments
from dagproof.source.strings import SQL

Reader = Callable[[str], object]


def _all(reader: Callable[[str], Iterable[object]]) -> Reader:
    return lambda text: list(reader(text))


READERS: dict[str, Reader] = {
    "beginning of SQL": SQL.match,
    "SQL clocks": _all(sqltext.clocks),
    "SQL draws": _all(sqltext.draws),
    "SQL writes": _all(sqlwrites.writes),
    "SQL updates": _all(sqladds.updates),
    "SQL upserts": _all(sqlkeys.upserts),
    "SQL filters": _all(sqlfilters.betweens),
    "template clocks": _all(templates.clocks),
    "template variables": _all(templates.variables),
    "template moments": with_moments,
    "shell clocks": _all(shell.clocks),
    "shell draws": _all(shell.draws),
}
readers = pytest.mark.parametrize("reader", [pytest.param(reader, id=name) for name, reader in READERS.items()])

PARTS = (
    *(
        "SELECT ",
        "INSERT INTO t",
        " VALUES (",
        "DELETE FROM ",
        "ON CONFLICT (",
        "COPY t FROM",
        "now()",
        "CURRENT_DATE",
        "age(",
    ),
    *("/* ", " */", "-- ", "\n", "'", '"', "`", "$$", "$(", "(", ")", ";", ",", "=", "a", ".", " ", "\x00", "🙂", "\\"),
    *("UPDATE ", " SET ", " DO UPDATE SET ", "MERGE INTO t ", "THEN ", "n = n + 1", "||", "coalesce(", "excluded"),
    *("{{ ", " }}", "{% ", " %}", "{# ", "data_interval_start", "macros.datetime.now()", "| ds", "execution_date"),
    *(
        "date ",
        "-d ",
        "$RANDOM",
        "echo ",
        "#",
        "&&",
        "dagproof_start_time",
        "dagproof_end_time",
        " >= ",
        " < ",
        " AND ",
    ),
)


@readers
@given(parts=st.lists(st.sampled_from(PARTS), max_size=40))
def test_any_text_is_read(reader: Reader, parts: list[str]) -> None:
    """However broken it is."""
    reader("".join(parts))


@readers
@pytest.mark.parametrize(
    "part",
    [
        "/*a*/ ",
        "\n",
        "{{ data_interval_start ",
        ";date",
        "INSERT INTO t VALUES (",
        "$(date",
        "THEN UPDATE SET n = (n + 1, ",
    ],
)
def test_a_long_text_takes_little_time(reader: Reader, part: str) -> None:
    """No more than in proportion to its length: twenty thousand repetitions in a few seconds of CPU."""
    started = time.process_time()
    reader(part * 20_000 + "x now() date macros data_interval")
    assert time.process_time() - started < 5


def test_a_text_of_megabytes_is_taken_for_data() -> None:
    """Nobody writes a statement of that size."""
    assert sqltext.tokens("SELECT now() " + " " * sqltext.MOST_CHARACTERS) == []
