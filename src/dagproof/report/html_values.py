"""Values of tables in the HTML report: NULL is not a text, and what cannot be seen is shown."""

from __future__ import annotations

from itertools import groupby

from markupsafe import Markup, escape

#: So many characters of a value are shown at once, so many more on demand, and so many that are the same on both sides.
SHORT, LONG, SAME = 160, 2_000, 40


def shown(value: str | None, start: int = 0) -> Markup:
    """Return a value as HTML, from the character `start` on; None is NULL.

    A text that reads like NULL or like a quoted text is put in quotes, so that each value reads in its own way.
    """
    if value is None:
        return Markup('<span class="null">NULL</span>')
    if value == "":
        return Markup("<span class=\"null\">''</span>")
    if value == "NULL" or (value[0] == value[-1] == "'"):
        value = f"'{value}'"
    text = value[start:]
    before = Markup('<span class="cut">({:,} characters the same) …</span>').format(start) if start else Markup()
    if len(text) <= SHORT:
        return before + _text(text)
    rest = Markup('<span class="cut">… {:,} more characters</span>').format(len(text) - LONG)
    return before + Markup(
        '<details><summary>{}<span class="cut">… {:,} characters</span></summary>{}{}</details>'
    ).format(_text(text[:SHORT]), len(text), _text(text[:LONG]), rest if len(text) > LONG else "")


def shown_pair(before: str | None, after: str | None) -> tuple[Markup, Markup]:
    """Return two values as HTML; long ones begin shortly before their first difference."""
    start = 0
    if before and after and max(len(before), len(after)) > SHORT:
        pairs = enumerate(zip(before, after, strict=False))
        first = next((i for i, (old, new) in pairs if old != new), min(len(before), len(after)))
        start = first - SAME if first > 2 * SAME else 0
    return shown(before, start), shown(after, start)


def visible(text: str) -> Markup:
    """Return a text as HTML in which characters that cannot be seen, and outer blanks, stand as escapes."""
    if text.isprintable() and text.strip(" ") == text:
        return escape(text)
    inner = text.strip(" ")
    left, right = len(text) - len(text.lstrip(" ")), len(text) - len(text.rstrip(" "))
    parts = [_code("·" * left)] if left else []
    for printable, characters in groupby(inner, str.isprintable):
        run = "".join(characters)
        parts.append(escape(run) if printable else _code(run.encode("unicode_escape").decode()))
    if right and inner:
        parts.append(_code("·" * right))
    return Markup().join(parts)


def _text(text: str) -> Markup:
    return Markup("<bdi>{}</bdi>").format(visible(text))  # a text from right to left leaves its neighbours in place


def _code(text: str) -> Markup:
    return Markup('<span class="code">{}</span>').format(text)
