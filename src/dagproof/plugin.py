"""The pytest plugin. Every pytest run that finds it installed imports it, so it imports nothing that costs time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dagproof.histories.steps import DEFAULT_MAX_HISTORIES, positive

if TYPE_CHECKING:
    from dagproof.config import Config
    from dagproof.driver import Driver
    from dagproof.proving import LawsOf, Prove
    from dagproof.worlds.servers import PostgresServer


class Resources:
    """What the session starts once, on first use, and stops at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._server: PostgresServer | None = None
        self._driver: Driver | None = None

    def server(self) -> PostgresServer:
        """Return the PostgreSQL server of the session."""
        if self._server is None:
            from dagproof.worlds.servers import start_server

            self._server = self._stack.enter_context(start_server(postgres_kind(self._config)))
        return self._server

    def driver(self) -> Driver:
        """Return the driver of the session, with a worker on each machine that a law needs."""
        if self._driver is None:
            from dagproof.driver import open_driver
            from dagproof.laws import all_laws
            from dagproof.prover import machines_for
            from dagproof.worlds.world import needs_postgres

            settings = settings_of(self._config)
            where = self.server() if needs_postgres(settings.world) else postgres_kind(self._config)
            laws = () if self._config.option.collectonly else all_laws()  # none is tried then
            self._driver = self._stack.enter_context(open_driver(settings, postgres=where, machines=machines_for(laws)))
        return self._driver

    def close(self) -> None:
        """Stop and remove all of it."""
        self._stack.close()


RESOURCES = pytest.StashKey[Resources]()
LEFT_OUT = "left out"
"""The name of the properties of a test, in JUnit's XML too, that say what its verdict does not vouch for."""
#: How many laws are named of which the same was left out.
MOST_LAWS = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and settings."""
    group = parser.getgroup("dagproof", "dagproof: proofs about Airflow DAGs")
    group.addoption(
        "--postgres",
        metavar="KIND",
        help="where worlds live: embedded (default), testcontainers, or a postgresql:// address",
    )
    group.addoption(
        "--dagproof-dags",
        metavar="DIR",
        help="a DAG folder: collect a test for each of its files and rules, and one for each of its DAGs and laws",
    )
    group.addoption(
        "--dagproof-no-import",
        action="store_true",
        help="let rules look at the source only, as they do where Airflow is not installed",
    )
    group.addoption(
        "--dagproof-max-histories",
        type=positive,
        default=DEFAULT_MAX_HISTORIES,
        metavar="N",
        help="histories tried for each law (default: %(default)s)",
    )
    group.addoption(
        "--dagproof-max-points",
        type=positive,
        metavar="N",
        help="points of a run at which the law crash cuts it off, spread over the run (default: all)",
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
            f"there is no DAG folder {folder}; mend --dagproof-dags, or dagproof_dags in the ini file"
        )
    if page := config.getoption("--dagproof-html"):
        from dagproof.session_report import NAME, SessionReport

        config.pluginmanager.register(SessionReport(Path(config.invocation_params.dir, page)), NAME)
    kind = postgres_kind(config)
    if kind == "embedded":
        return
    from dagproof.worlds.servers import ServerError, check_kind

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
    from dagproof.ruling import dag_files

    number = len(dag_files(folder))
    files = f"{number} DAG file{'' if number == 1 else 's'}"
    most = config.getoption("--dagproof-max-points")
    few = f", crash cuts a run off at {most} points at most" if most else ""
    return f"dagproof: {files} in {folder} ({where}), postgres: {postgres_kind(config)}{few}"


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
        from dagproof import ruling

        imports = not config.getoption("--dagproof-no-import") and ruling.can_import()
        named = None if config.getoption("--dagproof-dags") else _named_paths(config)
        items.extend(ruling.collect(session, settings_of(config), imports=imports, named=named))
    if _may_choose(config, "laws"):
        from dagproof.proving import collect

        items.extend(collect(session, folder))


def postgres_kind(config: pytest.Config) -> str:
    """The kind of server that was asked for, on the command line or in the ini file."""
    return str(config.getoption("--postgres") or config.getini("dagproof_postgres"))


def dags_folder(config: pytest.Config) -> Path | None:
    """The DAG folder to collect from; None when none was named.

    On the command line it counts from where pytest was started, in the ini file from there.
    """
    option = config.getoption("--dagproof-dags")
    if option:
        return Path(config.invocation_params.dir, option).resolve()
    setting = config.getini("dagproof_dags")
    return (config.rootpath / setting).resolve() if setting else None


def settings_of(config: pytest.Config) -> Config:
    """Return ``[tool.dagproof]`` as it holds for this session.

    Raises:
        pytest.UsageError: it is wrong.
    """
    from dataclasses import replace

    from dagproof.config import load_config
    from dagproof.errors import ConfigError

    folder = dags_folder(config)
    try:
        settings = replace(load_config(config.rootpath), max_points=config.getoption("--dagproof-max-points"))
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    return replace(settings, dags=str(folder)) if folder else settings


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
    from dagproof.worlds.servers import ServerError

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
    from dagproof.proving import LawsOf

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
