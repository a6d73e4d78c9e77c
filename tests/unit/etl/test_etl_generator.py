"""The generator gives the same bytes for a date, everywhere and for ever."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import freezegun

from etl.generator import generate_users

ROOT = Path(__file__).parents[3]


def generated(ds: str, rows: int = 1000) -> bytes:
    """Return a whole file."""
    return b"".join(generate_users(ds, rows))


def test_bytes_are_pinned() -> None:
    """A change of the generator changes every raw file: it must be meant."""
    digests = {ds: hashlib.sha256(generated(ds)).hexdigest()[:16] for ds in ("2026-01-01", "2024-02-29", "2015-06-01")}
    assert digests == PINNED


def test_clock_zone_and_hash_seed_do_not_matter() -> None:
    """Another process in another year, zone and with another hash seed gives the same bytes."""
    code = (
        "import sys; from etl.generator import generate_users as g; sys.stdout.buffer.writelines(g('2026-01-01', 50))"
    )
    for seed, zone in (("1", "Pacific/Kiritimati"), ("2", "America/Los_Angeles")):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
        assert subprocess.check_output([sys.executable, "-c", code], env=env) == generated("2026-01-01", 50)
    with freezegun.freeze_time("2031-12-31 23:59:59"):
        assert generated("2026-01-01", 50) == generated("2026-01-01", 50)


def test_dates_differ() -> None:
    """Each date has users of its own, or a proof over dates would prove less."""
    assert generated("2026-01-01") != generated("2026-01-02")


def test_more_rows_start_with_the_same_rows() -> None:
    """The size asked for does not change the rows that were there."""
    assert generated("2026-01-01", 2500).startswith(generated("2026-01-01", 1001))


def test_rows_are_as_many_as_asked_with_ids_from_one() -> None:
    """The standard library reads it and counts."""
    rows = list(csv.DictReader(io.StringIO(generated("2026-01-01", 1001).decode())))
    assert [row["id"] for row in rows] == [str(i) for i in range(1, 1002)]


def test_values_are_as_messy_as_real_ones() -> None:
    """Quotes, commas, stray blanks, several scripts, absent and empty values are all there."""
    text = generated("2026-01-01").decode()
    names = [row["name"] for row in csv.DictReader(io.StringIO(text))]
    assert any('"' in name for name in names)
    assert any("," in name for name in names)
    assert any(name != name.strip() for name in names)
    assert any("\u0400" < name[0] < "\u0500" for name in names)
    assert any("\u4e00" < name[0] < "\ua000" for name in names)
    assert ',"",' in text
    assert ",,\n" in text or ",," in text


def test_memory_stays_flat() -> None:
    """No piece is larger than a thousand rows."""
    assert max(map(len, generate_users("2026-01-01", 5000))) < 200_000


PINNED = {
    "2026-01-01": "1b4e99229ef68761",
    "2024-02-29": "89cd99666e487856",
    "2015-06-01": "7118aa630f4543d7",
}
