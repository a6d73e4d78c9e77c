"""``dagproof check``: its options, and what it does with them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from dagproof.check import baseline
from dagproof.check.caching import Cache, cache_folder
from dagproof.check.checking import FOUND, NOTHING, Checked, Files, Load, check_files, find_files
from dagproof.check.fixing import Fixes, fixes, write
from dagproof.check.options import by_path, configured
from dagproof.check.selection import selected, split
from dagproof.check.sourcing import Looked
from dagproof.config import Config, load_config
from dagproof.errors import UsageError
from dagproof.loaded.deployment import airflow_settings
from dagproof.loaded.model import LoadedFolder
from dagproof.output.files import check_target
from dagproof.output.text import as_json, printable, say, visible
from dagproof.rules import Rule
from dagproof.source.reading import without_collecting
from dagproof.source.target import target

FORMATS = ("text", "json", "sarif", "github")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of ``dagproof check``."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders to check (default: dags in [tool.dagproof])"
    )
    parser.add_argument("--no-import", action="store_true", help="read the source only; needs no Airflow")
    for option, text in (
        ("--select", "check only these rules: names, codes, or prefixes of codes; may be repeated"),
        ("--ignore", "do not check these rules; may be repeated"),
        ("--extend-select", "check these rules, too; may be repeated"),
    ):
        parser.add_argument(option, action="append", default=[], metavar="RULE", help=text)
    parser.add_argument(
        "--output-format", choices=FORMATS, default="text", help="the output format (default: %(default)s)"
    )
    parser.add_argument(
        "--group-by",
        choices=("rule", "cause"),
        default="rule",
        help="for text output: group findings by rule, or by the lines that cause them",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="for text output: print every finding with its source lines, however many there are",
    )
    parser.add_argument(
        "--baseline",
        metavar="FILE",
        help="file of known findings, which are not reported (default: baseline in [tool.dagproof.check])",
    )
    parser.add_argument(
        "--update-baseline",
        action="store_true",
        help="for the checked files and rules, replace the baseline's entries with the current findings",
    )
    parser.add_argument(
        "--until",
        metavar="YYYY-MM-DD",
        help="with --update-baseline: the last day on which the baseline silences the findings that it adds",
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="apply unambiguous fixes: moved imports, renamed parameters, trigger rules, modes of sensors",
    )
    parser.add_argument("--diff", action="store_true", help="print what --fix would change, without changing it")
    parser.add_argument(
        "--force", action="store_true", help="with --update-baseline: replace a file that dagproof did not write"
    )
    parser.add_argument(
        "--dags-only", action="store_true", help="check DAG files only, and no SQL, dbt models, or Spark code"
    )
    parser.add_argument("--no-cache", action="store_true", help="ignore the cache, and check every file again")


def run(options: argparse.Namespace) -> int:
    """Check, print what was found, and return the exit status; the whole of it without looking for garbage.

    All syntax trees are kept to the end, and to look through them again and again takes a third of the time.

    Raises:
        DagproofError: a path, a rule or an option leads nowhere, or Airflow is not there.
    """
    with without_collecting():
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    config = load_config(Path.cwd())
    paths = [Path(path) for path in options.paths] or [config.dags_folder]
    rules = _selected(options, config)
    base, imports = Path.cwd(), not options.no_import

    def look() -> tuple[Checked, Files]:
        return check_project(
            *(paths, rules, config),
            base=base,
            imports=imports,
            caches=not options.no_cache,
            dags_only=options.dags_only,
        )

    checked, files = look()
    if options.fix or options.diff:
        found = fixes(checked.findings, base)
        _tell_of_refused(found)
        if options.diff:
            if found.files:
                say(printable("".join(one.diff for one in found.files).rstrip("\n")))
            return FOUND if found.files else NOTHING
        write(found.files)
        if found.files:
            say(f"fixed {found.count} findings in {len(found.files)} files", sys.stderr)
            checked, files = look()
    checked = _with_baseline(checked, files, rules, options, config)
    text = report(checked, options, rules, has_baseline=bool(options.baseline or config.check.baseline))
    if text:
        say(text)
    return checked.exit_status


def _tell_of_refused(found: Fixes) -> None:
    for path, reason in found.refused:
        say(printable(f"{visible(path)} is left as it is: {reason}"), sys.stderr)


def check_project(
    paths: Sequence[Path],
    rules: Sequence[Rule],
    config: Config,
    *,
    base: Path,
    imports: bool,
    caches: bool = True,
    dags_only: bool = False,
) -> tuple[Checked, Files]:
    """Check files and folders as the configuration says.

    Args:
        paths: files and folders.
        rules: what to look for.
        config: the whole of ``[tool.dagproof]``.
        base: the folder that paths are told relative to.
        imports: whether to load the DAGs, too.
        caches: whether to use what was found in earlier runs.
        dags_only: whether to leave out SQL, models of dbt, scripts and notebooks.

    Raises:
        DagproofError: a path or the configuration leads nowhere, or the DAGs can't be loaded.
    """
    rules = configured(rules, config)
    rules_for = by_path(rules, config, base)
    roots = [config.dags_folder, *(config.root / folder for folder in config.pythonpath)]
    syntax = airflow_settings().get("CORE__DAG_IGNORE_FILE_SYNTAX", "glob")
    files = find_files(
        paths, base=base, roots=roots, syntax=syntax, top=config.dags_folder, airflow=target(config.airflow)
    )
    cache = Cache(cache_folder(config.root), files.project, rules) if caches else None
    loading = _loading(paths, config, roots) if imports else None
    others = config.check.others and not dags_only
    return check_files(files, rules, load=loading, cache=cache, rules_for=rules_for, others=others), files


def _loading(paths: Sequence[Path], config: Config, roots: Sequence[Path]) -> Load:
    """Return what imports files: those that Airflow looks at."""
    from dagproof.check.loading import Wanted, load

    top = config.dags_folder
    folders = [path.resolve() for path in paths if path.is_dir()]
    inside = [folder for folder in folders if folder != top and folder.is_relative_to(top)]
    whole = len(folders) == len(paths) and not inside

    def bundle_of(file: Path) -> Path:
        around = [folder for folder in (top, *folders) if file.is_relative_to(folder)]
        return around[0] if around else file.parent

    def loading(files: Files, looked: dict[str, Looked]) -> LoadedFolder:
        wanted: dict[Path, Wanted] = {}
        for path in files.walk.files:
            shown = files.project.show(path.resolve())
            if looked[shown].is_dag_file:
                archived = path in files.walk.archived
                file = path.parent if archived else path.resolve()
                wanted.setdefault(file, Wanted(file, bundle_of(file), "" if archived else files.text(shown)))
        more = files.project.safe_roots()
        followed = replace(config, pythonpath=(*config.pythonpath, *map(str, more)))
        user = [*roots, *folders, *more]
        return load(list(wanted.values()), followed, show=lambda p: files.project.show(Path(p)), whole=whole, user=user)

    return loading


def _selected(options: argparse.Namespace, config: Config) -> tuple[Rule, ...]:
    """The rules that the configuration chooses; ``--select`` takes its place, the other options add to it."""
    select, ignore, extend = split(options.select), split(options.ignore), split(options.extend_select)
    rules = configured_selection(config, ignore=ignore, extend=extend)
    if select:
        rules = selected(select, ignore, extend)
    if options.no_import and all(rule.needs_import for rule in rules):
        names = ", ".join(rule.name for rule in rules)
        raise UsageError(f"{names} can only check loaded DAGs; remove --no-import")
    return rules


def configured_selection(config: Config, ignore: Sequence[str] = (), extend: Sequence[str] = ()) -> tuple[Rule, ...]:
    """Return the rules that the configuration chooses, without some and with others."""
    return selected(config.select, [*config.ignore, *ignore], [*config.extend_select, *extend])


def _with_baseline(
    checked: Checked, files: Files, rules: Sequence[Rule], options: argparse.Namespace, config: Config
) -> Checked:
    """Leave out what the baseline knows, or make it know what was found."""
    until = _until(options)
    named = options.baseline or (config.check.baseline and config.root / config.check.baseline)
    if not named:
        if options.update_baseline:
            raise UsageError("--update-baseline has no file to update; pass one with --baseline FILE")
        return checked
    path = Path(named)
    root = path.resolve().parent
    mine = baseline.entries(checked.findings, files.line, base=Path.cwd(), root=root)
    if not options.update_baseline:
        return baseline.without_known(checked, mine, baseline.read(path))
    looked_at = {baseline.told(path.resolve(), root) for path in files.walk.all}
    names = {rule.name for rule in rules if not (options.no_import and rule.needs_import)}
    check_target(path, baseline.WHAT)
    old = [] if options.force or not path.exists() else baseline.read(path)
    new = baseline.updated(mine, old, looked_at=looked_at, rules=names, root=root, until=until)
    baseline.write(path, new, force=options.force)
    return replace(checked, findings=(), known=len(checked.findings))


def _until(options: argparse.Namespace) -> str:
    """Return the last day on which new entries of the baseline hold; empty where they always do."""
    if not options.until:
        return ""
    if not options.update_baseline:
        raise UsageError("--until applies to new entries of a baseline only; add --update-baseline, or remove --until")
    try:
        last = date.fromisoformat(options.until)
    except ValueError:
        raise UsageError(f"--until is {options.until!r}; write a date as YYYY-MM-DD") from None
    if last < datetime.now().astimezone().date():
        raise UsageError(f"--until is {last}, which is in the past; give today or a later day")
    return last.isoformat()


def report(checked: Checked, options: argparse.Namespace, rules: Sequence[Rule], *, has_baseline: bool) -> str:
    """Return what was found in one of the formats."""
    output_format = options.output_format
    if output_format == "json":
        return as_json(checked.to_json(), indent=2)
    if output_format == "sarif":
        from dagproof.check.sarif import check_sarif

        return as_json(check_sarif(checked, rules), indent=2)
    if output_format == "github":
        from dagproof.check.github import check_github

        return check_github(checked)
    from dagproof.check.text import check_text

    return check_text(
        checked,
        Path.cwd(),
        by_cause=options.group_by == "cause",
        everything=options.all,
        offers_baseline=not has_baseline,
    )
