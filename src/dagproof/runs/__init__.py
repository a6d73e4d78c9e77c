"""Lets a history happen: worlds and workers, one step after the other, and the state after each."""
