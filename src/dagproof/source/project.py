"""The modules of a project: found by name, parsed once, and looked at no further than asked for."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dagproof.source import roots as rooting
from dagproof.source.indexing import index
from dagproof.source.notebooks import SUFFIX, python_of
from dagproof.source.reading import UnreadableError, decode, parse, read_text, without_collecting
from dagproof.source.ruffing import Remark, remarks
from dagproof.source.scopes import Scope
from dagproof.source.target import Version, target


class Module:
    """One Python file. Its tree and scopes are made when first asked for."""

    def __init__(self, project: Project, path: Path, shown: str, number: int) -> None:
        self.project = project
        self.path = path
        self.shown = shown
        """How the path is told to a person."""
        self.qualname = f"<{number}>"
        self.lambdas: dict[ast.Lambda, Scope] = {}
        self._text: str | None = None
        self._tree: ast.Module | None = None
        self._scope: Scope | None = None
        self.is_script = False
        """Whether it runs by itself, from its first line to its last, as nothing that Airflow imports does."""
        self.failure: str | None = None
        """Why it can't be read, where somebody tried."""

    @property
    def text(self) -> str:
        """Its source text.

        Raises:
            UnreadableError: it can't be read.
        """
        if self._text is None:
            with self._remembering():
                held = self.project.archived.get(self.path)
                text = read_text(self.path) if held is None else decode(held)
                self._text = python_of(text) if self.path.suffix == SUFFIX else text
        return self._text

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree.

        Raises:
            UnreadableError: it can't be read or parsed.
        """
        if self._tree is None:
            text = self.text
            with self._remembering():
                self._tree = parse(text)
        return self._tree

    @property
    def scope(self) -> Scope:
        """Its scopes.

        Raises:
            UnreadableError: it can't be read or parsed.
        """
        if self._scope is None:
            tree = self.tree
            with self._remembering(), without_collecting():
                try:
                    self._scope = index(tree, self)
                except RecursionError as error:
                    raise UnreadableError("its expressions are nested too deeply to be looked at") from error
        return self._scope

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        if self.failure:
            raise UnreadableError(self.failure)
        try:
            yield
        except UnreadableError as error:
            self.failure = str(error)
            raise

    @property
    def lines(self) -> list[str]:
        """Its text, line by line as Python counts them."""
        return self.text.split("\n")

    def register(self, scope: Scope) -> None:
        """Let the project find a definition by its full name."""
        self.project.definitions[scope.qualname] = scope

    def absolute(self, name: str | None, level: int) -> str:
        """Return the full name of what ``from … import`` names; a relative one begins with its folder's mark."""
        if not level:
            return name or ""
        folder = self.path.parent
        for _ in range(level - 1):
            folder = folder.parent
        return f"{self.project.mark(folder)}.{name}" if name else self.project.mark(folder)


class Project:
    """All modules that are looked at together.

    Args:
        roots: The folders that imports start from.
        base: The folder that shown paths are relative to.
        airflow: The version of Airflow that they are meant for; by default the installed one.
        archived: The content of files that are in archives, which are taken for folders.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        base: Path,
        airflow: Version | None = None,
        archived: Mapping[Path, bytes] | None = None,
    ) -> None:
        self.archived = archived or {}
        self.roots = [root.resolve() for root in roots]
        self.base = base.resolve()
        self.airflow = airflow or target()
        self.files: list[Path] = []
        """All files that will be looked at, for what is best asked about all of them at once."""
        self.definitions: dict[str, Scope] = {}
        self.asked: dict[Path, dict[tuple[str, Path | None], Path | None]] = {}
        """What each file's names were looked for as, and which file each led into."""
        self._modules: dict[Path, Module] = {}
        self._numbered: list[Module] = []
        self._folders: list[Path] = []
        self._found: dict[tuple[Path, str], Path | None] = {}
        self._entries: dict[Path, set[str]] = {}
        self._remarks: dict[Path, list[Remark]] | None = None
        self._guessed: dict[tuple[Path, str], tuple[Path, list[str]] | None] = {}
        self._used: dict[str, Path | None] = {}
        rooting.forget()

    def remarks(self, module: Module) -> list[Remark]:
        """Return what ruff says of a module; nothing where ruff is not installed."""
        if self._remarks is None:
            files = {path.resolve() for path in self.files} | {module.path}
            self._remarks = (
                remarks(sorted(path for path in files if "airflow" in text_of_module(self.module(path)))) or {}
            )
        return self._remarks.get(module.path, [])

    def module(self, path: Path) -> Module:
        """Return the module of a file."""
        if path not in self._modules:
            real = path.resolve()
            if real not in self._modules:
                self._modules[real] = Module(self, real, self.show(real), len(self._numbered))
                self._numbered.append(self._modules[real])
            self._modules[path] = self._modules[real]
        return self._modules[path]

    def variant(self, module: Module, text: str) -> Module:
        """Return a module of the same file with another text, line by line the same."""
        made = Module(self, module.path, module.shown, len(self._numbered))
        made._text = text
        self._numbered.append(made)
        return made

    def show(self, path: Path) -> str:
        """Return a path as people see it: relative to the base where it is below it."""
        return path.relative_to(self.base).as_posix() if path.is_relative_to(self.base) else path.as_posix()

    def mark(self, folder: Path) -> str:
        """Return a name that stands for a folder, as the package that a relative import starts from."""
        if folder not in self._folders:
            self._folders.append(folder)
        return f"<folder {self._folders.index(folder)}>"

    def numbered(self, qualname: str) -> Module:
        """Return the module whose full name is ``<number>``."""
        return self._numbered[int(qualname[1:-1])]

    def find(self, name: str, importer: Module) -> tuple[Module, list[str]] | None:
        """Return the project's module that a full name leads into, and the parts of the name that are left."""
        first, _, rest = name.partition(".")
        if first in rooting.FOREIGN:
            return None
        package = self._folders[int(first[8:-1])] if first.startswith("<folder ") else None
        found = self.locate(rest if package else name, importer.path, package)
        self.asked.setdefault(importer.path, {})[rest if package else name, package] = found and found[0]
        return (self.module(found[0]), found[1]) if found else None

    def locate(self, name: str, importer: Path, package: Path | None) -> tuple[Path, list[str]] | None:
        """Return the file that a full name leads into, and the rest of the name; `package` is where it must be."""
        parts = name.split(".") if name else []
        if package:
            found = self._in_folder(package, parts)
            init = package / "__init__.py"
            return found or ((init, parts) if init.is_file() else None)
        for root in self.roots:
            found = self._in_folder(root, parts)
            if found and found[0] != importer:  # an absolute import of a file's own name means a package
                return found
        key = (importer, name)
        if key not in self._guessed:
            self._guessed[key] = self._guess(importer, parts) if parts and parts[0] else None
        return self._guessed[key]

    def _guess(self, importer: Path, parts: list[str]) -> tuple[Path, list[str]] | None:
        """Return the file that a name leads into from a folder that is likely to be on Python's path."""
        for root in rooting.places(importer, parts[0]):
            found = self._in_folder(root, parts)
            if found and found[0] != importer:
                self._used[self._relative(root)] = root
                return found
        for root in rooting.mounts(importer, parts[0]) if len(parts) > 1 else ():
            found = self._in_folder(root, parts[1:])
            if found and found[0] != importer and self._gives(*found):
                self._used[f"{self._relative(root)} (as {parts[0]})"] = None  # no path gives a folder another name
                return found
        return None

    def _gives(self, path: Path, rest: list[str]) -> bool:
        """Whether a file speaks of what is imported from it."""
        try:
            return len(rest) <= 1 and all(part in self.module(path).text for part in rest)
        except UnreadableError:
            return False

    def _relative(self, folder: Path) -> str:
        """Return a folder as people would name it from where they stand."""
        return os.path.relpath(folder, self.base).replace(os.sep, "/")

    def shown_roots(self) -> tuple[str, ...]:
        """Return the folders that imports were followed from, beside those that were given."""
        return tuple(sorted(self._used))

    def safe_roots(self) -> list[Path]:
        """Return those of these folders that hide nothing of Python's own when they are on its path."""
        return [root for root in self._used.values() if root is not None and not rooting.hides(root)]

    def is_own(self, name: str, importer: Module) -> bool:
        """Say whether a full name begins with what the project itself has."""
        first = name.partition(".")[0]
        return first.startswith("<folder ") or rooting.is_own(importer.path, first)

    def written(self, name: str) -> str:
        """Return a full name as people write it: a relative one with its dot."""
        first, _, rest = name.partition(".")
        return f".{rest}" if first.startswith("<folder ") else name

    def reached(self, path: Path) -> list[Path]:
        """Return a file and all that names in it lead to, the file first."""
        found, waiting = {path: None}, [path]
        while waiting:
            for led in self.asked.get(waiting.pop(), {}).values():
                if led is not None and led not in found:
                    found[led] = None
                    waiting.append(led)
        return list(found)

    def _in_folder(self, folder: Path, parts: list[str]) -> tuple[Path, list[str]] | None:
        if not parts or not self._may_hold(folder, parts[0]):
            return None
        for count in range(len(parts), 0, -1):
            path = self._file(folder, ".".join(parts[:count]))
            if path is not None:
                return path, parts[count:]
        return None

    def _may_hold(self, folder: Path, first: str) -> bool:
        """Whether a folder has anything with the name that an import begins with; most have nothing."""
        if folder not in self._entries:
            with suppress(OSError):
                self._entries[folder] = {name.removesuffix(".py") for name in os.listdir(folder)}
            known = self._entries.setdefault(folder, set())
            known.update(path.stem for path in self.archived if path.parent == folder)
        return first in self._entries[folder]

    def _file(self, folder: Path, name: str) -> Path | None:
        key = (folder, name)
        if key not in self._found:
            stem = folder.joinpath(*name.split("."))
            candidates = (stem / "__init__.py", stem.with_name(f"{stem.name}.py"))  # as Python: a package wins
            self._found[key] = next((path for path in candidates if path in self.archived or path.is_file()), None)
        return self._found[key]


def text_of_module(module: Module) -> str:
    """Return the text of a module; nothing where it can't be read (which is reported for itself)."""
    try:
        return module.text
    except UnreadableError:
        return ""


def readable_scope(module: Module) -> Scope | None:
    """Return the scopes of a module; None where it can't be read (which is reported for itself)."""
    try:
        return module.scope
    except UnreadableError:
        return None


def enclosing(scope: Scope | None) -> Iterator[Scope]:
    """Yield a scope and all around it, the innermost first."""
    while scope:
        yield scope
        scope = scope.parent
