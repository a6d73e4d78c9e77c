"""Find and load the files that define the DAGs under proof, as the dag processor would."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dagproof.airflow import private
from dagproof.airflow.engine import BUNDLE
from dagproof.airflow.lookups import Missing, blamed, named_lookups
from dagproof.errors import DagproofError, WorkerError, nearest
from dagproof.inside import background

Dags = dict[str, Any]
"""Airflow's DAGs by their ids."""

#: What Airflow says of a file that is not read in time; links to its pages follow.
_LATE = re.compile(r"DagBag import timeout for .* after (\S+)s\.")


def bundle_bag(folder: Path, path: Path) -> Any:
    """Return Airflow's DagBag of the file or folder `path`, which belongs to the bundle `folder`."""
    kind = private.BundleDagBag
    accepted = inspect.signature(kind.__mro__[1].__init__).parameters
    name = {"bundle_name": BUNDLE} if "bundle_name" in accepted else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the user's files may warn; `dagproof check` is what reports on them
        return kind(dag_folder=str(path), bundle_path=folder, **name)


def find_dags(folder: Path, dag_ids: Sequence[str]) -> Dags:
    """Return the named DAGs of `folder`, importing as few of its files as will do.

    Files that spell a wanted id are imported first, and the whole folder only if that was not enough (an id may be
    computed).

    Raises:
        WorkerError: no file defines one of the ids, or the file that should does not import.
    """
    found: Dags = {}
    errors: dict[str, str] = {}
    with named_lookups() as missing, background.held_back():
        for path in _files_naming(folder, dag_ids):
            _collect(bundle_bag(folder, path), found, errors)
        if not set(dag_ids) <= set(found):
            _collect(bundle_bag(folder, folder), found, errors)
    for dag_id in dag_ids:
        if dag_id not in found:
            raise WorkerError(_why_missing(dag_id, folder, found, errors, missing))
        # The deadline of a run is for a scheduler to look at, and the ``dag.test()`` of Airflow 3.3 fails where one is.
        found[dag_id].deadline = None
    return {dag_id: found[dag_id] for dag_id in dag_ids}


def all_dags(folder: Path) -> tuple[Dags, dict[str, str]]:
    """Return every DAG of `folder` by its id, and the last line of the error of each file that does not import."""
    with named_lookups() as missing, background.held_back():
        bag = bundle_bag(folder, folder)
    reasons = {
        path: blamed(error, folder / path, missing) or error.strip().splitlines()[-1]
        for path, error in bag.import_errors.items()
    }
    return dict(bag.dags), reasons


def forget_modules(folder: Path) -> None:
    """Let what was imported from `folder` be imported anew."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and folder in Path(file).parents:
            del sys.modules[name]
    importlib.invalidate_caches()


def sync_to_metadata(folder: Path, dags: Dags) -> None:
    """Write the DAGs to the metadata database, as the dag processor does before a run can exist.

    Raises:
        DagproofError: one of them cannot be serialized.
    """
    private.DagBundlesManager().sync_bundles_to_db()
    bag = bundle_bag(folder, folder / "nothing-to-collect.py")
    bag.dags = dict(dags)
    try:
        private.sync_bag_to_db(bag, BUNDLE, None)
    except Exception as error:
        if type(error).__name__ != "SerializationError":  # where it is defined differs between releases
            raise
        raise DagproofError(
            f"{error}; if a plugin registers the class, set AIRFLOW__CORE__PLUGINS_FOLDER = "
            f'"{{project}}/plugins" under env in [tool.dagproof.world], and import the class as the plugin does'
        ) from error


def _files_naming(folder: Path, dag_ids: Sequence[str]) -> list[Path]:
    """Return the Python files below `folder` in whose text one of the ids stands."""
    wanted = [dag_id.encode() for dag_id in dag_ids]
    return [
        path
        for path in sorted(folder.rglob("*.py"))
        if path.is_file() and any(dag_id in path.read_bytes() for dag_id in wanted)
    ]


def _collect(bag: Any, found: Dags, errors: dict[str, str]) -> None:
    found.update(bag.dags)
    errors.update(bag.import_errors)


def _why_missing(dag_id: str, folder: Path, found: Dags, errors: dict[str, str], missing: list[Missing]) -> str:
    """Say why `folder` gave no DAG `dag_id`: a file that does not import is the likeliest reason."""
    suspects = [(p, e) for p, e in errors.items() if dag_id in e or _mentions(folder, p, dag_id)]
    if suspects or (errors and not found):
        path, error = (suspects or list(errors.items()))[0]
        lines = [line for line in error.strip().splitlines() if line.strip()]
        last = lines[-1].strip() if lines else "unknown error"
        place = f"{folder / path}{_error_line(lines, path)}"
        if late := _LATE.search(error):
            why = f"importing it took more than {float(late[1]):g} s, and had reached {place}"
            return f"{dag_id} does not load: {why}; end the loop, or move the work into a task, and try again"
        if lacking := blamed(error, folder / path, missing):
            return f"{dag_id} does not load: {place}: {lacking}"
        return f"{dag_id} does not load: {place} fails with {last}; fix the file and try again"
    named = [found_id for found_id, dag in found.items() if Path(dag.fileloc).stem == dag_id]
    meant = f"; {dag_id}.py there makes {', '.join(map(repr, named))}" if named else nearest(dag_id, found)
    return f"no DAG {dag_id!r} in {folder}{meant}"


def _mentions(folder: Path, path: str, dag_id: str) -> bool:
    try:
        return dag_id.encode() in (folder / path).read_bytes()
    except OSError:
        return False


def _error_line(lines: list[str], path: str) -> str:
    """Return ``:88`` when the traceback names a line of the file itself."""
    for line in reversed(lines):
        if f'{Path(path).name}", line ' in line:
            return ":" + line.split(", line ", 1)[1].split(",")[0].strip()
    return ""
