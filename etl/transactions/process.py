"""Score the transactions of a date in batches, and replace the date's rows in the database.

What readers see (`transactions`, `predictions`, `transactions_rejected`) changes in one transaction, when all batches
are scored. Until then what the model has said is kept in `scored_batches`, so that another attempt asks for the rest
only. The key of a batch is made of what is in it: corrected transactions are another batch.
"""

from __future__ import annotations

import datetime
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from etl.arrow import text_array
from etl.errors import (
    LoadError,
    MissingFileError,
    ModelUnavailableError,
    PermanentError,
    ScoringError,
    TransientError,
)
from etl.load import load_partition
from etl.model.client import NAMESPACE, ModelClient, Scores, batch_key
from etl.model.scoring import FIELDS
from etl.paths import check_date
from etl.settings import TransactionSettings
from etl.storage import Storage, copy
from etl.transactions.generator import generate_transactions
from etl.transactions.rows import stage

TABLES = ("transactions", "predictions", "transactions_rejected", "scored_batches")
_MOST_FAILURES = 3
"""So many batches in a row without an answer, and the others are not tried."""


class Processed(NamedTuple):
    """How many transactions there are, how many rows were malformed, and how many batches were scored by now."""

    transactions: int
    rejected: int
    batches: int
    kept: int
    """Batches of these that an earlier attempt had scored."""

    def sentence(self) -> str:
        """Say it."""
        return (
            f"Loaded {self.transactions:,} transactions in {self.batches:,} batches, {self.kept:,} of them scored "
            f"before, and rejected {self.rejected:,} rows."
        )


class BatchesFailedError(TransientError):
    """Some batches got no scores; those of the others are kept."""


class BatchesRefusedError(PermanentError):
    """The model refuses some batches; the scores of the others are kept."""


def transactions_file(ds: str) -> str:
    """Return the name of a date's file in the lake."""
    return f"transactions/{check_date(ds)}.csv"


def prepare(
    ds: str, lake: Storage, model: ModelClient, connection: psycopg.Connection[Any], settings: TransactionSettings
) -> str:
    """See that all is there: the tables, the model and the date's file, which is made up where settings say so.

    Returns:
        The name of the model.

    Raises:
        MissingFileError: the file is not there (yet). ModelUnavailableError: the model is not. LoadError: a table.
    """
    connection.autocommit = True
    query = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL"
    missing = [str(table) for (table,) in connection.execute(query, [list(TABLES)]).fetchall()]
    if missing:
        raise LoadError(f"There is no table {', '.join(missing)}; etl/sql/transactions.sql makes what is missing.")
    name = transactions_file(ds)
    if settings.generated is not None and not lake.exists(name):
        with lake.writing(name) as file:
            file.writelines(generate_transactions(ds, settings.generated))
    if not lake.exists(name):
        raise MissingFileError(f"{lake.shown(name)} is not there yet; whoever lands the transactions is late.")
    return model.health()


def process(
    ds: str, lake: Storage, model: ModelClient, connection: psycopg.Connection[Any], settings: TransactionSettings
) -> Processed:
    """Check, score and store the transactions of a date. The connection is set to commit each statement.

    Raises:
        InputError: the file as a whole cannot be trusted. Nothing was scored.
        BatchesFailedError, BatchesRefusedError: some batches got no scores; what the others got is kept.
        LoadError: the database refused the rows. The tables that readers see are as they were before.
    """
    name = transactions_file(ds)
    connection.autocommit = True  # what a batch has got is kept at once; what readers see has its own transaction
    with ExitStack() as stack:
        # Files without a name: nothing is left of them, however this ends.
        raw, good, bad = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        copy(lake, name, raw)
        raw.seek(0)
        counts = stage(
            raw,
            lake.shown(name),
            ds,
            good,
            bad,
            batch_rows=settings.batch_rows,
            max_bad_share=settings.max_bad_share,
        )
        transactions, rejected = (stack.enter_context(pq.ParquetFile(file)) for file in (good, bad))
        scores, kept = _score(ds, transactions, model, connection)
        _publish(ds, transactions, rejected, scores, connection)
        return Processed(counts.good, counts.bad, len(scores), kept)


def _score(
    ds: str, file: pq.ParquetFile, model: ModelClient, connection: psycopg.Connection[Any]
) -> tuple[list[Scores], int]:
    """Return the scores of each row group, and how many of these were kept from before."""
    rows = connection.execute("SELECT batch_id, model, scores FROM scored_batches WHERE dt = %s", [ds]).fetchall()
    kept = {str(batch_id): Scores(name, scores) for batch_id, name, scores in rows}
    scores: list[Scores] = []
    failures: list[ModelUnavailableError | ScoringError] = []
    away = used = 0
    for number in range(file.num_row_groups):
        batch = file.read_row_group(number, columns=list(FIELDS)).to_pylist()
        key = batch_key(batch)
        if key in kept:
            scores.append(kept[key])
            used += 1
            continue
        try:
            scores.append(_keep(ds, key, model.score(batch), connection))
            away = 0
        except (ModelUnavailableError, ScoringError) as error:
            failures.append(error)
            away = away + 1 if isinstance(error, ModelUnavailableError) else 0
            if away == _MOST_FAILURES:
                break
    if failures:
        _fail(failures, len(scores), file.num_row_groups)
    return scores, used


def _keep(ds: str, key: str, scores: Scores, connection: psycopg.Connection[Any]) -> Scores:
    connection.execute(
        "INSERT INTO scored_batches (dt, batch_id, model, scores) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (dt, batch_id) DO UPDATE SET model = EXCLUDED.model, scores = EXCLUDED.scores",
        [ds, key, scores.model, scores.scores],
    )
    return scores


def _fail(failures: Sequence[ModelUnavailableError | ScoringError], scored: int, total: int) -> None:
    first = str(failures[0]).rstrip(".")
    sentence = (
        f"{total - scored:,} of {total:,} batches have no scores ({first}); the other {scored:,} are kept, so that "
        "the next attempt does the rest only."
    )
    if all(isinstance(failure, ScoringError) for failure in failures):
        raise BatchesRefusedError(sentence)
    raise BatchesFailedError(sentence)


def _publish(
    ds: str,
    transactions: pq.ParquetFile,
    rejected: pq.ParquetFile,
    scores: Sequence[Scores],
    connection: psycopg.Connection[Any],
) -> None:
    """Replace the date's rows in all tables, in one transaction, and forget what was kept for this."""
    contents = {
        "transactions": transactions.iter_batches(),
        "predictions": _predictions(transactions, scores),
        "transactions_rejected": rejected.iter_batches(),
    }
    with connection.transaction():
        for table, rows in contents.items():
            load_partition(connection, table, column="dt", value=datetime.date.fromisoformat(ds), rows=rows)
        connection.execute("DELETE FROM scored_batches WHERE dt = %s", [ds])


def _predictions(file: pq.ParquetFile, scores: Sequence[Scores]) -> Iterator[pa.RecordBatch]:
    names = ["prediction_id", "transaction_id", "score", "model"]
    for number, (model, values) in enumerate(scores):
        ids = file.read_row_group(number, columns=["transaction_id"]).column(0).to_pylist()
        keys = [str(uuid.uuid5(NAMESPACE, f"{model}/{one}")) for one in ids]
        columns = [keys, ids, map(str, values), [model] * len(ids)]
        yield pa.record_batch([text_array(list(column)) for column in columns], names)
