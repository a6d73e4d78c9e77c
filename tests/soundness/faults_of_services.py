"""Faults whose effects lie where nobody compares: the verdicts have to say so."""

from __future__ import annotations

from tests.soundness.model import Fault, Python

_KEYED = """
$read
body = json.dumps([list(row) for row in rows]).encode()
urllib.request.urlopen(f"http://{os.environ['NOTES']}/%s", data=body).read()
"""
_ROW = """
with $connect as connection, connection.cursor() as cursor:
    cursor.execute("INSERT INTO marks VALUES (%s) ON CONFLICT DO NOTHING", (ds,))
"""

SERVICES = (
    Fault(
        "a service that keeps what is sent",
        "Sends the day's rows to a service under a name that is new each time, and notes the day.",
        (),
        Python(_KEYED.replace("%s", "orders/{uuid4().hex}") + _ROW),
        Python(_KEYED.replace("%s", "orders/{ds}") + _ROW),
        said=r"neither compared nor|nothing that is compared: service notes",
        near=("rerun",),
        is_companion=False,
    ),
    Fault(
        "nothing but a service",
        "Sends the day's rows to a service, and writes nothing else.",
        (),
        Python(_KEYED.replace("%s", "orders/{uuid4().hex}")),
        Python(_KEYED.replace("%s", "orders/{ds}") + _ROW),
        said=r"neither compared nor|nothing that is compared: service notes",
        near=("rerun",),
        is_companion=False,
    ),
)
