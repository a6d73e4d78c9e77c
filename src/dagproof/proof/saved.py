"""Histories that broke a law, saved to be tried first next time, and for ``dagproof replay``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dagproof.config import Config
from dagproof.errors import UsageError
from dagproof.histories import History, history_from_json, history_id, history_to_json
from dagproof.laws import Law
from dagproof.output.files import write_file
from dagproof.runs.lab import Lab

SAVED = Path(".dagproof", "histories")
MOST_SAVED_BYTES = 1_000_000
"""Bytes of a saved history: one has a few hundred."""


@dataclass(frozen=True)
class Saved:
    """A saved history, with the DAG and the law that it is about."""

    dag_id: str
    law: str
    seed: int
    history: History


def save(lab: Lab, law: Law, history: History, seed: int) -> str | None:
    """Save the history for ``dagproof replay``, and return its name; None where the folder cannot be written."""
    name = _name_of(lab.dag_id, law.name, history)
    body = {"dag_id": lab.dag_id, "law": law.name, "seed": seed, "history": history_to_json(history)}
    folder = lab.config.root / SAVED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_file(folder.parent / ".gitignore", b"*\n", "list of ignored files")
        write_file(folder / f"{name}.json", f"{json.dumps(body, indent=2)}\n".encode(), "history")
    except (OSError, UsageError):
        return None
    return name


def _name_of(dag_id: str, law: str, history: History) -> str:
    return history_id(dag_id, law, history_to_json(history))


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
        is_whole = path.stem == _name_of(saved.dag_id, saved.law, saved.history)
        if (saved.dag_id, saved.law) == (lab.dag_id, law.name) and of_now and is_whole:
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
        body = json.loads(_text(path))
        if not isinstance(body, dict):
            raise ValueError("it is not a JSON object")
        history = history_from_json(body["history"])
        return Saved(str(body["dag_id"]), str(body["law"]), int(body["seed"]), history)
    except OSError:
        folder = config.root / SAVED
        there = ", ".join(sorted(p.stem for p in folder.glob("*.json"))[:10]) or "none"
        raise UsageError(
            f"there is no saved history or file {id_or_file!r}; saved in {folder}: {there} (a failing `dagproof prove` "
            "saves its history in the project in which it runs)"
        ) from None
    except KeyError as error:
        raise UsageError(f"{path} is not a saved history: it has no key {error}") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{path} is not a saved history: it is not JSON ({error})") from None
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise UsageError(f"{path} is not a saved history: {error}") from None


def _text(path: Path) -> str:
    """Return the text of a saved history; a pipe or device in its place would never end."""
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        data = file.read(MOST_SAVED_BYTES + 1)
    if len(data) > MOST_SAVED_BYTES:
        raise ValueError(f"it has more than {MOST_SAVED_BYTES:,} bytes")
    return data.decode()
