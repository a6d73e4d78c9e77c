"""The main job on files that nobody here made: 11,000 names in many scripts, from a folder and over HTTP."""

from __future__ import annotations

import csv
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dagproof.config import Config, load_config
from dagproof.histories import Step
from dagproof.laws import law_named
from dagproof.proof.prover import Prover, machines_for
from dagproof.report.text import proof_text
from dagproof.runs.driver import open_driver
from dagproof.stores.snapshot import Snapshot

ROOT = Path(__file__).parents[3]
NAVAIDS = ROOT.parent / "shared" / "data" / "navaids.csv"
DATES = ("2026-01-01", "2026-01-02")
HEADER = ("id", "name", "email", "country", "signup_date")

pytestmark = [
    pytest.mark.skipif(not NAVAIDS.is_file(), reason=f"the real data is not here: {NAVAIDS}"),
    pytest.mark.slow,
]

Rows = list[tuple[int, str]]


def navaids() -> Rows:
    """Id and name of each navigation aid, read without anything of ours."""
    with NAVAIDS.open(encoding="utf-8", newline="") as file:
        return [(int(row["id"]), row["name"]) for row in csv.DictReader(file)]


def many_times(rows: Rows, times: int) -> Rows:
    """The rows again and again, with fresh ids."""
    step = max(number for number, _ in rows) + 1
    return [(number + copy * step, name) for copy in range(times) for number, name in rows]


def write_users(rows: Rows, folder: Path) -> Path:
    """Write a users file for each date."""
    folder.mkdir(parents=True)
    for date in DATES:
        with (folder / f"{date}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows((number, name, "", "", "") for number, name in rows)
    return folder


def configured(source: str, root: Path) -> Config:
    """The configuration of this repository, with another source of users; histories are saved elsewhere."""
    config = load_config(ROOT)
    world = replace(
        config.world,
        env={**config.world.env, "USERS_SOURCE": source},
        allow=(urlsplit(source).netloc,) if source.startswith("http") else (),
        schema=tuple(str(ROOT / path) for path in config.world.schema),
    )
    consumer = config.proof("consumer_users_daily")
    corrections = {name: f"{ROOT}/{what}" for name, what in consumer.corrections.items()}
    proofs = {"consumer_users_daily": replace(consumer, corrections=corrections)}
    return replace(config, root=root, dags=str(ROOT / "dags"), pythonpath=(str(ROOT),), world=world, proofs=proofs)


def prove(config: Config, rows: Rows, max_histories: int, *more_laws: str) -> float:
    """Prove the main job about the consumer, and that what it loaded are these rows; return the seconds it took."""
    started = time.perf_counter()
    laws = [law_named(name) for name in ("effect", "deterministic", "rerun", *more_laws)]
    with open_driver(config, machines=machines_for(laws)) as driver:
        lab = driver.lab("consumer_users_daily", DATES)
        prover = Prover(lab, seed=0, max_histories=max_histories)
        proof = prover.concluded([prover.prove(law) for law in laws], started)
        assert {v.outcome for v in proof.verdicts} == {"proven"}, proof_text(proof)
        state = lab.state((Step("run", DATES[0]),))
    assert loaded(state) == sorted((number, name.strip()) for number, name in rows)
    assert state.tables["users_rejected"].rows == ()
    return time.perf_counter() - started


def loaded(state: Snapshot) -> Rows:
    """Id and name in the table."""
    table = state.tables["users_daily"]
    at = [table.columns.index(column) for column in ("id", "name")]
    fields = [row.decode().split("\t") for row in table.rows]
    assert not any("\\" in row.decode().replace(r"\N", "") for row in table.rows), "a name that COPY escapes"
    return sorted((int(values[at[0]]), "" if values[at[1]] == r"\N" else values[at[1]]) for values in fields)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[Path], str]]:
    """Serve a folder over HTTP; return the address of its files."""
    servers: list[http.server.ThreadingHTTPServer] = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Say nothing."""

    def serve(folder: Path) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/{{ds}}.csv"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_real_file_has_what_makes_it_real() -> None:
    """Thousands of rows, in more than one script, with quotes, and with ids that occur once."""
    rows = navaids()
    assert len(rows) > 10_000
    assert len({number for number, _ in rows}) == len(rows)
    assert any(not name.isascii() for _, name in rows)
    assert any(mark in name for _, name in rows for mark in ("'", '"', ","))


def test_real_users_from_a_folder_are_proven(tmp_path: Path) -> None:
    """And what was loaded is what an independent reader finds in the file."""
    rows = navaids()
    prove(configured(str(write_users(rows, tmp_path / "users")), tmp_path), rows, 3, "retry", "correction")


def test_real_users_over_http_are_proven(tmp_path: Path, served: Callable[[Path], str]) -> None:
    """The address stands in env, which is all it takes to be allowed to connect there."""
    rows = navaids()
    source = served(write_users(rows, tmp_path / "users"))
    prove(configured(source, tmp_path), rows, 2)


@pytest.mark.deep
def test_twenty_times_as_many_real_users_are_proven(tmp_path: Path) -> None:
    """220,000 rows a date, with fresh ids; in minutes, not in hours."""
    rows = many_times(navaids(), 20)
    assert len(rows) > 200_000
    seconds = prove(configured(str(write_users(rows, tmp_path / "users")), tmp_path), rows, 2)
    assert seconds < 300
