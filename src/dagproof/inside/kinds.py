"""Kinds of Airflow's connections that no world has a server for, and what is said of them."""

from __future__ import annotations

#: Airflow's names for them, and what people call them.
UNSUPPORTED = {
    "mysql": "MySQL", "mariadb": "MariaDB", "mssql": "SQL Server", "odbc": "ODBC", "jdbc": "JDBC", "oracle": "Oracle",
    "snowflake": "Snowflake", "google_cloud_platform": "Google Cloud", "gcpbigquery": "BigQuery",
    "gcpcloudsql": "Cloud SQL", "gcpcloudsqldb": "Cloud SQL", "gcpspanner": "Spanner", "bigquery": "BigQuery",
    "redshift": "Redshift", "databricks": "Databricks", "trino": "Trino", "presto": "Presto", "hiveserver2": "Hive",
    "hive_cli": "Hive", "hive_metastore": "Hive", "impala": "Impala", "spark": "Spark", "clickhouse": "ClickHouse",
    "vertica": "Vertica", "teradata": "Teradata", "exasol": "Exasol", "db2": "Db2", "druid": "Druid",
    "cassandra": "Cassandra", "mongo": "MongoDB", "redis": "Redis", "elasticsearch": "Elasticsearch",
    "opensearch": "OpenSearch", "neo4j": "Neo4j", "influxdb": "InfluxDB", "kafka": "Kafka", "azure": "Azure",
    "wasb": "Azure Blob Storage", "adls": "Azure Data Lake", "azure_data_lake": "Azure Data Lake",
    "azure_cosmos": "Cosmos DB", "azure_synapse": "Synapse", "salesforce": "Salesforce", "slack": "Slack",
    "slackwebhook": "Slack", "dbt_cloud": "dbt Cloud",
}  # fmt: skip
WAYS_OUT = (
    "map the connection to PostgreSQL ({postgres}), to files, SQLite or DuckDB ({files}), or to a server that you "
    "start as a service; or skip or replace its tasks with `tasks` in [tool.dagproof.proofs.DAG_ID] (docs/stand-ins.md "
    "explains what a proof then means)"
)


def unsupported(kind: str) -> str:
    """Return what is said of a connection of this kind, to follow its name."""
    return f"has the connection type {kind!r} ({UNSUPPORTED[kind]}), for which a world has no server; {WAYS_OUT}"
