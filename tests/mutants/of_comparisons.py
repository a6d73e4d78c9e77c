"""Mutants of what is compared, and how."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, unit

STRUCTURE = "tests/integration/proofs/test_structure.py"
POSTGRES = "tests/integration/proofs/test_snapshot_postgres.py"

COMPARISONS = (
    Mutant(
        "diff: rows that are there twice",
        "stores/diff.py",
        "old, new = Counter(before.rows), Counter(after.rows)",
        "old, new = Counter(set(before.rows)), Counter(set(after.rows))",
        unit("stores/test_diff.py", "duplicated"),
    ),
    Mutant(
        "diff: rows that are missing",
        "stores/diff.py",
        '    changes.missing.extend(tuple(line.split(b"\\t")) for line in (old - new).elements())\n',
        "",
        unit("stores/test_diff.py", "counts_add_up"),
    ),
    Mutant(
        "diff: rows that are new",
        "stores/diff.py",
        "            changes.added.extend([row] * times)",
        "            pass",
        unit("stores/test_diff.py", "counts_add_up"),
    ),
    Mutant(
        "diff: as many rows are the same rows",
        "stores/diff.py",
        "if before.rows == after.rows and before.columns == after.columns:",
        "if len(before.rows) == len(after.rows) and before.columns == after.columns:",
        unit("stores/test_diff.py", "diff_is_empty"),
    ),
    Mutant(
        "diff: a table that came or went",
        "stores/diff.py",
        "for name in sorted(before.tables.keys() | after.tables.keys())",
        "for name in sorted(before.tables.keys() & after.tables.keys())",
        unit("stores/test_diff.py", "came_or_went"),
    ),
    Mutant(
        "diff: a column that came",
        "stores/diff.py",
        "columns = list(dict.fromkeys([*before.columns, *after.columns]))",
        "columns = list(before.columns)",
        unit("stores/test_diff.py", "column_that_came"),
    ),
    Mutant(
        "diff: a file of the same size",
        "stores/filediff.py",
        "if before.chunks == after.chunks and before.size == after.size:",
        "if before.size == after.size:",
        unit("stores/test_diff.py", "bytes_are"),
    ),
    Mutant(
        "diff: a file that came or went",
        "stores/diff.py",
        "for path in sorted(before.files.keys() | after.files.keys())",
        "for path in sorted(before.files.keys() & after.files.keys())",
        unit("stores/test_diff.py", "file_that_came"),
    ),
    Mutant(
        "diff: an empty table is an effect",
        "stores/diff.py",
        "any(t.rows_before or t.rows_after for t in effect.tables)",
        "bool(effect.tables)",
        unit("stores/test_diff.py", "came_or_went"),
    ),
    Mutant(
        "snapshot: just the first part of a file",
        "stores/snapshot.py",
        "chunks.append(hashlib.blake2b(chunk, digest_size=16).digest())",
        "chunks[1:] or chunks.append(hashlib.blake2b(chunk, digest_size=16).digest())",
        unit("stores/test_snapshot.py", "byte_of_a_big_file"),
    ),
    Mutant(
        "snapshot: no subfolders",
        "stores/snapshot.py",
        "folders[:] = sorted(name for name in folders if Path(parent, name) not in scratch)",
        "folders.clear()",
        unit("stores/test_snapshot.py", "every_file"),
    ),
    Mutant(
        "snapshot: no SQLite",
        "stores/contents.py",
        "_DATABASES = (SQLITE, DUCKDB)",
        "_DATABASES = (DUCKDB,)",
        unit("stores/test_snapshot.py", "sqlite"),
    ),
    Mutant(
        "digits: lines of a file in any order",
        "stores/closeness.py",
        "not _are_close_in_order(",
        "not _are_close(",
        unit("worlds/test_closeness.py", "another_order"),
    ),
    Mutant(
        "snapshot: Avro by its bytes",
        "stores/contents.py",
        "if avro.begins_like_avro(start):",
        "if False:",
        unit("stores/test_snapshot.py", "avro"),
    ),
    Mutant(
        "snapshot: no DuckDB",
        "stores/contents.py",
        "_DATABASES = (SQLITE, DUCKDB)",
        "_DATABASES = (SQLITE,)",
        unit("stores/test_snapshot.py", "duckdb"),
    ),
    Mutant(
        "snapshot: an ignored column is the whole table",
        "stores/naming.py",
        'return frozenset({"*"}) if "*" in mine else frozenset(mine)',
        'return frozenset({"*"}) if mine else frozenset(mine)',
        unit("stores/test_snapshot.py", "ignore_entry"),
    ),
    Mutant(
        "snapshot: what is named whole is everything like it",
        "stores/naming.py",
        "return is_table or (bool(path) and (path == entry or file_matches(path, entry)))",
        "return bool(table or path)",
        unit("stores/test_snapshot.py", "entry_for_whole"),
    ),
    Mutant(
        "snapshot: no partitioned tables",
        "stores/database.py",
        "c.relkind IN ('r', 'p') AND NOT c.relispartition",
        "c.relkind IN ('r') AND NOT c.relispartition",
        (POSTGRES, "-k", "every_table"),
    ),
    Mutant(
        "snapshot: no materialized views",
        "stores/database.py",
        "OR c.relkind = 'm' AND c.relispopulated",
        "",
        (POSTGRES, "-k", "every_table"),
    ),
    Mutant(
        "snapshot: other schemas are left out",
        "stores/database.py",
        "n.nspname NOT IN ('pg_catalog', 'information_schema')",
        "n.nspname IN ('public')",
        (POSTGRES, "-k", "every_table"),
    ),
    Mutant(
        "snapshot: numbers are rounded",
        "stores/database.py",
        '"numeric": "trim_scale({0})"',
        '"numeric": "round({0}, 1)"',
        (POSTGRES, "-k", "different_values"),
    ),
    Mutant(
        "snapshot: no large objects",
        "stores/database.py",
        "objects = connection.execute(_LARGE_OBJECTS).fetchall()",
        "objects: list[tuple[int, str]] = []",
        (STRUCTURE, "-k", "large_objects"),
    ),
    Mutant(
        "structure: what is there once more is the same",
        "stores/structurediff.py",
        "        found[part.named(owner)][part.definition] += 1",
        "        found[part.named(owner)][part.definition] = 1",
        unit("worlds/test_structure.py", "once_more"),
    ),
)
