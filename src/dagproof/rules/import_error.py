"""A file of the DAG folder does not import."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from dagproof.loaded.model import LoadedFile, LoadError, Spot
from dagproof.rules.base import Finding, Rule
from dagproof.source.roots import is_own

OF_PYTHON_2 = re.compile(
    r"^\s*(?:print|exec)\s+[^(=\s]|`|<>|\bur['\"]|\b0\d+\b|\braise\s+[\w.]+\s*,|\bprint\s*>>|\b\d+[lL]\b"
)
OF_MODULE = re.compile(r"cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'")
OF_DECORATOR = re.compile(r"task decorator '(?P<name>\w+)' not found")
DECORATORS = {
    "kubernetes": "cncf-kubernetes",
    "kubernetes_cmd": "cncf-kubernetes",
    "docker": "docker",
    "pyspark": "apache-spark",
    "snowpark": "snowflake",
    "databricks": "databricks",
    "beam": "apache-beam",
    "llm": "common-ai",
    "agent": "common-ai",
}
"""The providers that bring decorators."""
NEWER = (
    ((3, 14), re.compile(r"^\s*except\s+[\w.]+\s*,|\bt['\"]")),
    ((3, 12), re.compile(r"^\s*type\s+\w+|^\s*(?:async\s+)?def\s+\w+\[|^\s*class\s+\w+\[|\bf['\"]")),
    ((3, 11), re.compile(r"^\s*except\s*\*")),
)


class BrokenImport(Rule):
    """A file of the DAG folder does not import.

    ## What it does
    Imports each file that Airflow parses as the DAG processor does, in a process of its own with a time limit
    (`[tool.dagproof.check] timeout`), and finds those that fail, hang, or end the process. Access to other systems and
    writes to files are refused meanwhile, and a Variable or Connection without a value gets an invented one: an error
    that may result from that is doubtful, and so is a third-party module that is not installed here. With the option
    `missing-modules = "fail"` the latter is certain: use it if the check runs in Airflow's own image.

    ## Why is this bad
    A file that does not import has no DAGs. Those that were in it before stop being scheduled, and all that shows it
    is a banner at the top of the UI.

    ## Example
    ```python
    from airflow.sdk import DAG

    with DAG("orders", schedule="every day at noon", catchup=False):
        pass
    ```

    ## Use instead
    ```python
    from airflow.sdk import DAG

    with DAG("orders", schedule="0 12 * * *", catchup=False):
        pass
    ```
    """

    name = "import-error"
    code = "DP001"
    needs_import = True
    options: ClassVar[Mapping[str, Any]] = {"missing-modules": "warn"}

    def check_loaded(self, file: LoadedFile) -> Iterator[Finding]:
        """Tell why one file did not import."""
        error = file.error
        if error is None or (error.refused and not error.died):
            return  # what was refused is a finding itself
        spots = error.spots or (Spot(file.path, 1),)
        if spots[0].path != file.path and not file.path.endswith(".zip"):
            spots = (Spot(file.path, 1), *spots)
        message, certain = self._told(error, file)
        yield self.found_at(spots, message, certain=certain)

    def _told(self, error: LoadError, file: LoadedFile) -> tuple[str, bool]:
        """What a person is told, and whether it is certain."""
        if error.died:
            return f"the file does not import: {error.message}", not error.refused
        if told := _of_this_environment(error, file):
            return told, False
        if _is_missing(error, file):
            package = (error.module or "").partition(".")[0]
            told = f"the module {error.module!r} is not installed here, so the DAGs of this file were not checked"
            hint = _distribution(error.module or package)
            return (
                f"{told}; install {hint}, or if it is the project's own, name its folder in pythonpath in "
                "[tool.dagproof], or check the source only, with --no-import",
                self._missing_fails(),
            )
        if error.type == "SyntaxError":
            is_newer = any(
                sys.version_info < version and pattern.search(error.text or "") for version, pattern in NEWER
            )
            return f"the file does not import: {error.message}{_of_another_python(error)}", not is_newer
        if error.type == "SystemExit":
            return f"the file ends the process that imports it (SystemExit: {error.message})", True
        message = f"the file does not import: {error.type}: {error.message}".rstrip(": ").splitlines()[0]
        if file.made_up and error.type != "ImportError":
            what = " and ".join(file.made_up[:3])
            return f"{message}; perhaps because {what} has no value here: give it one in [tool.dagproof.world]", False
        return message, True

    def _missing_fails(self) -> bool:
        return bool(self.option("missing-modules") == "fail")


def _of_this_environment(error: LoadError, file: LoadedFile) -> str | None:
    """What is wrong with where the check runs, rather than with the file."""
    here = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    if name := OF_MODULE.search(error.message):
        module = name["module"].partition(".")[0]
        if error.type == "ImportError" and module in sys.stdlib_module_names:
            return (
                f"{here}, which this check runs with, has no {name['module']}.{name['name']}; a later Python may have "
                "it: check with the Python that Airflow runs with, or check the source only, with --no-import"
            )
    if name := OF_DECORATOR.search(error.message):
        known = DECORATORS.get(name["name"])
        package = f"apache-airflow-providers-{known}" if known else "the one that provides it"
        return (
            f"@task.{name['name']} is not available, because its provider is not installed here; install {package}, or "
            "check the source only, with --no-import"
        )
    # of a package that was found, a module that is missing is missing everywhere
    if error.module and "." not in error.module and is_own(Path(file.path).resolve(), error.module):
        return (
            f"the module {error.module!r} is this project's own, but none of the folders that imports start from here "
            "holds it, so the DAGs of this file were not checked; name that folder in [tool.dagproof] pythonpath, or "
            "check the source only, with --no-import"
        )
    return None


def _is_missing(error: LoadError, file: LoadedFile) -> bool:
    """Whether a module is somebody else's, and not installed: neither Airflow's own nor the project's."""
    if not error.module:
        return False
    first, _, rest = error.module.partition(".")
    if first == "airflow":
        return rest.startswith("providers.")
    if first in sys.stdlib_module_names:
        return False
    own = {part for path in (file.path, *file.imported) for part in path.replace(".py", "").split("/")}
    return first not in own


def _distribution(module: str) -> str:
    parts = module.split(".")
    if parts[:2] == ["airflow", "providers"] and len(parts) > 2:
        return "apache-airflow-providers-" + "-".join(parts[2 : 4 if parts[2] in ("apache", "common") else 3])
    return "it"


def _of_another_python(error: LoadError) -> str:
    """Say whose syntax it is, where that shows."""
    here = f"this is Python {sys.version_info.major}.{sys.version_info.minor}"
    text = error.text or ""
    if OF_PYTHON_2.search(text) or "Missing parentheses in call to" in error.message:
        return f" (it is the syntax of Python 2; {here})"
    for version, pattern in NEWER:
        if sys.version_info < version and pattern.search(text):
            return f" (perhaps it is the syntax of Python {version[0]}.{version[1]} or later; {here})"
    if "multiple exception types must be parenthesized" in error.message:
        return f" (it is the syntax of Python 2; {here})"
    return f" ({here})"
