"""``dagproof check``: its options, and what it does with them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from dagproof.config import Config, load_config
from dagproof.errors import UsageError
from dagproof.rules import Rule
from dagproof.rules.engine.checking import Checked, check
from dagproof.rules.engine.selection import selected, split
from dagproof.source.target import target

NOT_YET = {"sarif": "the output format sarif is not there yet; use json, text or github"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of ``dagproof check``."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders (default: [tool.dagproof] dags)")
    parser.add_argument("--no-import", action="store_true", help="look at the source only; needs no Airflow")
    for option, text in (
        ("--select", "check just these rules: names, codes, or how codes begin; may be repeated"),
        ("--ignore", "leave these rules out"),
        ("--extend-select", "check these rules too"),
    ):
        parser.add_argument(option, action="append", default=[], metavar="RULE", help=text)
    parser.add_argument("--output-format", choices=("text", "json", "sarif", "github"), default="text")
    parser.add_argument("--baseline", metavar="FILE", help="not there yet")
    parser.add_argument("--update-baseline", action="store_true", help="not there yet")


def run(options: argparse.Namespace) -> int:
    """Check, print what was found, and return the exit status.

    Raises:
        DagproofError: a path, a rule or an option leads nowhere.
    """
    _refuse_what_is_not_there(options)
    config = load_config(Path.cwd())
    paths = [Path(path) for path in options.paths] or [config.dags_folder]
    rules = _selected(options, config)
    roots = [config.dags_folder, *(config.root / folder for folder in config.pythonpath)]
    checked = check(paths, rules, base=Path.cwd(), roots=roots, airflow=target(config.airflow))
    text = _report(checked, options.output_format)
    if text:
        print(text)  # noqa: T201 - it is the command's output
    if not options.no_import and options.output_format == "text":
        note = "dagproof: only the source was looked at: rules that load the DAGs are not there yet (--no-import)"
        print(note, file=sys.stderr)  # noqa: T201
    return checked.exit_status


def _selected(options: argparse.Namespace, config: Config) -> tuple[Rule, ...]:
    """The rules that the configuration chooses; ``--select`` takes its place, the other options add to it."""
    select, ignore, extend = split(options.select), split(options.ignore), split(options.extend_select)
    if select:
        return selected(select, ignore, extend)
    return selected(config.select, [*config.ignore, *ignore], [*config.extend_select, *extend])


def _refuse_what_is_not_there(options: argparse.Namespace) -> None:
    if options.output_format in NOT_YET:
        raise UsageError(NOT_YET[options.output_format])
    if options.baseline or options.update_baseline:
        raise UsageError("baselines are not there yet; leave --baseline and --update-baseline out")


def _report(checked: Checked, output_format: str) -> str:
    if output_format == "json":
        return json.dumps(checked.to_json(), indent=2, ensure_ascii=False)
    if output_format == "github":
        from dagproof.report.check_github import check_github

        return check_github(checked)
    from dagproof.report.check_text import check_text

    return check_text(checked, Path.cwd())
