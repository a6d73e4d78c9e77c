"""Derive what the providers of Airflow don't have any more from their own release wheels.

    python constraints/removed_provider_names.py [--wheels DIR] [PROVIDER…]

Downloads the first and last release of each major version with pip (kept in DIR), compares their public classes,
functions and modules, and finds the release in which each one went by bisection. What to use in its place is what the
last release that had the name says in its deprecation. Writes src/dagproof/source/provider_names.json; with PROVIDER,
only their part of it is written anew.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

TABLE = Path(__file__).parent.parent / "src" / "dagproof" / "source" / "provider_names.json"
PROVIDERS = """
airbyte amazon apache-druid apache-hdfs apache-hive apache-kafka apache-livy apache-spark celery cncf-kubernetes
common-sql databricks dbt-cloud discord docker elasticsearch exasol ftp google http imap jdbc microsoft-azure
microsoft-mssql mongo mysql odbc opsgenie oracle pagerduty postgres redis salesforce sendgrid sftp slack smtp snowflake
sqlite ssh standard tableau telegram trino vertica
"""
OLDEST = (1, 0, 0)
NAME = re.compile(r"airflow(?:\.\w+)+")
DEPRECATED = re.compile(r"deprecat|removed|renamed|moved", re.IGNORECASE)
SKIPPED = re.compile(r"(?:^|\.)(?:example_dags|tests|get_provider_info|go_module_utils)(?:\.|$)")


class Release(NamedTuple):
    """One release of a provider."""

    version: str
    month: str
    modules: dict[str, ast.Module]


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("providers", nargs="*", metavar="PROVIDER")
    parser.add_argument("--wheels", type=Path, default=Path(".wheels"), metavar="DIR", help="where wheels are kept")
    options = parser.parse_args()
    options.wheels.mkdir(parents=True, exist_ok=True)
    table = json.loads(TABLE.read_text(encoding="utf-8")) if options.providers and TABLE.exists() else {}
    for provider in options.providers or PROVIDERS.split():
        one = Provider(provider, options.wheels)
        gone = one.settled(one.gone())
        if gone:
            table[provider] = gone
        count = sum(len(one["names"]) for one in gone.values())
        print(f"{provider}: {count} names are gone", flush=True)  # noqa: T201 - the script's output
    followed(table)
    text = json.dumps(dict(sorted(table.items())), indent=1, sort_keys=True)
    TABLE.write_text(text + "\n", encoding="utf-8")


class Provider:
    """One provider, with as many of its releases as it takes."""

    def __init__(self, name: str, wheels: Path) -> None:
        self.package = f"apache-airflow-providers-{name}"
        self.prefix = "airflow.providers." + name.replace("-", ".")
        self.wheels = wheels
        self.versions = self._versions()
        self.release = cache(self._release)

    def gone(self) -> dict[str, dict[str, Any]]:
        """Return what went, by the version that lacks it first: its month, and names with what replaces them."""
        found: dict[str, dict[str, str]] = {}
        newest = set(names(self.release(len(self.versions) - 1)))
        looked = self._ends_of_majors()
        for before, after in pairwise(looked):
            for name, (last, first) in self._went(before, after, newest).items():
                entry = found.setdefault(self.versions[first], {})
                entry[name.removeprefix(f"{self.prefix}.")] = instead(self.release(last), name)
        months = {version: self.release(self.versions.index(version)).month for version in found}
        return {version: {"month": months[version], "names": _compact(entry)} for version, entry in found.items()}

    def settled(self, gone: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return what went, with replacements that the newest release really has: some went themselves, later."""
        newest = self.release(len(self.versions) - 1)
        there = set(names(newest))
        importable = set(bound(newest))
        told = {f"{self.prefix}.{name}": new for one in gone.values() for name, new in one["names"].items()}
        for one in gone.values():
            for name, new in list(one["names"].items()):
                seen = {name}
                while new not in there and new in told and new not in seen:
                    seen.add(new)
                    new = told[new]
                if new.startswith(f"{self.prefix}.") and new not in there:
                    member = new.rpartition(".")[2]
                    new = next(_home(newest, member, ""), "") if member[:1].isupper() else ""
                one["names"][name] = new
            one["names"] = {
                name: new
                for name, new in one["names"].items()
                if not name.startswith("airflow.") and f"{self.prefix}.{name}" not in importable
            }
        return {version: one for version, one in gone.items() if one["names"]}

    def _went(self, before: int, after: int, newest: set[str]) -> dict[str, tuple[int, int]]:
        lost = set(names(self.release(before))) - set(names(self.release(after))) - newest
        if not lost:
            return {}
        if after - before == 1:
            return dict.fromkeys(lost, (before, after))
        middle = (before + after) // 2
        return {**self._went(before, middle, newest), **self._went(middle, after, newest)}

    def _ends_of_majors(self) -> list[int]:
        majors: dict[int, list[int]] = {}
        for number, version in enumerate(self.versions):
            majors.setdefault(parts(version)[0], []).append(number)
        return sorted({end for group in majors.values() for end in (group[0], group[-1])})

    def _versions(self) -> list[str]:
        told = _pip("index", "versions", self.package)
        line = next(line for line in told.splitlines() if line.startswith("Available versions:"))
        every = [version.strip() for version in line.partition(":")[2].split(",")]
        plain = [version for version in every if re.fullmatch(r"\d+\.\d+\.\d+", version) and parts(version) >= OLDEST]
        return sorted(plain, key=parts)

    def _release(self, number: int) -> Release:
        version = self.versions[number]
        stem = self.package.replace("-", "_")
        wheel = next(iter(self.wheels.glob(f"{stem}-{version}-*.whl")), None)
        if wheel is None:
            options = ["--no-deps", "--only-binary", ":all:", "--python-version", "3.10", "--ignore-requires-python"]
            _pip("download", "--quiet", *options, "-d", str(self.wheels), f"{self.package}=={version}")
            wheel = next(self.wheels.glob(f"{stem}-{version}-*.whl"))
        return read_release(wheel, version)


def read_release(wheel: Path, version: str) -> Release:
    """Return what a wheel holds."""
    modules = {}
    with zipfile.ZipFile(wheel) as archive:
        # wheels of providers are built so that all files in them have the date of the release
        year, month = max(one.date_time[:2] for one in archive.infolist())
        for file in archive.namelist():
            name = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            if file.startswith("airflow/providers/") and file.endswith(".py") and not SKIPPED.search(name):
                modules[name] = ast.parse(archive.read(file))
    return Release(version, f"{year}-{month:02}", modules)


def names(release: Release) -> Iterator[str]:
    """Yield the modules of a release, and what is public in them."""
    for module, tree in release.modules.items():
        if not any(part.startswith("_") for part in module.split(".")):
            yield module
            yield from (f"{module}.{name}" for name in public(release, module, tree))


def public(release: Release, module: str, tree: ast.Module, depth: int = 5) -> Iterator[str]:
    """Yield the classes and functions of a module; where it only hands on what went elsewhere, that too."""
    top = _top(tree)
    made = [node.name for node in top if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    yield from (name for name in made if not name.startswith("_"))
    imports = [node for node in top if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("airflow.")]
    for node in imports:
        other = release.modules.get(node.module or "")
        for alias in node.names:
            if alias.name == "*" and other and depth:
                yield from public(release, node.module or "", other, depth - 1)
            elif not made and alias.name[:1].isupper() and any(_warnings(tree.body)):
                yield alias.asname or alias.name


def bound(release: Release) -> Iterator[str]:
    """Yield all that can be imported from the modules of a release, what these import themselves among it."""
    for module, tree in release.modules.items():
        for node in _top(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from (f"{module}.{alias.asname or alias.name}" for alias in node.names)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                yield from (f"{module}.{target.id}" for target in targets if isinstance(target, ast.Name))


def followed(table: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Let what moved to another provider lead to where that has it now."""
    told = {
        f"airflow.providers.{provider.replace('-', '.')}.{name}": new
        for provider, releases in table.items()
        for release in releases.values()
        for name, new in release["names"].items()
    }
    for releases in table.values():
        for release in releases.values():
            for name, new in release["names"].items():
                for _ in range(5):
                    new = told.get(new, new)
                release["names"][name] = "" if new in told else new


@lru_cache(maxsize=2_000)
def _top(tree: ast.Module) -> list[ast.AST]:
    """The statements at the top level of a module, those in its conditions among them, but of type checks."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        found.append(node)
        if isinstance(node, ast.If | ast.Try) and "TYPE_CHECKING" not in ast.dump(getattr(node, "test", ast.Pass())):
            handlers = [part for handler in getattr(node, "handlers", []) for part in handler.body]
            waiting += [*node.body, *node.orelse, *handlers]
    return found


def instead(release: Release, name: str) -> str:
    """Return what a release says to use in the place of a name; nothing where it doesn't."""
    if name in release.modules:
        told = list(_warnings(release.modules[name].body))
        return next(_named(told, name), "") or _star(release.modules[name])
    module, _, member = name.rpartition(".")
    tree = release.modules.get(module)
    made = [node for node in _top(tree) if getattr(node, "name", "") == member] if tree else []
    for node in made:
        assert isinstance(node, ast.ClassDef | ast.FunctionDef)
        told = [text for decorator in node.decorator_list for text in _texts(decorator)]
        if not any("deprecat" in ast.dump(decorator).lower() for decorator in node.decorator_list):
            told = []
        body = [part for one in node.body for part in (one.body if getattr(one, "name", "") == "__init__" else [one])]
        told += [*_warnings(body), *_docstring(node)]
        if found := next(_named(told, name), ""):
            return found
        for decorator in node.decorator_list:
            for keyword in getattr(decorator, "keywords", []):
                if keyword.arg == "use_instead" and isinstance(keyword.value, ast.Constant):
                    return _qualified(release, str(keyword.value.value), module)
        for text in told:
            if found := _plain(release, text, member, module):
                return found
    return ""


def _qualified(release: Release, name: str, module: str) -> str:
    return name if "." in name or " " in name else next(_home(release, name, module), name)


def _home(release: Release, name: str, module: str) -> Iterator[str]:
    """Yield where a class is defined, first in the same module."""
    for home in (module, *release.modules):
        if home in release.modules and any(getattr(node, "name", "") == name for node in _top(release.modules[home])):
            yield f"{home}.{name}"


def _plain(release: Release, text: str, member: str, module: str) -> str:
    """Return a class of the same release that a text names without its module."""
    for word in re.findall(r"\b[A-Z]\w+(?:Operator|Hook|Sensor|Trigger|Async)\b", text):
        if word != member and (found := next(_home(release, word, module), "")):
            return found
    return ""


def _named(told: list[str], name: str) -> Iterator[str]:
    for text in told:
        for found in NAME.findall(text):
            if found != name and not found.startswith("airflow.exceptions") and "." in found.removeprefix("airflow."):
                yield found


def _star(tree: ast.Module) -> str:
    """Return the module that a module has all of its content from."""
    stars = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    return stars[0] if len(stars) == 1 else ""


def _warnings(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.Expr | ast.If | ast.With):
            for node in ast.walk(statement):
                called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
                if isinstance(node, ast.Call) and called in ("warnings.warn", "warn"):
                    yield from (text for argument in node.args for text in _texts(argument))


def _docstring(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    text = ast.get_docstring(node) or ""
    return [part for part in text.split("\n\n") if DEPRECATED.search(part)]


def _texts(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield " ".join(part.value.split())


def _compact(given: dict[str, str]) -> dict[str, str]:
    """Leave out what a module that went tells of its content anyway."""
    kept = {}
    for name, new in sorted(given.items()):
        parent = name.rpartition(".")[0]
        around = given.get(parent)
        last = name.rpartition(".")[2]
        if around is None or (new and new != f"{around}.{last}"):
            kept[name] = new
    return kept


def parts(version: str) -> tuple[int, ...]:
    """Return a version as numbers."""
    return tuple(map(int, version.split(".")))


def _pip(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"pip {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
