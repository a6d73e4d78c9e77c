"""What every law has, so that one can be told, explained and chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dagproof.laws
from dagproof.errors import UsageError
from dagproof.explain.text import SECTIONS, examples, law_pages, sections
from dagproof.histories import Step
from dagproof.histories.steps import without_reruns
from dagproof.laws import Law, all_laws, law_named
from dagproof.laws.base import Finding
from dagproof.laws.order import Order
from dagproof.laws.rerun import MOST_REPEATS, repeated
from dagproof.stores.diff import Diff, FileDiff

DATES = ("2026-01-01", "2026-01-02", "2026-02-01")
DOCS = Path(__file__).parents[3] / "docs" / "laws"


laws = pytest.mark.parametrize("law", [pytest.param(law, id=law.name) for law in all_laws()])


def test_each_file_is_a_law() -> None:
    """Nothing is registered anywhere: a file in the folder is enough."""
    shared = {"__init__", "base", "faults", "verdict"}
    files = {path.stem for path in Path(dagproof.laws.__file__).parent.glob("*.py")} - shared
    assert {law.name.replace("-", "_") for law in all_laws()} == files


def test_determinism_comes_before_all_that_compare_two_histories() -> None:
    """And effect before it: without an effect there is nothing to compare."""
    names = [law.name for law in all_laws()]
    assert names[:2] == ["effect", "deterministic"]
    assert len({law.order for law in all_laws()}) == len(names)


@laws
def test_a_law_is_explained(law: Law) -> None:
    """In four sections, each with something in it, in this order."""
    assert list(sections(law)) == list(SECTIONS)
    assert all(sections(law).values())
    assert all(examples(law))


def test_the_pages_are_generated() -> None:
    """Word for word; ``python -m dagproof.explain.pages docs`` writes them."""
    written = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    assert written == law_pages()


@laws
def test_a_law_has_all_its_texts(law: Law) -> None:
    """One line each, without a stop at the end, for they stand in the middle of a report."""
    texts = (law.name, law.relation, law.verdict, law.accusation, law.headline, law.promise, *law.sides)
    assert all(text and "\n" not in text and not text.endswith(".") for text in texts)
    assert law.name == law.name.lower()


@pytest.mark.parametrize("law", [pytest.param(law, id=law.name) for law in all_laws() if law.examples(DATES)])
def test_the_examples_of_a_law_begin_with_the_shortest(law: Law) -> None:
    """And no date is left out."""
    examples = law.examples(DATES)
    assert [len(history) for history in examples] == sorted(len(history) for history in examples)
    assert {step.date for history in examples for step in history} == set(DATES)


@given(st.lists(st.sampled_from(DATES), min_size=2, unique=True).map(sorted))
def test_order_tries_each_two_dates_and_no_more(dates: list[str]) -> None:
    """Pairs, not permutations: ten dates take 45 histories."""
    histories = Order().examples(dates)
    assert len(histories) == len(set(histories)) == len(dates) * (len(dates) - 1) // 2
    assert all(one.date > other.date for one, other in histories)


@laws
def test_a_law_is_found_by_its_name(law: Law) -> None:
    """As ``--law`` does."""
    assert law_named(law.name) is law


def test_an_unknown_law_is_refused_with_the_nearest_name() -> None:
    """A selector that matches nothing must not prove nothing."""
    with pytest.raises(UsageError, match=r"^there is no law 'reruns'; did you mean 'rerun'\?$"):
        law_named("reruns")


@given(st.data(), st.lists(st.sampled_from(DATES), min_size=1, unique=True).map(sorted))
def test_rerun_draws_dates_in_order_and_one_of_them_again(data: st.DataObject, dates: list[str]) -> None:
    """The law is about repetition: order is another one's."""
    history = data.draw(repeated(dates))
    assert [step.date for step in history] == sorted(step.date for step in history)
    assert Step("rerun", history[0].date) in history or any(step.kind == "rerun" for step in history)
    counts = {date: sum(step.date == date for step in history) for date in dates}
    assert max(counts.values()) <= MOST_REPEATS
    assert len(without_reruns(history)) == sum(count > 0 for count in counts.values())


@pytest.mark.parametrize(
    ("finding", "broken"),
    [
        pytest.param(Finding(Diff()), False, id="no-diff"),
        pytest.param(Finding(Diff(files=(FileDiff("f", "added"),))), True, id="diff"),
        pytest.param(Finding(Diff(), broken=True), True, id="broken-without-diff"),
        pytest.param(Finding(Diff(files=(FileDiff("f", "added"),)), broken=False), False, id="holds-with-diff"),
    ],
)
def test_a_finding_is_true_where_the_law_is_broken(finding: Finding, broken: bool) -> None:
    """By a diff, unless the law says otherwise."""
    assert bool(finding) is broken
