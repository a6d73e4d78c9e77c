"""Write source of a newer Python so that the Python at hand can parse it, each piece in its line.

A file in the syntax of Python 3.12 or 3.14 is no broken file. Type parameters are left out (``def f[T](x)``), an
f-string that holds its own quotes becomes a sum, ``t"…"`` becomes ``f"…"``, and ``except A, B:`` gets its parentheses.
What the code does is the same, as far as rules look at it.
"""

from __future__ import annotations

import re

_TYPE_ALIAS = re.compile(r"^(?P<indent>[ \t]*)type(?P<name>[ \t]+\w+)(?P<rest>[ \t]*[\[=])", re.MULTILINE)
_GENERIC = re.compile(r"\b(?:def|class)[ \t]+\w+[ \t]*(?=\[)|^[ \t]*type[ \t]+\w+[ \t]*(?=\[)", re.MULTILINE)
_EXCEPT = re.compile(
    r"^(?P<before>[ \t]*except\*?[ \t]+)(?P<kinds>[\w.]+(?:[ \t]*,[ \t]*(?:\w+\.)*[A-Z]\w*)+)(?P<after>[ \t]*:)",
    re.MULTILINE,
)
_PREFIX = re.compile(r"(?<![\w'\"])(?P<prefix>[a-zA-Z]{0,2})(?P<quote>\"\"\"|'''|\"|')")
MARK, COMMENT = "\0", "\1"
"""What stands for a string, and for a comment, with its number between two of them."""
_MARK = re.compile(r"[\x00\x01](\d+)[\x00\x01]")
_NEIGHBOURS = re.compile(r"\x00(?P<first>\d+)\x00(?P<between>(?:\s|\x01\d+\x01)*)(?=\x00(?P<second>\d+)\x00)")


def older(text: str) -> str:
    """Return the same program without what only a newer Python parses."""
    if MARK in text or COMMENT in text:
        return text
    masked, strings = _without_strings(text)
    masked = _added(_without_types(masked), strings)
    masked = _EXCEPT.sub(lambda found: f"{found['before']}({found['kinds']}){found['after']}", masked)
    masked = _TYPE_ALIAS.sub(lambda found: f"{found['indent']}{found['name'].strip()}{found['rest']}", masked)
    return _MARK.sub(lambda found: strings[int(found[1])], masked)


def _added(masked: str, strings: list[str]) -> str:
    """Put a plus between neighbours of which one is no string any more."""
    out: list[str] = []
    depth = last = 0
    for found in _NEIGHBOURS.finditer(masked):
        before = masked[last : found.start()]
        depth += sum(map(before.count, "([{")) - sum(map(before.count, ")]}"))
        is_sum = any(strings[int(number)].startswith("(") for number in (found["first"], found["second"]))
        plus = " +" if is_sum and (depth > 0 or "\n" not in found["between"]) else ""
        out += [before, MARK, found["first"], MARK, plus, found["between"]]
        last = found.end()
    return "".join([*out, masked[last:]])


def _without_types(text: str) -> str:
    """Leave out type parameters; their line ends stay."""
    found = _GENERIC.search(text)
    while found:
        start = found.end()
        end = _closing(text, start)
        text = text[:start] + "\n".join([""] * (text.count("\n", start, end) + 1)).replace("\n", "\\\n") + text[end:]
        found = _GENERIC.search(text, start)
    return text


def _closing(text: str, start: int) -> int:
    """Where the bracket at `start` ends."""
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] in "([{") - (text[position] in ")]}")
        if not depth:
            return position + 1
    return len(text)


def _without_strings(text: str) -> tuple[str, list[str]]:
    """Put marks into the places of strings and comments; return these, as older Pythons write them."""
    out: list[str] = []
    strings: list[str] = []
    position = 0
    while position < len(text):
        if text[position] == "#":
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            mark, piece = COMMENT, text[position:end]
        elif found := _PREFIX.match(text, position):
            end = _string_end(text, found)
            mark, piece = MARK, _string(text[position:end], found["prefix"], found["quote"])
        else:
            out.append(text[position])
            position += 1
            continue
        out.append(f"{mark}{len(strings)}{mark}")
        strings.append(piece)
        position = end
    return "".join(out), strings


def _string_end(text: str, found: re.Match[str]) -> int:
    """Where a string ends, one with other strings in its braces among them."""
    quote, is_formatted = found["quote"], bool(set(found["prefix"].lower()) & set("ft"))
    position = found.end()
    while position < len(text):
        if text.startswith(quote, position):
            return position + len(quote)
        if text[position] == "\\" or (is_formatted and text.startswith("{{", position)):
            position += 2
        elif is_formatted and text[position] == "{":
            position = _field_end(text, position + 1)
        else:
            position += 1
    return len(text)


def _field_end(text: str, position: int) -> int:
    """Where a replacement field ends: after the brace that closes it."""
    depth = 1
    while position < len(text):
        if found := _PREFIX.match(text, position):
            position = _string_end(text, found)
            continue
        depth += (text[position] in "([{") - (text[position] in ")]}")
        position += 1
        if not depth:
            return position
    return len(text)


def _string(text: str, prefix: str, quote: str) -> str:
    """Return an f-string in which no field holds its quotes, a backslash or a comment; another string is as it was."""
    if not set(prefix.lower()) & set("ft"):
        return text
    plain = prefix.lower().replace("t", "f")
    pieces = list(_pieces(text[len(prefix) + len(quote) : -len(quote)]))
    fields = [piece for is_field, piece in pieces if is_field]
    if not any(quote[0] in field or "\\" in field or "\n" in field or "#" in field for field in fields):
        return plain + text[len(prefix) :]
    # as a sum of plain strings and values: their meaning is the same to whoever reads them without running them
    parts = []
    for is_field, piece in pieces:
        if is_field:
            parts.append(f"str({older(_value(piece))})")
        elif piece:
            raw = "r" if "r" in plain else ""
            body = piece.replace("{{", "{").replace("}}", "}")
            parts.append(f"{raw}{quote}{body}{quote}")
    return f"({' + '.join(parts)})" if parts else '""'


def _pieces(body: str) -> list[tuple[bool, str]]:
    """Split the content of an f-string into its fields and what is between them."""
    found: list[tuple[bool, str]] = []
    start = position = 0
    while position < len(body):
        if body.startswith(("{{", "\\{", "\\\\"), position) and not body.startswith("\\{", position):
            position += 2
        elif body[position] == "{":
            end = _field_end(body, position + 1)
            found += [(False, body[start:position]), (True, body[position + 1 : end - 1])]
            start = position = end
        else:
            position += 1
    return [*found, (False, body[start:])]


def _value(field: str) -> str:
    """Return the expression of a field, without its format."""
    depth = position = 0
    while position < len(field):
        if found := _PREFIX.match(field, position):
            position = _string_end(field, found)
            continue
        char = field[position]
        depth += (char in "([{") - (char in ")]}")
        conversion = char == "!" and field[position + 1 : position + 2] != "="
        if not depth and (char == ":" or conversion):
            return field[:position]
        position += 1
    return field.rstrip().removesuffix("=") if field.rstrip().endswith("=") else field
