"""Histories that broke a law, saved to be tried first next time, and for ``dagproof replay``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dagproof.config import Config
from dagproof.errors import UsageError
from dagproof.histories import History, history_from_json, history_id, history_to_json
from dagproof.laws import Law
from dagproof.runs.lab import Lab

SAVED = Path(".dagproof", "histories")


@dataclass(frozen=True)
class Saved:
    """A saved history, with the DAG and the law that it is about."""

    dag_id: str
    law: str
    seed: int
    history: History


def save(lab: Lab, law: Law, history: History, seed: int) -> str | None:
    """Save the history for ``dagproof replay``, and return its name; None where the folder cannot be written."""
    steps = history_to_json(history)
    name = history_id(lab.dag_id, law.name, steps)
    body = {"dag_id": lab.dag_id, "law": law.name, "seed": seed, "history": steps}
    folder = lab.config.root / SAVED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        (folder / f"{name}.json").write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
    except OSError:
        return None
    return name


def saved_before(lab: Lab, law: Law) -> list[History]:
    """Return the histories that have broken the law before, of the dates that are proven now.

    One with a correction that the configuration no longer names says nothing any more.
    """
    found = []
    for path in sorted((lab.config.root / SAVED).glob("*.json")):
        try:
            saved = load_saved(str(path), lab.config)
        except UsageError:
            continue
        dates = {date for step in saved.history for date in (step.date, step.other) if date}
        corrections = {step.correction for step in saved.history if step.correction}
        of_now = dates <= set(lab.dates) and corrections <= set(lab.proof.corrections)
        if (saved.dag_id, saved.law) == (lab.dag_id, law.name) and of_now:
            found.append(saved.history)
    return sorted(found, key=lambda history: (len(history), history))


def load_saved(id_or_file: str, config: Config) -> Saved:
    """Return a saved history with the DAG and the law that it is about.

    Raises:
        UsageError: nothing is saved under that name, or the file holds no history.
    """
    path = Path(id_or_file)
    if not path.is_file():
        path = config.root / SAVED / f"{id_or_file}.json"
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        history = history_from_json(body["history"])
        return Saved(str(body["dag_id"]), str(body["law"]), int(body["seed"]), history)
    except OSError:
        folder = config.root / SAVED
        there = ", ".join(sorted(p.stem for p in folder.glob("*.json"))[:10]) or "none"
        raise UsageError(
            f"no history {id_or_file!r} is saved (in {folder}: {there}), and there is no such file"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a saved history ({error})") from error
