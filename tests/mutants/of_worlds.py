"""Mutants of the worlds in which runs happen, and of what keeps a run inside."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, bug, unit

WORLD = (
    Mutant(
        "machine: the same time zone",
        "inside/machine.py",
        '"Pacific/Chatham", 1, turns=True)',
        '"UTC", 1, turns=True)',
        bug("local_time_zone", "deterministic"),
    ),
    Mutant(
        "machine: the same order of sets",
        "inside/machine.py",
        '"Pacific/Chatham", 1, turns=True)',
        '"Pacific/Chatham", 0, turns=True)',
        bug("hash_bucket", "deterministic"),
    ),
    Mutant(
        "machine: the same host name",
        "inside/machine.py",
        "        socket.gethostname = lambda: self.hostname\n",
        "        socket.gethostname = lambda: 'worker'\n",
        bug("host_name", "deterministic"),
    ),
    Mutant(
        "world: a failed run is a success",
        "worlds/world.py",
        'if report.state != "success":\n            raise self.failed(what, report, request)',
        "if False:\n            raise self.failed(what, report, request)",
        bug("moved_input", "retry"),
    ),
    Mutant(
        "world: SQL's clock is not moved",
        "worlds/worlds.py",
        "move_clock(machine.name, now.timestamp() - time.time())",
        "move_clock(machine.name, 0.0)",
        bug("partition_of_current_date", "clock"),
    ),
    Mutant(
        "world: Airflow's variables stay",
        "worlds/worlds.py",
        "        replace_metadata(saved.metadata if saved else self.metadata_template, worker.metadata)\n",
        "        worker.metadata.exists() or replace_metadata(self.metadata_template, worker.metadata)\n",
        bug("watermark_in_a_variable", "crash"),
    ),
    Mutant(
        "clock: Python's is not moved",
        "inside/clock.py",
        "time_machine.travel(start.timestamp(), tick=True)",
        "time_machine.travel(time.time(), tick=True)",
        unit("inside/test_clock.py", "begins_where"),
    ),
    Mutant(
        "points: nothing is worth a killed run but the first",
        "runs/points.py",
        "    if len(points) <= most:\n        return list(points)\n",
        "    return list(points[:1])\n",
        unit("worlds/test_points.py", "points_are_all_tried"),
    ),
    Mutant(
        "points: no reply is lost",
        "runs/points.py",
        "        if not within.get(message.connection):\n            found.add(message.index)\n",
        "",
        unit("worlds/test_points.py", "reply"),
    ),
    Mutant(
        "guard: writes anywhere",
        "inside/guard.py",
        "            if isinstance(args[2], int) and args[2] & WRITE_FLAGS:\n",
        "            if False:\n",
        unit("inside/test_guard.py", "write_outside"),
    ),
    Mutant(
        "guard: connects anywhere",
        "inside/guard.py",
        "            self._check_socket(*args[:2])\n",
        "            pass\n",
        unit("inside/test_guard.py", "connection_to_elsewhere"),
    ),
    Mutant(
        "guard: the kernel helps with nothing",
        "inside/landlock.py",
        "    if abi < 1:\n",
        "    if True:\n",
        unit("worlds/test_landlock.py", "landlock"),
    ),
    Mutant(
        "guard: drivers in C connect anywhere",
        "inside/guard.py",
        "        check(host, ports[min(index, len(ports) - 1)])",
        "        pass",
        unit("inside/test_guard.py", "driver_is_refused"),
    ),
    Mutant(
        "machine: rows come in the same order",
        "worlds/turning.py",
        '"place of dagproof" END DESC NULLS LAST',
        '"place of dagproof" END ASC NULLS LAST',
        ("tests/integration/proofs/test_turning.py", "-k", "reverse_order"),
    ),
    Mutant(
        "machine: rows that a task has written stay in their order",
        "airflow/reordering.py",
        "                unturned.extend(prefix + table for table in turn_rows(conninfo, since[prefix]))\n",
        "                pass\n",
        ("tests/integration/cases/test_ties.py", "-k", "rows-of-the-task-before"),
    ),
    Mutant(
        "machine: folders are listed in the same order",
        "inside/machine.py",
        "        if self.turns:\n            _turn_folders()\n",
        "",
        unit("worlds/test_machine.py", "other_way_round"),
    ),
    Mutant(
        "snapshot: not the home folder",
        "stores/snapshot.py",
        "_files_at_home(home) if home else ()",
        "()",
        unit("stores/test_snapshot.py", "home"),
    ),
)
