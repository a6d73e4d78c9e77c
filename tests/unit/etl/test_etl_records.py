"""Records come with the right line, raw text and fields; compared with the standard library's reader and writer."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl import records
from etl.errors import EmptyFileError, EncodingError, TruncatedFileError
from etl.records import Record, read_records


def read(data: bytes | str) -> list[Record]:
    """Read the records of a file that is called f.csv."""
    return list(read_records(io.BytesIO(data.encode() if isinstance(data, str) else data), "f.csv"))


def fields(data: str) -> list[list[str | None]]:
    """Read the fields only."""
    return [record.fields for record in read(data)]


# No NUL: Python 3.10's csv module cannot write it.
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    ['"', '""', "\n", "\r\n", ",", " ", '"\n"']
)
rows = st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=6)


@given(rows, st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_module_quotes_comes_back(table: list[list[str]], end: str) -> None:
    """Any text survives, with the line on which its record starts and its raw text."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator=end)
    expected, text = [], ""
    for row in table:
        line = text.count("\n") + 1
        writer.writerow(row)
        raw = file.getvalue()[len(text) : -len(end)]
        text = file.getvalue()
        expected.append(Record(line, raw, list(row)))
    assert read(text) == expected


plain = st.text(st.characters(codec="utf-8", exclude_characters='",\r\n\0'), max_size=8)


@given(st.lists(st.lists(plain | cells, min_size=2, max_size=4), min_size=1, max_size=6))
def test_minimal_quoting_agrees_with_the_csv_module(table: list[list[str]]) -> None:
    """Both readers find the same text where the file is well formed; a blank bare field is None here."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows(table)
    found = [[field if field is not None else "" for field in record.fields] for record in read(file.getvalue())]
    blank = [[field if field.strip() or re.search(r'[\r\n,"]', field) else "" for field in row] for row in table]
    assert found == blank


@given(st.binary(max_size=60) | st.text('a",\r\n\0é', max_size=30).map(str.encode))
def test_any_bytes_give_records_or_one_clear_error(data: bytes) -> None:
    """No other exception, and the raw texts together are the file's text, blank lines and line ends aside."""
    try:
        found = read(data)
    except (EmptyFileError, EncodingError, TruncatedFileError) as error:
        assert str(error).startswith("f.csv is ")  # noqa: PT017 - whether there is one depends on the bytes
        return
    lines = data.removeprefix(b"\xef\xbb\xbf").decode().split("\n")
    for record in found:
        assert "\n".join(lines[record.line - 1 :]).startswith(record.raw)
        assert bool(record.fields) != bool(record.problem)


def test_absent_and_empty_differ() -> None:
    """Nothing between two commas is None, quoted nothing is an empty string."""
    assert fields('1,,"", ," "\n') == [["1", None, "", None, " "]]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        pytest.param('2,O"Brien', "a quote inside an unquoted field", id="stray quote"),
        pytest.param('2,"Ann" Lee', "text after a closing quote", id="text after quote"),
        pytest.param("2,a\rb", "a carriage return without a line feed", id="bare carriage return"),
        pytest.param('"2","a"\rb', "a carriage return without a line feed", id="bare carriage return, quoted"),
        pytest.param('2,"a\nb"c', "text after a closing quote", id="after a line break"),
    ],
)
def test_a_malformed_record_does_not_spoil_its_neighbours(bad: str, problem: str) -> None:
    """It ends with its line; the next record is whole and knows its line."""
    first, wrong, last = read(f"1,a\n{bad}\n3,c\n")
    assert (first.fields, last.fields) == (["1", "a"], ["3", "c"])
    assert wrong == Record(2, bad, [], problem)
    assert last.line == 3 + bad.count("\n")


def test_lines_are_counted_over_line_breaks_and_blank_lines() -> None:
    """A record's line is its first physical one."""
    found = read('id,name\r\n1,"a\nb\r\n\nc"\n\n\r\n2,b\n"3","\n"\n4,d\n')
    assert [(record.line, record.fields[0]) for record in found] == [
        (1, "id"),
        (2, "1"),
        (8, "2"),
        (9, "3"),
        (11, "4"),
    ]


def test_a_byte_order_mark_is_not_part_of_the_first_name() -> None:
    """Spreadsheets write one."""
    assert fields("\ufeffid,name\n") == [["id", "name"]]


def test_no_bytes_are_an_empty_file() -> None:
    """And the error says so."""
    with pytest.raises(EmptyFileError, match="f.csv is empty: it holds no bytes."):
        read(b"")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"id,name\n1,Jos\xe9\n", "f.csv is not UTF-8: byte 0xe9 on line 2.", id="latin 1"),
        pytest.param("id,name\n".encode("utf-16"), "it starts with the byte order mark of UTF-16", id="utf 16"),
        pytest.param(b'id\n"a\n\xff"\n', "byte 0xff on line 3", id="inside quotes"),
        pytest.param(b"id\n\xed\xa0\x80\n", "byte 0xed on line 2", id="surrogate"),
    ],
)
def test_another_encoding_is_named_with_its_line(data: bytes, message: str) -> None:
    """The first byte that is wrong is shown."""
    with pytest.raises(EncodingError, match=message):
        read(data)


def test_a_file_cut_anywhere_inside_a_line_is_truncated() -> None:
    """At every byte; a cut at the end of a line outside quotes cannot be seen."""
    whole = 'id,name\n1,"Zoë\nsays ""hi"""\n2,日本\n'.encode()
    unseen = {len(b"id,name\n"), len('id,name\n1,"Zoë\nsays ""hi"""\n'.encode())}
    for size in range(1, len(whole)):
        if size in unseen:
            read(whole[:size])
        else:
            with pytest.raises(TruncatedFileError, match="f.csv is truncated"):
                read(whole[:size])


def test_an_unclosed_quote_names_the_line_on_which_it_opens() -> None:
    """Not the last line of the file."""
    with pytest.raises(TruncatedFileError, match="starts on line 2 is not closed before the file ends"):
        read('id,name\n1,"a\n2,b\n3,c\n')


def test_an_unclosed_quote_does_not_swallow_a_large_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after a fixed size, in time that grows with the size only linearly."""
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 1 << 20)
    data = io.BytesIO(b'id,name\n1,"a\n' + b"2,b\n" * (1 << 20))
    tracemalloc.start()
    with pytest.raises(
        TruncatedFileError, match="not closed within the 1,048,576 bytes that CSV_MAX_RECORD_BYTES allows"
    ):
        list(read_records(data, "f.csv"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20
    assert data.tell() < 2 << 20


def test_a_line_without_an_end_does_not_swallow_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A binary file has no lines to speak of."""
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 1000)
    with pytest.raises(TruncatedFileError, match="line 2 does not end"):
        read("id\n" + "é" * 5000 + "\n")
