"""The page about the planted bugs says what the catalogue says."""

from __future__ import annotations

from tests.bugs.catalogue import BUGS, HEALTHY
from tests.bugs.table import DAGS, DOCUMENT, table, what


def test_the_table_of_planted_bugs_is_up_to_date() -> None:
    """`python -m tests.bugs.table` writes it."""
    assert DOCUMENT.read_text(encoding="utf-8") == table()


def test_each_planted_dag_says_in_a_sentence_what_it_does() -> None:
    """In one line that ends in a full stop and does not break the table."""
    for name in (*(bug.name for bug in BUGS), *HEALTHY):
        sentence = what(name)
        assert sentence.endswith("."), name
        assert not set("|\n") & set(sentence), name


def test_each_planted_dag_is_called_like_its_file() -> None:
    """By the name of its function, or as the first argument of its DAG."""
    for path in DAGS.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert f"\ndef {path.stem}():\n" in text or f'\nwith DAG("{path.stem}", ' in text, path
