"""What a day of waiting costs: a sensor, a deferred task, a retry and a sleep, each of 24 hours on the world's clock.

    python benchmarks/bench_waiting.py

Beside it stands the alternative: stock ``dag.test()`` waits for all of it in real time, so that its figure is one
virtual second for each second, by definition.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from dagproof.config import Config, WorldConfig
from dagproof.histories import Step
from dagproof.runs.driver import open_driver

DAGS = Path(__file__).parents[1] / "tests" / "integration" / "proofs" / "waiting"
WAYS = {
    "for_a_day": "reschedule sensor, a look each minute",
    "in_poke_mode": "poke sensor, a look each minute",
    "deferred": "deferred task, its trigger awake each minute",
    "between_retries": "three retries, eight hours apart",
    "asleep": "time.sleep",
}
DATE = "2026-01-01"
ROUNDS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as root:
        config = Config(root=Path(root), dags=str(DAGS), world=WorldConfig())
        with open_driver(config) as driver:
            print(f"{'24 hours of waiting':<48}{'seconds':>9}{'virtual s / s':>16}")
            for name, way in WAYS.items():
                best, skipped = float("inf"), 0.0
                for _ in range(ROUNDS):
                    lab, _ = driver.lab(f"waits_{name}", [DATE])
                    started = time.perf_counter()
                    skipped = lab.report((Step("run", DATE),))["skipped"]
                    best = min(best, time.perf_counter() - started)
                print(f"{way:<48}{best:>9.2f}{skipped / best:>16,.0f}")
    print(f"{'stock dag.test(), by definition':<48}{24 * 3600:>9,}{1:>16}")


if __name__ == "__main__":
    main()
