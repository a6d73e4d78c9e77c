"""The command ``dagproof``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from dagproof.config import Config, load_config
from dagproof.errors import UsageError, close_to
from dagproof.histories.steps import DEFAULT_MAX_HISTORIES, positive
from dagproof.loaded.deployment import airflow_note
from dagproof.output.crashes import crashed, understood, without_room
from dagproof.output.text import as_json, open_streams, printable, say

OK, FOUND, CANNOT_TELL, CRASHED, INTERRUPTED = 0, 1, 2, 3, 130
#: What takes the first seconds of each proof.
STARTING = "starting PostgreSQL and Airflow"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status.

    0: proven. 1: falsified. 2: it could not tell, and one sentence on standard error says why and what to do.
    3: an internal error of dagproof; the message says how to report it.
    """
    open_streams()
    try:
        options = _parser().parse_args(arguments)
        if options.imports and not getattr(options, "no_import", False) and (note := airflow_note()):
            _complain(f"note: {note}")
        return int(options.run(options))
    except KeyboardInterrupt:
        _complain("interrupted; everything that was started has been stopped and removed")
        return INTERRUPTED
    except Exception as error:
        if reason := understood(error):
            _complain(f"{reason}{without_room()}")
            return CANNOT_TELL
        _complain(crashed(error, sys.argv[1:] if arguments is None else arguments))
        return CRASHED


def _complain(text: str) -> None:
    say(printable(f"dagproof: {text}"), sys.stderr)


def _parser() -> argparse.ArgumentParser:
    from dagproof import __version__

    parser = argparse.ArgumentParser(
        prog="dagproof", description="Prove that rerunning a date of an Airflow DAG yields identical rows."
    )
    parser.set_defaults(imports=False)
    parser.add_argument("--version", action="version", version=f"dagproof {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_check(commands)
    _add_prove(commands)
    _add_replay(commands)
    about = "write a small project, show that its load is not idempotent, fix it, and prove the fix"
    demo = commands.add_parser("demo", help=about, description=_sentence(about))
    demo.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("dagproof-demo"),
        metavar="FOLDER",
        help="the folder to create (default: %(default)s)",
    )
    demo.add_argument("--force", action="store_true", help="write into a folder that is not empty")
    demo.set_defaults(run=_demo)
    _add_init(commands)
    about = "explain a rule or law: what it finds, why that is bad, and what to use instead"
    explain = commands.add_parser("explain", help=about, description=_sentence(about))
    explain.add_argument("name", metavar="RULE_OR_LAW", help="the name of a rule or law, or the code of a rule")
    explain.set_defaults(run=_explain)
    rules = commands.add_parser("rules", help="list all rules and laws", description="List all rules and laws.")
    rules.set_defaults(run=_rules)
    return parser


def _add_init(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "init",
        help="write [tool.dagproof] for this project, from its code",
        description="Read the code of this project, without running it, and append a commented [tool.dagproof] to "
        "pyproject.toml. Exit status 0: written. 2: not written; the message says why.",
    )
    parser.add_argument("--dags", default="", metavar="DIR", help="the DAG folder (default: where most DAG files are)")
    parser.add_argument("--stdout", action="store_true", help="print the table, and write nothing")
    parser.set_defaults(run=_init)


def _sentence(about: str) -> str:
    return f"{about[0].upper()}{about[1:]}."


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from dagproof.check.command import add_options, run

    parser = commands.add_parser(
        "check",
        help="find what breaks DAGs in production, without running them",
        description="Find what breaks DAGs in production, without running them. Exit status 0: no findings. 1: "
        "findings. 2: no verdict; the message says why. 3: an internal error of dagproof.",
    )
    add_options(parser)
    parser.set_defaults(run=run, imports=True)


def _add_prove(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "prove",
        help="run dates of a DAG in many ways and compare the resulting rows",
        description="Run dates of a DAG in disposable worlds and compare the rows. Exit status 0: proven. "
        "1: falsified, with the shortest history that shows it. 2: no verdict; the message says why. "
        "3: an internal error of dagproof.",
    )
    parser.add_argument(
        "dag_ids", nargs="*", metavar="DAG_ID", help="a DAG to prove (default: every DAG in the folder, in turn)"
    )
    parser.add_argument("--dags", metavar="DIR", help="the DAG folder (default: from [tool.dagproof], or dags)")
    parser.add_argument("--date", action="append", default=[], metavar="D", help="a date to prove; may be repeated")
    parser.add_argument(
        "--law", action="append", default=[], metavar="LAW", help="prove only this law; may be repeated"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed for randomly generated histories (default: 0)"
    )
    parser.add_argument(
        "--max-histories",
        type=positive,
        default=DEFAULT_MAX_HISTORIES,
        metavar="N",
        help="the maximum number of histories to try for each law (default: %(default)s)",
    )
    parser.add_argument(
        "--max-points",
        type=positive,
        metavar="N",
        help="for the laws `crash` and `outage`: kill a run, or let it hit an error, at no more than N points, "
        "spread over the run (default: at all points)",
    )
    parser.add_argument(
        "--all-errors",
        action="store_true",
        help="for the law `outage`: try every error at each point (default: the most common one)",
    )
    parser.add_argument(
        "--budget",
        type=_budget,
        metavar="TIME",
        help="time limit for each DAG, such as 120s or 5m; laws that find the most bugs run first (default: no limit)",
    )
    parser.add_argument(
        "--jobs",
        type=positive,
        metavar="N",
        help="number of processes that test laws, each with its own PostgreSQL (default: one per processor, at most 3; "
        "1 if the configuration sets `allow`)",
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="also write the verdicts to one self-contained HTML page"
    )
    parser.add_argument("--force", action="store_true", help="let --html replace a file that dagproof did not write")
    _add_common(parser)
    parser.set_defaults(run=_prove, imports=True)


def _budget(text: str) -> object:
    from dagproof.proof.budget import budget

    return budget(text)


def _add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "replay", help="run a saved history again", description="Run a saved history again, and judge its result."
    )
    parser.add_argument("history", metavar="HISTORY_ID_OR_FILE", help="the id that a verdict ends with, or a JSON file")
    parser.add_argument("--dags", metavar="DIR", help="the DAG folder (default: from [tool.dagproof], or dags)")
    _add_common(parser)
    parser.set_defaults(run=_replay, imports=True)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--postgres",
        default="embedded",
        metavar="KIND",
        help="the PostgreSQL server to use: embedded (default), testcontainers, or a postgresql:// URL",
    )
    parser.add_argument(
        "--output-format", choices=("text", "json"), default="text", help="the output format (default: %(default)s)"
    )


def _config(options: argparse.Namespace) -> Config:
    """Read the configuration; ``--dags`` counts from the current folder and wins."""
    config = replace(
        load_config(Path.cwd()),
        max_points=getattr(options, "max_points", None),
        all_errors=getattr(options, "all_errors", False),
    )
    return replace(config, dags=str(Path(options.dags).resolve())) if options.dags else config


def _prove(options: argparse.Namespace) -> int:
    from dagproof.proof.jobs import default_jobs, quiet_rollbacks
    from dagproof.report.html import check_writable

    quiet_rollbacks()
    if options.html:
        check_writable(options.html, force=options.force)
    config = _config(options)
    how = {
        "laws": options.law,
        "dates": options.date,
        "postgres": options.postgres,
        "seed": options.seed,
        "max_histories": options.max_histories,
        "budget": options.budget,
        "jobs": options.jobs or default_jobs(config),
    }
    if len(options.dag_ids) == 1:
        return _prove_one(options, config, how)
    return _prove_several(options, config, how)


def _prove_one(options: argparse.Namespace, config: Config, how: Mapping[str, Any]) -> int:
    from dagproof.proof.jobs import prove
    from dagproof.proof.verdicts import Proof
    from dagproof.report.html import write_html

    (dag_id,) = options.dag_ids
    reached: list[Proof] = []
    try:
        with _progress(options, f"proving {dag_id}: {STARTING}") as note:
            laws_at_work = partial(_note_laws, note, dag_id)
            proof = prove(dag_id, config, on_laws=laws_at_work, on_proof=reached.append, **how)
    except (Exception, KeyboardInterrupt):
        if reached:  # what is known so far is known
            _print(reached[-1], options.output_format)
        raise
    if options.html:
        write_html(options.html, [proof], force=options.force)  # first: to print may fail
    return _print(proof, options.output_format)


def _prove_several(options: argparse.Namespace, config: Config, how: Mapping[str, Any]) -> int:
    """Prove one DAG after the other, and print each proof when it is there; the last lines sum them up."""
    from dagproof.proof.several import Proofs, dags_of, proof_or_reason
    from dagproof.report.html import write_html
    from dagproof.report.text import each_in_a_line, proof_or_reason_text

    is_text = options.output_format == "text"
    dag_ids, proofs = list(dict.fromkeys(options.dag_ids)), Proofs()
    if not dag_ids:
        with _progress(options, f"reading the DAG folder: {STARTING}"):
            dag_ids, proofs.unproven = dags_of(config, options.postgres)
    try:
        for number, dag_id in enumerate(dag_ids, start=1):
            which = f"{dag_id} ({number} of {len(dag_ids)})"
            with _progress(options, f"proving {which}: {STARTING}") as note:
                answer = proof_or_reason(dag_id, config, on_laws=partial(_note_laws, note, which), **how)
            proofs.add(dag_id, answer)
            if is_text:
                say(f"{proof_or_reason_text(dag_id, answer)}\n")
    finally:
        if proofs.any:
            if options.html:  # first: to print may fail
                reasons = [f"{name}: {reason}" for name, reason in proofs.unproven.items()]
                write_html(options.html, proofs.proofs, reasons, force=options.force)
            say(each_in_a_line(proofs) if is_text else as_json(proofs.to_json(), indent=2))
    return proofs.exit_status


def _note_laws(note: Callable[[str], None], dag_id: str, laws: Sequence[str]) -> None:
    note(f"proving {dag_id}: {', '.join(laws)}")


def _replay(options: argparse.Namespace) -> int:
    from dagproof.proof.jobs import quiet_rollbacks
    from dagproof.proof.prover import replay

    quiet_rollbacks()
    with _progress(options, f"replaying {options.history}"):
        proof = replay(options.history, _config(options), postgres=options.postgres)
    return _print(proof, options.output_format)


def _print(proof: object, output_format: str) -> int:
    from dagproof.proof.verdicts import Proof
    from dagproof.report.text import proof_text

    assert isinstance(proof, Proof)
    if output_format == "json":
        say(as_json(proof.to_json(), indent=2))
    else:
        say(proof_text(proof))
    return proof.exit_status


@contextmanager
def _progress(options: argparse.Namespace, first: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal what goes on; nothing where nobody watches."""
    from rich.console import Console

    console = Console(stderr=True)
    if options.output_format == "json" or not console.is_terminal:
        yield lambda text: None
        return
    with console.status(first) as status:
        yield lambda text: status.update(text)


def _demo(options: argparse.Namespace) -> int:
    from dagproof.demo import demo
    from dagproof.proof.jobs import quiet_rollbacks

    quiet_rollbacks()
    return demo(options.folder, force=options.force)


def _init(options: argparse.Namespace) -> int:
    from dagproof.init import init

    return init(Path.cwd(), dags=options.dags, stdout=options.stdout)


def _explain(options: argparse.Namespace) -> int:
    from dagproof.explain.text import explanation
    from dagproof.laws import all_laws, law_named
    from dagproof.rules import all_rules, rule_named

    rules = {key for rule in all_rules() for key in (rule.name, rule.code)}
    laws = {law.name for law in all_laws()}
    if options.name in rules or options.name.upper() in rules:
        say(explanation(rule_named(options.name)))
    elif options.name in laws:
        say(explanation(law_named(options.name)))
    else:
        meant = close_to(options.name, rules | laws) or "; `dagproof rules` lists them"
        raise UsageError(f"there is no rule or law {options.name!r}{meant}")
    return OK


def _rules(options: argparse.Namespace) -> int:
    from dagproof.explain.text import summary
    from dagproof.laws import all_laws
    from dagproof.rules import all_rules

    names = [(f"{rule.code}  {rule.name}", summary(rule)) for rule in all_rules()]
    names += [(law.name, law.promise) for law in all_laws()]
    width = max(len(name) for name, _ in names)
    for name, text in names:
        say(f"{name:<{width}}  {text}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
