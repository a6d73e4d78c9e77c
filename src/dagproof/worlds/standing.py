"""The world that stands between two histories, so that one which begins like the last goes on there."""

from __future__ import annotations

from contextlib import ExitStack


class Standing:
    """A world that nobody uses now; at most one, since worlds have the same folders and the same database."""

    def __init__(self) -> None:
        self._world: object = None
        self._stack = ExitStack()

    def leave(self, world: object, stack: ExitStack) -> None:
        """Let a world stand; `stack` destroys it once another one is needed."""
        self.clear()
        self._world, self._stack = world, stack

    def __bool__(self) -> bool:
        return self._world is not None

    def has(self, world: object) -> bool:
        """Tell whether this world is the one that stands."""
        return world is self._world

    def take(self) -> ExitStack:
        """Return what destroys the world that stands: it is the caller's from now on."""
        self._world = None
        return self._stack.pop_all()

    def clear(self) -> None:
        """Destroy the world that stands, where there is one."""
        self._world = None
        self._stack.close()
