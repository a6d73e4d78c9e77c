"""Scripts and notebooks of Spark that are no DAG files: what they run is looked at as if it were one task."""

from __future__ import annotations

import ast
import re

from dagproof.source.dagfile import DagFile, Task
from dagproof.source.names import Resolver
from dagproof.source.project import Module
from dagproof.source.values import Arguments

SPARK = re.compile(r"\bpyspark\b|\bSparkSession\b|\bspark\.(?:read|sql|table|createDataFrame|readStream)\b")
_MAIN = re.compile(r"^if[ \t(]+__name__[ \t]*==[ \t]*(['\"])__main__\1[ \t)]*:", re.MULTILINE)


def is_spark(text: str) -> bool:
    """Say whether a Python file works with Spark."""
    return "park" in text and bool(SPARK.search(text))


def as_script(module: Module, resolver: Resolver) -> DagFile:
    """Return a file as Python runs it by itself, with one task that does all of it.

    Raises:
        UnreadableError: it can't be parsed.
    """
    text = _MAIN.sub("if True:", module.text)
    run = module if text == module.text else module.project.variant(module, text)
    run.is_script = True
    script = DagFile(run, resolver, "run")
    task = Task(ast.Name("script", lineno=1, col_offset=0), run.scope, (), None, Arguments({}, True), ())
    task.entries.append((run.scope, ()))
    script.tasks.append(task)
    return script
