"""Task code draws at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dagproof.rules.base import Finding, Rule
from dagproof.source.chance import CHANCE, HASH
from dagproof.source.dagfile import DagFile
from dagproof.source.readings import Reading, Readings


class RandomSource(Rule):
    """Task code, a template, SQL or shell generates random values.

    ## What it does
    Finds `uuid1()` and `uuid4()`, `random`, `secrets`, `os.urandom`, NumPy's generators without a seed and `hash()` of
    a text in what tasks run (also in functions of your own modules that they call), `gen_random_uuid()` and similar in
    SQL, `$RANDOM` and `uuidgen` in shell. Values from a fixed seed are fine, and so are values that only go into a log
    line, a pause, or the name of a hidden or temporary file (`f".{uuid4()}.part"`).

    ## Why is this bad
    A rerun of the same date writes other values than the first run did: new keys for the same rows, another sample,
    another branch. `ON CONFLICT DO NOTHING` does not help where the key itself is new.

    ## Example
    ```python
    import uuid

    import pendulum
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def load_orders():
        @task
        def load(ds=None):
            return [{"id": str(uuid.uuid4()), "dt": ds}]

        load()


    load_orders()
    ```

    ## Use instead
    ```python
    import uuid

    import pendulum
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def load_orders():
        @task
        def load(ds=None):
            return [{"id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"orders/{ds}")), "dt": ds}]

        load()


    load_orders()
    ```
    """

    name = "random-source"
    code = "DP203"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Yield each draw."""
        for reading in Readings(dagfile, CHANCE).find():
            certain = reading.certain and reading.shown != HASH
            yield self.found_reading(dagfile, replace(reading, certain=certain), _message(reading))


def _message(reading: Reading) -> str:
    if reading.shown == HASH:
        return (
            "hash() gives a different number in each process if its argument is text, or holds text (Python salts it): "
            "a rerun may choose other rows or another shard; use hashlib or zlib.crc32, unless it holds numbers alone"
        )
    if reading.when_parsed:
        return (
            f"{reading.shown} is drawn when the file is parsed, and a task works with that value: each parse draws "
            "a new one; derive it from the data"
        )
    return f"{reading.shown} gives another value in a rerun of the same date; derive it from the data, or fix the seed"
