"""What a person may do about a difference that is often meant: the line of the configuration to paste."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable

from dagproof.output.text import toml_key, toml_value
from dagproof.stores.diff import Diff, TableDiff
from dagproof.stores.structure import Structure

#: How columns are called that say when a row was written, and not what it is about.
_AUDIT = re.compile(
    r"^_?((dw|dwh|etl|row|record|db|meta|sys|airbyte|fivetran|dlt|stg)_)*"
    r"(load|loaded|update|updated|upd|insert|inserted|ins|create|created|modify|modified|ingest|ingested|ingestion|"
    r"import|imported|sync|synced|process|processed|refresh|refreshed|write|written|extract|extracted|fetched|etl|"
    r"last_(load|loaded|update|updated|modified|changed|seen|synced|refreshed))"
    r"_?(at|on|ts|time|date|dt|datetime|timestamp|utc|ts_utc|at_utc)?$",
    re.IGNORECASE,
)
#: What fills a column with the time when nobody else does.
_NOW = re.compile(
    r" DEFAULT .*(\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\(|\bCURRENT_(DATE|TIME)|"
    r"\bLOCALTIME)",
    re.DOTALL,
)
#: How a moment is written: as text, or as seconds since 1970.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?|\d\d:\d\d:\d\d.*|1[5-9]\d{8}(\d{3}|\d{6})?(\.\d+)?")


def audit_hint(dag_id: str, found: Diff, structure: Structure, ignored: Iterable[str]) -> str:
    """Return what to paste where all that differs is when rows were written; an empty text where more differs."""
    if found.files or found.structure or not found.tables:
        return ""
    columns = [(table.table, column) for table in found.tables for column in table.columns]
    if not all(table.only_columns for table in found.tables):
        return ""
    if not all(_is_audit(table, column, structure) for table in found.tables for column in table.columns):
        return ""
    entries = [*sorted(ignored), *_patterns(columns)]
    line = f"ignore = {toml_value(entries)}"
    names = ", ".join(f"{table}.{column}" for table, column in columns)
    return (
        f"only columns that record when a row was written differ: {names}. If that is expected, add this line to\n"
        f"[tool.dagproof.proofs.{toml_key(dag_id)}]:\n\n    {line}"
    )


def _is_audit(table: TableDiff, column: str, structure: Structure) -> bool:
    """Tell whether a column says when a row was written: by its default, or by its name and what it holds."""
    parts = [p for p in structure.get(table.table, ()) if p.kind == "column" and p.what.strip('"') == column]
    if any(_NOW.search(" " + part.definition) for part in parts):
        return True
    return bool(_AUDIT.match(column)) and all(
        value is None or _MOMENT.fullmatch(value) for value in _values(table, column)
    )


def _values(table: TableDiff, column: str) -> Iterable[str | None]:
    for example in table.examples:
        if example.column == column:
            yield from (example.before, example.after)
        yield from (value for c in example.also if c.column == column for value in (c.before, c.after))


def _patterns(columns: Collection[tuple[str, str]]) -> list[str]:
    """Return entries for the columns, one for those of the same name in several tables of a schema."""
    of: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for table, column in columns:
        database, colon, name = table.rpartition(":")
        of[f"{database}{colon}{name.rpartition('.')[0] or 'public'}", column].append(table)
    return [
        f"{schema}.*.{column}" if len(tables) > 1 else f"{tables[0]}.{column}"
        for (schema, column), tables in sorted(of.items())
    ]
