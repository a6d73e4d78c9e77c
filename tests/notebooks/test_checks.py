"""What a check says of answers that hang, break or are none; and what is noted of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from dagproof.errors import DagproofError
from dagproof.histories import Step
from notebooks.course import api, suites
from notebooks.course import lesson as lessons_module
from notebooks.course.api import show_shortly
from notebooks.course.bench import dag_named
from notebooks.course.checking import BrokenError, suite_that_ends
from notebooks.course.exercises import Outcome, Question
from notebooks.course.lesson import RESET, Lesson
from notebooks.course.progress import Progress
from notebooks.course.sources import LessonSource, SourceError
from notebooks.course.suites import HEALTHY

DAG = """\
import pendulum
from airflow.sdk import dag, task
{top}

@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=True)
def answered():
    @task
    def work():
        {body}

    work()


answered()
"""
SOURCE = """\
# %% [markdown]
# # 99 · A lesson of tests

# %% [markdown] q="q1" role="prompt"
# ## A DAG

# %% q="q1" role="starter" dag="answered"
...

# %% q="q1" role="check" seconds="20"
def check():
    with fresh() as desk:
        desk.run("answered", "2026-01-01")

# %% [markdown] q="q1" role="hint"
# One.

# %% [markdown] q="q1" role="hint"
# Two.

# %% q="q1" role="solution" dag="answered"
pass

# %% q="q1" role="wrong" says="a" dag="answered"
one

# %% q="q1" role="wrong" says="b" dag="answered"
two

# %% [markdown] q="q2" role="prompt"
# ## A function

# %% q="q2" role="starter"
def double(n): ...

# %% q="q2" role="check"
def check(double):
    expect(double(2) == 4, f"double(2) gives {double(2)!r}")

# %% [markdown] q="q2" role="hint"
# One.

# %% [markdown] q="q2" role="hint"
# Two.

# %% q="q2" role="solution"
pass

# %% q="q2" role="wrong" says="a"
one

# %% q="q2" role="wrong" says="b"
two
"""
STUBBORN = "while True:\n    try:\n        while True: pass\n    except BaseException: pass\n"


class Learner:
    """A learner in front of a lesson."""

    def __init__(self, lesson: Lesson, names: dict[str, Any]) -> None:
        self.lesson, self.names = lesson, names

    def judged(self, *, top: str = "", body: str = "pass") -> Outcome:
        """What the check says of a DAG with something at its top and in its task."""
        self.lesson.bench.write_dag("answered", DAG.format(top=top, body=body))
        return Question("q1", lambda: self.lesson).judge()

    def function(self, code: str) -> Outcome:
        """What the check says of a function."""
        self.names.clear()
        exec(code, self.names)
        return Question("q2", lambda: self.lesson).judge()


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learner]:
    folder = tmp_path_factory.mktemp("course")
    (folder / "99_tests.py").write_text(SOURCE, encoding="utf-8")
    names: dict[str, Any] = {}
    quick = lessons_module.CONFIG.replace("timeout = 20", "timeout = 4").replace('TIMEOUT = "8"', 'TIMEOUT = "3"')
    assert quick != lessons_module.CONFIG
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lessons_module, "CONFIG", quick)
        patch.setenv("DAGPROOF_COURSE_WORK", str(folder / "work"))
        lesson = Lesson(LessonSource(folder / "99_tests.py"), lambda: names)
        lesson.start()
        yield Learner(lesson, names)
        lesson.close()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        pytest.param("dag_named(home, 'ordes')", "dagproof: there is no DAG file ordes.py yet", id="name"),
        pytest.param("raise psycopg.errors.SyntaxError('no SQL')", "PostgreSQL: no SQL", id="sql"),
    ],
)
def test_a_mistyped_name_is_told_in_one_line(code: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In a cell, too: without the lines of ours that it went through; and what runs all cells stops there."""
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.set_custom_exc((DagproofError, psycopg.Error), show_shortly)
    shell.user_ns.update(dag_named=dag_named, home=Path(__file__).parent, psycopg=psycopg)
    ran = shell.run_cell(code, store_history=False)
    assert not ran.success
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(says)
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("answer", "word", "says"),
    [
        pytest.param({"top": "while True: pass"}, "too slow", "more than 3 s, and had reached ", id="it-never-imports"),
        pytest.param(
            {"body": "while True: pass"}, "too slow", "took more than 4 s and was killed. I", id="it-never-ends"
        ),
        pytest.param({"body": "raise ValueError('no')"}, "error", "failed in task work: ValueError: no", id="it-fails"),
        pytest.param(
            {"top": "import nothing_of_that_name"},
            "error",
            "is not installed here; install it",
            id="it-does-not-import",
        ),
        pytest.param({"top": ")"}, "error", "SyntaxError", id="it-is-no-python"),
        pytest.param({}, "correct", "", id="it-is-well"),
    ],
)
def test_a_dag_is_judged_in_time(learner: Learner, answer: dict[str, str], word: str, says: str) -> None:
    """Whatever it does; and the next one is judged, too."""
    outcome = learner.judged(**answer)
    assert outcome.word == word, outcome
    assert says in outcome.message


def test_a_file_that_cannot_be_stopped_costs_the_worker(learner: Learner) -> None:
    """The check ends all the same, and the next one gets another worker."""
    outcome = learner.judged(top=STUBBORN)
    assert outcome.word == "too slow", outcome
    assert learner.judged().word == "correct"


@pytest.mark.parametrize(
    ("code", "word", "says"),
    [
        pytest.param("def double(n): ...", "not attempted", "", id="untouched"),
        pytest.param("def double(n):\n    'doubles'\n    ...", "not attempted", "", id="with-a-docstring"),
        pytest.param("pass", "not attempted", "", id="not-run"),
        pytest.param("double = ...", "not attempted", "", id="an-ellipsis"),
        pytest.param("def double(n): return 'n'", "incorrect", "double(2) gives 'n'", id="wrong"),
        pytest.param("def double(n): return n / 0", "error", "ZeroDivisionError: division by zero", id="it-raises"),
        pytest.param("double = 4", "error", "The check cannot use this answer", id="no-function"),
        pytest.param("def double(n):\n    while True: pass", "too slow", "double() took more than", id="endless"),
        pytest.param("double = lambda n: 2 * n", "correct", "", id="right"),
    ],
)
def test_a_function_is_judged_in_time(learner: Learner, code: str, word: str, says: str) -> None:
    """It runs in a process of its own."""
    outcome = learner.function(code)
    assert (outcome.word, says in outcome.message) == (word, True), outcome


SUITE, FAULTS = "tests/test_any.py", {"another number": ("dags/numbered.py", "1", "2")}


def test_a_suite_is_judged_in_time(learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that does not end is stopped once, not once for each fault; what is said of one is plain text."""
    home, write = learner.lesson.home, learner.lesson.bench.write
    monkeypatch.setattr(suites, "SUITE_SECONDS", 2.0)
    times = tmp_path / "times.txt"
    write(SUITE, f"def test_one():\n    open({str(times)!r}, 'a').write('x')\n    while True: pass")
    with pytest.raises(BrokenError, match=r"there is no dags/numbered\.py yet"):
        suite_that_ends(home, SUITE, FAULTS)
    write("dags/numbered.py", "ONE = 1")
    with pytest.raises(BrokenError, match="took more than 2 s"):
        suite_that_ends(home, SUITE, FAULTS)
    assert times.read_text(encoding="utf-8") == "x"
    monkeypatch.undo()
    monkeypatch.setenv("FORCE_COLOR", "1")  # as kernels have it
    write(SUITE, "def test_one(:")
    assert suite_that_ends(home, SUITE)[HEALTHY][0]["says"].startswith("SyntaxError: ")
    write(SUITE, "from numbered import ONE\n\ndef test_one():\n    assert ONE == 1")
    found = suite_that_ends(home, SUITE, FAULTS)
    assert [found[name][0]["outcome"] for name in (HEALTHY, *FAULTS)] == ["passed", "failed"]


@pytest.mark.parametrize(
    "killing",
    [
        pytest.param({"top": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"}, id="while-it-loads"),
        pytest.param(
            {"body": "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"},
            id="while-it-runs",
            marks=pytest.mark.deep,
        ),
    ],
)
def test_an_answer_that_kills_the_worker_costs_only_itself(learner: Learner, killing: dict[str, str]) -> None:
    """The next one, which is right, is correct at once."""
    assert learner.judged(**killing).word != "correct"
    following = learner.judged()
    assert following.word == "correct", following


def test_interrupting_a_check_prints_one_line(learner: Learner, capsys: pytest.CaptureFixture[str]) -> None:
    """And notes nothing; the next check has a worker that is not in the middle of something."""
    question = Question("q1", lambda: learner.lesson)
    noted = learner.lesson.progress.read()
    learner.judged()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Question, "judge", lambda self: signal.raise_signal(signal.SIGINT))
        question.check()
    assert capsys.readouterr().out == "q1: interrupted; nothing was noted. Check again whenever you like.\n"
    assert learner.lesson.progress.read() == noted
    assert learner.judged().word == "correct"


ANSWERED = DAG.format(top="", body="pass")


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(ANSWERED, id="no-magic"),
        pytest.param(f"# mine\n%%dag answered\n{ANSWERED}", id="below-a-comment"),
    ],
)
def test_a_cell_without_its_magic_word_writes_nothing_and_says_so(
    learner: Learner, cell: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check does not judge the older file; once the cell is written, it judges that."""
    monkeypatch.setattr(api, "current", lambda: learner.lesson)
    assert learner.judged().word == "correct"
    lines = api.catch_unwritten(cell.splitlines(keepends=True))
    exec("".join(lines))
    assert capsys.readouterr().err.startswith("Nothing was written, and nothing has run. Let the cell begin with")
    outcome = learner.judged()
    assert outcome.word == "error"
    assert "dags/answered.py is older than the cell that you ran last" in outcome.message
    learner.lesson.unwritten.clear()
    assert learner.judged().word == "correct"


@pytest.mark.parametrize("cell", [f"\n%%dag answered\n{ANSWERED}", f"%%airflow\n{ANSWERED}", "x = '@dag'", "!ls"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    """Those that write a file, and those that hold no DAG."""
    lines = cell.splitlines(keepends=True)
    assert api.catch_unwritten(lines) == lines


def test_a_lesson_that_was_reset_says_so(learner: Learner) -> None:
    """Whoever resets a lesson that is open is told how to go on."""
    away = learner.lesson.home.with_name("away")
    learner.lesson.home.rename(away)
    try:
        outcome = Question("q1", lambda: learner.lesson).judge()
    finally:
        away.rename(learner.lesson.home)
    assert outcome == Outcome("error", RESET)


def test_without_a_lesson_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """By check, hint and solution alike."""
    question = Question("q1", lambda: None)
    for ask in (question.check, question.hint, question.solution):
        ask()
        assert "run the first cell" in capsys.readouterr().out


def test_hints_come_one_after_the_other(learner: Learner, capsys: pytest.CaptureFixture[str]) -> None:
    """And begin again; the solution is shown when it is asked for."""
    question = Question("q1", lambda: learner.lesson)
    for wanted in ("Hint 1 of 2: One.", "Hint 2 of 2: Two.", "Hint 1 of 2: One."):
        question.hint()
        assert capsys.readouterr().out.strip() == wanted
    question.solution()
    assert capsys.readouterr().out == "%%dag answered\npass\n"


def test_fewer_dates_need_no_other_worlds(learner: Learner) -> None:
    """Until a file changes, a DAG's lab serves some of its dates, too."""
    learner.judged()
    lab = learner.lesson.bench.lab("answered", ["2026-01-02", "2026-01-03"])
    some, run = learner.lesson.bench.lab("answered", ["2026-01-03"]), (Step("run", "2026-01-03"),)
    assert some.dates == ("2026-01-03",)
    assert some.state(run) is lab.state(run)
    assert learner.lesson.bench.lab("answered", ["2026-01-04"]) is not lab
    learner.judged(body="return 1")
    assert learner.lesson.bench.lab("answered", ["2026-01-03"]).state(run) is not lab.state(run)


def test_what_a_check_says_is_noted(learner: Learner) -> None:
    """In a plain text file, the last check of each exercise; a lesson can be forgotten."""
    learner.judged()
    Question("q1", lambda: learner.lesson).check()
    progress = learner.lesson.progress
    assert progress.path.read_text() == "99 q1 correct\n"
    progress.note("03", "q2", "too slow")
    progress.note("99", "q1", "incorrect")
    assert progress.path.read_text() == "03 q2 too slow\n99 q1 incorrect\n"
    progress.forget("99")
    assert progress.read() == {("03", "q2"): "too slow"}


def test_progress_says_what_is_next(tmp_path: Path) -> None:
    """The first exercise that is not correct yet."""
    progress = Progress(tmp_path / "progress.txt")
    progress.note("00", "q1", "correct")
    progress.note("00", "q2", "incorrect")
    progress.note("00", "q3", "not attempted")
    lines = progress.text().splitlines()
    assert lines[0].split() == ["0", "·", "Set", "up", "in", "five", "minutes", "✓✗·", "1", "of", "3"]
    assert lines[-1] == "Next: q2 in notebooks/00_set_up.ipynb"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param('# %% [markdown] q="q1" role="hint"\n# Two.', "", "two hints and two wrong", id="one-hint"),
        pytest.param('role="solution" dag', 'role="answer" dag', "role='answer'", id="an-unknown-role"),
        pytest.param('role="prompt"', 'role="given"', "0 cells with role='prompt'", id="no-prompt"),
    ],
)
def test_a_source_that_lacks_something_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    """And it is said what."""
    path = tmp_path / "99_tests.py"
    assert old in SOURCE
    path.write_text(SOURCE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SourceError, match=says):
        _ = LessonSource(path).exercises
