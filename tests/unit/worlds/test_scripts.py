"""SQL scripts as people have them are taken apart into what a server can run."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dagproof.worlds.scripts import Piece, ScriptError, forward, migrations, pieces, unpacked

DUMP = rb"""--
-- PostgreSQL database dump
--

\restrict x1

SET statement_timeout = 0;
SET client_encoding = 'UTF8';

CREATE TABLE public.t (a integer, b text);


ALTER TABLE public.t OWNER TO somebody;
ALTER TABLE ONLY public.t
    ADD CONSTRAINT t_pkey PRIMARY KEY (a);

COPY public.t (a, b) FROM stdin;
1	GRANT ALL ON x TO y;
\.

REVOKE USAGE ON SCHEMA public
  FROM PUBLIC;
GRANT SELECT ON TABLE public.t TO reader;

\unrestrict x1
"""


def said(script: bytes, folder: Path = Path()) -> list[Piece]:
    """What to run, without empty lines and comments."""
    found = []
    for piece in pieces(script, folder, folder):
        lines = [line for line in piece.sql.splitlines() if line.strip() and not line.startswith(b"--")]
        found.append(Piece(b"\n".join(lines), piece.data))
    return [piece for piece in found if piece.sql]


def test_a_dump_is_what_it_holds_without_whose_it_was() -> None:
    """Owners, grants and settings of the server are left out; rows are not looked into."""
    assert said(DUMP) == [
        Piece(
            b"SET client_encoding = 'UTF8';\nCREATE TABLE public.t (a integer, b text);\nALTER TABLE ONLY public.t\n"
            b"    ADD CONSTRAINT t_pkey PRIMARY KEY (a);"
        ),
        Piece(b"COPY public.t (a, b) FROM stdin;", b"1\tGRANT ALL ON x TO y;\n"),
    ]


def test_a_script_that_is_no_dump_stays_as_it_is() -> None:
    """Grants are its author's own."""
    assert said(b"GRANT SELECT ON t TO PUBLIC;\n") == [Piece(b"GRANT SELECT ON t TO PUBLIC;")]


def test_a_script_includes_others(tmp_path: Path) -> None:
    """As psql does: from where it is run, or from where the script lies."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "a.sql").write_bytes(b"\\ir b.sql\nA;\n")
    (tmp_path / "tables" / "b.sql").write_bytes(b"B;\n")
    script = b"\\set ON_ERROR_STOP on\nONE;\n\\i tables/a.sql\nTWO;\n\\q\nNEVER;\n"
    assert [piece.sql for piece in said(script, tmp_path)] == [b"ONE;", b"B;", b"A;", b"TWO;"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (b"\\connect shop\n", "\\connect is a command of psql; dump without --create"),
        (b"\\copy t FROM 'x.csv'\n", "\\copy is a command of psql; write it as SQL"),
    ],
)
def test_what_is_psql_s_alone_is_refused(script: bytes, message: str) -> None:
    """With a way out."""
    with pytest.raises(ScriptError) as raised:
        said(script)
    assert str(raised.value) == message


def test_migrations_come_in_their_order_and_only_forward(tmp_path: Path) -> None:
    """Ten after nine; what can be repeated last; no way back."""
    names = ["V10__c.sql", "V2__b.sql", "V1__a.sql", "R__view.sql", "U1__a.sql", "0003_x.down.sql", "notes.txt"]
    for name in names:
        (tmp_path / name).touch()
    assert [path.name for path in migrations(tmp_path)] == ["V1__a.sql", "V2__b.sql", "V10__c.sql", "R__view.sql"]
    assert forward(b"-- +goose Up\nA;\n-- +goose Down\nB;\n") == b"-- +goose Up\nA;\n"
    assert forward(b"-- migrate:up\nA;\n\n-- migrate:down\nB;\n") == b"-- migrate:up\nA;\n\n"


def test_a_script_may_be_compressed() -> None:
    """By gzip, as dumps often are."""
    assert unpacked(gzip.compress(b"A;")) == unpacked(b"A;") == b"A;"
