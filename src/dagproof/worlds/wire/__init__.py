"""A proxy for PostgreSQL's protocol that loses requests and replies, holds clients, and counts their messages."""

from dagproof.worlds.wire.clock import FUNCTIONS, moved_sql
from dagproof.worlds.wire.plans import Fault, Held, Hold, Message, Planned, Watch
from dagproof.worlds.wire.points import FaultPoints, fault_points
from dagproof.worlds.wire.proxy import Lane, Proxy, ProxyError

__all__ = [
    "FUNCTIONS",
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
