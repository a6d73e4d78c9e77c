"""Verdicts as one HTML page that needs nothing else: no network, no other file, no script to be read."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dagproof.errors import UsageError
from dagproof.histories.steps import count
from dagproof.laws import law_named
from dagproof.proof.verdicts import Proof
from dagproof.report import html_views
from dagproof.report.html_values import visible
from dagproof.report.text import failure_text
from dagproof.runs.scope import sentences


def html_report(proofs: Sequence[Proof], untold: Sequence[str] = ()) -> str:
    """Return the page about some proofs, the same for the same proofs; `untold` says what there is no verdict about."""
    environment = _environment()
    style, script = (_source(name) for name in ("style.css", "script.js"))
    page = environment.get_template("page.html").render(
        proofs=proofs,
        untold=untold,
        style=Markup(style),  # noqa: S704 - our own files
        script=Markup(script),  # noqa: S704
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    return page.encode("utf-8", "backslashreplace").decode()  # the name of a file can be no text


def write_html(path: Path, proofs: Sequence[Proof], untold: Sequence[str] = ()) -> None:
    """Write the page about some proofs to `path`, all of it or nothing.

    Raises:
        UsageError: it cannot be written there.
    """
    part = path.with_name(f".dagproof-{os.getpid()}.part")
    try:
        part.write_text(html_report(proofs, untold), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise UsageError(f"the report cannot be written to {path} ({error.strerror}); name another file") from None
    finally:
        part.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Refuse a file that could not be written at the end of a proof.

    Raises:
        UsageError: its folder is not there or closed to us, or it is a folder itself.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file for the report, such as {path / 'proof.html'}")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} for the report {path.name}; make it, or name another file")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"nothing can be written to {path.parent}; name another file for the report {path.name}")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dagproof.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        views=html_views, count=count, law_named=law_named, failure_text=failure_text, visible=visible
    )
    environment.globals["sentences"] = sentences
    return environment


def _source(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _hash(text: str) -> str:
    """Return what a content security policy calls this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
