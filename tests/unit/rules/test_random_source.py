"""DP203: what draws at random in a task is found, and what is fixed is not."""

from __future__ import annotations

import pytest

from tests.unit.rules.conftest import Look

RULE = "random-source"


@pytest.mark.parametrize(
    "body",
    [
        "return str(uuid.uuid4())",
        "from uuid import uuid1 as make\nreturn make()",
        "return random.sample([1, 2], 1)",
        "return random.Random().random()",
        "import secrets\nreturn secrets.token_hex(8)",
        "import pandas as pd\nreturn pd.read_csv('x').dropna().sample(frac=0.1)",
        "import numpy as np\nreturn np.random.RandomState().rand()",
        "from sqlalchemy import func\nreturn func.random()",
        "return os.urandom(8)",
        "return hash(f'{ds}/1') % 10",
        "import numpy as np\nreturn np.random.rand(3)",
        "import numpy as np\nreturn np.random.default_rng().normal()",
        "PostgresHook('x').run('INSERT INTO t (id) VALUES (gen_random_uuid())')",
        "PostgresHook('x').run('SELECT * FROM t ORDER BY random() LIMIT 5')",
        "os.system('load --id $(uuidgen)')",
        "open(f'out/{uuid.uuid4()}.csv', 'w')",
    ],
)
def test_a_draw_in_a_task_is_found(look_in_task: Look, body: str) -> None:
    """Once."""
    assert len(look_in_task(body, RULE)) == 1


@pytest.mark.parametrize(
    "body",
    [
        "return uuid.uuid5(uuid.NAMESPACE_URL, ds)",
        "return random.Random(ds).random()",
        "import pandas as pd\nreturn pd.read_csv('x').sample(frac=0.1, random_state=7)",
        "return ti.sample(3)",
        "import numpy as np\nreturn np.random.RandomState(7).rand()",
        "random.seed(ds)\nreturn random.random()",
        "import numpy as np\nreturn np.random.default_rng(7).normal()",
        "import numpy as np\nnp.random.seed(7)\nreturn np.random.rand(3)",
        "time.sleep(random.random())",
        "print(uuid.uuid4())",
        "return hash((1, 2)), hash(len(ds))",
        "class Key:\n    def __hash__(self): return hash(self.x)\nreturn {Key(): 1}",
        "def hash(text): return 1\nreturn hash('x')",
        "PostgresHook('x').run('SELECT rand(7)')",
        "PostgresHook('x').run('SELECT uuid, random FROM t')",
        "open(f'.{uuid.uuid4()}.csv', 'w')",
        "part = f'out/{uuid.uuid4()}.part'\nopen(part, 'w')",
        "return sorted([1, 2])",
    ],
)
def test_what_only_looks_like_a_draw_is_not_found(look_in_task: Look, body: str) -> None:
    """Seeds, pauses, log lines, temporary files, and names that are something else."""
    assert look_in_task(body, RULE) == []


def test_a_hash_of_what_may_be_text_is_doubtful(look_in_task: Look) -> None:
    """Numbers have the same in each process."""
    assert [finding.certain for finding in look_in_task("return hash(ti.key) % 64", RULE)] == [False]


def test_a_draw_while_parsing_is_found_where_a_task_gets_it(look_in_dag: Look) -> None:
    """All runs between two parsings share it."""
    (finding,) = look_in_dag("BashOperator(task_id='load', bash_command=f'load {uuid.uuid4()}')", RULE)
    assert "when the file is parsed" in finding.message
