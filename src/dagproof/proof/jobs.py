"""A whole proof, in one process or in several.

One process keeps little more than one processor busy, because one world exists at a time. So each of several has a
server, worlds and workers of its own, and takes the next law when it is free. This module is also what such a process
runs: the descriptor in ``argv[1]`` is its connection to the process that asks for verdicts.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from dagproof.config import Config
from dagproof.errors import CrashError, DagproofError
from dagproof.laws import Law, Verdict, all_laws, law_named
from dagproof.output.crashes import summary, understood
from dagproof.processes.child import ChildProcess
from dagproof.proof.budget import by_findings
from dagproof.proof.prover import machines_for, open_prover
from dagproof.proof.revealed import check_configuration, unknown_names
from dagproof.proof.verdicts import Proof, proof_of
from dagproof.runs.references import check_names

#: More of them hardly help: the longest law takes as long as a third of them all.
MOST_JOBS = 3
#: Seconds in which a process that is told to end removes what it has made.
GRACE = 20.0
#: Runs this module, and imports nothing from the current folder, which is the user's.
_PROGRAM = "import sys; sys.path = [path for path in sys.path if path]; from dagproof.proof.jobs import main; main()"

OnLaws = Callable[[Sequence[str]], None]
OnProof = Callable[[Proof], None]


def quiet_rollbacks() -> None:
    """Let psycopg be silent about connections that cannot be rolled back: where a proof is stopped, its server ends."""
    logging.getLogger("psycopg").setLevel(logging.ERROR)


def default_jobs(config: Config) -> int:
    """Return in how many processes a proof runs when nobody says so: one for each processor, but not many.

    Where the configuration allows something besides the worlds, those that exist at the same time would meet there:
    then it is one.
    """
    processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return 1 if config.world.allow else min(processors, MOST_JOBS)


def prove(
    dag_id: str,
    config: Config,
    *,
    laws: Sequence[str] = (),
    jobs: int = 1,
    on_laws: OnLaws = lambda names: None,
    on_proof: OnProof = lambda proof: None,
    **options: Any,
) -> Proof:
    """Prove the named laws (all of them by default) about `dag_id`, in at most `jobs` processes.

    `options` are those of :func:`dagproof.proof.prover.open_prover`. `on_laws` is called with the names of the laws
    that are being proven, whenever these change, and `on_proof` with all verdicts so far, whenever one is reached.

    Raises:
        DagproofError: it could not even be tried.
    """
    chosen = sorted({law_named(name) for name in laws} or all_laws(), key=lambda law: law.order)
    in_turn = by_findings(chosen) if options.get("budget") else chosen
    if min(jobs, len(chosen)) > 1:
        return _prove_in_several(dag_id, config, chosen, min(jobs, len(chosen)), on_laws, on_proof, options)
    started = time.perf_counter()
    verdicts: list[Verdict] = []
    with open_prover(dag_id, config, laws=chosen, **options) as prover:
        on_laws([chosen[0].name])
        check_configuration(prover.lab, chosen)
        for number, law in enumerate(in_turn):
            on_laws([law.name])
            verdicts.append(prover.prove(law, laws_left=len(in_turn) - number))
            on_proof(prover.concluded(verdicts, started))
        check_names([unknown_names(prover.lab)])
        verdicts.sort(key=lambda verdict: law_named(verdict.law).order)
        return prover.concluded(verdicts, started)


def _prove_in_several(
    dag_id: str,
    config: Config,
    laws: Sequence[Law],
    jobs: int,
    on_laws: OnLaws,
    on_proof: OnProof,
    options: Mapping[str, Any],
) -> Proof:
    started = time.perf_counter()

    def so_far() -> Proof:
        in_order = [verdicts[law.name] for law in laws if law.name in verdicts]
        return proof_of(config, dag_id, dates, in_order, seed=options.get("seed", 0), started=started)

    left = list(laws)
    dates: tuple[str, ...] = ()
    verdicts: dict[str, Verdict] = {}
    unknown: dict[Job, Mapping[str, str] | None] = {}
    with _started({"dag_id": dag_id, "config": config, **options}, laws, jobs) as crew:
        while len(verdicts) < len(laws):
            at_work = {job.connection: job for job in crew if not job.is_done}
            for connection in wait(list(at_work)):
                job = at_work[connection]  # type: ignore[index]  # what goes in comes out
                answer = job.answer()
                if job.law:
                    verdicts[job.law], unknown[job] = answer
                    on_proof(so_far())
                else:
                    dates = answer
                job.take(_next(left, job, bool(options.get("budget"))), len(left) + 1)
                if at_law := [job.law for job in crew if job.law]:
                    on_laws(at_law)
    check_names(unknown.values())
    return so_far()


def _next(left: list[Law], job: Job, has_budget: bool) -> Law | None:
    """Take the longest law that `job` can prove off those that are left; None where there is none.

    Of a budget, the law that finds most takes first.
    """
    able = [law for law in left if set(law.machines) <= set(job.machines)]
    if not able:
        return None
    law = by_findings(able)[0] if has_budget else max(able, key=lambda law: law.effort)
    left.remove(law)
    return law


@contextmanager
def _started(order: Mapping[str, Any], laws: Sequence[Law], jobs: int) -> Iterator[list[Job]]:
    """Start the processes, no more of them with all machines than laws need those; end them with the block."""
    alone = [law.name for law in laws if len(law.machines) == 1]
    with_all = len(laws) - len(alone)
    crew: list[Job] = []
    try:
        for number in range(jobs):
            able = [law.name for law in laws] if number < max(1, with_all) else alone
            crew.append(Job({**order, "laws": able}))
        yield crew
    finally:
        for job in crew:
            job.stop()
        for job in crew:
            job.close()


class Job:
    """A process that proves one law after the other.

    Args:
        order: what :func:`dagproof.proof.prover.open_prover` takes, with the names of all ``laws`` that may be asked
            for.
    """

    def __init__(self, order: Mapping[str, Any]) -> None:
        self.machines = machines_for([law_named(name) for name in order["laws"]])
        self.law = ""
        """The law that is being proven; empty until it is ready for one, and when none is left for it."""
        self.is_done = False
        self.connection, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-c", _PROGRAM, str(theirs.fileno())]
            self._process = ChildProcess(command, descriptors=[theirs.fileno()], grace=GRACE)
        self._say(dict(order))

    def answer(self) -> Any:
        """Return the dates when it is ready, and then for each law the verdict with what it says of the configuration.

        Raises:
            DagproofError: it could not begin, or is gone. CrashError: it met an error that nobody foresaw.
        """
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            how = self._process.how_it_ended
            raise DagproofError(
                f"a process of the proof ended unexpectedly, {how}; if memory is short, use --jobs 1"
            ) from None
        if isinstance(answer, DagproofError | CrashError):
            raise answer
        return answer

    def take(self, law: Law | None, laws_left: int) -> None:
        """Let it prove `law`, one of those that are left; let it end where there is none."""
        self.law, self.is_done = (law.name, False) if law else ("", True)
        self._say((self.law, laws_left))

    def _say(self, what: Any) -> None:
        with contextlib.suppress(OSError):  # it is gone: its answer will say so
            self.connection.send(what)

    def stop(self) -> None:
        """Let it end whatever it is doing, unless it ends by itself; :meth:`close` waits for that."""
        if not self.is_done:
            self._process.stop()

    def close(self) -> None:
        """Wait for its end, and make one where it does not come."""
        self._process.close(patience=GRACE)
        self.connection.close()


def main() -> None:
    """Prove the laws that the process at the other end of ``argv[1]`` asks for, one after the other."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    quiet_rollbacks()
    # whoever asks may be gone, or may want no answer any more
    with contextlib.suppress(KeyboardInterrupt, EOFError, OSError):
        with Connection(int(sys.argv[1])) as connection:
            _serve(connection)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending anyhow


def _serve(connection: Connection[Any, Any]) -> None:
    order = connection.recv()
    laws = [law_named(name) for name in order.pop("laws")]
    try:
        with open_prover(**order, laws=laws) as prover:
            connection.send(prover.lab.dates)
            check_configuration(prover.lab, laws)
            while (order := connection.recv())[0]:
                verdict = prover.prove(law_named(order[0]), laws_left=order[1])
                connection.send((verdict, unknown_names(prover.lab)))
    except DagproofError as error:
        connection.send(error)
    except Exception as error:
        connection.send(understood(error) or CrashError(summary(error), traceback.format_exc()))
