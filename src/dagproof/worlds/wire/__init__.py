"""A proxy for PostgreSQL's protocol that loses requests and replies, holds clients, and counts their messages."""

from dagproof.worlds.wire.plans import Fault, Held, Hold, Message, Planned, Watch
from dagproof.worlds.wire.proxy import Lane, Proxy, ProxyError

__all__ = ["Fault", "Held", "Hold", "Lane", "Message", "Planned", "Proxy", "ProxyError", "Watch"]


def fault_points(messages):
    return [
        (m.index, w) for m in messages for w in ("before", "after") if m.kind in ("Query", "Sync", "CopyDone")
    ], None
