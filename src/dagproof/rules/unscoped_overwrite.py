"""Spark replaces a whole table with the rows of one date."""

from __future__ import annotations

from collections.abc import Iterator

from dagproof.rules.base import Finding, Rule
from dagproof.source.dagfile import DagFile
from dagproof.source.overwrites import overwrites


class UnscopedOverwrite(Rule):
    """Spark replaces a whole table with the rows of one date.

    ## What it does
    Finds `mode("overwrite")` with `partitionBy` where the rows are those of a single partition (`where(col("dt") ==
    date)`, `withColumn("dt", lit(date))`), and nothing limits what is replaced: no `replaceWhere`, no
    `partitionOverwriteMode`. It looks at tasks, and at scripts and notebooks beside the DAG files. A path or table
    whose name is only partly known may contain the date, and is fine.

    ## Why is this bad
    Spark's default is to delete everything at the target before it writes. So each run deletes the rows of all other
    dates, and a backfill leaves those of the date that ran last.

    ## Example
    ```python
    import pendulum
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def load_orders():
        @task.pyspark(conn_id="spark")
        def load(spark, ds=None):
            rows = spark.table("staging.orders").where(f"dt = '{ds}'")
            rows.write.mode("overwrite").partitionBy("dt").parquet("s3://shop/orders")

        load()


    load_orders()
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.sdk import dag, task


    @dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True)
    def load_orders():
        @task.pyspark(conn_id="spark")
        def load(spark, ds=None):
            rows = spark.table("staging.orders").where(f"dt = '{ds}'")
            writer = rows.write.mode("overwrite").option("partitionOverwriteMode", "dynamic")
            writer.partitionBy("dt").parquet("s3://shop/orders")

        load()


    load_orders()
    ```
    """

    name = "unscoped-overwrite"
    code = "DP404"

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at what tasks write."""
        for one in overwrites(dagfile):
            message = (
                f'mode("overwrite") replaces all of {one.to}, and the rows are those of one {one.limited}: each run '
                f"deletes the other partitions; set partitionOverwriteMode to dynamic, or give it replaceWhere"
            )
            yield self.found(dagfile, one.places, message, task=one.task)

    def check_script(self, script: DagFile) -> Iterator[Finding]:
        """Look at what a script or notebook writes."""
        yield from self.check(script)
