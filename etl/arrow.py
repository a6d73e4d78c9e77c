"""Arrow arrays without pandas.

`pyarrow.array` and `pyarrow.scalar` import pandas to see whether they were given
some, which costs a short task more time than all its work. A builder does not.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa


def text_array(values: Iterable[str | None]) -> pa.Array:
    """Return an array of text; its `cast` makes other types of it."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()
