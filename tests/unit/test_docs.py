"""What the documents show is true: each of their code blocks is run or checked."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml

from dagproof.cli import _parser
from dagproof.config import parse_config
from dagproof.worlds.shell_date import AHEAD

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "dagproof"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "notebooks" / "README.md"]
BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETUP = "python3 -m pip install -q --upgrade --target .tox/with tox tox-uv"


def blocks(document: Path) -> list[tuple[str, str]]:
    """Language and text of each code block."""
    return BLOCK.findall(document.read_text(encoding="utf-8"))


def commands(document: Path) -> list[str]:
    """What the document tells people to type."""
    text = "".join(body for language, body in blocks(document) if language == "console")
    return [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]


def tox_environments() -> set[str]:
    """The environments of tox.ini."""
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    return {name.partition(":")[2] for name in parser.sections() if name.startswith("testenv:")}


def check_console(body: str) -> None:
    """Each command is one that is checked here."""
    for line in body.splitlines():
        assert line.startswith("$ "), f"a command, or move its output to a block of text: {line}"
        for part in line.removeprefix("$ ").split(" && "):
            words = [word for word in shlex.split(part) if "=" not in word.partition("/")[0] or word.startswith("-")]
            assert words[0] in CHECKS, f"nobody checks the command {words[0]!r} of {line!r}"
            CHECKS[words[0]](words)


def check_tox(words: list[str]) -> None:
    """The environments exist."""
    if "-e" in words:
        asked_for = set(words[words.index("-e") + 1].split(","))
        assert asked_for <= tox_environments()


def check_python(words: list[str]) -> None:
    """Pip, tox and venv are all that is called as a module; scripts are there."""
    if words[1].endswith(".py"):
        check_files(words)
        return
    assert words[1:3] in (["-m", "pip"], ["-m", "tox"], ["-m", "venv"])
    check_tox(words)


def check_course(words: list[str]) -> None:
    """The course has this command, or pip installs what there is."""
    if words[1:3] == ["-m", "pip"]:
        check_uv(words)
        return
    assert words[1:3] == ["-m", "notebooks"]
    assert f"\ndef {words[3]}(" in (ROOT / "notebooks" / "__main__.py").read_text(encoding="utf-8")


def check_files(words: list[str]) -> None:
    """Files that are named exist."""
    for word in words:
        if "/" in word and not word.startswith((".venv", ".tox", "postgresql:", "-")):
            assert (ROOT / word).exists(), word


def check_uv(words: list[str]) -> None:
    """What is installed is in pyproject.toml."""
    check_files(words)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if "--group" in words:
        assert words[words.index("--group") + 1] in project["dependency-groups"]
    check_extras(words)


def check_extras(words: list[str]) -> None:
    """Extras that are named exist."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = {extra for word in words for found in re.findall(r"\[(.*?)\]", word) for extra in found.split(",")}
    assert named <= set(project["project"]["optional-dependencies"])


def check_dagproof(words: list[str]) -> None:
    """The command takes these arguments."""
    assert words[1] in ("check", "demo", "init", "prove", "replay", "explain", "rules", "--version", "--help")


CHECKS: dict[str, Callable[[list[str]], None]] = {
    ".": lambda words: None,  # what `python3 stack/env.py` has written
    ".venv/bin/pytest": check_files,
    ".venv/bin/python": check_course,
    "dagproof": check_dagproof,
    "docker": lambda words: None,  # tests/integration/servers tries the compose file where there is an engine
    "pip": check_extras,
    "pytest": lambda words: None,  # tests/integration/plugin runs it with these options
    "python3": check_python,
    "tox": check_tox,
    "uv": check_uv,
}


def check_text(body: str) -> None:
    """A picture of folders names folders that exist."""
    stack: list[tuple[int, str]] = []
    for line in body.splitlines():
        found = re.match(r"( *)([\w./]+/) {2,}\S", line)
        if found:
            depth = len(found[1])
            stack = [entry for entry in stack if entry[0] < depth]
            stack.append((depth, found[2]))
            path = ROOT.joinpath(*(name for _, name in stack))
            assert path.is_dir(), f"{path} is in the picture, and not there"


def check_toml(body: str) -> None:
    """It is TOML, and its configuration of dagproof is one that dagproof takes."""
    document = tomllib.loads(body)
    parse_config(document["tool"]["dagproof"], root=ROOT)


def check_yaml(body: str) -> None:
    """It is YAML; a hook, and the inputs of the action, are those that there are."""
    document = yaml.safe_load(body)
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    used = [hook["id"] for repo in document.get("repos", ()) for hook in repo["hooks"]]
    assert set(used) <= {hook["id"] for hook in hooks}
    for job in document.get("jobs", {}).values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("dagproof/"):
                assert step["with"].keys() <= action["inputs"].keys()
    for job in document.values():
        for line in job.get("script", ()) if isinstance(job, dict) else ():
            check_console(f"$ {line}")


LANGUAGES: dict[str, Callable[[str], object]] = {
    "console": check_console,
    "json": json.loads,
    "python": lambda body: compile(body, "a document", "exec"),
    "text": check_text,
    "toml": check_toml,
    "yaml": check_yaml,
}


@pytest.mark.parametrize(
    ("language", "body"),
    [
        pytest.param(*block, id=f"{document.name}-{number}")
        for document in DOCUMENTS
        for number, block in enumerate(blocks(document))
    ],
)
def test_a_code_block_is_true(language: str, body: str) -> None:
    """It has a language that somebody checks, and passes."""
    assert language in LANGUAGES
    LANGUAGES[language](body)


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """All long options of a command and of those below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options(below)
        yield from (option for option in action.option_strings if option.startswith("--"))


def test_every_option_is_documented() -> None:
    """Of the command and of the plugin, and each key of pytest's ini file."""
    of_pytest = re.findall(r"\"((?:--)?dagproof[_-][a-z-]+)\"", (PACKAGE / "pytest" / "plugin.py").read_text("utf-8"))
    assert len(of_pytest) > 5
    known = set(re.findall(r"(?<![\w-])(?:--)?[a-z][\w-]+", "\n".join(d.read_text("utf-8") for d in DOCUMENTS)))
    assert {*options(_parser()), *of_pytest} - {"--help", "--version"} <= known


def test_every_environment_variable_is_documented() -> None:
    """Those that people set, for the command, the stack, the tests and the course."""
    places = [*PACKAGE.rglob("*.py"), ROOT / "docker-compose.yml", *(ROOT / "notebooks" / "course").glob("*.py")]
    places += (ROOT / "tests").rglob("conftest.py")
    read = {name for place in places for name in re.findall(r"\bDAGPROOF_[A-Z_]+\b", place.read_text("utf-8"))}
    known = "\n".join(document.read_text("utf-8") for document in DOCUMENTS)
    assert [name for name in sorted(read - {AHEAD}) if name not in known] == []


def test_the_two_commands_are_one_line_each() -> None:
    """The main job, and all tests; both do all the set-up."""
    assert [line for line in commands(ROOT / "README.md") if "tox" in line] == [
        f"{SETUP} && PYTHONPATH=.tox/with python3 -m tox run -e prove",
        f"{SETUP} && PYTHONPATH=.tox/with python3 -m tox",
    ]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """Word for word; then what that has no time for, whether it failed or not."""
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    readme = [line for line in commands(ROOT / "README.md") if "tox" in line][1]
    slow = "PYTHONPATH=.tox/with python3 -m tox run -e slow,prove,oldest"
    assert lines[-4:] == ["status=0", f"{readme} || status=$?", f"{slow} || status=$?", 'exit "$status"']


def test_tox_alone_runs_what_the_documents_promise() -> None:
    """Style, types, each kind of test, and the course; what CI runs besides is no part of it."""
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    default = {name.strip() for name in parser["tox"]["env_list"].split(",")}
    assert default == {"lint", "types", "unit", "dag_integrity", "integration", "notebooks"}
    assert default | {"slow", "prove", "oldest"} <= tox_environments()


def test_the_readme_is_short() -> None:
    """Everything that a first reader does not need is in docs/."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_links_lead_somewhere() -> None:
    """To files that exist."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("line", ["3.1", "3.2", "3.3", "3.4"])
def test_constraints_are_plain_pins(line: str) -> None:
    """Name and version only, so that pip and uv alike take them, on every Python."""
    lines = (ROOT / "constraints" / f"airflow-{line}.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[a-z0-9._-]+==[0-9][\w.]*", pin) for pin in lines)
    assert any(pin.startswith(f"apache-airflow=={line}.") for pin in lines)


def test_commit_hooks_use_the_ruff_of_the_constraints() -> None:
    """So that a commit and CI agree on style."""
    pins = (ROOT / "constraints" / "airflow-3.3.txt").read_text(encoding="utf-8").splitlines()
    (pin,) = [line for line in pins if line.startswith("ruff==")]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"ruff==[\d.]+", hooks) == [pin, pin]


def test_no_environment_is_taken_for_a_python() -> None:
    """Tox reads a version in a name as a Python's, and skips the environment where there is no such Python."""
    names = re.findall(r"^\[testenv:(.+)\]$", (ROOT / "tox.ini").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 10
    assert not [name for name in names if re.search(r"(^|-)(py)?\{?\d", name)]
