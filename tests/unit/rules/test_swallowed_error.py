"""DP504: a handler that takes any error of a load in silence is found, and one that somebody learns from is not."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.unit.rules.conftest import HEAD, Look

RULE = "swallowed-error"
TOP = """
import logging, psycopg, requests, pandas as pd
log = logging.getLogger(__name__)
DELETE = "DELETE FROM shop.t WHERE dt = '{{ ds }}'"
INSERT = "INSERT INTO shop.t SELECT * FROM s WHERE dt = '{{ ds }}'"
"""
LOAD = "    PostgresHook('x').run([DELETE, INSERT])\n"


@pytest.mark.parametrize(
    "body",
    [
        f"try:\n{LOAD}except Exception:\n    log.exception('no')",
        f"try:\n{LOAD}except Exception as e:\n    print(e)",
        f"try:\n{LOAD}except:\n    pass",
        f"try:\n{LOAD}except (ValueError, Exception):\n    log.error('no %s', repr(ds))",
        f"try:\n{LOAD}except BaseException:\n    return",
        f"for day in days:\n    try:\n    {LOAD}    except Exception:\n        log.warning('no')\n        continue",
        "c = psycopg.connect('x')\ntry:\n    c.execute(DELETE)\n    c.execute(INSERT)\nexcept Exception:\n"
        "    c.rollback()\n    log.exception('no')",
        "c = psycopg.connect('x')\ntry:\n    c.execute(INSERT)\nexcept Exception:\n    c.commit()",
        f"def load():\n    try:\n    {LOAD}    except Exception:\n        log.exception('no')\nload()",
    ],
)
def test_a_load_whose_error_is_only_logged_is_certain(look_in_task: Look, body: str) -> None:
    """Whatever it is caught as, also in a function that the task calls."""
    (finding,) = look_in_task(body, RULE, TOP)
    assert (finding.certain, finding.task_id) == (True, "load")


@pytest.mark.parametrize(
    "body",
    [
        "try:\n    rows = requests.get('http://x', timeout=9).json()\nexcept Exception:\n    rows = []\nsave(rows)",
        "try:\n    PostgresHook('x').get_records('SELECT 1')\nexcept Exception:\n    log.exception('no')",
    ],
)
def test_a_request_without_a_task_behind_it_is_doubtful(look_in_task: Look, body: str) -> None:
    """Whether anything is lost is not to be seen."""
    (finding,) = look_in_task(body, RULE, TOP)
    assert not finding.certain


@pytest.mark.parametrize(
    "body",
    [
        f"try:\n{LOAD}except Exception:\n    log.exception('no')\n    raise",
        f"try:\n{LOAD}except Exception as e:\n    raise RuntimeError('no') from e",
        f"try:\n{LOAD}except Exception as e:\n    errors.append(e)\nif errors:\n    raise errors[0]",
        f"try:\n{LOAD}except Exception:\n    failed += 1",
        f"try:\n{LOAD}except Exception:\n    ok = False",
        f"try:\n{LOAD}except Exception as e:\n    notify(e)",
        f"try:\n{LOAD}except ValueError:\n    log.exception('no')",
        f"try:\n{LOAD}finally:\n    log.info('done')",
        f"for attempt in range(3):\n    try:\n    {LOAD}        break\n    except Exception:\n"
        "        log.exception('again')\nelse:\n    raise RuntimeError('no')",
        f"while True:\n    try:\n    {LOAD}        return\n    except Exception:\n        time.sleep(9)",
        "try:\n    n = int('x')\nexcept Exception:\n    n = 0",
        "c = psycopg.connect('x')\ntry:\n    c.execute(INSERT)\nfinally:\n    try:\n        c.close()\n"
        "    except Exception:\n        pass",
        "try:\n    rows = PostgresHook('x').get_records('SELECT 1')\nexcept Exception:\n"
        "    rows = PostgresHook('y').get_records('SELECT 1')",
    ],
)
def test_an_error_that_somebody_learns_of_is_fine(look_in_task: Look, body: str) -> None:
    """It goes on, is counted, kept, passed on, or met by another try."""
    assert not look_in_task(body, RULE, TOP)


def test_a_request_before_another_task_is_certain(look: Look) -> None:
    """The load behind it runs on nothing."""
    source = """
    import requests
    @dag(schedule="@daily", start_date=START, catchup=True)
    def d():
        @task
        def fetch():
            try:
                return requests.get("http://x", timeout=9).json()
            except Exception:
                return []
        @task
        def load(rows):
            print(rows)
        load(fetch())
    d()
    """
    (finding,) = look(HEAD + dedent(source), RULE)
    assert (finding.certain, finding.task_id) == (True, "fetch")
