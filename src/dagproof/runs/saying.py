"""What SQL on the wire may do to a transaction: prepare it, read, write, or commit.

In doubt it writes: an error is then tried once more than it need be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: What must not be split: strings, names in quotes, bodies in dollars, and comments.
_WHOLE = re.compile(
    r"(?P<text>'(?:[^']|'')*')|\"(?P<name>(?:[^\"]|\"\")*)\"|(?P<body>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"
    r"|(?P<line>--[^\n]*)|(?P<comment>/\*.*?\*/)",
    re.DOTALL,
)
#: Statements that neither read nor write: an error there equals one at the statement that comes next, or nothing. One
#: at the beginning of a COPY, or in its midst, equals one at its end.
_PREPARING = re.compile(
    r"(?i)(begin|start|set|show|rollback|abort|savepoint|release|discard|deallocate|reset|listen|unlisten|close"
    r"|select pg_catalog\.version\(\)|select current_schema\(\))\b|copydata |copy .*\bfrom stdin\b"
)
_COPYING = re.compile(r"(?i)copy(data)?\b")
#: How a text ends that goes on: a `Message` has the beginning only.
_CUT = "…"
_COMMITTING = re.compile(r"(?i)(commit|end)\b")
_READING = re.compile(r"(?i)(select|table|values|fetch|explain|with)\b")
_WRITING = re.compile(r"(?i)\b(insert|update|delete|merge|truncate|into)\b")
_CALL = re.compile(r"(?i)(?<!\bas )\b(\w+) ?\(")

#: Words before a parenthesis that call nothing.
_NO_CALLS = """
    all analyze and any array as between bit by case cast char character cross cube decimal distinct else except
    exists explain extract fetch filter float from full group having if in inner intersect interval is join lateral
    left like ilike limit materialized nchar not numeric offset on or order outer over partition precision range
    recursive returning right rollup row rows select sets similar some symmetric table then time timestamp to union
    using values varbit varchar varying verbose when where window with within
"""
#: PostgreSQL's own functions that only compute, as far as they are common; what looks at its catalogue begins with
#: ``pg_`` or ``has_``.
_ONLY_COMPUTE = """
    abs age array_agg array_append array_cat array_length array_position array_prepend array_remove array_replace
    array_to_json array_to_string array_upper array_lower ascii avg bit_and bit_or bit_length bool_and bool_or btrim
    cardinality cbrt ceil ceiling char_length character_length chr clock_timestamp coalesce col_description concat
    concat_ws convert_from convert_to corr cos count covar_pop covar_samp cume_dist current_database current_schema
    current_schemas current_setting current_user date date_bin date_part date_trunc decode degrees dense_rank div
    encode every exp first_value floor format format_type gen_random_uuid generate_series generate_subscripts
    greatest grouping hashtext hashtextextended initcap isfinite json_agg json_array_elements json_array_length
    json_build_array json_build_object json_each json_object_agg json_object_keys jsonb_agg jsonb_array_elements
    jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text
    jsonb_extract_path jsonb_extract_path_text jsonb_object_agg jsonb_object_keys jsonb_path_query jsonb_set
    jsonb_strip_nulls justify_days justify_hours lag last_value lead least left length ln localtimestamp log lower
    lpad ltrim make_date make_interval make_timestamp make_timestamptz max md5 min mod mode now nth_value ntile
    nullif num_nonnulls num_nulls obj_description octet_length overlay percent_rank percentile_cont percentile_disc
    pi position power quote_ident quote_literal quote_nullable radians random rank regexp_match regexp_matches
    regexp_replace regexp_split_to_array regexp_split_to_table repeat replace reverse right round row_number
    row_to_json rpad rtrim set_config sha256 shobj_description sign sin split_part sqrt starts_with
    statement_timestamp stddev stddev_pop stddev_samp string_agg string_to_array strpos substr substring sum tan
    timezone to_char to_date to_hex to_json to_jsonb to_number to_regclass to_timestamp transaction_timestamp
    translate trim trunc txid_current unnest upper var_pop var_samp variance version width_bucket
"""
_HARMLESS = frozenset((_NO_CALLS + _ONLY_COMPUTE).split())
_OF_CATALOGUE = re.compile(r"(has_|pg_(?!notify|logical_emit))\w+")


@dataclass(frozen=True)
class Saying:
    """What the statements of one message do, all of them together."""

    prepares: bool
    """Whether they all neither read nor write."""
    writes: bool
    commits: bool
    may_write: bool
    """Whether they write, or the end of their text is not known."""

    @property
    def reads(self) -> bool:
        """Whether they do no more than that."""
        return not (self.prepares or self.writes or self.commits)


def saying(sql: str) -> Saying:
    """Return what a message with these statements does."""
    found = list(_statements(sql))
    rest = [one for one in found if not _PREPARING.match(one)]
    commits = [bool(_COMMITTING.match(one)) for one in rest]
    writes = any(not does and not _only_reads(one) for one, does in zip(rest, commits, strict=True))
    is_cut = sql.endswith(_CUT)
    if not found or (is_cut and not rest and not _COPYING.match(sql)):
        writes = True
    return Saying(not rest and not writes, writes, any(commits), may_write=writes or (is_cut and bool(rest)))


def _statements(sql: str) -> Iterator[str]:
    """Yield the statements of a message, without what stands in quotes."""
    for part in _WHOLE.sub(_blank, sql).split(";"):
        if statement := " ".join(part.split()).strip(" ("):
            yield statement


def _blank(found: re.Match[str]) -> str:
    if found["line"]:  # on the wire, lines are joined: what follows the comment may do anything
        return " ; unknown ; " if "\n" not in found.string else " "
    if found["comment"]:
        return " "
    if found["name"] is not None:
        return re.sub(r"\W", "_", found["name"])
    return "''"


def _only_reads(statement: str) -> bool:
    if not _READING.match(statement) or _WRITING.search(statement):
        return False
    called = {name.lower() for name in _CALL.findall(statement)} - _HARMLESS
    return all(_OF_CATALOGUE.fullmatch(name) for name in called)
