"""What the results of a day's checks come to: a score, a grade, and rows in `quality_results` and `quality_scores`."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import psycopg
import pyarrow as pa

from etl.arrow import text_array
from etl.errors import PermanentError
from etl.load import load_partition
from etl.paths import check_date
from etl.quality.checks import CHECKS
from etl.quality.run import Result

GRADES = ((99, "A+"), (95, "A"), (90, "B"), (80, "C"), (70, "D"), (0, "F"))
"""The least score of each grade."""


class QualityError(PermanentError):
    """The data is worse than it may be; the results are stored."""


class Score(NamedTuple):
    """The score of a day, exactly, and its grade."""

    value: Fraction
    grade: str

    def __str__(self) -> str:
        return f"{_rounded(self.value):.2f} ({self.grade})"


def score(results: Sequence[Result]) -> Score:
    """Return the mean of the shares of rows that hold, of 100, each check counting by its weight.

    Raises:
        ValueError: the results are not those of all checks, once each.
    """
    weights = {check.name: check.weight for check in CHECKS}
    if sorted(result.check for result in results) != sorted(weights):
        raise ValueError("The results are not those of all checks, once each.")
    total = sum((weights[result.check] * _share(result) for result in results), Fraction())
    value = total / sum(weights.values())
    return Score(value, next(grade for least, grade in GRADES if value >= least))


def store_score(ds: str, results: Sequence[Result], least: float, connection: psycopg.Connection[Any]) -> Score:
    """Replace the results and the score of a day, in one transaction, and judge the score.

    Raises:
        QualityError: the score is below `least`; says what contributes most. The results are stored before.
    """
    reached = score(results)
    dt = datetime.date.fromisoformat(check_date(ds))
    with connection.transaction():
        load_partition(connection, "quality_results", column="dt", value=dt, rows=[_result_rows(results)])
        row = {"score": [str(_rounded(reached.value))], "grade": [reached.grade]}
        load_partition(connection, "quality_scores", column="dt", value=dt, rows=[_batch(row)])
    if reached.value < least:
        raise QualityError(
            f"The data up to {ds} scores {reached}, less than the {least:g} of QUALITY_MIN_SCORE; {_worst(results)}. "
            "All results are in quality_results."
        )
    return reached


def _share(result: Result) -> Fraction:
    return 100 * Fraction(result.rows - result.failed, result.rows)


def _rounded(value: Fraction) -> decimal.Decimal:
    """Return the value with four digits, rounded down: only what is perfect has 100."""
    return decimal.Decimal(int(value * 10_000)).scaleb(-4)


def _worst(results: Sequence[Result]) -> str:
    weights = {check.name: check.weight for check in CHECKS}
    worst = max(results, key=lambda result: weights[result.check] * (100 - _share(result)))
    return f"worst is {worst.check}: {worst.failed:,} of {worst.rows:,} rows, e.g. {', '.join(worst.sample[:3])}"


def _result_rows(results: Sequence[Result]) -> pa.RecordBatch:
    checks = {check.name: check for check in CHECKS}
    ordered = sorted(results)
    return _batch(
        {
            "check_name": [result.check for result in ordered],
            "table_name": [checks[result.check].table for result in ordered],
            "dimension": [checks[result.check].dimension for result in ordered],
            "weight": [str(checks[result.check].weight) for result in ordered],
            "rows": [str(result.rows) for result in ordered],
            "failed": [str(result.failed) for result in ordered],
            "score": [str(_rounded(_share(result))) for result in ordered],
            "sample": [json.dumps(result.sample) for result in ordered],
        }
    )


def _batch(columns: dict[str, list[str]]) -> pa.RecordBatch:
    """Return a batch of text, which COPY reads as whatever type a column has."""
    return pa.record_batch([text_array(values) for values in columns.values()], names=list(columns))
