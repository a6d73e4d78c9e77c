"""Files that strangers write: each does something to who imports it, and what must be told of it."""

from __future__ import annotations

HEAD = "import pendulum\nfrom airflow.sdk import DAG, task\nSTART = pendulum.datetime(2026, 1, 1)\n"


def dag(name: str) -> str:
    """The code of a DAG without fault."""
    return f"with DAG('{name}', schedule='@daily', start_date=START, catchup=True):\n    pass\n"


NASTY: dict[str, tuple[str, dict[str, str]]] = {
    "healthy": (HEAD + dag("healthy"), {}),
    "hangs": (HEAD + "while True:\n    pass\n", {"import-error": "took more than 4 s"}),
    "sleeps": (HEAD + "import time\ntime.sleep(3600)\n", {"import-error": "took more than 4 s"}),
    "exits": (HEAD + "import sys\nsys.exit('enough')\n", {"import-error": "SystemExit: enough"}),
    "os_exits": (HEAD + "import os\nos._exit(0)\n", {"import-error": "ended the process with exit status 0"}),
    "segfaults": (HEAD + "import ctypes\nctypes.string_at(0)\n", {"import-error": "SIGSEGV"}),
    "kills_itself": (HEAD + "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", {"import-error": "SIGKILL"}),
    "recurses": (HEAD + "def f():\n    f()\nf()\n", {"import-error": "RecursionError"}),
    "interrupts": (HEAD + "raise KeyboardInterrupt\n", {"import-error": "KeyboardInterrupt"}),
    "misses": (
        HEAD + "import frobnicate.client\n" + dag("misses"),
        {
            "import-error": "the module 'frobnicate' is not installed here, so the DAGs of this file were not "
            "checked; install it, or if it is the project's own, name its folder in pythonpath in "
            "[tool.dagproof], or check the source only, with --no-import"
        },
    ),
    "misses_provider": (
        HEAD + "from airflow.providers.frob.hooks import FrobHook\n" + dag("misses_provider"),
        {"import-error": "install apache-airflow-providers-frob"},
    ),
    "misses_own": (HEAD + "import helpers.nothing\n", {"import-error": "ModuleNotFoundError"}),
    "python2": ("# airflow dag\nprint 'hello'\n", {"import-error": "syntax of Python 2"}),
    "prints": (HEAD + "print('x' * 10_000_000)\n" + dag("prints"), {}),
    "closes": (
        HEAD + "import os\nfor n in range(3, 200):\n    try:\n        os.close(n)\n    except OSError:\n        pass\n",
        {},
    ),
    "forges": (
        HEAD
        + "import json, os\n"
        + "none = {'seconds': 0, 'dags': [], 'made': [], 'error': None, 'threads': 0, 'made_up': [], 'imported': []}\n"
        + "other = {'file': __file__.replace('forges', 'fails'), 'want': 'describe', 'events': [], 'result': none}\n"
        + "for n in range(3, 2000):\n"
        + "    for said in ({'result': none}, other, {'done': True}, {'error': 'forged'}):\n"
        + "        try:\n            os.write(n, json.dumps(said).encode() + b'\\n')\n"
        + "        except OSError:\n            pass\n"
        + "os._exit(0)\n",
        {"import-error": "ended the process with exit status 0"},
    ),
    "inherits": (
        HEAD
        + "import json, subprocess, sys\n"
        + "code = 'import os; print([n for n in os.listdir(\"/proc/self/fd\") if int(n) > 3])'\n"
        + "run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, close_fds=False)\n"
        + "raise ValueError(f'inherited {run.stdout.strip()}')\n",
        {"import-error": "ValueError: inherited []", "top-level-io": "this starts the process"},
    ),
    "eats_memory": (
        HEAD + "hoard = []\nwhile True:\n    hoard.append(b'x' * 50_000_000)\n",
        {"import-error": "MemoryError: it takes more than the 1,000 MB of [tool.dagproof.check] memory"},
    ),
    "moves": (HEAD + "import os\nos.chdir('/')\n" + dag("moves"), {}),
    "threads": (
        HEAD + "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\n" + dag("threads"),
        {},
    ),
    "leaves": (
        HEAD + "import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)\n" + dag("leaves"),
        {"top-level-io": "subprocess.Popen()"},
    ),
    "forks": (HEAD + "import os\nif os.fork() == 0:\n    os._exit(0)\n" + dag("forks"), {}),
    "patches": (
        HEAD + "import builtins, json, os\njson.dumps = None\nos.write = None\nbuiltins.open = None\n" + dag("patches"),
        {},
    ),
    "writes": (
        HEAD + "import pathlib\npathlib.Path('/tmp/dagproof-was-here').write_text('x')\n",
        {"top-level-io": "writes /tmp/dagproof-was-here (that was refused here)"},
    ),
    "connects": (
        HEAD + "import socket\ns = socket.socket()\ns.connect(('127.0.0.1', 9))\n",
        {"top-level-io": "connects to 127.0.0.1:9 (that was refused here)"},
    ),
    "looks_up": (
        HEAD + "from airflow.sdk import Variable\nN = int(Variable.get('n'))\n" + dag("looks_up"),
        {"top-level-variable": "Variable.get()"},
    ),
    "wants": (
        HEAD + "from airflow.sdk import Variable\nD = pendulum.parse(Variable.get('day') + 'x')\n" + dag("wants"),
        {
            "import-error": "because the Variable 'day' has no value here",
            "top-level-variable": "Variable.get()",
        },
    ),
    "fails": (HEAD + "raise ValueError('no way')\n", {"import-error": "ValueError: no way"}),
    "cycles": (
        HEAD
        + "with DAG('cycles', schedule=None):\n    @task\n    def a(): pass\n    x, y = a(), a()\n    x >> y >> x\n",
        {"import-error": "Cycle"},
    ),
    "loses": (HEAD + "dags = [DAG('loses', schedule=None)]\n", {"no-dag-found": "Airflow does not find it"}),
    "zz_again": (HEAD + dag("healthy"), {"duplicate-dag-id": "another DAG already has the id 'healthy'"}),
}
"""Source, and what is found by which rule; every other rule finds nothing."""
