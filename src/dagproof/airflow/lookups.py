"""Look-ups of Variables and Connections that the world does not have: each error names the setting that maps it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dagproof.airflow import private
from dagproof.inside.kinds import UNSUPPORTED, unsupported

#: How a traceback ends where a file asks for an environment variable that is not set.
_UNSET = re.compile(
    r"File \"(?:<frozen os>|[^\"]*/os\.py)\", line \d+, in __getitem__\n(?:(?!  File ).*\n)*KeyError: '([^'\n]+)'$"
)
#: What is said where an operator has no default connection, and its task names none.
NAMELESS = 'the task asks for a connection without a name; set one in the task, such as conn_id="warehouse"'
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([^']+)'$")


def no_environment(name: str) -> str:
    """Return what is said of an environment variable that is not set."""
    return f'the environment variable {name!r} is not set: add {name} = "…" to env in [tool.dagproof.world]'


@dataclass(frozen=True)
class Missing:
    """A look-up of something that the world does not have."""

    sentence: str
    """What is missing, and the setting that maps it."""
    files: frozenset[str]
    """The files whose code led to it."""


@contextmanager
def named_lookups() -> Iterator[list[Missing]]:
    """Make a look-up of what the world does not have say how to map it; yield those that there are, as they come.

    One that has a default is among them: what the default leads to may be an error of its own.
    """
    from airflow.sdk import Connection, Variable

    missing: list[Missing] = []

    def note(sentence: str) -> str:
        missing.append(Missing(sentence, frozenset(_callers())))
        return sentence

    with (
        patch.object(Connection, "get", classmethod(_connection(Connection.get, note))),
        patch.object(Variable, "get", classmethod(_variable(Variable.get, note))),
        private.patched(Variable_get=classmethod(_variable(private.Variable_get, note))),
    ):
        yield missing


def _connection(original: Any, note: Any) -> Any:
    def get(cls: Any, conn_id: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(conn_id, *args, **kwargs)
        except Exception as error:
            if "isn't defined" in str(error):
                told = note(
                    f'the connection {conn_id!r} is not mapped: add {conn_id} = "…" to connections in '
                    f"[tool.dagproof.world]{_of_kind()}"
                    if conn_id
                    else NAMELESS
                )
                error.args = (f"{told} (The conn_id `{conn_id}` isn't defined)",)
            raise

    return get


def _variable(original: Any, note: Any) -> Any:
    def get(cls: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        sentence = f'the variable {key!r} is not set: add {key} = "…" to variables in [tool.dagproof.world]'
        try:
            value = original(key, *args, **kwargs)
        except Exception as error:
            if isinstance(error, KeyError) or type(error).__name__ == "AirflowRuntimeError":
                error.args = (note(sentence),)
            raise
        if value is None or any(
            value is default for default in (*args[:1], *map(kwargs.get, ("default", "default_var")))
        ):
            note(sentence)
        return value

    return get


def _of_kind() -> str:
    """Return what is said of the kind of connection that the hook which asks for one wants; nothing of most kinds."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        kind = getattr(frame.f_locals.get("self"), "conn_type", None)
        if isinstance(kind, str) and kind in UNSUPPORTED:
            return f"; it {unsupported(kind)}"
        frame = frame.f_back
    return ""


def _callers() -> Iterator[str]:
    frame: Any = sys._getframe(1)
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


def _no_module(name: str) -> str:
    """Say that a module is not there, and the way out: Airflow's own are gone, those of providers are not installed."""
    if name.startswith("airflow.providers"):
        return (
            f"the module {name!r} is not installed here; install its provider, in a version that has it (`dagproof "
            "check` reports what replaces removed modules)"
        )
    if name.startswith("airflow."):
        line = ".".join(version("apache-airflow").split(".")[:2])
        return f"Airflow {line} has no module {name!r}; `dagproof check` reports what replaces it"
    return (
        f"the module {name!r} is not installed here; install it, or where it is the project's own, name its folder in "
        f"pythonpath in [tool.dagproof]"
    )


def blamed(error: str, path: str | Path, missing: list[Missing]) -> str | None:
    """Return what the world lacks, so that the file at `path` failed with the traceback `error`; None if by itself.

    Where the error is another one, which may come of it, that is said.
    """
    lines = [line for line in error.strip().splitlines() if line.strip()]
    last = lines[-1].strip() if lines else "unknown error"
    if unset := _UNSET.search(error.strip()):
        return no_environment(unset[1])
    if module := _NO_MODULE.match(last):
        return _no_module(module[1])
    concerned = list(dict.fromkeys(one.sentence for one in missing if str(path) in one.files))
    for sentence in concerned:
        if sentence in last.replace("\\'", "'"):  # a KeyError shows its message as a literal
            return sentence
    return f"{last}; perhaps because {concerned[-1]}" if concerned else None
