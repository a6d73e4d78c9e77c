"""Modules without bytecode are compiled once for all runs, and anew when they have changed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from dagproof.inside import bytecode


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a worker, which writes no bytecode."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.setattr(bytecode, "_kept", {})
    monkeypatch.setattr(SourceFileLoader, "source_to_code", SourceFileLoader.source_to_code)  # what is put back
    bytecode.install()
    yield
    bytecode.begin()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A module of the user's."""
    path = tmp_path / "load.py"
    path.write_text("WORD = 'old'\n")
    return path


def word(file: Path) -> object:
    """Import the module as a run does; return what it says."""
    bytecode.begin()
    spec = spec_from_file_location("load", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WORD


def test_a_module_is_compiled_once(file: Path) -> None:
    """The first run says what it had to compile; the next one has nothing to compile."""
    assert word(file) == "old"
    assert bytecode.compiled() == (str(file),)
    bytecode.keep(bytecode.compiled())
    assert word(file) == "old"
    assert bytecode.compiled() == ()


def test_a_module_that_has_changed_is_compiled_anew(file: Path) -> None:
    """Also in the same second, and to the same length."""
    bytecode.keep([str(file)])
    file.write_text("WORD = 'new'\n")
    assert word(file) == "new"
    assert bytecode.compiled() == (str(file),)


def test_a_module_that_cannot_be_compiled_fails_where_it_is_imported(file: Path) -> None:
    """And not where it is kept for later."""
    file.write_text("WORD = \n")
    bytecode.keep([str(file), str(file.with_name("gone.py"))])
    with pytest.raises(SyntaxError):
        word(file)
