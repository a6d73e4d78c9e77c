"""What all connections of a lane share: the way to the server, and which sessions may take it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dagproof.postgres.wire.clock import Moved
from dagproof.postgres.wire.loop import Loop
from dagproof.postgres.wire.plans import Book
from dagproof.postgres.wire.protocol import Startup

if TYPE_CHECKING:
    from dagproof.postgres.wire.connection import Connection

Address = tuple[int, Any]  # the family, and what connect() takes

#: What a client gets that asks for another database of the server: no world has it, and nobody compares it.
OTHER_DATABASE = (
    "database {0!r} is not part of this world; a run reaches only the database that {{postgres}} stands for"
)


@dataclass(frozen=True)
class Closed:
    """Why a server lets no session begin: the next one, or none from now on where it is `lasting`."""

    sqlstate: str
    text: str
    lasting: bool


@dataclass
class Way:
    """The loop, the book, where the server is, and a buffer to work in."""

    loop: Loop
    book: Book
    addresses: Sequence[Address]
    buffer: memoryview
    on_end: Callable[[Connection], None]
    only: Collection[str] | None = None
    """The databases that sessions may be with; any by default."""
    moved: dict[str, Moved] = field(default_factory=dict)
    """By database: by how much the clock is ahead there, for sessions that begin now."""

    closed: Closed | None = None
    """Why no session may begin now, where none may."""

    def refusal(self, startup: Startup) -> tuple[str, str] | None:
        """Return why a session may not begin, and the SQLSTATE of that; None where it may."""
        if startup.kind != "session":
            return None
        if self.only is not None and startup.database not in self.only:
            return OTHER_DATABASE.format(startup.database), "3D000"
        closed = self.closed
        if closed is None:
            return None
        if not closed.lasting:
            self.closed = None
        return closed.text, closed.sqlstate

    def moved_for(self, startup: Startup) -> Moved | None:
        """Return the clock of a session that begins, where it is ahead."""
        return self.moved.get(startup.database) if startup.kind == "session" else None
