"""Load a DAG folder in a process of its own (:mod:`dagproof.airflow.loader`), and return plain data."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagproof import reaper
from dagproof.config import Config
from dagproof.config.placeholders import fill
from dagproof.errors import UsageError, WorkerError
from dagproof.loaded.deployment import airflow_settings
from dagproof.loaded.model import Dates, LoadedFolder, Show, Waiting, loaded_dag, loaded_file
from dagproof.processes.child import ChildProcess
from dagproof.worlds.addresses import allowed_endpoints
from dagproof.worlds.settings import lay_out

LATER = 400 * 86_400.0  # another day, weekday, month and year
WORTH_MEASURING = 1.0
MOST_MEASURED = 10
STARTING = 180.0
"""Seconds until the loader must have said something: it imports Airflow first, on whatever machine."""
ASKS_FOR_TIME = re.compile(r"\b(?:now|utcnow|today|time|days_ago|localtime|gmtime|ctime|clock_gettime)\s*\(")
NOWHERE = "127.0.0.1:1"
FRESH = {
    "CORE__FERNET_KEY": "",
    "CORE__DAGBAG_IMPORT_TIMEOUT": "0",  # the loader's own limit tells more
    "DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
    "API_AUTH__JWT_SECRET": "nobody listens",
    "USAGE_DATA_COLLECTION__ENABLED": "False",
    "LOGGING__COLORED_CONSOLE_LOG": "False",
}


@dataclass(frozen=True)
class Wanted:
    """A file to load."""

    path: Path
    """Absolute, with no link in it."""
    folder: Path
    """The bundle it belongs to."""
    text: str = ""
    """What stands in it, as far as it can be read."""


def load(files: Sequence[Wanted], config: Config, *, show: Show, whole: bool, user: Sequence[Path]) -> LoadedFolder:
    """Import files as the DAG processor would, each in a process of its own, and return what came of it.

    Args:
        files: what to import.
        config: time limit, environment, and what may be reached.
        show: how paths are told.
        whole: whether these are all files of the DAG folder.
        user: the folders that hold the user's own code.

    Raises:
        UsageError: Airflow is not installed.
        WorkerError: the loader ended, or said nothing.
    """
    if importlib.util.find_spec("airflow") is None:
        raise UsageError(
            "Airflow is not installed in this environment, so DAGs can't be loaded; pip install 'dagproof[airflow]', "
            "or check the source only, with --no-import"
        )
    folder = LoadedFolder(whole=whole)
    with _open_loader(files, config, user) as loader:
        jobs = {str(one.path): one for one in files}
        again: list[Wanted] = []
        for outcome in loader.ask([_job(one) for one in files]):
            wanted = jobs[outcome["file"]]
            file = loaded_file(show(outcome["file"]), outcome, show)
            folder.files[file.path] = file
            if _may_move(wanted, outcome["result"]):
                again.append(wanted)
        _measure_again(folder, loader, {show(path): one for path, one in jobs.items()})
        for outcome in loader.ask([{**_job(one), "later": LATER} for one in again]):
            if outcome["result"]:
                dags = tuple(loaded_dag(dag, show) for dag in outcome["result"]["dags"])
                folder.files[show(outcome["file"])].later = dags
        _compare_schedules(folder, loader, {show(path): one for path, one in jobs.items()})
    folder.files = {show(str(one.path)): folder.files[show(str(one.path))] for one in files}
    return folder


def _measure_again(folder: LoadedFolder, loader: _Loader, jobs: Mapping[str, Wanted]) -> None:
    """Import once more, one at a time, what took long: the machine may have been busy with something else."""
    slow = sorted(folder.files.values(), key=lambda file: -file.seconds)[:MOST_MEASURED]
    for file in slow:
        if file.seconds > WORTH_MEASURING and not file.error:
            for outcome in loader.ask([_job(jobs[file.path])]):
                file.seconds = min(file.seconds, (outcome["result"] or {}).get("seconds", file.seconds))


def _job(one: Wanted, want: str = "describe") -> dict[str, Any]:
    return {"file": str(one.path), "folder": str(one.folder), "want": want}


def _may_move(one: Wanted, result: Mapping[str, Any] | None) -> bool:
    """Whether something in a file, or in what it imports of the user's own, asks for the time."""
    if not result or result["error"] or not result["dags"]:
        return False
    texts = (one.text, *(_text(Path(path)) for path in result["imported"]))
    return one.path.suffix == ".zip" or any(ASKS_FOR_TIME.search(text) for text in texts)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _compare_schedules(folder: LoadedFolder, loader: _Loader, jobs: Mapping[str, Wanted]) -> None:
    """Ask for the dates of each DAG that a sensor waits for, and for those that the sensor asks for."""
    schedules = {dag.dag_id: dag.schedule for _, dag in folder.dags()}
    places = {dag.dag_id: file.path for file, dag in folder.dags()}
    consumers, producers = set(), set()
    for file, dag in folder.dags():
        for awaits in (task.awaits for task in dag.tasks if task.awaits):
            known = schedules.get(awaits.dag_id or "")
            if known and dag.schedule.periodic and (awaits.shifted or known != dag.schedule):
                consumers.add(file.path)
                producers.add(awaits.dag_id)
    wanted = [
        {**_job(jobs[path], "dates"), "dags": [dag_id for dag_id in producers if places[str(dag_id)] == path]}
        for path in {places[str(dag_id)] for dag_id in producers}
    ]
    for outcome in loader.ask(wanted):
        for dag_id, found in (outcome["result"] or {}).get("dates", {}).items():
            dates = found and Dates(frozenset(found["dates"]), found["since"], found["until"])
            folder.dates[dag_id] = dates
    for outcome in loader.ask([_job(jobs[path], "awaits") for path in sorted(consumers)]):
        for found in (outcome["result"] or {}).get("awaits", []):
            waits = tuple(tuple(dates) for dates in found.pop("waits"))
            folder.waiting += (Waiting(**found, waits=waits),)


class _Loader:
    """The driver's end of the loader process."""

    def __init__(self, process: ChildProcess, control: socket.socket) -> None:
        self._process = process
        self._control = control
        self._replies = control.makefile("rb")

    def ask(self, jobs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield what comes of each job, as they are done."""
        if not jobs:
            return
        try:
            self._control.sendall(json.dumps({"jobs": jobs}).encode() + b"\n")
            for line in self._replies:
                reply = json.loads(line)
                if "error" in reply:
                    raise WorkerError(reply["error"])
                if "done" in reply:
                    return
                yield reply
        except OSError:
            pass  # it is gone, and its last words say why
        raise WorkerError(
            f"the process that loads the DAGs ended unexpectedly ({self._process.last_words()}); --no-import checks "
            "the source only"
        )


@contextmanager
def _open_loader(files: Sequence[Wanted], config: Config, user: Sequence[Path]) -> Iterator[_Loader]:
    with reaper.temporary_directory("dagproof-check-") as home:
        (home / "tmp").mkdir()
        lay_out(config, home / "files")
        setting = home / "setting.json"
        setting.write_text(json.dumps(_setting(home, files, config, user)), encoding="utf-8")
        ours, theirs = socket.socketpair()
        with theirs:
            process = ChildProcess(
                [sys.executable, "-m", "dagproof.airflow.loader", str(theirs.fileno()), str(setting)],
                log=home / "log.txt",
                env=_environment(home, files, config),
                cwd=config.root if config.root.is_dir() else home,
                descriptors=[theirs.fileno()],
                stop=signal.SIGKILL,
                whole=True,
            )
        with process, ours:
            try:
                ours.settimeout(STARTING + config.check.timeout)
                yield _Loader(process, ours)
            finally:
                ours.shutdown(socket.SHUT_RDWR)
                process.close(patience=5.0)  # it has seen that we are done, kills its children, and ends


def _setting(home: Path, files: Sequence[Wanted], config: Config, user: Sequence[Path]) -> dict[str, Any]:
    folders = {one.folder for one in files} | {path.resolve() for path in user} | {one.path.parent for one in files}
    allowed = [path for path in config.world.allow if path.startswith("/")]
    return {
        "home": str(home),
        "timeout": config.check.timeout,
        "memory": int(config.check.memory * 1_000_000),
        "jobs": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "user": sorted(map(str, folders)),
        "writable": allowed,
        "endpoints": allowed_endpoints(config.world),
        "files": [str(one.path) for one in files if one.path.suffix == ".py"],
    }


def _environment(home: Path, files: Sequence[Wanted], config: Config) -> dict[str, str]:
    """The user's own environment, but for what leads to the user's own Airflow; with what the world gives."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW__", "AIRFLOW_HOME", "AIRFLOW_CONFIG", "_AIRFLOW"))
    }
    world = config.world
    given = {name: _filled(value, home, config) for name, value in world.env.items()}
    given |= {f"AIRFLOW_VAR_{key.upper()}": _filled(value, home, config) for key, value in world.variables.items()}
    for conn_id, connection in world.connections.items():
        text = connection if isinstance(connection, str) else json.dumps(connection)
        given[f"AIRFLOW_CONN_{conn_id.upper()}"] = _filled(text, home, config)
    settings = airflow_settings()
    examples = any(one.path.parts[-3:-1] == ("airflow", "example_dags") for one in files)  # they bring their plugins
    folders = [config.dags_folder, *(one.folder for one in files if not examples)]
    paths = [str((config.root / path).resolve()) for path in config.pythonpath]
    return {
        **kept,
        **{f"AIRFLOW__{name}": value for name, value in {**settings, **FRESH}.items()},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folders[0]),
        "AIRFLOW__CORE__LOAD_EXAMPLES": str(examples),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(_plugins(config, folders, settings) or home / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/metadata.db",
        "TMPDIR": str(home / "tmp"),
        "PYTHONPATH": os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONUNBUFFERED": "1",
        **given,
    }


def _plugins(config: Config, folders: Sequence[Path], settings: Mapping[str, str]) -> Path | None:
    """The folder of plugins: the one that is named, or the one beside the DAGs or among them."""
    if config.check.plugins:
        return (config.root / config.check.plugins).resolve()
    told = settings.get("CORE__PLUGINS_FOLDER")
    near = (place / "plugins" for folder in folders for place in (folder.parent, folder))
    return next((path for path in (*([Path(told)] if told else []), *near) if path.is_dir()), None)


def _filled(text: str, home: Path, config: Config) -> str:
    """Put a folder of no consequence, and places that nobody listens at, where the world's own would be."""
    database = f"postgresql://nobody@{NOWHERE}/nothing"
    folders = {"files": str(home / "files"), "project": str(config.root)}
    databases = dict.fromkeys(config.world.all_databases, database)
    return fill(text, folders | databases | dict.fromkeys(config.world.services, NOWHERE))
