"""Steps and histories: what happens to a DAG, as plain data that prints, saves, replays and shrinks."""

from dagproof.histories.steps import History, Step, history_from_json, history_id, history_to_json

__all__ = ["History", "Step", "history_from_json", "history_id", "history_to_json"]
