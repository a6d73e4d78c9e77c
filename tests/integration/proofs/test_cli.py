"""What the command promises: its exit status, its JSON, one sentence when it cannot tell, and no traceback of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from dagproof.laws import all_laws
from tests.integration.proofs.conftest import NOTHING, Project
from tests.support.commands import Ended
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

VERDICT_KEYS = {"law", "outcome", "verdict", "histories", "seconds", "history", "diff", "reason", "ignored"}

FIRST, SECOND = "2026-01-01", "2026-01-02"
THREE_LAWS = ("--law", "effect", "--law", "deterministic", "--law", "rerun")
LOADS = """\
import pendulum
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import dag, task


@dag("{name}", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))
def load_orders():
    @task
    def load(ds=None):
        statements = ["DELETE FROM orders WHERE dt = %(ds)s", "INSERT INTO orders VALUES (1, %(ds)s)"]
        PostgresHook("shop").run(statements, parameters={{"ds": ds}})

    load()


load_orders()
"""
FAILURE = """\
dag_inserts is not idempotent

- Rows differ after a rerun

    orders   after one run: 1,000 rows   after this: 2,000 rows
    1,000 duplicated, e.g. (id, dt) = (1, 2026-01-01) ×2

Minimal failing history (2 steps):

    1  run    2026-01-01      1,000 rows
    2  rerun  2026-01-01      2,000 rows  ~

Written by task inserts, at {place}
Replay:  dagproof replay {replay}

dag_inserts: 2 of 3 laws proven over 2026-01-01

  ✓ effect         proven over 1 history: a run writes rows or files
  ✓ deterministic  proven over 1 history: a fresh run on another machine leaves identical rows
  ✗ rerun          non-idempotent: run(2026-01-01), rerun(2026-01-01)

  seed 0, {seconds} s
"""


@pytest.fixture(scope="module")
def project(make_project: Callable[..., Project]) -> Project:
    """A project whose DAGs misbehave."""
    return make_project()


def refused(ended: Ended) -> str:
    """The one sentence of a command that could not tell."""
    assert ended.status == 2, ended
    assert ended.out == ""
    assert ended.err.startswith("dagproof: "), ended.err
    assert ended.err.count("\n") == 1, ended.err
    return ended.err.removeprefix("dagproof: ").rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            ["prove", "dag_apends", "--law", "effect"],
            r"no DAG 'dag_apends' in .*/misbehaving; did you mean 'dag_appends'\?",
            id="unknown-dag",
        ),
        pytest.param(
            ["prove", "dag_broken_import", "--law", "effect"],
            r"dag_broken_import does not load: .*misbehaving/broken_import\.py:3: the module 'no_such_module' is not "
            r"installed here; install it, or .*",
            id="does-not-import",
        ),
        pytest.param(
            ["prove", "dag_endless_import", "--law", "effect"],
            r"dag_endless_import does not load: importing it took more than 30 s, and had reached "
            r"/.*/misbehaving/endless_import\.py:(9|10); end the loop, or move the work into a task, and try again",
            id="import-does-not-end",
        ),
        pytest.param(
            ["prove", "dag_renamed", "--law", "effect"],
            r"no DAG 'dag_renamed' in .*/misbehaving; dag_renamed\.py there makes 'new_name'",
            id="file-of-another-name",
        ),
        pytest.param(
            ["prove", "dag_appends", "--law", "effect", "--date", "yesterday"],
            r"'yesterday' is not a date; write YYYY-MM-DD, or YYYY-MM-DDTHH:MM for one run of a day",
            id="no-date",
        ),
        pytest.param(
            ["prove", "dag_weekly", "--law", "effect", "--date", "2026-01-05"],
            r"dag_weekly has no run on 2026-01-05: its schedule is 0 0 \* \* 0; the next is 2026-01-11",
            id="not-in-the-schedule",
        ),
        pytest.param(
            ["prove", "dag_appends", "--law", "effect", "--date", "2025-12-31"],
            r"dag_appends has no run on 2025-12-31: its start_date is 2026-01-01T00:00:00\+00:00",
            id="before-the-start",
        ),
        pytest.param(
            ["prove", "dag_appends", "--dags", "nowhere"],
            r"there is no DAG folder .*/nowhere; set it with --dags, or with `dags` in \[tool\.dagproof\]",
            id="no-folder",
        ),
        pytest.param(
            ["prove", "dag_appends", "--law", "reruns"], r"there is no law 'reruns'; did you mean 'rerun'\?", id="law"
        ),
        pytest.param(
            ["prove", "dag_appends", "--postgres", "embeded"],
            r"'embeded' is not a PostgreSQL server; did you mean 'embedded'\?.*",
            id="postgres",
        ),
        pytest.param(
            ["prove", "dag_appends", "--html", "nowhere/proof.html"],
            r"there is no folder nowhere for the report proof\.html; create it, or name another file",
            id="html-in-no-folder",
        ),
        pytest.param(
            ["prove", "dag_appends", "--html", "tmp"],
            r"tmp is a folder, not a regular file; name another file for the report, such as tmp/proof\.html",
            id="html-is-a-folder",
        ),
        pytest.param(
            ["prove", "dag_appends", "--html", "/dev/null", "--force"],
            "/dev/null is a device, not a regular file; name another file for the report",
            id="html-is-a-device",
        ),
        pytest.param(
            ["prove", "dag_appends", "--html", "schema.sql"],
            r"schema\.sql exists, and dagproof did not write it; name another file for the report, or replace it with "
            "--force",
            id="html-is-not-ours",
        ),
        pytest.param(
            ["replay", "abcdef"],
            r"there is no saved history or file 'abcdef'; in .*/\.dagproof/histories: .*\. A failing `dagproof prove` "
            r"saves one; replay it in the same project",
            id="replay",
        ),
        pytest.param(["explain", "rerunn"], r"there is no rule or law 'rerunn'; did you mean 'rerun'\?", id="explain"),
    ],
)
def test_what_cannot_be_told_is_one_sentence(arguments: list[str], sentence: str, project: Project) -> None:
    """On standard error, with exit status 2."""
    assert re.fullmatch(sentence, refused(project.run(*arguments)))
    assert eventually(lambda: project.left() == NOTHING), project.left()


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        pytest.param(
            "\n[tool.dagproof.proofs.dag_appends]\nignored = []\n",
            r"\[tool\.dagproof\.proofs\.dag_appends\] has no key 'ignored'; did you mean 'ignore'\?",
            id="unknown-key",
        ),
        pytest.param(
            "\n[tool.dagproof.proofs.dag_inserts]\nignore = ['orders.dts']\n",
            r"tool\.dagproof\.proofs\.dag_inserts\.ignore names 'orders\.dts', which is neither a column nor a file; "
            r"did you mean 'orders\.dt'\?",
            id="ignore-that-names-nothing",
        ),
    ],
)
def test_a_wrong_configuration_is_one_sentence(extra: str, sentence: str, project: Project) -> None:
    """And nothing is proven under it."""
    project.configure(extra)
    try:
        ended = project.run("prove", "dag_inserts", "--law", "effect", "--date", "2026-01-01")
    finally:
        project.configure()
    assert re.fullmatch(sentence, refused(ended))


def test_a_failure_reads_as_promised_and_replays(project: Project) -> None:
    """The whole text, and then the same verdict from the history that was saved."""
    ended = project.run("prove", "dag_inserts", "--date", "2026-01-01", "--html", "proof.html", *THREE_LAWS)
    assert (ended.status, ended.err) == (1, "")
    replay = re.search(r"dagproof replay ([0-9a-f]{6})\n", ended.out)
    seconds = re.search(r"seed 0, ([0-9.]+) s\n", ended.out)
    place = re.search(r"Written by task inserts, at (.*/misbehaving/tasks\.py:[0-9]+)\n", ended.out)
    assert replay, ended.out
    assert seconds, ended.out
    assert place, ended.out
    found = {"replay": replay[1], "seconds": seconds[1], "place": place[1], "marker": project.marker}
    assert ended.out == FAILURE.format(**found)
    page = (project.root / "proof.html").read_text()
    assert ended.out.partition("\n\ndag_inserts: ")[0] in unescape(page)
    assert "200 of 1,000 differing rows are shown" in page

    again = project.run("replay", replay[1], "--output-format", "json")
    assert again.status == 1, again
    (verdict,) = again.json["verdicts"]
    assert (verdict["verdict"], verdict["history"]) == (
        "non-idempotent",
        [{"step": "run", "date": "2026-01-01"}, {"step": "rerun", "date": "2026-01-01"}],
    )
    assert verdict["diff"]["tables"][0]["duplicated"] == 1000
    from_file = project.run("replay", f".dagproof/histories/{replay[1]}.json")
    assert from_file.status == 1
    assert "1,000 duplicated, e.g. (id, dt) = (1, 2026-01-01) ×2" in from_file.out
    assert eventually(lambda: project.left() == NOTHING), project.left()


TORN = """\
dag_commits_twice is not atomic

- After a crash, a reader sees only part of the rows

    orders   whole: 7 rows   after the crash: 0 rows
    7 missing, e.g. (id, dt) = (1, 2026-01-01)

Minimal failing history (2 steps):

    1  run    2026-01-01                  7 rows
    2  crash  2026-01-01  at {point}      0 rows  ~

    ({point}: the reply to {what}, in task commits_twice)

Written by task commits_twice, at {place}
Replay:  dagproof replay {replay}

dag_commits_twice: 0 of 1 law proven over 2026-01-01

  ✗ crash          not atomic: run(2026-01-01), crash(2026-01-01, at {point})

  seed 0, {seconds} s
"""


def test_a_crash_reads_as_promised_and_replays(project: Project) -> None:
    """With the point at which the run was cut off, and what happens there; the same in a fresh process."""
    ended = project.run("prove", "dag_commits_twice", "--date", "2026-01-01", "--law", "crash")
    assert (ended.status, ended.err) == (1, "")
    found = {
        "replay": re.search(r"dagproof replay ([0-9a-f]{6})\n", ended.out),
        "seconds": re.search(r"seed 0, ([0-9.]+) s\n", ended.out),
        "point": re.search(r"crash  2026-01-01  at (reply [0-9])", ended.out),
        "what": re.search(r"the reply to (DELETE FROM orders WHERE dt = .*), in task", ended.out),
        "place": re.search(r", at (.*/misbehaving/tasks\.py:[0-9]+)\n", ended.out),
    }
    assert all(found.values()), ended.out
    matched = {name: match[1] for name, match in found.items() if match}
    assert ended.out == TORN.format(**matched, marker=project.marker)
    again = project.run("replay", str(found["replay"][1] if found["replay"] else ""))
    assert again.status == 1
    assert again.out.startswith(ended.out.partition("\n\ndag_commits_twice: ")[0])


WRITTEN_EARLIER = """\
dag_loads_only_once depends on the order of its runs

- Rows differ when the dates run in another order

    orders   in order: 7 rows   in this order: 7 rows
    7 changed in dt, e.g. (id, dt) = (1, 2026-01-02): dt 2026-01-01 became 2026-01-02

Minimal failing history (2 steps):

    1  run  2026-01-02      7 rows
    2  run  2026-01-01      7 rows  ~

Written by task loads_only_once, at {place}, in step 1
"""


def test_a_failure_names_the_task_of_an_earlier_step(project: Project) -> None:
    """Where the last step writes nothing, and just that is wrong."""
    ended = project.run("prove", "dag_loads_only_once", "--law", "order", "--date", FIRST, "--date", SECOND)
    assert (ended.status, ended.err) == (1, "")
    place = re.search(r", at (.*/misbehaving/tasks\.py:[0-9]+)", ended.out)
    assert place, ended.out
    assert ended.out.partition("Replay:")[0] == WRITTEN_EARLIER.format(place=place[1])


def test_a_failure_names_the_task_that_was_cut_off(project: Project) -> None:
    """Where what it has left is wrong, although it never came to its end."""
    ended = project.run("prove", "dag_writes", "--date", "2026-01-01", "--law", "crash")
    assert (ended.status, ended.err) == (1, "")
    assert re.search(
        r"    1  crash  2026-01-01  at file 1      0 bytes\n\n    \(file 1: open 2026-01-01.txt, in task writes\)\n\n"
        r"Written by task writes, at .*/misbehaving/tasks\.py:[0-9]+\nReplay:",
        ended.out,
    ), ended.out


def test_a_crash_at_fewer_points_says_so(project: Project) -> None:
    """With how many were left out; 0 would try none."""
    ended = project.run("prove", "dag_loads_what_there_is", "--law", "crash", "--max-points", "3")
    assert ended.status == 0, ended
    said = re.search(
        r"proven over (\d+) histories: .*\n +(\d+) of (\d+) points of a run left out, as asked for \(--max-points\)\n",
        ended.out,
    )
    assert said, ended.out
    tried, left_out, points = map(int, said.groups())
    assert (tried, points - left_out) == (6, 3)  # of the first run, and of its rerun
    assert points > 3
    assert project.run("prove", "dag_loads_what_there_is", "--max-points", "0").err.endswith(
        "must be a whole number of at least 1, not '0'\n"
    )


def test_a_proof_as_json(project: Project) -> None:
    """With the keys of the contract, each of its type, and exit status 0."""
    ended = project.run(
        "prove", "dag_writes", "--date", "2026-01-01", "--output-format", "json", "--seed", "7", *THREE_LAWS
    )
    assert (ended.status, ended.err) == (0, "")
    assert ended.json.keys() >= {"dag_id", "seed", "verdicts"}
    assert (ended.json["dag_id"], ended.json["seed"]) == ("dag_writes", 7)
    assert [v["law"] for v in ended.json["verdicts"]] == ["effect", "deterministic", "rerun"]
    for verdict in ended.json["verdicts"]:
        assert verdict.keys() >= VERDICT_KEYS
        assert (verdict["outcome"], verdict["verdict"]) == ("proven", None)
        assert (verdict["history"], verdict["diff"], verdict["reason"], verdict["ignored"]) == (None, None, None, [])
        assert verdict["histories"] >= 1
        assert verdict["seconds"] >= 0


def test_a_run_that_fails_as_json(project: Project) -> None:
    """The verdict `error` with its reason for each law, and exit status 2."""
    ended = project.run("prove", "dag_fails", "--date", "2026-01-01", "--output-format", "json")
    assert (ended.status, ended.err) == (2, "")
    assert {v["outcome"] for v in ended.json["verdicts"]} == {"error", "not-applicable"}
    assert ended.json["verdicts"][0]["reason"] == (
        "the run of dag_fails for 2026-01-01 failed in task fails: LookupError: there is no order 7"
    )
    assert all(verdict.keys() >= VERDICT_KEYS for verdict in ended.json["verdicts"])


def test_a_run_that_fails_as_text(project: Project) -> None:
    """With the end of the run's log, once, and no frame of ours in it."""
    ended = project.run("prove", "dag_fails", "--date", "2026-01-01", "--html", "failed.html")
    assert (ended.status, ended.err) == (2, "")
    sentence = "- the run of dag_fails for 2026-01-01 failed in task fails: LookupError: there is no order 7\n"
    assert ended.out.count(sentence) == 1, ended.out
    assert "    LookupError: there is no order 7\n" in ended.out
    assert "/src/dagproof/" not in ended.out
    assert f"0 of {len(all_laws())} laws proven, 4 not applicable, over 2026-01-01" in ended.out
    assert sentence in unescape((project.root / "failed.html").read_text())


def test_a_day_without_data_does_not_spoil_the_proof(project: Project) -> None:
    """Of the dates that nobody has named; what is compared begins with the first that has some, and it is all told."""
    ended = project.run("prove", "dag_loads_what_there_is", *THREE_LAWS, "--law", "crash", "--law", "containment")
    assert (ended.status, ended.err) == (0, ""), ended.out
    for date in ("2026-01-01", "2026-02-01"):
        assert f"the run for {date}" in ended.out
    assert " writes nothing; name dates for which there are data" in ended.out
    assert ended.out.startswith("dag_loads_what_there_is: 5 of 5 laws proven over 2026-01-01, 2026-01-02, 2026-02-01\n")


def test_a_day_without_data_is_not_left_out(project: Project) -> None:
    """Its run may be the one that takes other days' rows away."""
    ended = project.run("prove", "dag_keeps_the_last_day", "--law", "effect", "--law", "containment")
    assert ended.status == 1
    assert "    1  run  2026-01-02      7 rows\n    2  run  2026-02-01      0 rows  ~\n" in ended.out, ended.out


def test_a_date_that_was_named_has_to_have_data(project: Project) -> None:
    """The other laws are proven over those that have."""
    dates = ("--date", "2026-01-01", "--date", "2026-01-02")
    ended = project.run("prove", "dag_loads_what_there_is", *THREE_LAWS, *dates)
    assert ended.status == 1
    assert "✗ effect         vacuous: run(2026-01-01)\n" in ended.out, ended.out
    assert "✓ rerun          proven over 2 histories" in ended.out, ended.out


def test_several_dags_as_text(project: Project) -> None:
    """Each proof as it is alone, then a line each; a DAG that is not there keeps no other from its proof."""
    ended = project.run(
        *("prove", "dag_inserts", "dag_insert", "dag_loads_what_there_is"),
        *("--date", FIRST, "--law", "rerun", "--html", "several.html"),
    )
    assert (ended.status, ended.err) == (1, "")
    assert "dag_inserts: 0 of 1 law proven over 2026-01-01" in ended.out
    assert "\n\ndag_insert: no proof: no DAG 'dag_insert' in " in ended.out
    summary = ended.out[ended.out.index("3 DAGs in ") :].splitlines()
    assert [line.split()[:2] for line in summary[2:]] == [
        ["✗", "dag_inserts"],
        ["-", "dag_loads_what_there_is"],
        ["?", "dag_insert"],
    ]
    page = unescape((project.root / "several.html").read_text())
    assert "dag_loads_what_there_is" in page
    assert "no DAG 'dag_insert' in" in page


def test_a_folder_as_json(make_project: Callable[..., Project], tmp_path: Path) -> None:
    """Without an id each DAG of the folder is proven; a file that does not load is named, and is no success."""
    folder = tmp_path / "some"
    folder.mkdir()
    (folder / "dag_broken.py").write_text("from airflow.sdk import dag\nimport there_is_no_such_module\n")
    for name in ("first", "second"):
        (folder / f"{name}.py").write_text(LOADS.format(name=name))
    ended = make_project(dags=folder).run("prove", "--date", FIRST, "--law", "rerun", "--output-format", "json")
    assert (ended.status, ended.err) == (2, "")
    assert [(p["dag_id"], p["verdicts"][0]["outcome"]) for p in ended.json["proofs"]] == [
        ("first", "proven"),
        ("second", "proven"),
    ]
    assert list(ended.json["unproven"]) == ["dag_broken.py"]
    assert "there_is_no_such_module" in ended.json["unproven"]["dag_broken.py"]


def test_several_dags_and_a_law_that_there_is_not(project: Project) -> None:
    """It is one mistake, not one for each DAG."""
    assert refused(project.run("prove", "dag_inserts", "dag_fails", "--law", "rerum")).startswith("there is no law")
