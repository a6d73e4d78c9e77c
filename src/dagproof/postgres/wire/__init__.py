"""A proxy for PostgreSQL's protocol that loses requests and replies, holds clients, and counts their messages."""

from dagproof.postgres.wire.clock import FUNCTIONS, moved_sql
from dagproof.postgres.wire.plans import Error, Failing, Fault, Held, Hold, Message, Planned, Watch
from dagproof.postgres.wire.points import FaultPoints, fault_points
from dagproof.postgres.wire.proxy import Lane, Proxy, ProxyError

__all__ = [
    "FUNCTIONS",
    "Error",
    "Failing",
    "Fault",
    "FaultPoints",
    "Held",
    "Hold",
    "Lane",
    "Message",
    "Planned",
    "Proxy",
    "ProxyError",
    "Watch",
    "fault_points",
    "moved_sql",
]
