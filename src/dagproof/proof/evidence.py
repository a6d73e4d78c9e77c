"""Evidence for a verdict: which task wrote what differs, what happens at a point, and who asked for the time."""

from __future__ import annotations

from pathlib import Path

from dagproof.errors import DagproofError
from dagproof.histories import History, Step
from dagproof.inside.exchange import RunOptions, Taken, Trip
from dagproof.inside.machine import HERE
from dagproof.runs.lab import Lab
from dagproof.runs.points import recorded
from dagproof.stores.snapshot import Snapshot, saved_after_tasks
from dagproof.worlds.failing import RunFailedError

#: How many of those who asked for the time or something random are named.
MOST_ASKED = 3


class Evidence:
    """Runs the histories of a lab once more, and looks closely."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def writer(self, history: History, names: set[str]) -> str | None:
        """Return who wrote `names` in a history, as :meth:`located` says it; None where that is not known."""
        if not names:
            return None
        try:
            if history[-1].kind == "overlap":  # two runs write at once: it is the one that was held that gets it wrong
                point = self.lab.point(history)
                return self.located(point.task) if point and point.task else None
            return self._task_of(history, names)
        except DagproofError:
            return None  # the run does not succeed each time; the verdict stands without the name

    def where(self, history: History) -> str:
        """Return what happens at the point of the history, where it has one."""
        try:
            point = self.lab.point(history)
        except DagproofError:
            return ""
        if point is None:
            return ""
        what = f"the reply to {point.what}" if point.kind == "reply" else point.what
        return f"{point.name}: {what}" + (f", in task {point.task}" if point.task else "")

    def asked(self, history: History, names: set[str]) -> tuple[str, ...]:
        """Return who, in the last run, asked for what makes runs differ in `names`."""
        try:
            trips = self.trips(history, names)
        except DagproofError:
            return ()
        lines = (f"{t.what}, at {self.shown(t.file)}:{t.line}: {t.code}" for t in trips)
        return tuple(dict.fromkeys(lines))[:MOST_ASKED]

    def taken(self, history: History) -> tuple[str, ...]:
        """Return which handlers of the user's code took the error of the outage in `history`, the last one first.

        What they also take in an undisturbed run is left out.
        """
        number = next((n for n, step in enumerate(history) if step.kind == "outage"), None)
        if number is None:
            return ()
        usual = Step(
            "rerun" if any(s.date == history[number].date for s in history[:number]) else "run", history[number].date
        )
        try:
            known = {(one.file, one.line) for one in self._handled((*history[:number], usual))}
            found = self._handled(history[: number + 1])
        except DagproofError:
            return ()
        lines = (
            f"{self.shown(one.file)}:{one.line}: {one.code} ({one.error})"
            for one in reversed(found)
            if (one.file, one.line) not in known
        )
        return tuple(dict.fromkeys(lines))[:MOST_ASKED]

    def _handled(self, history: History) -> tuple[Taken, ...]:
        states = self.lab.states
        with states.before_last(history, HERE) as (world, step):
            return states.stage.play(world, step, RunOptions(handlers=self._folders)).taken

    @property
    def _folders(self) -> tuple[str, ...]:
        """The folders of the user's code."""
        config = self.lab.config
        return tuple(map(str, [config.dags_folder, *(config.root / path for path in config.pythonpath)]))

    def trips(self, history: History, names: set[str]) -> list[Trip]:
        """Return who asked for the time, something random or the machine's name in the last run of `history`.

        What was asked for after the last write to one of the tables or files `names` is left out. The user's own lines
        come first, and then those that call a library which asks.
        """
        states = self.lab.states
        with states.before_last(history, HERE) as (world, step), recorded(world) as run:
            options = RunOptions(files=run.files, tripwire=self._folders)
            report = states.stage.play(world, step, options)
            until = run.last_write(report, names)
        before = [trip for trip in report.trips if trip.at <= until]
        return sorted(before, key=lambda trip: not trip.own)

    def _task_of(self, history: History, names: set[str]) -> str | None:
        """Return the task that last changed one of the tables or files `names`.

        It is one of the last step of `history`, or of the last one before it that left them other than they were.
        Where none of them is there, because each run gives its files other names, it is the task that last changed
        anything. The answer reads ``load_users, at etl/users.py:88``, without the line where that is not known, and
        with ``in step 1`` where that is not the last step.
        """
        task = self._writer_of_last(history, names)
        if task is not None:
            return self.located(task)
        for number in range(len(history) - 1, 0, -1):
            before, after = (self.lab.state(history[:n]) for n in (number - 1, number))
            if any(_content(before, name) != _content(after, name) for name in names):
                task = self._writer_of_last(history[:number], names)
                return None if task is None else f"{self.located(task)}, in step {number}"
        return None

    def _writer_of_last(self, history: History, names: set[str]) -> str | None:
        """Return the task that, in the last step of `history`, last changed one of `names`; None where none has."""
        states = self.lab.states
        with states.before_last(history, HERE) as (world, step):
            into = world.worlds.run_folder / "after-tasks"
            into.mkdir()
            snapshots = [("", world.snapshot())]
            callback = "on_success_callback"
            try:
                states.stage.play(world, step, RunOptions(watch=world.watch(into)))
            except RunFailedError:
                callback = "on_failure_callback"
            snapshots += [(task_id, snapshot) for task_id, _, snapshot in saved_after_tasks(into)]
            if step.is_crash:
                snapshots.append(("", world.snapshot()))  # what the task has left that was cut off
            elif callback in self.lab.about.callbacks:  # Airflow calls it when all tasks are done
                snapshots.append((f"{callback} of the DAG", world.snapshot()))
        seen = [state for _, state in snapshots]
        if not any(_content(state, name) for state in seen for name in names):
            names = {name for state in seen for name in (*state.tables, *state.files, *state.structure)}
        writers = [
            task_id
            for (task_id, after), before in zip(snapshots[1:], seen, strict=False)
            if any(_content(before, name) != _content(after, name) for name in names)
        ]
        if writers[-1:] == [""]:
            point = self.lab.point(history)
            return (point and point.task) or None
        return writers[-1] if writers else None

    def located(self, task_id: str) -> str:
        """Return ``task load_users, at etl/users.py:88``, without the place where it is not known.

        Of a callback, it is ``the on_success_callback of task load_users``.
        """
        if "_callback of " in task_id:
            return f"the {task_id}"
        line = self.located_line(self.lab.about.tasks.get(task_id))
        return f"task {task_id}, at {line}" if line else f"task {task_id}"

    def located_line(self, where: str | None) -> str | None:
        """Return ``file.py:line`` with the file as the user would write it; None for nothing."""
        path, _, line = (where or "").rpartition(":")
        return f"{self.shown(path)}:{line}" if path else None

    def shown(self, path: str) -> str:
        """Return `path` as the user would write it."""
        root = self.lab.config.root
        return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path


def _content(snapshot: Snapshot, name: str) -> object:
    """Return what is compared under a name: rows, and what is on the table; a file; None where nothing is."""
    table, parts = snapshot.tables.get(name), snapshot.structure.get(name)
    return (table and table.rows, parts) if table or parts else snapshot.files.get(name)
