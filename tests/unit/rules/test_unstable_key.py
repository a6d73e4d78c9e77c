"""DP403: an upsert whose key is new each time is found, in SQL and in parameters."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import Look

RULE = "unstable-key"
HOOK = "c = PostgresHook('x').get_conn().cursor()\n"
HOOK += "sql = 'INSERT INTO t (id, a) VALUES (%s, %s) ON CONFLICT (id) DO NOTHING'\n"
NAMED = "c = PostgresHook('x')\nsql = 'INSERT INTO t (a, id) VALUES (%(a)s, %(key)s) ON CONFLICT (id) DO NOTHING'\n"


@pytest.mark.parametrize(
    "body",
    [
        HOOK + "c.execute(sql, (str(uuid.uuid4()), ds))",
        HOOK + "c.executemany(sql, [(str(uuid.uuid4()), row) for row in ti.rows])",
        HOOK + "rows = [(uuid.uuid4().hex, 1)]\nc.executemany(sql, rows)",
        HOOK + "key = f'{ds}-{random.random()}'\nc.execute(sql, [key, 1])",
        HOOK + "c.execute(sql, parameters=(datetime.datetime.now(), 1))",
        NAMED + "c.run(sql, parameters={'a': 1, 'key': str(uuid.uuid4())})",
        "PostgresHook('x').run('INSERT INTO t (id) SELECT uuid_generate_v4() FROM s ON CONFLICT (id) DO NOTHING')",
        "PostgresHook('x').run('INSERT INTO t (a, at) VALUES (1, now()) ON CONFLICT (a, at) DO NOTHING')",
    ],
)
def test_a_key_that_is_new_each_time_is_found(look_in_task: Look, body: str) -> None:
    """By position, by name, in the SQL."""
    assert [finding.certain for finding in look_in_task(body, RULE)] == [True]


@pytest.mark.parametrize(
    "body",
    [
        HOOK + "c.execute(sql, (ds, str(uuid.uuid4())))",
        HOOK + "c.execute(sql, (uuid.uuid5(uuid.NAMESPACE_URL, ds), 1))",
        NAMED + "c.run(sql, parameters={'a': str(uuid.uuid4()), 'key': ds})",
        "PostgresHook('x').run('INSERT INTO t (id, at) SELECT n, now() FROM s ON CONFLICT (id) DO UPDATE SET at = 1')",
        "PostgresHook('x').run('INSERT INTO t (id) SELECT gen_random_uuid() FROM s')",
        "PostgresHook('x').run('INSERT INTO t (id) SELECT n FROM s ON CONFLICT DO NOTHING')",
        "print('INSERT INTO t (id) VALUES (now()) ON CONFLICT (id) DO NOTHING')",
    ],
)
def test_a_key_that_stays_is_not_found(look_in_task: Look, body: str) -> None:
    """Whatever the other columns get."""
    assert look_in_task(body, RULE) == []


def test_without_named_columns_it_is_doubtful(look_in_task: Look) -> None:
    """Which of the values is the key is known to the database only."""
    sql = "c.execute('INSERT INTO t VALUES (%s, %s) ON CONFLICT (id) DO NOTHING', (str(uuid.uuid4()), ds))"
    assert [finding.certain for finding in look_in_task(HOOK + sql, RULE)] == [False]
