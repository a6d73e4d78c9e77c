"""The whole text of a report: it is ours, word for word."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagproof.histories import Step
from dagproof.inside.exchange import LeftOut
from dagproof.inside.machine import ELSEWHERE, HERE, differences
from dagproof.laws import Verdict
from dagproof.laws.verdict import ERROR, FALSIFIED, NOT_APPLICABLE, PROVEN, FaultOutcome
from dagproof.proof.verdicts import Proof
from dagproof.report.text import MOST_FILES, MOST_TABLES, diff_lines, failure_text, one_line, proof_text
from dagproof.stores.diff import Diff, Example, FileDiff, TableDiff

FIRST, SECOND = "2026-01-01", "2026-01-02"
TWICE = (Step("run", FIRST), Step("rerun", FIRST))
SIDES = ("before", "after")

RERUN = Verdict(
    "rerun",
    FALSIFIED,
    verdict="non-idempotent",
    histories=1,
    history=TWICE,
    diff=Diff(
        (
            TableDiff(
                "users_daily",
                1000,
                2000,
                duplicated=1000,
                examples=(Example("duplicated", {"id": "1", "dt": FIRST}, times=2),),
            ),
        )
    ),
    left=("1,000 rows", "2,000 rows"),
    shrunk_from=9,
    written_by="task load_users, at etl/users.py:88",
    replay="7f3a9c",
)


def text(indented: str) -> str:
    """A text without its indentation."""
    return textwrap.dedent(indented).strip("\n")


def test_a_failure_reads_as_designed() -> None:
    """What is wrong, the rows, the shortest history, the task, and how to see it again."""
    assert failure_text("consumer_users_daily", RERUN) == text(
        """
        consumer_users_daily is not idempotent

        - Rows differ after a rerun

            users_daily   after one run: 1,000 rows   after this: 2,000 rows
            1,000 duplicated, e.g. (id, dt) = (1, 2026-01-01) ×2

        Minimal failing history (2 steps, shrunk from 9):

            1  run    2026-01-01      1,000 rows
            2  rerun  2026-01-01      2,000 rows  ~

        Written by task load_users, at etl/users.py:88
        Replay:  dagproof replay 7f3a9c
        """
    )


def test_what_is_often_meant_is_said_first() -> None:
    """With the line to paste; how generated keys were read is said where it was judged."""
    hint = (
        "only columns that record when a row was written differ: t.loaded_at. If that is expected, add this line to\n"
        "[x]:\n\n    y"
    )
    entry = LeftOut("orders.id", "compared by value, as it leaves its table: notes.order_id", "generated_keys")
    verdict = replace(RERUN, hint=hint, left_out=(entry,), replay=None)
    assert failure_text("orders", verdict) == text(
        """
        orders is not idempotent

        - Only columns that record when a row was written differ: t.loaded_at. If that is expected, add this line to
        [x]:

            y

        - Rows differ after a rerun

            users_daily   after one run: 1,000 rows   after this: 2,000 rows
            1,000 duplicated, e.g. (id, dt) = (1, 2026-01-01) ×2

        Minimal failing history (2 steps, shrunk from 9):

            1  run    2026-01-01      1,000 rows
            2  rerun  2026-01-01      2,000 rows  ~

        orders.id compared by value, as it leaves its table: notes.order_id (generated_keys)
        Written by task load_users, at etl/users.py:88
        """
    )
    assert (verdict.to_json()["hint"], RERUN.to_json()["hint"]) == (hint, None)


def test_one_cause_is_told_once() -> None:
    """The first law says it all, the others say which one that is."""
    retry = replace(RERUN, law="retry", verdict="not retry-safe", history=(Step("retry", FIRST),), same_as="rerun")
    assert failure_text("orders", retry) == text(
        """
        orders is not safe to retry

        - As rerun: retry(2026-01-01)

        Replay:  dagproof replay 7f3a9c
        """
    )
    assert one_line("orders", retry) == "orders is not safe to retry, as rerun: retry(2026-01-01)"
    whole = proof_text(Proof("orders", 0, (FIRST,), (RERUN, retry), 1.0))
    assert whole.count("orders is not") == 1
    assert whole.endswith(
        "  ✗ rerun          non-idempotent: run(2026-01-01), rerun(2026-01-01)\n"
        "  ✗ retry          not retry-safe, as rerun: retry(2026-01-01)\n\n"
        "  seed 0, 1.0 s"
    )


def test_a_failure_says_no_more_than_is_known() -> None:
    """No task, no id, nothing that was shrunk; what was not compared is said."""
    verdict = Verdict(
        "deterministic",
        FALSIFIED,
        verdict="non-deterministic",
        history=(Step("run", FIRST),),
        diff=Diff(
            files=(FileDiff("a/b.csv", "changed", "line 2: 'x' became 'y'"), FileDiff("c", "missing", "7 bytes"))
        ),
        ignored=("t.loaded_at",),
        left=("1,024 bytes",),
        shrunk_from=1,
    )
    assert failure_text("orders", verdict) == text(
        """
        orders is not deterministic

        - Two fresh runs of the same date differ

            a/b.csv   changed: line 2: 'x' became 'y'
            c   missing: 7 bytes

        Minimal failing history (1 step):

            1  run  2026-01-01      1,024 bytes

        Not compared: t.loaded_at
        """
    )


def test_a_verdict_can_say_it_in_its_own_words() -> None:
    """What happened, what is compared, and who asked for what makes runs differ."""
    own = replace(RERUN, headline="A reader sees half", sides=("whole", "half"), asked=("the time, at a.py:1: now()",))
    told = failure_text("orders", own)
    assert "- A reader sees half\n\n    users_daily   whole: 1,000 rows   half: 2,000 rows\n" in told
    assert "at etl/users.py:88\nDepends on the time, at a.py:1: now()\nReplay:" in told


def test_machines_that_give_other_rows_are_told_apart() -> None:
    """In what they differ, in one line; the JSON has it, too."""
    told = (
        "time zone UTC / Pacific/Chatham, PYTHONHASHSEED 0 / 1, host name worker-1 / worker-2.example.org, "
        "order of upstream rows, order of directory listings"
    )
    assert differences(HERE, ELSEWHERE) == told
    assert differences(HERE, HERE) == ""
    verdict = replace(RERUN, law="deterministic", machines=told)
    assert f"at etl/users.py:88\nThe machines differ in {told}\nReplay:" in failure_text("orders", verdict)
    assert (verdict.to_json()["machines"], RERUN.to_json()["machines"]) == (told, None)


def test_an_effect_that_is_not_there_needs_no_diff() -> None:
    """There is nothing to show but the history."""
    verdict = Verdict(
        "effect", FALSIFIED, verdict="vacuous", history=(Step("run", FIRST),), diff=Diff(), left=("0 rows",)
    )
    assert failure_text("orders", verdict) == text(
        """
        orders has no effect

        - The run succeeds and writes nothing: no row of any table, no file

        Minimal failing history (1 step):

            1  run  2026-01-01      0 rows
        """
    )


def test_an_error_shows_the_end_of_the_log() -> None:
    """Under the one sentence."""
    verdict = Verdict("effect", ERROR, reason="the run failed in task load: no disk", log_tail="one\n\n  two")
    assert failure_text("orders", verdict) == (
        "orders could not be proven (effect)\n\n- the run failed in task load: no disk\n\n"
        "The end of the run's log:\n\n    one\n    \n      two"
    )


def test_one_error_in_two_worlds_is_one() -> None:
    """The name of a world's folder is another one each time, and nothing else is."""
    reason = "the run failed in task load: no room in /tmp/dagproof-{}/world/files/a"
    verdicts = [Verdict("effect", ERROR, reason=reason.format("0123456789abcdef"))]
    verdicts += [Verdict("rerun", ERROR, reason=reason.format("fedcba9876543210"))]
    verdicts += [Verdict("retry", ERROR, reason=reason.format("x"))]
    found = proof_text(Proof("orders", 0, (FIRST,), tuple(verdicts), 1.0))
    assert found.count("could not be proven") == 2
    assert "  ! rerun          error: same reason as above\n  ! retry          error: the run failed" in found


def test_a_proof_ends_with_a_line_for_each_law() -> None:
    """Under what is wrong, with the dates, what was ignored, the seed and the time."""
    loaded_at, noise = LeftOut("t.loaded_at", "not compared", "ignore"), "not compared, as fresh runs differ there"
    left_out = (LeftOut("t.a", noise), LeftOut("t.b", noise), LeftOut("publish", "ran in no history (skipped)"))
    verdicts = (
        Verdict("effect", PROVEN, histories=1, left_out=(loaded_at,)),
        Verdict("deterministic", PROVEN, histories=3, left_out=(loaded_at,)),
        Verdict("rerun", PROVEN, histories=2000, left_out=(*left_out, loaded_at)),
    )
    proof = Proof("orders", 3, (FIRST, SECOND), verdicts, 12.34, ("t.loaded_at",))
    assert proof_text(proof) == text(
        """
        orders: 3 of 3 laws proven over 2026-01-01, 2026-01-02

          ✓ effect         proven over 1 history: a run writes rows or files
          ✓ deterministic  proven over 3 histories: a fresh run on another machine leaves identical rows
          ✓ rerun          proven over 2,000 histories: running a date again leaves identical rows
                           not compared, as fresh runs differ there: t.a, t.b
                           publish ran in no history (skipped)

          not compared: t.loaded_at (ignore)
          seed 3, 12.3 s
        """
    )


def test_what_is_not_proven_is_marked() -> None:
    """Each in its own way: falsified, not applicable, error; the same error is told once above."""
    error = Verdict("effect", ERROR, reason="it hangs")
    verdicts = (error, Verdict("deterministic", ERROR, reason="it hangs"), RERUN)
    told = proof_text(Proof("orders", 0, (FIRST,), verdicts, 1.0))
    assert told.count("- it hangs") == 1
    assert told.startswith("orders is not idempotent\n")
    assert told.endswith(
        text(
            """
            orders: 0 of 3 laws proven over 2026-01-01

              ! effect         error: it hangs
              ! deterministic  error: same reason as above
              ✗ rerun          non-idempotent: run(2026-01-01), rerun(2026-01-01)

              seed 0, 1.0 s
            """
        )
    )
    not_applicable = proof_text(Proof("orders", 0, (), (Verdict("rerun", NOT_APPLICABLE, reason="why"),), 1.0))
    assert "  – rerun          not applicable: why\n" in not_applicable


def test_why_laws_are_not_applicable_is_told_once() -> None:
    """Where the line above says it word for word; after another line it is said again."""
    empty, other = "the run writes nothing", "nothing comes before it"
    reasons = {"clock": empty, "rerun": empty, "retry": empty, "order": other, "late": other, "history": empty}
    verdicts = [Verdict(law, NOT_APPLICABLE, reason=reason) for law, reason in reasons.items()]
    told = proof_text(Proof("orders", 0, (FIRST,), (*verdicts, Verdict("effect", ERROR, reason=empty)), 1.0))
    assert told.endswith(
        text(
            """
            orders: 0 of 7 laws proven, 6 not applicable, over 2026-01-01

              – clock          not applicable: the run writes nothing
              – rerun          not applicable: same reason as above
              – retry          not applicable: same reason as above
              – order          not applicable: nothing comes before it
              – late           not applicable: same reason as above
              – history        not applicable: the run writes nothing
              ! effect         error: the run writes nothing

              seed 0, 1.0 s
            """
        )
    )


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        pytest.param(RERUN, "orders is not idempotent: run(2026-01-01), rerun(2026-01-01)", id="falsified"),
        pytest.param(Verdict("effect", PROVEN), "orders effect: proven", id="proven"),
        pytest.param(Verdict("effect", ERROR, reason="it hangs"), "orders effect: error: it hangs", id="error"),
        pytest.param(
            Verdict("rerun", NOT_APPLICABLE, reason="why"), "orders rerun: not-applicable: why", id="not-applicable"
        ),
    ],
)
def test_a_ci_summary_has_one_line(verdict: Verdict, line: str) -> None:
    """For each verdict."""
    assert one_line("orders", verdict) == line


@pytest.mark.parametrize(
    ("example", "line"),
    [
        pytest.param(Example("added", {"id": "1"}), "1 added, e.g. id = 1", id="one-column"),
        pytest.param(
            Example("missing", {"a": None, "b": ""}), "1 missing, e.g. (a, b) = (NULL, '')", id="null-and-empty"
        ),
        pytest.param(Example("added", {"a": "x\ny"}), r"1 added, e.g. a = 'x\ny'", id="control-character"),
        pytest.param(Example("added", {"a": "x" * 61}), f"1 added, e.g. a = {'x' * 59}…", id="long"),
        pytest.param(
            Example("changed", {"id": "1"}, "n", None, "2"),
            "1 changed in n, e.g. id = 1: n NULL became 2",
            id="changed",
        ),
        pytest.param(Example("duplicated", {}, times=3), "1 duplicated, e.g. a row ×3", id="no-columns"),
    ],
)
def test_an_example_is_one_line(example: Example, line: str) -> None:
    """With NULL, the empty string and line ends told apart."""
    number = {example.change: 1}
    table = TableDiff("t", 1, 1, columns=("n",) if example.change == "changed" else (), examples=(example,), **number)
    assert diff_lines(Diff((table,)), SIDES) == ["t   before: 1 row   after: 1 row", line]


def test_a_table_that_is_not_there_says_so() -> None:
    """And has no number of rows."""
    table = TableDiff("t", None, 0)
    assert diff_lines(Diff((table,)), SIDES) == ["t   before: no table   after: 0 rows"]


@given(st.integers(0, 2 * MOST_TABLES), st.integers(0, 2 * MOST_FILES))
def test_a_long_diff_is_cut_and_says_so(tables: int, files: int) -> None:
    """The rest is counted."""
    found = Diff(
        tuple(TableDiff(f"t{n}", 0, 1, added=1) for n in range(tables)),
        tuple(FileDiff(f"f{n}", "added") for n in range(files)),
    )
    lines = diff_lines(found, SIDES)
    more = [line for line in lines if line.startswith("…")]
    expected = []
    if tables > MOST_TABLES:
        expected.append(f"… and {tables - MOST_TABLES} more table{'s' * (tables - MOST_TABLES > 1)}")
    if files > MOST_FILES:
        expected.append(f"… and {files - MOST_FILES} more file{'s' * (files - MOST_FILES > 1)}")
    assert more == expected
    assert len(lines) == 2 * min(tables, MOST_TABLES) + min(files, MOST_FILES) + len(more)


def test_the_json_has_the_fault_map() -> None:
    """Each point that was tried, and what was left out."""
    fault = FaultOutcome("wire", 3, "after", "COMMIT", "load", "partial", healed=False, note="stuck")
    as_json = Verdict("rerun", FALSIFIED, faults=(fault,), faults_left_out="all others").to_json()
    assert as_json["faults"] == [
        {
            "place": "wire",
            "index": 3,
            "when": "after",
            "what": "COMMIT",
            "task": "load",
            "survived": "partial",
            "healed": False,
            "note": "stuck",
            "error": "",
        }
    ]
    assert as_json["faults_left_out"] == "all others"


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        pytest.param([PROVEN, PROVEN], 0, id="proven"),
        pytest.param([PROVEN, NOT_APPLICABLE], 0, id="some-do-not-apply"),
        pytest.param([PROVEN, FALSIFIED], 1, id="falsified"),
        pytest.param([ERROR, FALSIFIED], 1, id="falsified-and-error"),
        pytest.param([PROVEN, ERROR], 2, id="error"),
        pytest.param([NOT_APPLICABLE], 2, id="nothing-applies"),
        pytest.param([], 2, id="nothing-tried"),
    ],
)
def test_the_exit_status_tells_the_worst(outcomes: list[str], status: int) -> None:
    """A proof of nothing is none."""
    proof = Proof("orders", 0, (), tuple(Verdict("rerun", outcome) for outcome in outcomes), 0.0)
    assert proof.exit_status == status


def test_what_others_wrote_controls_nothing() -> None:
    """Ids, names, values and log lines with escapes, bidi controls, line feeds and commands of GitHub's."""
    nasty = "a\x1b[2J\n::error::b\u202e"
    shown = r"a\x1b[2J\n::error::b\u202e"
    changed = TableDiff(nasty, 1, 1, changed=1, columns=(nasty,), examples=(Example("changed", {nasty: nasty}, nasty),))
    found = Diff((changed,), (FileDiff(nasty, "added", nasty),))
    verdict = replace(RERUN, diff=found, written_by=nasty, ignored=(nasty,), asked=(nasty,), where=nasty, raised=nasty)
    error = Verdict("rerun", ERROR, reason="it failed", raised=nasty, log_tail=f"{nasty}\n::add-mask::c\n##[error]d")
    for report in (
        proof_text(Proof(nasty, 0, (nasty,), (verdict, error), 0.0)),
        failure_text(nasty, verdict),
        failure_text(nasty, error),
        one_line(nasty, verdict),
    ):
        assert shown in report
        assert all(character.isprintable() or character == "\n" for character in report)
        assert not [line for line in report.split("\n") if line.strip().startswith("::") or "##[" in line]
    assert r"    :\:add-mask::c" in failure_text(nasty, error)
    assert r"    #\#[error]d" in failure_text(nasty, error)
