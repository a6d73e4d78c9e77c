"""What a task surely does outside of its process, where it does so, and whether it gives up by itself."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from dagproof.source.dagfile import Chain, DagFile, Place, Site, Task
from dagproof.source.outside import uses_database, uses_network
from dagproof.source.scopes import Scope
from dagproof.source.strings import text_of, texts
from dagproof.source.values import Value, constant, dictionary, followed, keywords

_LOCAL = re.compile(r"(?:sqlite3|duckdb)\.")
_PROVIDER = re.compile(
    r"airflow\.providers\.(?!standard\.|common\.compat\.|sqlite\.|papermill\.)(?:\w+\.)+(?!AnalyticsOperator$)(\w+)$"
)
"""What is left out may work on this machine alone."""
_LIMITED = re.compile(
    r"(?:httpx|boto3)\."
    r"|airflow\.providers\.(?:slack|smtp|opsgenie|pagerduty|discord|telegram|ssh|apprise)\."
    r"|airflow\.providers\.amazon\.aws\.(?:operators|hooks)\.(?:s3|sns|sqs|lambda_function|eventbridge|ses)\."
    r"|airflow\.providers\.amazon\.aws\.transfers\.(?:local_to_s3|s3_to_s3)\."
    r"|airflow\.providers\.dbt\.cloud\.operators\."
)
"""They give up by themselves, unless told otherwise."""
_LIMITS = """
timeout cmd_timeout command_timeout timeout_seconds query_timeout wait_timeout request_timeout read_timeout
response_timeout job_timeout job_timeout_seconds statement_timeout execution_timeout_seconds active_deadline_seconds
max_attempts waiter_max_attempts max_polling_attempts polling_timeout wait_for_completion_timeout max_wait_time
"""
LIMITS = frozenset(_LIMITS.split())
"""Parameters with which an operator or a call gives up by itself."""
IN_DICTIONARIES = ("extra_options", "hook_params", "request_kwargs", "session_parameters", "options")
"""Parameters that hold such parameters, or a text that sets one."""
_SETTINGS = re.compile(r"statement_timeout|lock_timeout|read_timeout|max_execution_time", re.IGNORECASE)
POSITIONS = {
    "urllib.request.urlopen": 2,
    "socket.create_connection": 1,
    "airflow.providers.http.hooks.http.HttpHook().run": 3,
}
"""Where a limit, or the dictionary that holds it, stands without a name."""
_LIMITED_COMMAND = re.compile(
    r"\s(?:--max-time|-m)[\s=]?\s*\d|\s--timeout[\s=]\d|\btimeout\s+(?:-\w+\s+\S+\s+)*\d|ConnectTimeout|statement_timeout"
)
_COMMAND = re.compile(
    r"(?:^|[;&|(\n`]|\bdo\b|\bthen\b)[ \t]*(?:sudo\s+|exec\s+|timeout\s+\S+\s+|\w+=\S*\s+)*"
    r"(curl|wget|ssh|scp|sftp|rsync|aws|gsutil|gcloud|bq|az|psql|mysql|snowsql|kubectl)\s"
)
SHELL_KEYS = ("bash_command", "command")


@dataclass(frozen=True)
class Reach:
    """How a task reaches another system."""

    what: str
    """As it is told: ``requests.post()``."""
    way: Chain = ()
    """The calls that lead from the task there; none where the task itself is it."""

    def told(self, dagfile: DagFile, task: Task) -> str:
        """Return the beginning of a sentence, with the line where it is not that of the task."""
        line = self.way[-1].line if self.way and self.way[-1].module is dagfile.module else task.place.line
        return f"{self.what} reaches another system" + (f" (line {line})" if line != task.place.line else "")


def reach(task: Task, dagfile: DagFile, *, unlimited: bool = False) -> Reach | None:
    """Return how a task surely reaches another system; None where it does nothing of the kind.

    Args:
        task: the task.
        dagfile: where it is.
        unlimited: whether only what waits without a limit of its own counts.
    """
    return (
        _of_operator(task, dagfile, unlimited)
        or _of_command(task, dagfile, unlimited)
        or _of_code(task, dagfile, unlimited)
    )


def _of_operator(task: Task, dagfile: DagFile, unlimited: bool) -> Reach | None:
    for name in task.names:
        bases = [name, *dagfile.resolver.bases(name)] if name.startswith("<") else [name]
        for base in bases:
            if found := _PROVIDER.match(base):
                if unlimited and _operator_is_limited(task, base, dagfile):
                    return None
                return Reach(found[1])
    return None


def _operator_is_limited(task: Task, name: str, dagfile: DagFile) -> bool:
    """Whether an operator gives up by itself: its own parameters say so, or it always does."""
    known = dict(task.arguments.known)
    for call, scope in task.calls:
        known |= keywords(call, scope, dagfile.resolver).known
    given = _limits(known, dagfile)
    if given is not None:
        return given
    return task.arguments.open or bool(_LIMITED.match(name))


def _limits(known: dict[str, Value], dagfile: DagFile) -> bool | None:
    """Whether parameters set a limit, or take it away; None where none of them speaks of one."""
    for key in LIMITS & known.keys():
        return constant(known[key], dagfile.resolver) is not None
    for key in IN_DICTIONARIES:
        if key in known:
            inside = dictionary(known[key], dagfile.resolver)
            for name, value in inside.known.items():
                if name.rpartition(".")[2] in LIMITS or _SETTINGS.search(name):
                    return constant(value, dagfile.resolver) is not None
            text = text_of(*known[key], dagfile.resolver)
            if text and _SETTINGS.search(text):
                return True
            if inside.open and not text:
                return True
    return None


def _of_command(task: Task, dagfile: DagFile, unlimited: bool) -> Reach | None:
    for call, scope in task.calls:
        for keyword in call.keywords:
            if keyword.arg in SHELL_KEYS:
                for text in texts(Value(keyword.value, scope), dagfile.resolver):
                    command = _COMMAND.search(text.text)
                    if command and not (unlimited and _LIMITED_COMMAND.search(text.text)):
                        return Reach(command[1], (text.place,) if text.place.module is not scope.module else ())
    return None


def _of_code(task: Task, dagfile: DagFile, unlimited: bool) -> Reach | None:
    sites = list(dagfile.sites_of(dagfile.reached_by(task)))
    if unlimited and any(name == "socket.setdefaulttimeout" for site in sites for name in site.names):
        return None
    for site in sites:
        for name in site.names:
            reaches = (uses_network((name,)) or uses_database((name,))) and not _LOCAL.match(name)
            if reaches and not (unlimited and _call_is_limited(site, name, dagfile)):
                return Reach(f"{name}()", (*site.body.chain, site.place))
    return None


def _call_is_limited(site: Site, name: str, dagfile: DagFile) -> bool:
    """Whether a call gives up by itself: it says so, or the object does that it is a method of."""
    position = POSITIONS.get(name)
    if position is not None and len(site.call.args) > position:
        return True
    for call, scope in [(site.call, site.scope), *_makers(site, dagfile)]:
        given = keywords(call, scope, dagfile.resolver)
        limited = _limits(given.known, dagfile)
        if limited is not None:
            return limited
        if given.open:
            return True
    return bool(_LIMITED.match(name))


def _makers(site: Site, dagfile: DagFile) -> list[tuple[ast.Call, Scope]]:
    """The calls that made the object that a method is called on."""
    function = site.call.func
    if not isinstance(function, ast.Attribute):
        return []
    found = followed(Value(function.value, site.scope), dagfile.resolver)
    return [(one.node, one.scope) for one in found if isinstance(one.node, ast.Call)]


def way_out(task: Task, key: str) -> str:
    """Return what to write to give a task a parameter."""
    is_asset = task.dag is not None and task.dag.is_asset
    return f"put @task({key}=…) below @asset" if is_asset else f"set {key}"


def policy_place(task: Task, dagfile: DagFile, key: str) -> Place | None:
    """Return where one change gives a parameter to all tasks like this one: its DAG's `default_args`, or its DAG."""
    dag = task.dag
    if dag is None or dag.is_asset:
        return None
    given = dag.arguments.known.get("default_args")
    if given is None:
        return dag.place
    inside = dictionary(given, dagfile.resolver).known.get(key)
    if inside is not None:
        return Place(inside.scope.module, inside.node)
    found = list(followed(given, dagfile.resolver))
    return Place(found[0].scope.module, found[0].node) if len(found) == 1 else dag.place
