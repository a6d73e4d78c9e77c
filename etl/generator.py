"""Made-up users: the same bytes for a date on any machine, in any year, with any Python.

Each value is drawn from SHA-256 of (date, row, column), see `etl.draw`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from etl.draw import Draw

HEADER = "id,name,email,country,signup_date\n"

# Names as they come: apostrophes, hyphens, commas, quotes, other scripts, combining marks, no surname at all.
GIVEN = (
    "Ada", "José", "Zoë", "Siân", "Nguyễn", "Łukasz", "Þóra", "Björk", "Anaïs", "Ömer", "İpek", "Дмитрий", "Олена",
    "Γεωργία", "שרה", "فاطمة", "محمد", "अनीता", "প্রিয়া", "தமிழ்", "สมชาย", "明", "さくら", "민준", "ქეთევან", "Անի",
    "Mary Jane", "Jean-Luc", "D'Angelo", 'Robert "Bob"', "ʻIolani", "Ọlá", "Çağla", "Ngọc", "Søren", "X Æ",
)  # fmt: skip
FAMILY = (
    "Lovelace", "García Márquez", "O'Brien", "van der Berg", "Smith-Jones", "Null", "Müller", "Åkesson", "Đặng",
    "Wójcik", "Иванов", "Шевченко", "Παπαδόπουλος", "כהן", "الحسن", "शर्मा", "চৌধুরী", "小林", "王", "김", "Kamakaʻeha",
    "King, Jr.", "de la Cruz", "Ó Súilleabháin", "N'Diaye", "", "True", "Żółć", "Ñandú", "Straße",
)  # fmt: skip
COUNTRIES = (
    "BR", "CN", "DE", "EG", "ES", "GB", "GR", "IL", "IN", "JP", "KR", "NA", "NG", "PL", "TR", "UA", "US", "VN",
)  # fmt: skip
_FIRST_SIGNUP = datetime.date(2016, 1, 1)
_BLOCK_ROWS = 1_000


def generate_users(ds: str, rows: int) -> Iterator[bytes]:
    """Yield the users file of a date, in pieces: a header and `rows` rows of UTF-8 CSV with ids 1 to `rows`.

    Memory stays flat: a piece holds at most 1,000 rows.
    """
    yield HEADER.encode()
    newest = datetime.date.fromisoformat(ds)
    for first in range(1, rows + 1, _BLOCK_ROWS):
        ids = range(first, min(first + _BLOCK_ROWS, rows + 1))
        yield "".join(_row(ds, user_id, newest) for user_id in ids).encode()


def _row(ds: str, user_id: int, newest: datetime.date) -> str:
    draw = Draw(f"{ds}/{user_id}")
    name = f"{draw.pick(GIVEN)} {draw.pick(FAMILY)}".rstrip()
    if draw.below(50) == 0:
        name = f" {name}  "  # stray blanks: trimming has something to do
    # Absent is an empty field, known to be empty is a quoted one.
    email = ("", '""')[draw.below(2)] if draw.below(20) == 0 else f"user{user_id}.{draw.below(10_000):04}@example.org"
    country = "" if draw.below(15) == 0 else draw.pick(COUNTRIES)
    age = draw.below(max((newest - _FIRST_SIGNUP).days, 0) + 1)
    signup = "" if draw.below(40) == 0 else (newest - datetime.timedelta(days=age)).isoformat()
    return f"{user_id},{_quoted(name)},{email},{country},{signup}\n"


def _quoted(text: str) -> str:
    """Quote a field where CSV needs it."""
    if '"' in text or "," in text:
        return '"' + text.replace('"', '""') + '"'
    return text
