"""The pytest plugin. Every pytest run that finds it installed imports it, so it imports nothing that costs time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dagproof.histories.steps import DEFAULT_MAX_HISTORIES, positive
from dagproof.pytest.session import LEFT_OUT, RESOURCES, Resources, dags_folder, postgres_kind, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dagproof.postgres.server import PostgresServer
    from dagproof.pytest.laws import LawsOf, Prove
    from dagproof.pytest.sandbox import Sandbox

#: How many laws are named of which the same was left out.
MOST_LAWS = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and settings."""
    group = parser.getgroup("dagproof", "dagproof: proofs about Airflow DAGs")
    group.addoption(
        "--postgres",
        metavar="KIND",
        help="the PostgreSQL server to use: embedded (default), testcontainers, or a postgresql:// URL",
    )
    group.addoption(
        "--dagproof-dags",
        metavar="DIR",
        help="a DAG folder: collect a test for each file and rule, and for each DAG and law",
    )
    group.addoption(
        "--dagproof-no-import",
        action="store_true",
        help="check rules on the source only, as if Airflow were not installed",
    )
    group.addoption(
        "--dagproof-max-histories",
        type=positive,
        default=DEFAULT_MAX_HISTORIES,
        metavar="N",
        help="the maximum number of histories to try for each law (default: %(default)s)",
    )
    group.addoption(
        "--dagproof-max-points",
        type=positive,
        metavar="N",
        help="for the laws crash and outage: kill a run, or let it hit an error, at no more than N points, spread over "
        "the run (default: at all points)",
    )
    group.addoption(
        "--dagproof-all-errors",
        action="store_true",
        help="for the law outage: try every error at each point (default: the most common one)",
    )
    group.addoption("--dagproof-html", metavar="FILE", help="write all verdicts of the session to one HTML page")
    parser.addini("dagproof_postgres", "the default of --postgres", default="embedded")
    parser.addini("dagproof_dags", "the default of --dagproof-dags; none by default", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a wrong setting before anything runs."""
    config.addinivalue_line("markers", "laws: a proof that dagproof collected, one for each DAG and law")
    config.addinivalue_line("markers", "rules: a check that dagproof collected, one for each DAG file and rule")
    config.stash[RESOURCES] = Resources(config)
    folder = dags_folder(config)
    if folder is not None and not folder.is_dir():
        raise pytest.UsageError(
            f"there is no DAG folder {folder}; fix --dagproof-dags, or dagproof_dags in the ini file"
        )
    if page := config.getoption("--dagproof-html"):
        from dagproof.pytest.report import NAME, SessionReport

        config.pluginmanager.register(SessionReport(Path(config.invocation_params.dir, page)), NAME)
    kind = postgres_kind(config)
    if kind == "embedded":
        return
    from dagproof.postgres.server import ServerError
    from dagproof.postgres.servers import check_kind

    try:
        check_kind(kind)
    except ServerError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the session started."""
    if RESOURCES in config.stash:
        config.stash[RESOURCES].close()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which DAG folder is proven, and where that was configured."""
    folder = dags_folder(config)
    if folder is None:
        return None
    where = (
        "--dagproof-dags" if config.getoption("--dagproof-dags") else f"dagproof_dags in {config.inipath or 'the ini'}"
    )
    most = config.getoption("--dagproof-max-points")
    few = f", crash kills a run at no more than {most} points" if most else ""
    return f"dagproof: DAGs in {folder} ({where}), postgres: {postgres_kind(config)}{few}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the verdicts of the session do not vouch for, those of pytest-xdist's workers included."""
    laws: dict[tuple[str, str], list[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == LEFT_OUT:
                    of, _, line = value.partition(": ")
                    dag_id, _, law = of.partition(" ")
                    laws.setdefault((dag_id, line), []).append(law)
    if laws:
        terminalreporter.section("dagproof: left out of the verdicts")
    for (dag_id, line), found in sorted(laws.items()):
        names = list(dict.fromkeys(found))
        of = ", ".join(names) if len(names) <= MOST_LAWS else f"{len(names)} laws"
        terminalreporter.write_line(f"{dag_id} ({of}): {line}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each file and rule, and for each DAG and law, before -k and -m choose."""
    folder = dags_folder(config)
    if folder is None or not _is_asked_for(config, folder):
        return
    if _may_choose(config, "rules"):
        from dagproof.pytest import rules

        imports = not config.getoption("--dagproof-no-import") and rules.can_import()
        named = None if config.getoption("--dagproof-dags") else _named_paths(config)
        items.extend(rules.collect(session, settings_of(config), imports=imports, named=named))
    if _may_choose(config, "laws"):
        from dagproof.pytest.laws import collect

        items.extend(collect(session, folder))


def _is_asked_for(config: pytest.Config, folder: Path) -> bool:
    """Tell whether DAG tests belong to this run: always, unless it names paths that lie elsewhere."""
    if config.getoption("--dagproof-dags") or config.args_source != pytest.Config.ArgsSource.ARGS:
        return True
    named = _named_paths(config) or []
    return any(path == folder or path in folder.parents or folder in path.parents for path in named)


def _named_paths(config: pytest.Config) -> list[Path] | None:
    """The paths on the command line; None where there are none."""
    if config.args_source != pytest.Config.ArgsSource.ARGS:
        return None
    return [Path(config.invocation_params.dir, argument.split("::")[0]).resolve() for argument in config.args]


def _may_choose(config: pytest.Config, marker: str) -> bool:
    """Tell whether -m can choose what has this marker: whatever it can't choose need not be collected."""
    expression = str(config.getoption("-m") or "")
    if not expression:
        return True
    from _pytest.mark.expression import Expression

    try:
        return bool(Expression.compile(expression).evaluate(lambda name, /, **kwargs: name == marker))
    except Exception:
        return True  # pytest itself will say what is wrong with it


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> PostgresServer:
    """A PostgreSQL server for the length of the test session."""
    from dagproof.postgres.server import ServerError

    try:
        return pytestconfig.stash[RESOURCES].server()
    except ServerError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def prove(request: pytest.FixtureRequest) -> Prove:
    """Prove laws about a DAG: ``prove("my_dag", dates=["2026-01-01"]).rerun()``.

    Called with a DAG id, it returns an object with a method for each law, and ``all()``. A method fails the test
    with the shortest history that breaks the law.
    """
    from dagproof.pytest.laws import LawsOf

    def laws_of(
        dag_id: str,
        *,
        dates: tuple[str, ...] | list[str] = (),
        seed: int = 0,
        max_histories: int | None = None,
    ) -> LawsOf:
        __tracebackhide__ = True
        return LawsOf(request.node, dag_id, dates=dates, seed=seed, max_histories=max_histories)

    return laws_of


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Sandbox]]:
    """Run a DAG step by step in a disposable world.

    After ``shop = sandbox("load_shop")``, ``shop.run("2026-01-01")`` runs a date, and ``shop.rows("orders")`` returns
    what is in a table then (see :class:`dagproof.pytest.sandbox.Sandbox`). The world has the schema, connections and
    files of the configuration, and is removed when the test ends. A test has one sandbox.
    """
    from contextlib import ExitStack

    from dagproof.pytest.sandbox import Sandbox

    with ExitStack() as stack:
        yield lambda dag_id: Sandbox(request.config.stash[RESOURCES].driver(), dag_id, stack)
