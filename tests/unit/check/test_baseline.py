"""A baseline: old findings are quiet, new ones fail, fixed ones leave it."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagproof.check.baseline import entries
from dagproof.loaded.model import Spot
from dagproof.rules import Finding
from tests.unit.check.conftest import POKES, Project


def test_old_findings_are_quiet_and_new_ones_fail(project: Project) -> None:
    """And how many are known is said."""
    project.write("old.py")
    assert project.call("--baseline", "known.json", "--update-baseline")[0] == 0
    status, out, _ = project.call("--baseline", "known.json")
    assert (status, out) == (0, "0 findings in 1 file; 1 known finding in the baseline\n")
    project.write("new.py")
    status, out, _ = project.call("--baseline", "known.json")
    assert status == 1
    assert "dags/new.py:6:5: DP301" in out
    assert "dags/old.py" not in out


def test_a_line_may_move(project: Project) -> None:
    """What counts is its text, not its number, nor how far it is indented."""
    project.write("old.py")
    project.call("--baseline", "known.json", "--update-baseline")
    project.write("old.py", "# one\n# two\n" + POKES.replace("    FileSensor(", "    FileSensor(  "))
    assert project.call("--baseline", "known.json")[0] == 1, "another text is another finding"
    project.write("old.py", "# one\n# two\n" + POKES)
    assert project.call("--baseline", "known.json")[0] == 0


def test_the_same_line_once_more_is_new(project: Project) -> None:
    """Each occurrence counts."""
    project.write("old.py")
    project.call("--baseline", "known.json", "--update-baseline")
    project.write("old.py", POKES + '    FileSensor(task_id="wait", filepath="orders.csv", timeout=60)\n')
    assert project.found("--baseline", "known.json") == [("dags/old.py", "poke-sensor", 7)]


def test_fixed_findings_leave_it_with_the_next_update(project: Project) -> None:
    """And so do those of files that are gone; what this run did not look at stays."""
    for name in ("a.py", "b.py", "c.py"):
        project.write(name)
    project.call("--baseline", "known.json", "--update-baseline")
    project.write("a.py", POKES.replace("timeout=60", 'timeout=60, mode="reschedule"'))
    (project.dags / "c.py").unlink()
    project.call("--baseline", "known.json", "--update-baseline", "dags/a.py")
    known = json.loads((project.root / "known.json").read_text())
    assert [one["path"] for one in known["findings"]] == ["dags/b.py"]


def test_the_configuration_names_it(project: Project) -> None:
    """Relative to the file that it stands in."""
    project.configure('[tool.dagproof.check]\nbaseline = "known.json"\n')
    project.write("old.py")
    assert project.call()[0] == 2
    assert project.call("--update-baseline")[0] == 0
    assert project.call()[0] == 0


def test_what_is_no_baseline_is_refused(project: Project) -> None:
    """In one sentence."""
    project.write("old.py")
    (project.root / "known.json").write_text("[]")
    status, out, err = project.call("--baseline", "known.json")
    assert (status, out) == (2, "")
    assert "known.json is not a baseline" in err


LINES = st.lists(st.sampled_from(["a = 1", "b = 2", "c = 3", ""]), min_size=1, max_size=8)


@given(lines=LINES, above=st.integers(0, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fingerprints_survive_any_shift_and_tell_all_findings_apart(lines: list[str], above: int, tmp_path) -> None:
    """Whatever is put above: the same findings have the same fingerprints, and no two have one."""

    def prints(shift: int) -> list[str]:
        text = [*["# more"] * shift, *lines]
        found = [Finding("r", "DP1", Spot("x.py", n + shift), "m") for n in range(1, len(lines) + 1)]
        made = entries(found, lambda path, line: text[line - 1], base=tmp_path, root=tmp_path)
        return [one.fingerprint for one in made]

    assert prints(0) == prints(above)
    assert len(set(prints(above))) == len(lines)
