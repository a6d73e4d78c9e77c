"""As Django's: `python manage.py migrate` makes the tables, and notes which migrations were applied."""

import sys

from portal.db import connect

MIGRATIONS = {
    "0001_initial": "CREATE TABLE members (id bigserial PRIMARY KEY, dt date NOT NULL, email text NOT NULL)",
    "0002_unique": "CREATE UNIQUE INDEX members_email ON members (dt, email)",
}

if sys.argv[1] == "migrate":
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE django_migrations (name text, applied timestamptz DEFAULT now())")
        for name, statement in MIGRATIONS.items():
            cursor.execute(statement)
            cursor.execute("INSERT INTO django_migrations (name) VALUES (%s)", [name])
