import os

import psycopg


def load(dt, rows):
    """Replace a day's prices: but each statement commits by itself."""
    with psycopg.connect(os.environ["ACME_DSN"], autocommit=True) as connection:
        connection.execute("DELETE FROM prices WHERE dt = %s", [dt])
        for sku, price in rows:
            connection.execute("INSERT INTO prices VALUES (%s, %s, %s)", [dt, sku, price])
