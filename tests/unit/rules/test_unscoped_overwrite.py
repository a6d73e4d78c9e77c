"""DP404: Spark replaces all partitions with one."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import Look

RULE = "unscoped-overwrite"
TOP = "from pyspark.sql import SparkSession\nfrom pyspark.sql.functions import col, lit\n"
READ = 'spark = SparkSession.builder.getOrCreate()\ndf = spark.table("a")'
WRITE = 'df.write.mode("overwrite").partitionBy("dt")'


@pytest.mark.parametrize(
    "body",
    [
        f'{READ}.where(col("dt") == ds)\n{WRITE}.parquet("s3://x/y")',
        f'{READ}.where((col("dt") == ds) & (col("n") > 1))\n{WRITE}.saveAsTable("y")',
        f'{READ}.filter(f"dt = \'{{ds}}\'")\n{WRITE}.saveAsTable("y")',
        f'{READ}.withColumn("dt", lit(ds))\n{WRITE}.format("delta").save("s3://x/y")',
        f'{READ}.where(col("dt") == ds)\ndf.write.parquet("s3://x/y", mode="overwrite", partitionBy="dt")',
    ],
)
def test_one_date_that_replaces_all_is_found(look_in_task: Look, body: str) -> None:
    """However the date is chosen."""
    (finding,) = look_in_task(body, RULE, TOP)
    assert finding.certain


@pytest.mark.parametrize(
    "body",
    [
        f'{READ}.where(col("dt") == ds)\n{WRITE}.option("partitionOverwriteMode", "dynamic").parquet("s3://x/y")',
        f'{READ}.where(col("dt") == ds)\n{WRITE}.option("replaceWhere", f"dt = {{ds}}").format("delta").save("s3://x")',
        f'{READ}.where(col("dt") == ds)\n{WRITE}.parquet(f"s3://x/{{ds}}")',
        f'{READ}.where(col("dt") == ds)\ndf.write.mode("append").partitionBy("dt").parquet("s3://x/y")',
        f'{READ}.where(col("other") == ds)\n{WRITE}.parquet("s3://x/y")',
        f'{READ}.where(col("dt") >= ds)\n{WRITE}.parquet("s3://x/y")',
        f'{READ}.filter(f"dt = \'{{ds}}\' or n = 1")\n{WRITE}.parquet("s3://x/y")',
        f'{READ}\n{WRITE}.parquet("s3://x/y")',
        f'{READ}.where(col("dt") == ds)\ndf.write.mode("overwrite").parquet("s3://x/one_day")',
    ],
)
def test_what_replaces_what_it_writes_is_fine(look_in_task: Look, body: str) -> None:
    """Partitions only, a place of its own, all dates; and what is not certain."""
    assert not look_in_task(body, RULE, TOP)
