"""Verdicts as one HTML page that needs nothing else: no network, no other file, no script to be read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dagproof.histories.steps import count
from dagproof.laws import law_named
from dagproof.output.files import check_target, write_file
from dagproof.proof.verdicts import Proof
from dagproof.report import html_views
from dagproof.report.html_values import visible
from dagproof.report.text import failure_text
from dagproof.runs.scope import sentences

WHAT = "report"
MARK = b"<title>dagproof: "


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


def write_html(path: Path, proofs: Sequence[Proof], untold: Sequence[str] = (), *, force: bool = False) -> None:
    """Write the page about some proofs to `path`, all of it or nothing.

    Raises:
        UsageError: it cannot be written there, or what is there is no report (unless `force`).
    """
    write_file(path, html_report(proofs, untold).encode(), WHAT, is_ours=_is_report, force=force)


def check_writable(path: Path, *, force: bool = False) -> None:
    """Refuse a file that could not be written at the end of a proof.

    Raises:
        UsageError: its folder is not there or closed to us, or what is there is no report (unless `force`).
    """
    check_target(path, WHAT, is_ours=_is_report, force=force)


def _is_report(head: bytes) -> bool:
    return MARK in head


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
